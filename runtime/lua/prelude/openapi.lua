-- SPDX-License-Identifier: Apache-2.0
--
-- An app's routes and models as an OpenAPI 3.1 document, made from the declarations alone: nothing of the app is called
-- but its envelope, and equal declarations give equal documents. Called with the host's table (`load`, `null`, and
-- `iso` = unix seconds → text); returns openapi(app, opts) → document, order.
--
--   app    the normalised manifest (manifest.lua)
--   opts   array = json.array; prefix = only paths below it; origin = "http://host" of the first server;
--          title, version = instead of the app's
--   order  names in declared order, by the table that has them: order[properties] = { name, … } and
--          order[document.paths] = { { path =, method =, operation = }, … }
local host = ...
local kit = host.load "kit" ()
local new_schema = host.load "openapi_schema" (kit, host)
local new_responses = host.load "openapi_responses" (kit)

local WRITES = kit.set "POST PUT PATCH"
local PARAMETERS = {
    IdempotencyKey = {
        name = "Idempotency-Key", ["in"] = "header", schema = { type = "string", minLength = 1, maxLength = 255 },
        description = "Makes a retry safe: for 24 hours the first answer is sent again instead of acting twice.",
    },
    IfNoneMatch = {
        name = "If-None-Match", ["in"] = "header", schema = { type = "string" },
        description = "An ETag of an earlier answer; 304 without a body if it still holds.",
    },
}

local Maker = {}

function Maker:parameters(route, has_etag)
    local list = {}
    for _, place in ipairs { "path", "query" } do
        local node = place == "path" and route.params or place == "query" and route.query
        for _, field in ipairs(node and node.fields or {}) do
            local schema = self.types:schema(field.type, "input")
            local text = schema.description
            schema.description = nil
            local commas = place == "query" and field.type.kind == "list"
            list[#list + 1] = {
                name = field.name, ["in"] = place, required = place == "path" or field.type.required or nil,
                description = text, schema = schema,
            }
            if commas then      -- name=a,b and not name=a&name=b
                list[#list].style, list[#list].explode = "form", false
            end
        end
    end
    if route.socket and route.socket.token_query then
        list[#list + 1] = {
            name = route.socket.token_query, ["in"] = "query", schema = { type = "string" },
            description = "The token, where a client cannot set the Authorization header.",
        }
    end
    if WRITES[route.method] then
        list[#list + 1] = { ["$ref"] = "#/components/parameters/IdempotencyKey" }
    elseif has_etag then
        list[#list + 1] = { ["$ref"] = "#/components/parameters/IfNoneMatch" }
    end
    return list[1] and self.array(list) or nil
end

local VERBS = { GET = "get", POST = "create", PUT = "replace", PATCH = "update", DELETE = "delete" }

-- tasks_list, tasks_create, tasks_get, tasks_start, auth_profile_update: from unit, method and path alone, so that a
-- new route does not rename another one.
function Maker:operation_id(route)
    local unit = route.unit:gsub("%W+", "_")
    local words, last = { unit }, ""
    for segment in route.path:sub(#self.prefix + 1):gmatch("[^/]+") do
        last = segment:gsub("%W+", "_")
        if segment:sub(1, 1) ~= "{" and last ~= unit then
            words[#words + 1] = last
        end
    end
    local verb = route.socket and "socket" or VERBS[route.method]
    if verb == "create" and last == words[#words] and #words > 1 then
        verb = nil      -- POST …/{id}/start/ is tasks_start
    elseif verb == "get" and #words == 1 and not route.path:find("}/?$") then
        verb = "list"
    end
    words[#words + 1] = verb
    local id = table.concat(words, "_")
    while self.ids[id] do
        id = id .. "_" .. route.method:lower()
    end
    self.ids[id] = true
    return id
end

function Maker:body(route)
    local schema = self.types:schema(route.body, "input")
    return {
        required = schema.required ~= nil or schema["$ref"] ~= nil,
        content = {
            ["application/json"] = { schema = schema },
            ["application/x-www-form-urlencoded"] = route.form and { schema = schema } or nil,
        },
    }
end

-- What goes over a socket once it is open.
function Maker:socket(route)
    local result = {}
    for _, direction in ipairs { "receives", "sends" } do
        local schemas = {}
        for i, node in ipairs(route.socket[direction]) do
            schemas[i] = self.types:schema(node, direction == "sends" and "output" or "input")
        end
        result[direction] = self.array(schemas)
    end
    return result
end

function Maker:operation(route)
    local open = (route.who or "anyone") == "anyone"
    local security = open and {} or { { bearerAuth = self.array {} } }
    if route.guests then
        security[2] = {}       -- or nothing
    end
    local responses = self.responses:of(route)
    local limit = (self.app.limits or {})[route.limit]
    return {
        operationId = self:operation_id(route), summary = route.summary, description = route.description,
        tags = self.array { route.unit }, responses = responses,
        parameters = self:parameters(route, responses["304"] ~= nil), requestBody = route.body and self:body(route),
        security = self.array(security),
        ["x-websocket"] = route.socket and self:socket(route) or nil,
        ["x-rate-limit"] = limit and
            { name = route.limit, count = limit.count, seconds = limit.seconds, per = limit.per },
    }
end

-- Paths of the routes below the prefix, and the tags of the units that have any.
function Maker:paths()
    local paths, list, used, tags = {}, {}, {}, {}
    for _, route in ipairs(self.app.routes) do
        if route.path:sub(1, #self.prefix) == self.prefix then
            local operation = self:operation(route)
            paths[route.path] = paths[route.path] or {}
            paths[route.path][route.method:lower()] = operation
            list[#list + 1] = { path = route.path, method = route.method, operation = operation }
            used[route.unit] = true
        end
    end
    for _, unit in ipairs(self.app.units) do
        if used[unit.name] then
            tags[#tags + 1] = { name = unit.name, description = unit.description or unit.summary }
        end
    end
    self.types.order[paths] = list
    return paths, self.array(tags)
end

function Maker:error_schema()
    local details = { field = self.array { "This field is required." } }
    local invalid = self.app.invalid or 400
    local full, bare = self.responses:envelope(invalid, "text", details), self.responses:envelope(invalid, "text")
    local schema = self.types:sample(full, bare, details)
    schema.description = "What every error looks like."
    return schema
end

-- The models that were referred to, and those that these refer to.
function Maker:schemas()
    local schemas, again = { ErrorEnvelope = self:error_schema() }, true
    while again do
        again = false
        for _, name in ipairs(kit.sorted(self.types.wanted)) do
            if not schemas[name] then
                local model = self.app.models[name] or kit.fail('openapi: there is no model "%s"', name)
                schemas[name], again = self.types:schema(model, "output"), true
            end
        end
    end
    return schemas
end

function Maker:components()
    return {
        schemas = self:schemas(), responses = self.responses.shared, headers = self.responses:headers(),
        parameters = PARAMETERS,
        securitySchemes = { bearerAuth = {
            type = "http", scheme = "bearer", description = "Authorization: Bearer <token>",
        } },
    }
end

local function servers(app, opts)
    local list = { opts.origin and { url = opts.origin, description = "This server" } }
    for _, name in ipairs(app.hosts or {}) do
        local url = "https://" .. name
        if not name:find("localhost$") and url ~= opts.origin then
            list[#list + 1] = { url = url }
        end
    end
    return opts.array(list[1] and list or { { url = "/" } })
end

return function(app, opts)
    local types = new_schema(opts.array)
    local maker = setmetatable({
        app = app, array = opts.array, prefix = opts.prefix or "/", ids = {}, types = types,
        responses = new_responses(app, opts.array, types),
    }, { __index = Maker })
    local paths, tags = maker:paths()
    return {
        openapi = "3.1.0", paths = paths, tags = tags, components = maker:components(), servers = servers(app, opts),
        info = {
            title = opts.title or app.title or app.name, version = opts.version or app.version,
            description = app.description or app.summary,
        },
    }, types.order
end
