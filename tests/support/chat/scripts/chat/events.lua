-- SPDX-License-Identifier: Apache-2.0
--
-- The sockets. /ws/{room} does what its messages say, one handler per word; /ws/first is authenticated by the first
-- message; /ws/mine/ at the handshake.
local store = require "store"
local on = {}

function on.echo(socket, m) socket:send(m.value) end
function on.type(socket, m) socket:send { type = type(m.value), math = math.type(m.value) } end
function on.model(socket) socket:send({ room = "r", said = "s", at = 0, secret = 1 }, "Line") end
function on.close(socket, m) socket:close(m.code, m.reason) end
function on.raise() error("secret internals") end
function on.loop() while true do end end
function on.memory()
    local t = {}
    while true do
        t[#t + 1] = string.rep("x", 100000) .. #t
    end
end
function on.fail() fail.conflict("said on purpose") end
function on.count(socket, m)
    socket.data.n = (socket.data.n or 0) + 1
    socket:send { n = socket.data.n, m = m.m }
end
-- Waits for a hash and a commit, so that others may overtake if they could.
function on.slow(socket, m)
    password.hash("correct horse")
    local id = store.say("elsewhere", m.said)
    socket:send { slow = m.said, id = id }
end
function on.say(socket, m)
    store.say(m.room, m.said, m.except and { except = m.except })
    socket:send { done = m.said }
end
-- What is sent after a transaction waits for its end, whichever it is.
function on.undone(socket, m)
    socket:send { before = true }
    store.say("elsewhere", "never")
    socket:send { after = true }
    error(m.why)
end
function on.join(socket, m)
    local ok, why, seq = socket:join("room:" .. m.room, { limit = m.limit, after = m.after, who = m.who })
    socket:send { joined = ok or null, why = why, seq = seq or null }
end
function on.leave(socket, m) socket:send { left = socket:leave("room:" .. m.room) } end
function on.label(socket, m) socket:send { labelled = socket:label(m.key) } end
function on.timeout(socket, m) socket:timeout(m.seconds) end
function on.flood(socket, m)
    local text = string.rep("f", m.bytes)
    for _ = 1, m.times do
        if not socket:send(text) then
            return
        end
    end
end
function on.bad(socket)
    local function says(...) return (select(2, pcall(...))) end
    socket:send {
        code = says(socket.close, socket, 1006), field = says(function() socket.other = 1 end),
        model = says(socket.send, socket, {}, "Nothing"), value = says(socket.send, socket, pairs),
        inside = says(db.transaction, function() socket:join("room:x") end),
    }
end

local function open(socket, req)
    socket.data.who = req.query.who or "somebody"
    if req.query.hello then
        socket:send { hello = req.params.room, id = req.id, path = req.path, who = req.query.who or null,
            same = req.id == socket.id, address = req.address, query_text = req.query_text }
    end
end

local function message(socket, m)
    if type(m) ~= "table" or not on[m["do"]] then
        socket:send { heard = m }
        return
    end
    on[m["do"]](socket, m)
end

local function closed(socket)
    db.transaction(function(tx)
        tx.insert("departures", { who = socket.data.who or "nobody", said = socket.data.n or 0 })
    end)
    socket:send "nobody hears this"
end

return {
    name = "events", summary = "Sockets.",
    SOCKET "/ws/{room}" {
        summary = "Listen to a room", who = "anyone", params = { room = text { max = 20 } }, limit = "door",
        query = { who = optional(text { max = 10 }), hello = optional(boolean) },
        receives = { object { { "do", text } } }, sends = { "Said", "Line" },
        open = open, message = message, closed = closed,
        timeout = function(socket) socket:send { timeout = true } end,
    },
    SOCKET "/ws/first" {
        summary = "The first message is a token", who = "anyone",
        open = function(socket) socket:timeout(10) end,
        timeout = function(socket) socket:close(4401, "no token") end,
        message = function(socket, m)
            local user, why, code = socket:authenticate(type(m) == "table" and m.token or "")
            if not user then
                socket:send { type = "error", data = { code = code, message = why } }
                socket:close(4401)
                return
            end
            socket:timeout(nil)
            socket:label("user:" .. user.id)
            socket:send { welcome = user.name }
        end,
    },
    SOCKET "/ws/mine/{room}" {
        summary = "Authenticated at the handshake", who = "user", token_query = "token", limit = "few",
        can = "room.enter",
        params = { room = text },
        open = function(socket, req)
            socket:label("user:" .. req.user.id)
            socket:join("room:" .. req.params.room)
            socket:send { welcome = req.user.name }
        end,
    },
    SOCKET "/ws/broken" {
        summary = "Fails when it is opened", who = "anyone", open = function() error("secret internals") end,
    },
}
