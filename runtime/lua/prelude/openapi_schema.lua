-- SPDX-License-Identifier: Apache-2.0
--
-- Types as JSON Schema 2020-12, and the schema of an app's error envelope. Called with the kit and the host's table;
-- returns new(array), whose result has
--   schema(node, mode)   "input": what a client may send; "output": what it gets, where an optional field is null
--   sample(value, bare, details)   the schema that fits a value
--   wanted               names of the models that were referred to
--   order                names of properties in declared order, by the properties table (which itself has no order)
--
-- Lua patterns are not regular expressions, so `pattern` is left out; the type's message says what it demands.
local kit, host = ...
local null = host.null
local FORMATS = { email = "email", date = "date", datetime = "date-time" }
local EXAMPLES = {
    email = "user@example.com", date = "2025-01-20", datetime = "2025-01-20T09:00:00Z", timezone = "Asia/Kathmandu",
}

local KINDS = {}

local function string_kind(_, node)
    return { type = "string", format = FORMATS[node.kind], maxLength = node.max }
end
KINDS.email, KINDS.date, KINDS.datetime, KINDS.timezone = string_kind, string_kind, string_kind, string_kind

function KINDS.text(_, node, mode)
    local min = node.min or 0
    if mode == "input" and node.required and min < 1 and node.trim ~= false then
        min = 1     -- a required text may not be blank
    end
    return { type = "string", minLength = min > 0 and min or nil, maxLength = node.max }
end

function KINDS.integer(_, node)
    return { type = "integer", minimum = node.min, maximum = node.max }
end

function KINDS.id()
    return { type = "integer", format = "int64", minimum = 1 }
end

function KINDS.number(_, node)
    return { type = "number", minimum = node.min, maximum = node.max }
end

function KINDS.boolean()
    return { type = "boolean" }
end

function KINDS.one_of(self, node)
    local values, kinds = {}, {}
    for i, value in ipairs(node.values) do
        values[i] = value
        kinds[math.type(value) or type(value)] = true
    end
    if node.nullable then
        values[#values + 1] = null
    end
    local kind = kinds.string and (kinds.integer and self.array { "string", "integer" } or "string") or "integer"
    return { type = kind, enum = self.array(values) }
end

function KINDS.any()
    return {}
end

function KINDS.list(self, node, mode)
    return { type = "array", items = self:schema(node.of, mode), minItems = node.min, maxItems = node.max }
end

function KINDS.map(self, node, mode)
    return { type = "object", additionalProperties = self:schema(node.of, mode) }
end

function KINDS.object(self, node, mode)
    local properties, required, names = {}, {}, {}
    for i, field in ipairs(node.fields) do
        local type = field.type
        properties[field.name] = self:schema(type, mode)
        names[i] = field.name
        if type.required then
            required[#required + 1] = field.name
        end
    end
    self.order[properties] = names
    return { type = "object", properties = properties, required = required[1] and self.array(required) or nil }
end

function KINDS.ref(self, node)
    self.wanted[node.ref] = true
    return { ["$ref"] = "#/components/schemas/" .. node.ref }
end

local Maker = {}

-- A value that a script wrote (example, default) as it looks in JSON: times as text, lists marked as arrays.
function Maker:written(node, value)
    if node.kind == "datetime" and math.type(value) == "integer" then
        return host.iso and host.iso(value) or EXAMPLES.datetime
    elseif type(value) ~= "table" or rawequal(value, null) then
        return value
    end
    local result = {}
    if node.kind == "list" then
        for i, item in ipairs(value) do
            result[i] = self:written(node.of, item)
        end
        return self.array(result)
    elseif node.kind == "map" then
        for key, item in pairs(value) do
            result[key] = self:written(node.of, item)
        end
        return result
    end
    for _, field in ipairs(node.fields or {}) do
        result[field.name] = self:written(field.type, value[field.name])
    end
    return node.fields and result or value
end

local function allow_null(schema, array)
    if schema["$ref"] then
        return { anyOf = array { schema, { type = "null" } } }
    elseif type(schema.type) == "string" then
        schema.type = array { schema.type, "null" }
    elseif schema.type then
        local types = { table.unpack(schema.type) }
        types[#types + 1] = "null"
        schema.type = array(types)
    end
    return schema
end

function Maker:schema(node, mode)
    local make = KINDS[node.kind] or kit.fail("openapi: unknown type %s", tostring(node.kind))
    local schema = make(self, node, mode)
    if node.nullable or (mode == "output" and not node.required and not node.omit) then
        schema = allow_null(schema, self.array)
    end
    local message = type(node.message) == "table" and node.message.pattern or node.message
    schema.description = node.doc or (node.pattern and type(message) == "string" and message) or nil
    if node.default ~= nil then
        schema.default = self:written(node, node.default)
    end
    local example = node.example
    if example == nil and node.default == nil then
        example = EXAMPLES[node.kind]
    end
    if example ~= nil then
        schema.examples = self.array { self:written(node, example) }
    end
    return schema
end

-- `bare` is the same value without `details`: what both have is required. `details` itself is any field's messages.
function Maker:sample(value, bare, details)
    if details ~= nil and rawequal(value, details) then
        return {
            type = bare ~= nil and rawequal(bare, null) and self.array { "object", "null" } or "object",
            description = "Messages by field.", additionalProperties = { type = "array", items = { type = "string" } },
        }
    elseif type(value) ~= "table" then
        local number = math.type(value)
        return { type = number == "float" and "number" or number or type(value) }
    end
    local properties, required, names = {}, {}, kit.sorted(value)
    table.sort(names, function(a, b)    -- code and message before details
        local first, second = type(value[a]) == "table", type(value[b]) == "table"
        return first == second and a < b or (second and not first)
    end)
    bare = type(bare) == "table" and bare or {}
    for _, name in ipairs(names) do
        properties[name] = self:sample(value[name], bare[name], details)
        if bare[name] ~= nil then
            required[#required + 1] = name
        end
    end
    self.order[properties] = names
    return { type = "object", properties = properties, required = required[1] and self.array(required) or nil }
end

return function(array)
    return setmetatable({ array = array, wanted = {}, order = {} }, { __index = Maker })
end
