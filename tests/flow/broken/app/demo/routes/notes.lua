-- SPDX-License-Identifier: Apache-2.0
local notes = require "notes"

return {
    name = "notes",
    summary = "Notes with stars.",
    GET "/demo/notes/{id}/" {
        summary = "One note",
        who = "user",
        can = "note.see",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "Note" },
        run = function(req)
            return 200, notes.find(req.params.id) or fail.not_found()
        end,
    },
    POST "/demo/notes/" {
        summary = "Write a note",
        who = "user",
        body = { text = text { 1, 100 } },
        returns = { [201] = "Note" },
        run = function(req)
            return db.transaction(function(tx)
                local id = notes.add(tx, req.body.text)
                return 201, notes.find(id)
            end)
        end,
    },
    DELETE "/demo/notes/{id}/" {
        summary = "Throw a note away",
        who = "user",
        params = { id = id },
        returns = { [204] = "none" },
        run = function(req)
            db.transaction(function(tx)
                tx.run("DELETE FROM notes WHERE id = ?", req.params.id)
            end)
            return 204
        end,
    },
}
