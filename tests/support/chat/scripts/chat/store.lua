-- SPDX-License-Identifier: Apache-2.0
--
-- Lines in the database and on their way to whoever listens.
local M = {}

function M.say(room, said, options)
    return db.transaction(function(tx)
        local number = tx.insert("lines", { room = room, said = said })
        events.emit("room:" .. room, { type = "said", id = number, said = said }, options)
        return number
    end)
end

function M.count()
    return db.value("SELECT count(*) FROM lines")
end

return M
