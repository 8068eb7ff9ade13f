-- SPDX-License-Identifier: Apache-2.0
--
-- Handlers that change sessions. Timers end a session in the second in which it is due, but a request may come first:
-- this wrapper ends such a session before the handler looks, so that no handler ever meets one whose time is up.
-- Handlers that only read do not need it.
local sessions = require "sessions"
local settled = {}

--- A handler that changes something, inside one transaction: run(req, tx).
function settled.write(run)
    return function(req)
        return db.transaction(function(tx)
            local open = sessions.open_of(req.user.id)
            if open then
                sessions.elapse(tx, open, req.now)
            end
            return run(req, tx)
        end)
    end
end

return settled
