-- SPDX-License-Identifier: Apache-2.0
--
-- Handlers that change sessions. Timers end a session in the second in which it is due, but a request may come first:
-- this wrapper ends such a session before the handler looks, so that no handler ever meets one whose time is up.
-- Handlers that only read do not need it.
local sessions = require "sessions"
local settled = {}

local OVERDUE = "SELECT 1 FROM pomodoro_sessions WHERE user_id = ? AND ended_at IS NULL AND ends_at <= ?"

--- A handler that changes something, inside one transaction: run(req, tx).
function settled.write(run)
    return function(req)
        return db.transaction(function(tx)
            if db.value(OVERDUE, req.user.id, req.now) then
                sessions.elapse(tx, sessions.open_of(req.user.id), req.now)
            end
            return run(req, tx)
        end)
    end
end

return settled
