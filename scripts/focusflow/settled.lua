-- SPDX-License-Identifier: Apache-2.0
--
-- Handlers that look at sessions. A request may arrive between a session's planned end and its timer; these wrappers
-- end such a session first, so that no handler ever meets one whose time is up.
local sessions = require "sessions"
local settled = {}

local OVERDUE = "SELECT 1 FROM pomodoro_sessions WHERE user_id = ? AND ended_at IS NULL AND ends_at <= ?"

local function settle(tx, req)
    local open = sessions.open_of(req.user.id)
    if open then
        sessions.elapse(tx, open, req.now)
    end
end

--- A handler that reads: run(req). Almost always there is nothing to settle, which costs one look into an index.
function settled.read(run)
    return function(req)
        if not db.value(OVERDUE, req.user.id, req.now) then
            return run(req)
        end
        return db.transaction(function(tx)
            settle(tx, req)
            return run(req)
        end)
    end
end

--- A handler that changes something, inside one transaction: run(req, tx).
function settled.write(run)
    return function(req)
        return db.transaction(function(tx)
            settle(tx, req)
            return run(req, tx)
        end)
    end
end

return settled
