-- SPDX-License-Identifier: Apache-2.0
--
-- Plain HTTP beside the sockets.
local store = require "store"

return {
    name = "lines", summary = "Lines that were said.",
    POST "/chat/{room}/lines" {
        summary = "Say something", who = "anyone", params = { room = text { max = 40 } },
        body = { said = text { max = 100000 }, except = optional(text), fail = optional(boolean) },
        returns = { [201] = any },
        run = function(req)
            local id = store.say(req.params.room, req.body.said, req.body.except and { except = req.body.except })
            if req.body.fail then
                error("after the event")
            end
            return 201, { id = id }
        end,
    },
    GET "/chat/lines" {
        summary = "How many, and how often somebody left", who = "anyone", query = { who = text { default = "-" } },
        returns = { [200] = any },
        run = function(req)
            return 200, { lines = store.count(),
                departures = db.value("SELECT count(*) FROM departures WHERE who = ?", req.query.who),
                said = db.value("SELECT coalesce(sum(said), 0) FROM departures WHERE who = ?", req.query.who) }
        end,
    },
    GET "/chat/{room}/presence" {
        summary = "Who listens", who = "anyone", params = { room = text }, returns = { [200] = any },
        run = function(req)
            local room = "room:" .. req.params.room
            local who = {}
            for _, row in ipairs(events.presence(room)) do
                who[row.label] = row.count
            end
            return 200, { count = events.count(room), who = who }
        end,
    },
    POST "/chat/close" {
        summary = "Close the sockets of a label", who = "anyone",
        body = { label = text, code = integer, reason = text }, returns = { [204] = "none" },
        run = function(req)
            db.transaction(function() events.close(req.body.label, req.body.code, req.body.reason) end)
            return 204
        end,
    },
    POST "/chat/expel" {
        summary = "Expel a label from a room", who = "anyone", body = { label = text, room = text },
        returns = { [204] = "none" },
        run = function(req)
            db.transaction(function() events.expel(req.body.label, "room:" .. req.body.room) end)
            return 204
        end,
    },
}
