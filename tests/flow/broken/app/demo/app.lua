-- SPDX-License-Identifier: Apache-2.0
--
-- A small sound app: the examples of this folder each break it in one place.
return {
    name = "demo",
    principals = { user = function() return { id = 1 } end },
    rules = require "rules.notes",
    limits = { standard = { count = 100, seconds = 60, per = "user" } },
    models = {
        Note = object { id = id, text = text, stars = integer },
        NoteEvent = object { note = ref "Note" },
    },
    units = { (require "routes.notes") },
    measures = { "stars" },
    timers = require "jobs.all",
    webhooks = {
        events = { "note_starred" },
        build = function(event, data) return { body = { event = event, data = data } } end,
    },
    config = { days = integer { 1, 30, default = 7 } },
}
