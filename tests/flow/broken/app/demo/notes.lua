-- SPDX-License-Identifier: Apache-2.0
local words = require "lib.words"
local notes = {}
local ROW = "SELECT id, text, stars FROM notes"
function notes.find(id)
    return db.one(ROW .. " WHERE id = ?", id)
end

function notes.add(tx, text)
    return tx.insert("notes", { text = words.trim(text) })
end

function notes.star(tx, note, stars)
    tx.update("notes", { stars = stars }, "id = ?", note.id)
    tx.run("UPDATE notes SET stars = 0 WHERE stars > ?", 5)
    events.emit("notes", { note = note }, { model = "NoteEvent" })
    webhook.send("owner:1", "note_starred", note)
    timer.at("note:" .. note.id, time.now() + config.get "days" * 86400, "note.fade", { id = note.id })
    analytics.record { measure = "stars", kind = "note", id = note.id, from = 0, to = 900, value = stars }
end

return notes
