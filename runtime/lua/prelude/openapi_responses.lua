-- SPDX-License-Identifier: Apache-2.0
--
-- The responses of an OpenAPI document: what a route declares, the errors that follow from its other declarations
-- (input: 400 or the manifest's `invalid`, a principal: 401, a rule: 403, path parameters: 404, a limit: 429), and the
-- headers that go with them. Called with the kit; returns new(app, array, types), whose result has of(route),
-- envelope(…), headers() and `shared` = the standard errors in use.
local kit = ...

local WRITES = kit.set "POST PUT PATCH"
local STATUS = {
    [101] = "The connection is a WebSocket from here on.",
    [200] = "OK.", [201] = "Created.", [202] = "Accepted.", [204] = "Done; no content.", [205] = "Done; no content.",
    [400] = "The input is not valid; the details name every offending field.", [401] = "No valid token.",
    [403] = "Not allowed.", [404] = "There is no such resource.",
    [426] = "Not the handshake of a WebSocket.",
    [429] = "Too many requests; Retry-After says when to try again.",
}
local INVALID = STATUS[400]
local NOT_READ = "The request cannot be read: the body is not a JSON object, or the address is malformed."
local LIMIT_HEADERS = { "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset" }
local HEADERS = {
    ["X-Request-Id"] = { "Names this request in the server's log.", "string" },
    ["X-RateLimit-Limit"] = { "Requests that the window allows.", "integer" },
    ["X-RateLimit-Remaining"] = { "Requests left in the window.", "integer" },
    ["Retry-After"] = { "Seconds to wait before the next attempt.", "integer" },
    ["ETag"] = { "Version of this answer, for If-None-Match.", "string" },
    ["Idempotent-Replayed"] = { "true: the kept answer of an earlier request with this Idempotency-Key.", "string" },
}

local Responses = {}

local function refer(name)
    return { ["$ref"] = "#/components/headers/" .. name }
end

local function with_headers(...)
    local headers = { ["X-Request-Id"] = refer "X-Request-Id" }
    for _, name in ipairs { ... } do
        headers[name] = refer(name)
    end
    return headers
end

local function default_envelope(e)
    return { error = { code = e.code, message = e.message, details = e.details } }
end

-- What the app answers for an error.
function Responses:envelope(status, message, details)
    local envelope = self.app.envelope or default_envelope
    local code = (self.app.codes or {})[status] or "ERROR"
    return envelope { status = status, code = code, message = message, details = details }
end

function Responses:error(status, text)
    local details = status == self.invalid and { field = self.array { "This field is required." } } or nil
    local headers = with_headers()
    if status == 429 then
        headers = with_headers("Retry-After", table.unpack(LIMIT_HEADERS))
    end
    return { description = text, headers = headers, content = { ["application/json"] = {
        schema = { ["$ref"] = "#/components/schemas/ErrorEnvelope" }, example = self:envelope(status, text, details),
    } } }
end

function Responses:standard_error(status)
    local name = "Error" .. status
    local text = status == self.invalid and INVALID or status == 400 and NOT_READ or STATUS[status]
    self.shared[name] = self.shared[name] or self:error(status, text)
    return { ["$ref"] = "#/components/responses/" .. name }
end

-- The content of one entry of `returns`, and whether it is JSON.
function Responses:content(returned)
    if returned == "none" then
        return nil, false
    elseif returned == "html" then
        return { ["text/html"] = { schema = { type = "string" } } }, false
    elseif returned == "file" then
        return { ["application/octet-stream"] = {} }, false
    end
    local node = type(returned) == "string" and { kind = "ref", ref = returned, required = true } or returned
    return { ["application/json"] = { schema = self.types:schema(node, "output") } }, true
end

function Responses:declared(route, responses)
    for _, status in ipairs(kit.sorted(route.returns or {})) do
        local content, is_json = self:content(route.returns[status])
        local headers = with_headers(table.unpack(route.limit and LIMIT_HEADERS or {}))
        if WRITES[route.method] then
            headers["Idempotent-Replayed"] = refer "Idempotent-Replayed"
        elseif route.method == "GET" and is_json then
            headers.ETag = refer "ETag"
            responses["304"] = {
                description = "Unchanged since the version in If-None-Match.", headers = with_headers "ETag",
            }
        end
        local text = STATUS[status] or string.format("Status %d.", status)
        responses[tostring(status)] = { description = text, content = content, headers = headers }
    end
end

local function has_fields(node)
    return node ~= nil and (node.fields == nil or #node.fields > 0)
end

function Responses:of(route)
    local responses = {}
    local input = has_fields(route.body) or has_fields(route.query)
    local standard = {
        [400] = input or route.socket ~= nil,
        [401] = (route.who or "anyone") ~= "anyone", [403] = route.can ~= nil or route.within ~= nil,
        [404] = has_fields(route.params), [426] = route.socket ~= nil, [429] = route.limit ~= nil,
    }
    local invalid = route.invalid or self.invalid
    standard[invalid] = standard[invalid] or input
    for status, applies in pairs(standard) do
        if applies then
            responses[tostring(status)] = self:standard_error(status)
        end
    end
    for status, text in pairs(route.errors or {}) do
        responses[tostring(status)] = self:error(status, text)
    end
    self:declared(route, responses)
    return responses
end

-- components.headers
function Responses:headers()
    local unix = self.app.limit_reset ~= "iso"
    local headers = { ["X-RateLimit-Reset"] = {
        description = unix and "When the window ends, in Unix seconds." or "When the window ends, as an ISO 8601 time.",
        schema = { type = unix and "integer" or "string" },
    } }
    for name, row in pairs(HEADERS) do
        headers[name] = { description = row[1], schema = { type = row[2] } }
    end
    return headers
end

return function(app, array, types)
    local maker = { app = app, array = array, types = types, shared = {}, invalid = app.invalid or 400 }
    return setmetatable(maker, { __index = Responses })
end
