-- SPDX-License-Identifier: Apache-2.0
--
-- The timer of a running session: ends it at its planned end, also when it fires late (FF-23, X-17).
local sessions = require "sessions"

return {
    ["session.end"] = function(_, args)
        db.transaction(function(tx)
            local session = sessions.find(args.id)
            if session then
                sessions.elapse(tx, session, time.now())
            end
        end)
    end,
}
