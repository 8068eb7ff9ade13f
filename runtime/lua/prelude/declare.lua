-- SPDX-License-Identifier: Apache-2.0
--
-- The declaration words: types and routes as plain tables, checked where they are written. A type is
-- { kind=, required=, nullable=, omit=, default=, min=, max=, pattern=, message=, trim=, regex=, values=,
--   fields={ { name=, type= }, … }, of=, ref=, doc=, example= }
-- and the host compiles it (schema.h). Every word raises with the position of the script line that used it.
--
-- The chunk gets the host's table: `where(level)` → "file:line" | nil (level 1 is the caller of `where`), `null` = the
-- value of JSON null, `load(name)` → the chunk of another prelude file. It returns { words = the globals for scripts,
-- normalise = function(manifest) → table for the host, as_type = function(value, what) → type }.
local host = ...
local where = host.where
local kit = host.load "kit" ()
local leaf = host.load "leaf" (kit, host)
local fail, word, set = kit.fail, kit.word, kit.set
local M = { words = leaf.words }
local words = M.words

function M.is_type(value)
    return type(value) == "table" and type(value.kind) == "string"
end

local function list_fields(t)
    local fields, seen = {}, {}
    for i, pair in ipairs(t) do
        if type(pair) ~= "table" or type(pair[1]) ~= "string" or pair[1] == "" or #pair ~= 2 then
            fail('field %d of the object must be { "name", type }', i)
        elseif seen[pair[1]] then
            fail('the object has the field "%s" twice', pair[1])
        end
        seen[pair[1]] = true
        fields[i] = { name = pair[1], type = M.as_type(pair[2], string.format('field "%s"', pair[1])) }
    end
    for key in pairs(t) do
        if math.type(key) ~= "integer" or key > #fields then
            fail('the object mixes the list form with the name "%s"', tostring(key))
        end
    end
    return fields
end

local function object_of(t)
    if #t > 0 then
        return { kind = "object", required = true, fields = list_fields(t) }
    end
    local fields = {}
    for _, name in ipairs(kit.sorted(t)) do
        if type(name) ~= "string" or name == "" then
            fail("a field of an object needs a name, got %s", tostring(name))
        end
        fields[#fields + 1] = { name = name, type = M.as_type(t[name], string.format('field "%s"', name)) }
    end
    return { kind = "object", required = true, fields = fields }
end

-- A type, or the object that a table of fields describes. `what` begins the sentence when it is neither.
function M.as_type(value, what)
    if M.is_type(value) then
        return value
    elseif type(value) == "table" then
        return object_of(value)
    end
    local got = value == nil and "nothing" or "a " .. type(value)
    fail("%s must be a type such as text or integer{ 1, 10 }, got %s%s", what, got,
        type(value) == "string" and string.format(' (a model is written ref "%s")', value) or "")
end

-- A changed copy of a type; bare words are shared and must stay as they are.
local function derive(name, value, key, setting)
    local node = {}
    for k, v in pairs(M.as_type(value, name)) do
        node[k] = v
    end
    node[key] = setting
    return node
end

words.object = word(function(t)
    if type(t) ~= "table" or M.is_type(t) then
        fail("object takes a table of fields")
    end
    return object_of(t)
end)
words.list = word(function(of, options)
    local node = { kind = "list", required = true, of = M.as_type(of, "the items of list") }
    return options == nil and node or leaf.configure(node, options)
end)
words.map = word(function(of)
    return { kind = "map", required = true, of = M.as_type(of, "the values of map") }
end)
words.optional = word(function(of) return derive("optional", of, "required", false) end)
words.nullable = word(function(of) return derive("nullable", of, "nullable", true) end)
words.example = word(function(value, of) return derive("example", of, "example", value) end)
words.omit = word(function(of)
    local node = derive("omit", of, "omit", true)
    node.required = false
    return node
end)
words.doc = word(function(sentence, of)
    if type(sentence) ~= "string" or sentence == "" then
        fail('doc takes a text and a type, as in doc("Seconds.", integer)')
    end
    return derive("doc", of, "doc", sentence)
end)

function words.ref(name)
    if type(name) ~= "string" or name == "" then
        error('ref takes the name of a model, as in ref "Task"', 2)
    end
    return { kind = "ref", required = true, ref = name, line = where(2) }
end

-- The parameter names of a path, in order; raises when it is malformed.
function M.path_names(path)
    if type(path) ~= "string" or path:sub(1, 1) ~= "/" then
        fail("a path is a text that begins with /")
    elseif path:find("//", 1, true) or path:find("[%s?#%c]") then
        fail('the path "%s" has an empty segment, a blank, ? or #', path)
    end
    local names = {}
    for segment in path:gmatch("[^/]+") do
        local name = segment:match("^{([%a_][%w_]*)}$")
        if name and names[name] then
            fail('the path "%s" has the parameter {%s} twice', path, name)
        elseif name then
            names[#names + 1], names[name] = name, true
        elseif segment:find("[{}]") then
            fail('in the path "%s" a parameter must be a whole segment, as in /tasks/{id}/', path)
        end
    end
    if #names > 8 then
        fail('the path "%s" has more than 8 parameters', path)
    end
    return names
end

local function make_route(name, path, spec)
    if type(spec) ~= "table" then
        fail("%s %s takes a table that describes the route", name, path)
    end
    local route = {}
    for key, value in pairs(spec) do
        if key == "method" or key == "path" or key == "line" or key == "socket" then
            fail('%s %s: "%s" is not written in the table', name, path, key)
        end
        route[key] = value
    end
    route.socket = name == "SOCKET"     -- its handshake is a GET
    route.method, route.path = route.socket and "GET" or name, path
    return route
end

for method in pairs(set "GET POST PUT PATCH DELETE SOCKET") do
    words[method] = word(function(path)
        M.path_names(path)
        return function(spec)
            local ok, route = pcall(make_route, method, path, spec)
            if not ok then
                error(route, 2)
            end
            route.line = where(2)
            return route
        end
    end)
end

M.normalise = host.load "manifest" (kit, M, host)
return M
