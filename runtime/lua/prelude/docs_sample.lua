-- SPDX-License-Identifier: Apache-2.0
--
-- Example values for the docs page: JSON text made from the examples, defaults and types of a schema, with the fields
-- in declared order, and curl commands. Called with the kit and the host's table; returns new(document, order), whose
-- result has resolve(schema), json(schema), encode(value) and curl(item).
local kit, host = ...
local null = host.null
local MAX_DEPTH = 6

local STRINGS = {
    email = "user@example.com", date = "2025-01-20", ["date-time"] = "2025-01-20T09:00:00Z", binary = "…",
}
local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local Sample = {}

-- The schema itself behind a reference and behind "or null"; second: the model's name if there was one.
function Sample:resolve(schema)
    local name
    if schema.anyOf then
        schema = schema.anyOf[1]
    end
    if schema["$ref"] then
        name = schema["$ref"]:match("[^/]+$")
        schema = self.document.components.schemas[name] or {}
    end
    return schema, name
end

-- The type, of a nullable one the type beside null.
local function type_of(schema)
    if type(schema.type) == "table" then
        return schema.type[1]
    end
    return schema.type
end
Sample.type_of = type_of

local function quote(text)
    return '"' .. text:gsub('[%c"\\]', function(c)
        return ESCAPES[c] or string.format("\\u%04x", c:byte())
    end) .. '"'
end

-- Names of a table's keys: those of the schema in its order, then the others.
function Sample:names(value, properties)
    local names, seen = {}, {}
    for _, name in ipairs(properties and (self.order[properties] or kit.sorted(properties)) or {}) do
        if value[name] ~= nil then
            names[#names + 1], seen[name] = name, true
        end
    end
    for _, name in ipairs(kit.sorted(value)) do
        if not seen[name] then
            names[#names + 1] = name
        end
    end
    return names
end

local function block(open, items, close, indent)
    if #items == 0 then
        return open .. close
    end
    local inner = indent .. "  "
    return open .. "\n" .. inner .. table.concat(items, ",\n" .. inner) .. "\n" .. indent .. close
end

-- JSON text of a value; `schema` (optional) gives the order of fields and what an empty table is.
function Sample:encode(value, schema, indent)
    indent, schema = indent or "", schema and self:resolve(schema) or {}
    if null ~= nil and rawequal(value, null) then
        return "null"
    elseif type(value) == "string" then
        return quote(value)
    elseif type(value) ~= "table" then
        return math.type(value) == "float" and string.format("%.14g", value) or tostring(value)
    end
    local items = {}
    if #value > 0 or (next(value) == nil and type_of(schema) == "array") then
        for i, item in ipairs(value) do
            items[i] = self:encode(item, schema.items, indent .. "  ")
        end
        return block("[", items, "]", indent)
    end
    local properties = schema.properties
    for i, name in ipairs(self:names(value, properties)) do
        items[i] = quote(tostring(name)) .. ": " ..
            self:encode(value[name], properties and properties[name], indent .. "  ")
    end
    return block("{", items, "}", indent)
end

local function simple(schema, kind)
    if kind == "string" then
        return STRINGS[schema.format] or "string"
    elseif kind == "integer" or kind == "number" then
        return schema.minimum or 1
    end
    return kind == "boolean" and true or null
end

local function is_nullable(schema)
    return schema.anyOf ~= nil or (type(schema.type) == "table" and schema.type[#schema.type] == "null")
end

-- Which fields an example shows: the required ones and those with an example of their own, in an answer also those that
-- may be null; all if that leaves none.
local function shown_fields(names, schema, is_request)
    local required, shown = {}, {}
    for _, name in ipairs(schema.required or {}) do
        required[name] = true
    end
    for _, name in ipairs(names) do
        local field = schema.properties[name]
        if required[name] or field.examples or (not is_request and is_nullable(field)) then
            shown[#shown + 1] = name
        end
    end
    return shown[1] and shown or names
end

function Sample:object(schema, is_request, depth, inside)
    local value = {}
    if schema.properties and depth < MAX_DEPTH then
        local names = self.order[schema.properties] or kit.sorted(schema.properties)
        for _, name in ipairs(shown_fields(names, schema, is_request)) do
            value[name] = self:value(schema.properties[name], is_request, depth + 1, inside)
        end
    elseif type(schema.additionalProperties) == "table" and depth < MAX_DEPTH then
        value.name = self:value(schema.additionalProperties, is_request, depth + 1, inside)
    end
    return value
end

-- A value that fits the schema. `inside`: the models around it, where one that holds itself ends.
function Sample:value(schema, is_request, depth, inside)
    depth, inside = depth or 0, inside or {}
    local nullable, model = is_nullable(schema), nil
    if not schema.examples then
        schema, model = self:resolve(schema)
    end
    local kind = type_of(schema)
    if schema.examples then
        return schema.examples[1]
    elseif schema.default ~= nil and not rawequal(schema.default, null) then
        return schema.default
    elseif schema.enum then
        return schema.enum[1]
    elseif nullable and (inside[model or ""] or (kind == "string" and not schema.format)) then
        return null
    elseif kind == "array" then
        return depth < MAX_DEPTH and { self:value(schema.items, is_request, depth + 1, inside) } or {}
    elseif kind ~= "object" then
        return simple(schema, kind)
    end
    local deeper = setmetatable({ [model or ""] = model ~= nil }, { __index = inside })
    return self:object(schema, is_request, depth, deeper)
end

function Sample:json(schema, is_request)
    return self:encode(self:value(schema, is_request), schema)
end

local function in_url(value)
    return (tostring(value):gsub("[^%w%-._~]", function(c) return string.format("%%%02X", c:byte()) end))
end

local function shell_quote(text)
    if text:find("^[%w%-._~:/%%]+$") then
        return text
    end
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The command for an entry of the document's list of operations; for a socket, what a page's script writes.
function Sample:curl(item)
    local operation, path, query = item.operation, item.path, {}
    for _, parameter in ipairs(operation.parameters or {}) do
        local value = parameter.schema and self:value(parameter.schema)
        if parameter["in"] == "path" then
            path = path:gsub("{" .. parameter.name .. "}", (in_url(value):gsub("%%", "%%%%")))
        elseif parameter["in"] == "query" and parameter.required then
            query[#query + 1] = in_url(parameter.name) .. "=" .. in_url(value)
        end
    end
    local url = self.document.servers[1].url:gsub("/$", "") .. path
    if query[1] then
        url = url .. "?" .. table.concat(query, "&")
    end
    if operation["x-websocket"] then
        return string.format("new WebSocket(%s)", quote((url:gsub("^http", "ws"))))
    end
    local lines = { item.method == "GET" and "curl" or "curl -X " .. item.method, shell_quote(url) }
    if operation.security[1] then
        lines[#lines + 1] = [[-H "Authorization: Bearer $TOKEN"]]
    end
    local body = operation.requestBody
    if body then
        lines[#lines + 1] = [[-H 'Content-Type: application/json']]
        lines[#lines + 1] = "-d " .. shell_quote(self:json(body.content["application/json"].schema, true))
    end
    return table.concat(lines, " \\\n  ")
end

return function(document, order)
    return setmetatable({ document = document, order = order or {} }, { __index = Sample })
end
