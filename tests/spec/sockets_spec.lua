-- SPDX-License-Identifier: Apache-2.0
--
-- SOCKET routes: how they are declared, what the manifest check says of them, how they are documented.
package.path = "tests/spec/support/?.lua;" .. package.path
local host = require("prelude").host
local array = require("prelude").array
local declare = host.load "declare" (host)
local openapi = host.load "openapi" (host)
local page = host.load "docs_page" (host)
local w = declare.words
local SOCKET, GET = w.SOCKET, w.GET

local function nothing() end

local function manifest(...)
    return {
        name = "demo", envelope = function(e) return { error = e.code } end,
        principals = { user = nothing }, rules = { enter = nothing },
        limits = { few = { count = 3, seconds = 60, per = "user" } },
        models = {
            Said = w.object { { "type", w.text }, { "said", w.text } }, Order = w.object { { "do", w.text } },
            Unused = w.object { { "id", w.id } },
        },
        units = { { name = "events", summary = "Sockets.", ... } },
    }
end

local function socket(changes)
    local route = { summary = "Listen", who = "anyone", message = nothing, params = { room = w.text } }
    for key, value in pairs(changes or {}) do
        route[key] = value ~= "absent" and value or nil
    end
    return SOCKET "/ws/{room}" (route)
end

local function problem(changes)
    local ok, message = pcall(declare.normalise, manifest(socket(changes)))
    assert.is_false(ok)
    assert.is_truthy(message:find("1 problem", 1, true), message)
    return (message:match("\n%s*(.-)$"):gsub("^.-sockets_spec.lua:%d+: ", ""))
end

describe("SOCKET", function()
    it("is a GET with handlers", function()
        local out = declare.normalise(manifest(socket {
            open = nothing, closed = nothing, timeout = nothing, who = "user", token_query = "token", limit = "few",
            can = "enter", sends = { "Said" }, receives = { "Order", w.text },
        })).routes[1]
        assert.equal("GET", out.method)
        assert.same({ [101] = "none" }, out.returns)
        assert.is_nil(out.run)
        assert.equal("token", out.socket.token_query)
        for _, name in ipairs { "open", "message", "closed", "timeout" } do
            assert.equal(nothing, out.socket[name])
        end
        assert.equal("Said", out.socket.sends[1].ref)
        assert.equal("text", out.socket.receives[2].kind)
    end)

    it("leaves other routes without a socket", function()
        local out = declare.normalise(manifest(GET "/a" {
            summary = "A", who = "anyone", returns = { [204] = "none" }, run = nothing,
        }))
        assert.is_nil(out.routes[1].socket)
    end)

    it("is checked like a route", function()
        assert.equal('SOCKET /ws/{room}: unknown key "mesage" (did you mean "message"?)', problem { mesage = nothing })
        assert.equal('SOCKET /ws/{room}: unknown key "run"', problem { run = nothing })
        assert.equal('SOCKET /ws/{room}: unknown key "returns"', problem { returns = {} })
        assert.equal("SOCKET /ws/{room}: summary is missing", problem { summary = "absent" })
        assert.equal("SOCKET /ws/{room}: the path's {room} needs a type in params", problem { params = "absent" })
        assert.equal("SOCKET /ws/{room}: open must be a function", problem { open = 1 })
        assert.equal("SOCKET /ws/{room}: a socket needs a function open or message", problem { message = "absent" })
        assert.equal('SOCKET /ws/{room}: token_query needs a principal in who; "anyone" has no token',
            problem { token_query = "token" })
        assert.equal("SOCKET /ws/{room}: token_query must be the name of a query parameter",
            problem { token_query = "a b", who = "user" })
        assert.equal('SOCKET /ws/{room}: sends[1]: there is no model "Sad" (did you mean "Said"?)',
            problem { sends = { "Sad" } })
        assert.equal("SOCKET /ws/{room}: receives must list models", problem { receives = "Order" })
    end)

    it("shares its path with no GET", function()
        local m = manifest(socket(), GET "/ws/{name}" {
            summary = "A", who = "anyone", params = { name = w.text }, returns = { [204] = "none" }, run = nothing,
        })
        assert.error_matches(function() declare.normalise(m) end, "GET /ws/{name}: already declared at")
    end)

    it("does not take what the word itself says", function()
        assert.error_matches(function() SOCKET "/a" { socket = true } end, '"socket" is not written in the table')
    end)
end)

describe("a socket's documentation", function()
    local out = declare.normalise(manifest(socket {
        who = "user", token_query = "token", sends = { "Said" }, receives = { "Order" }, limit = "few",
    }))
    local document, order = openapi(out, { array = array, origin = "http://demo.test" })
    local operation = document.paths["/ws/{room}"].get

    it("is that of a GET that switches protocols", function()
        assert.equal("events_ws_socket", operation.operationId)
        local statuses = {}
        for status in pairs(operation.responses) do
            statuses[#statuses + 1] = status
        end
        table.sort(statuses)
        assert.same({ "101", "400", "401", "404", "426", "429" }, statuses)
        assert.is_nil(operation.responses["101"].content)
    end)

    it("names the models that go over it", function()
        local refs = operation["x-websocket"]
        assert.equal("#/components/schemas/Said", refs.sends[1]["$ref"])
        assert.equal("#/components/schemas/Order", refs.receives[1]["$ref"])
        assert.is_truthy(document.components.schemas.Said)
        assert.is_nil(document.components.schemas.Unused)
    end)

    it("says where a token may be", function()
        local names = {}
        for i, parameter in ipairs(operation.parameters) do
            names[i] = (parameter["in"] or "") .. " " .. (parameter.name or "")
        end
        assert.same({ "path room", "query token" }, names)
    end)

    it("is on the page", function()
        local text = page(document, { order = order })
        local parts = { "WebSocket", "Messages", "new WebSocket(&quot;ws://demo.test/ws/", "takes", "sends", "Said" }
        for _, part in ipairs(parts) do
            assert.is_truthy(text:find(part, 1, true), part)
        end
    end)
end)
