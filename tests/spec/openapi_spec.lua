-- SPDX-License-Identifier: Apache-2.0
-- The OpenAPI document of a made-up app. That real validators accept it is checked by tests/contract/openapi_check.mjs.
package.path = "./tests/spec/support/?.lua;" .. package.path
local prelude = require "prelude"
local sample_app = require "sample_app"

local declare = prelude.host.load "declare" (prelude.host)
local openapi = prelude.host.load "openapi" (prelude.host)
local null = prelude.null

local function normalised(change)
    local manifest = sample_app(declare.words)
    if change then
        change(manifest, declare.words)
    end
    return declare.normalise(manifest)
end

local function document(opts, change)
    opts = opts or {}
    opts.array = prelude.array
    return openapi(normalised(change), opts)
end

local function plain(list)
    local copy = {}
    for i, item in ipairs(list) do
        copy[i] = item
    end
    return copy
end

local function body_of(doc, path, method)
    return doc.paths[path][method].requestBody.content["application/json"].schema
end

local function sorted_keys(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys)
    return keys
end

describe("openapi", function()
    local doc, order
    setup(function()
        doc, order = document { prefix = "/api/v1/", origin = "http://127.0.0.1:8000" }
    end)

    it("describes the app", function()
        assert.equal("3.1.0", doc.openapi)
        assert.same({ title = "Library <API>", version = "1.4", description = "Books, shelves and who has them." },
            doc.info)
    end)

    it("names this server first, then the public hosts", function()
        local urls = {}
        for i, server in ipairs(doc.servers) do
            urls[i] = server.url
        end
        assert.same({ "http://127.0.0.1:8000", "https://api.library.example" }, urls)
        local elsewhere = document({}, function(manifest) manifest.hosts = nil end)
        assert.equal("/", elsewhere.servers[1].url)
        assert.equal(1, #elsewhere.servers)
    end)

    it("is valid JSON material: every list is marked as an array", function()
        assert.has_no.errors(function() prelude.encode(doc) end)
        assert.is_true(prelude.is_array(doc.paths["/api/v1/account/login/"].post.security))
    end)

    it("is the same for the same declarations", function()
        local again = document { prefix = "/api/v1/", origin = "http://127.0.0.1:8000" }
        assert.equal(prelude.encode(doc), prelude.encode(again))
    end)

    it("has only what is below the prefix", function()
        assert.same({
            "/api/v1/account/export/", "/api/v1/account/login/", "/api/v1/account/profile/", "/api/v1/books/",
            "/api/v1/books/{id}/", "/api/v1/books/{id}/lend/",
        }, sorted_keys(doc.paths))
        assert.same({ "/api/v2/account/card/" }, sorted_keys(document { prefix = "/api/v2/" }.paths))
    end)

    it("lists units that have routes as tags, in the app's order", function()
        assert.same({ "account", "books" }, { doc.tags[1].name, doc.tags[2].name })
        assert.equal("Sign in and reports.", doc.tags[1].description)
        local second = document { prefix = "/api/v2/" }
        assert.equal(1, #second.tags)
        assert.equal("account", second.tags[1].name)
    end)

    it("keeps the declared order of operations and fields beside the document", function()
        local list = order[doc.paths]
        assert.equal("account_login", list[1].operation.operationId)
        assert.equal("POST", list[1].method)
        assert.equal("books_list", list[4].operation.operationId)
        assert.same({ "id", "title", "state", "shelf", "tags", "rating", "lent_until", "created_at", "key" },
            order[doc.components.schemas.Book.properties])
    end)
end)

describe("operation ids", function()
    it("come from unit, method and path", function()
        local doc, order = document { prefix = "/api/v1/" }
        local ids = {}
        for i, item in ipairs(order[doc.paths]) do
            ids[i] = item.operation.operationId
        end
        assert.same({
            "account_login", "account_profile_get", "account_export_get", "books_list", "books_create", "books_get",
            "books_update", "books_delete", "books_lend",
        }, ids)
    end)

    it("do not change when a route is added, and stay unique", function()
        local doc = document({ prefix = "/api/v1/" }, function(manifest, w)
            local routes = manifest.units[2]
            for _, path in ipairs { "/api/v1/books/export/", "/api/v1/books/{id}/export/" } do
                routes[#routes + 1] = w.GET(path) {
                    summary = "Export", who = "anyone", returns = { [204] = "none" }, run = function() end,
                    params = path:find("{", 1, true) and { id = w.id } or nil,
                }
            end
        end)
        assert.equal("books_get", doc.paths["/api/v1/books/{id}/"].get.operationId)
        assert.equal("books_export_get", doc.paths["/api/v1/books/export/"].get.operationId)
        assert.equal("books_export_get_get", doc.paths["/api/v1/books/{id}/export/"].get.operationId)
    end)
end)

describe("operations", function()
    local doc
    setup(function() doc = document { prefix = "/api/v1/" } end)

    local function parameter(path, method, name)
        for _, row in ipairs(doc.paths[path][method].parameters or {}) do
            if row.name == name or row["$ref"] == "#/components/parameters/" .. name then
                return row
            end
        end
    end

    it("ask for a token unless anyone may call them", function()
        assert.same({ bearerAuth = {} }, doc.paths["/api/v1/books/"].get.security[1])
        assert.equal(0, #doc.paths["/api/v1/account/login/"].post.security)
        assert.equal("bearer", doc.components.securitySchemes.bearerAuth.scheme)
    end)

    it("have path and query parameters with their limits", function()
        assert.same({ name = "id", ["in"] = "path", required = true, schema = { type = "integer", format = "int64",
            minimum = 1 } },
            parameter("/api/v1/books/{id}/", "get", "id"))
        assert.same({ name = "page_size", ["in"] = "query", description = "Entries of one page.",
            schema = { type = "integer", minimum = 1, maximum = 100, default = 20 } },
            parameter("/api/v1/books/", "get", "page_size"))
        assert.is_true(parameter("/api/v1/books/", "get", "library").required)
        assert.is_nil(parameter("/api/v1/books/", "get", "state").required)
    end)

    it("take an Idempotency-Key where they write and If-None-Match where they answer with an ETag", function()
        assert.truthy(parameter("/api/v1/books/", "post", "IdempotencyKey"))
        assert.truthy(parameter("/api/v1/books/{id}/", "patch", "IdempotencyKey"))
        assert.is_nil(parameter("/api/v1/books/{id}/", "delete", "IdempotencyKey"))
        assert.is_nil(parameter("/api/v1/books/", "get", "IdempotencyKey"))
        assert.truthy(parameter("/api/v1/books/", "get", "IfNoneMatch"))
        assert.is_nil(parameter("/api/v1/account/export/", "get", "IfNoneMatch"))
        assert.equal("Idempotency-Key", doc.components.parameters.IdempotencyKey.name)
    end)

    it("say their limit", function()
        assert.same({ name = "auth", count = 10, seconds = 3600, per = "address" },
            doc.paths["/api/v1/account/login/"].post["x-rate-limit"])
        assert.is_nil(doc.paths["/api/v1/account/profile/"].get["x-rate-limit"])
    end)

    it("need a body only if one of its fields is required", function()
        assert.is_true(doc.paths["/api/v1/books/"].post.requestBody.required)
        assert.is_false(doc.paths["/api/v1/books/{id}/"].patch.requestBody.required)
        assert.is_nil(doc.paths["/api/v1/books/"].get.requestBody)
    end)
end)

describe("responses", function()
    local doc
    setup(function() doc = document { prefix = "/api/v1/" } end)

    local function statuses(path, method)
        return sorted_keys(doc.paths[path][method].responses)
    end

    it("have the errors that follow from the declarations", function()
        assert.same({ "200", "304", "400", "401", "429" }, statuses("/api/v1/books/", "get"))
        assert.same({ "201", "400", "401", "403", "409", "429" }, statuses("/api/v1/books/", "post"))
        assert.same({ "204", "401", "404", "429" }, statuses("/api/v1/books/{id}/", "delete"))
        assert.same({ "200", "304", "401" }, statuses("/api/v1/account/profile/", "get"))
        assert.same({ "200", "401" }, statuses("/api/v1/account/export/", "get"))
        assert.same({ "200", "400", "401", "429" }, statuses("/api/v1/account/login/", "post"))
    end)

    it("let a route word its errors itself", function()
        local responses = doc.paths["/api/v1/account/login/"].post.responses
        assert.equal("Wrong address or password.", responses["401"].description)
        assert.same({ error = { code = "NO_TOKEN", message = "Wrong address or password." } },
            responses["401"].content["application/json"].example)
        assert.equal("#/components/responses/Error400", responses["400"]["$ref"])
    end)

    it("have the app's own status for invalid input, beside 400 for what cannot be read", function()
        local own = document({ prefix = "/api/v1/" }, function(manifest)
            manifest.invalid, manifest.codes[422] = 422, "INVALID"
        end)
        local responses = own.paths["/api/v1/books/"].post.responses
        assert.same({ "201", "400", "401", "403", "409", "422", "429" }, sorted_keys(responses))
        assert.is_truthy(own.components.responses.Error422.description:find("every offending field", 1, true))
        assert.is_truthy(own.components.responses.Error400.description:find("cannot be read", 1, true))
    end)

    it("of a route for guests need no token, but say what a bad one gets", function()
        local own = document({ prefix = "/api/v1/" }, function(manifest)
            for _, unit in ipairs(manifest.units) do
                for _, route in ipairs(unit) do
                    route.guests = route.path == "/api/v1/books/" and route.method == "GET" or nil
                end
            end
        end)
        local operation = own.paths["/api/v1/books/"].get
        assert.same({ { bearerAuth = {} }, {} }, plain(operation.security))
        assert.is_table(operation.responses["401"])
    end)

    it("show the app's own envelope", function()
        local schema = doc.components.schemas.ErrorEnvelope.properties.error
        assert.same({ "code", "message" }, plain(schema.required))
        assert.equal("string", schema.properties.code.type)
        assert.equal("array", schema.properties.details.additionalProperties.type)
        local flat = document({}, function(manifest)
            manifest.envelope = function(e) return { detail = e.message, status = e.status,
                errors = e.details or null } end
        end)
        local properties = flat.components.schemas.ErrorEnvelope.properties
        assert.equal("integer", properties.status.type)
        assert.same({ "object", "null" }, plain(properties.errors.type))
        assert.same({ "detail", "status", "errors" }, plain(flat.components.schemas.ErrorEnvelope.required))
    end)

    it("carry the headers that the host sends", function()
        local list = doc.paths["/api/v1/books/"].get.responses["200"].headers
        assert.same({ "ETag", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-Id" },
            sorted_keys(list))
        assert.same({ "X-Request-Id" }, sorted_keys(doc.paths["/api/v1/account/export/"].get.responses["200"].headers))
        assert.truthy(doc.paths["/api/v1/books/"].post.responses["201"].headers["Idempotent-Replayed"])
        assert.truthy(doc.components.responses.Error429.headers["Retry-After"])
        for name in pairs(list) do
            assert.truthy(doc.components.headers[name], name)
        end
    end)

    it("write X-RateLimit-Reset in the app's form", function()
        local iso = document({}, function(manifest) manifest.limit_reset = "iso" end)
        assert.equal("integer", doc.components.headers["X-RateLimit-Reset"].schema.type)
        assert.equal("string", iso.components.headers["X-RateLimit-Reset"].schema.type)
    end)

    it("may be a model, a type, a file, a page or nothing", function()
        local paths = doc.paths
        assert.equal("#/components/schemas/Book",
            paths["/api/v1/books/{id}/"].get.responses["200"].content["application/json"].schema["$ref"])
        assert.equal("object",
            paths["/api/v1/account/profile/"].get.responses["200"].content["application/json"].schema.type)
        assert.same({ "application/octet-stream" },
            sorted_keys(paths["/api/v1/account/export/"].get.responses["200"].content))
        assert.is_nil(paths["/api/v1/books/{id}/"].delete.responses["204"].content)
        local page = document { prefix = "/api/v2/" }.paths["/api/v2/account/card/"].get.responses["200"]
        assert.same({ "text/html" }, sorted_keys(page.content))
    end)
end)

describe("schemas", function()
    local doc, book, input
    setup(function()
        doc = document { prefix = "/api/v1/" }
        book, input = doc.components.schemas.Book, body_of(doc, "/api/v1/books/", "post")
    end)

    it("include the models in use and no other", function()
        assert.same({ "Book", "Books", "ErrorEnvelope", "Shelf" }, sorted_keys(doc.components.schemas))
    end)

    it("write nullable types as type arrays and references as anyOf", function()
        assert.same({ "string", "null" }, plain(book.properties.lent_until.type))
        assert.same({ ["$ref"] = "#/components/schemas/Shelf" }, book.properties.shelf.anyOf[1])
        assert.same({ type = "null" }, book.properties.shelf.anyOf[2])
    end)

    it("let null be one of the values of a nullable choice", function()
        local state = body_of(doc, "/api/v1/books/{id}/", "patch").properties.state
        assert.same({ "string", "null" }, plain(state.type))
        assert.same({ "shelf", "lost", null }, plain(state.enum))
    end)

    it("require in answers all but omitted fields, in requests what has no default", function()
        assert.same({ "id", "title", "state", "shelf", "tags", "rating", "lent_until", "created_at" },
            plain(book.required))
        assert.same({ "title", "bought_at" }, plain(input.required))
    end)

    it("leave Lua patterns out and their message in", function()
        assert.is_nil(input.properties.isbn.pattern)
        assert.equal("Digits only.", input.properties.isbn.description)
        assert.equal(13, input.properties.isbn.maxLength)
    end)

    it("say that a required text may not be blank, but not of passwords", function()
        assert.equal(1, doc.paths["/api/v1/books/"].get.parameters[1].schema.minLength)
        assert.equal(8, body_of(doc, "/api/v1/account/login/", "post").properties.password.minLength)
        assert.is_nil(book.properties.title.minLength)
    end)

    it("write examples and defaults as they look in JSON", function()
        assert.same({ "2025-01-20T09:00:00Z" }, plain(input.properties.bought_at.examples))
        assert.is_true(prelude.is_array(input.properties.tags.default))
        assert.same({ 17 }, plain(book.properties.id.examples))
        assert.same({ "2025-01-20" }, plain(book.properties.lent_until.examples))
    end)

    it("know lists, maps, objects and anything", function()
        assert.equal(5, input.properties.tags.maxItems)
        assert.equal(20, input.properties.tags.items.maxLength)
        assert.equal("string", input.properties.labels.additionalProperties.type)
        assert.same({ "height", "width" }, sorted_keys(input.properties.size.properties))
        assert.is_nil(input.properties.extra.type)
    end)
end)
