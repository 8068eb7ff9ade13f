-- SPDX-License-Identifier: Apache-2.0
--
-- A small app for the tests of sockets: rooms in which lines are said, and a socket that does what it is told.
local store = require "store"

return {
    name = "chat", title = "Chat", version = "1", summary = "For the tests of sockets.",
    hosts = {}, prefixes = { "/chat", "/ws" }, trailing_slash = true,
    codes = { [400] = "BAD", [401] = "WHO", [403] = "NO", [404] = "NONE", [405] = "METHOD", [426] = "SOCKET",
        [429] = "SLOW", [500] = "BROKEN", [503] = "BUSY" },
    envelope = function(e) return { error = { code = e.code, message = e.message, details = e.details or {} } } end,
    -- A token is "user-<id>".
    principals = {
        user = function(token)
            local number = token:match("^user%-(%d+)$")
            if not number then
                return nil, "WHO", "that token is nobody's"
            end
            return { id = math.tointeger(tonumber(number)), name = "user " .. number }, time.now() + 60
        end,
    },
    limits = { few = { count = 3, seconds = 60, per = "user" }, door = { count = 5, seconds = 60, per = "address" } },
    models = {
        Line = object { { "room", text }, { "said", text }, { "at", datetime } },
        Said = object { { "type", text }, { "id", id }, { "said", text } },
    },
    rules = {
        ["room.enter"] = function(user, req) return user.id ~= 13 or req.params.room ~= "luck", "not that one" end,
    },
    measures = {}, timers = {}, config = {},
    units = { require "lines", require "events" },
    docs = { { path = "/chat/docs", title = "Chat", version = "1", prefix = "/" } },
    recount = nil, demo = nil, _store = store,
}
