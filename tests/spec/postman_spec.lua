-- SPDX-License-Identifier: Apache-2.0
-- The Postman collection of a made-up app. That Postman's own code accepts it is checked by
-- tests/contract/postman_check.mjs.
package.path = "./tests/spec/support/?.lua;" .. package.path
local prelude = require "prelude"
local sample_app = require "sample_app"

local declare = prelude.host.load "declare" (prelude.host)
local openapi = prelude.host.load "openapi" (prelude.host)
local postman = prelude.host.load "postman" (prelude.host)

local function collection()
    local opts = { array = prelude.array, prefix = "/api/v1/", origin = "http://host:1/" }
    local document, order = openapi(declare.normalise(sample_app(declare.words)), opts)
    opts.order = order
    return postman(document, opts), document
end

describe("Postman collection", function()
    local made, by_name = nil, {}
    setup(function()
        made = collection()
        for _, folder in ipairs(made.item) do
            for _, item in ipairs(folder.item) do
                by_name[item.name] = item
            end
        end
    end)

    it("has the server and the token as variables", function()
        assert.equal("baseUrl", made.variable[1].key)
        assert.equal("http://host:1", made.variable[1].value)
        assert.equal("token", made.variable[2].key)
        assert.equal("{{token}}", made.auth.bearer[1].value)
    end)

    it("has a folder for each unit that has requests", function()
        local _, document = collection()
        assert.equal(document.tags[1].name, made.item[1].name)
        for _, folder in ipairs(made.item) do
            assert.truthy(folder.item[1], folder.name)
        end
    end)

    it("switches optional parameters off", function()
        local disabled = {}
        for _, entry in ipairs(by_name["List books"].request.url.query) do
            disabled[entry.key] = entry.disabled or false
        end
        assert.is_true(disabled.state)
        assert.is_false(disabled.library)
        assert.equal("{{baseUrl}}/api/v1/books/?library=main", by_name["List books"].request.url.raw)
    end)

    it("writes an example body", function()
        local body = by_name["Add book"].request.body
        assert.equal("raw", body.mode)
        assert.truthy(body.raw:find('"title": "It\'s <b>Solaris</b>"', 1, true))
    end)

    it("leaves sockets to its description", function()
        local _, document = collection()
        for path, item in pairs(document.paths) do
            if item.get and item.get["x-websocket"] then
                assert.truthy(made.info.description:find(path, 1, true))
            end
        end
    end)

    it("is JSON throughout", function()
        assert.has_no.errors(function() prelude.encode(made) end)
    end)
end)
