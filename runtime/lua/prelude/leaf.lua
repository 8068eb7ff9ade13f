-- SPDX-License-Identifier: Apache-2.0
--
-- The leaf types: text, integer, number, boolean, one_of, id, email, date, datetime, timezone, any, with their options,
-- which are checked here (a default must fit its own type). Called with the kit and the host's table; returns
-- { words =, configure = }.
local kit, host = ...
local null = host.null
local fail, word, set = kit.fail, kit.word, kit.set
local words = {}

local OPTIONS = {
    text = set "min max pattern regex message trim default doc example",   -- regex: `pattern` for OpenAPI
    integer = set "min max message default doc example",
    number = set "min max message default doc example",
    boolean = set "message default doc example",
    one_of = set "message default doc example",
    id = set "message default doc example",
    email = set "max message default doc example",
    date = set "message default doc example",
    datetime = set "message default doc example",
    timezone = set "message default doc example",
    any = set "default doc example",
    list = set "min max message default doc example",
}
local RANGE = { text = true, integer = true, number = true }   -- kinds whose min and max may be written without a name
local COUNTS = { text = true, email = true, list = true }      -- min and max count something
local MAX_ID = 1 << 53

local function fits_text(node, value)
    if type(value) ~= "string" then
        return "is not a string"
    end
    local length = utf8.len(value)
    if not length then
        return "is not UTF-8"
    elseif length < (node.min or 0) or length > (node.max or math.huge) then
        return "has a length outside min and max"
    elseif node.pattern and not value:find(node.pattern) then
        return "does not match the pattern"
    end
end

local function fits_number(node, value)
    if math.type(value) ~= "integer" and (node.kind ~= "number" or type(value) ~= "number") then
        return "is not " .. (node.kind == "number" and "a number" or "an integer")
    elseif value < (node.min or value) or value > (node.max or value) then
        return "is outside min and max"
    end
end

local function fits_type(name, pattern)
    return function(_, value)
        if type(value) ~= name or (pattern and not value:find(pattern)) then
            return "does not fit"
        end
    end
end

local FITS = {
    text = fits_text, integer = fits_number, number = fits_number, id = fits_number, boolean = fits_type "boolean",
    email = fits_type("string", "^[^@%s]+@[^@%s]+$"), date = fits_type("string", "^%d%d%d%d%-%d%d%-%d%d$"),
    timezone = fits_type("string", "."), list = fits_type "table",
}
function FITS.datetime(_, value)
    return math.type(value) ~= "integer" and "is not in unix seconds" or nil
end
function FITS.one_of(node, value)
    for _, known in ipairs(node.values) do
        if rawequal(known, value) then
            return nil
        end
    end
    return "is not one of the values"
end

local function check_default(node)
    if node.default == nil then
        return
    elseif null ~= nil and rawequal(node.default, null) then
        node.nullable = true
    else
        local reason = FITS[node.kind] and FITS[node.kind](node, node.default)
        if reason then
            fail("the default of %s %s", node.kind, reason)
        end
    end
    node.required = false
end

local function check_bound(node, name)
    local bound = node[name]
    if bound == nil then
        return
    elseif node.kind ~= "number" and math.type(bound) ~= "integer" or type(bound) ~= "number" then
        fail("%s of %s must be %s", name, node.kind, node.kind == "number" and "a number" or "an integer")
    elseif COUNTS[node.kind] and bound < 0 then
        fail("%s of %s must not be negative", name, node.kind)
    end
end

-- One text for whatever is wrong, or a table of texts by what is: { min_length = "…" }.
local function check_message(node)
    if type(node.message) ~= "table" then
        return
    end
    for _, name in ipairs(kit.sorted(node.message)) do
        if not kit.MESSAGES[name] then
            fail('message of %s has no "%s"%s', node.kind, tostring(name), kit.hint(name, kit.MESSAGES))
        elseif type(node.message[name]) ~= "string" then
            fail("message.%s of %s must be a text", name, node.kind)
        end
    end
end

local function check_options(node)
    check_message(node)
    check_bound(node, "min")
    check_bound(node, "max")
    if node.min and node.max and node.min > node.max then
        fail("min of %s is greater than max", node.kind)
    end
    for _, name in ipairs { "message", "doc", "pattern", "regex" } do
        local is_table = name == "message" and type(node.message) == "table"
        if node[name] ~= nil and not is_table and (type(node[name]) ~= "string" or node[name] == "") then
            fail("%s of %s must be a text", name, node.kind)
        end
    end
    if node.pattern and not pcall(string.find, "", node.pattern) then
        fail("the pattern %q of %s is not a Lua pattern", node.pattern, node.kind)
    elseif node.trim ~= nil and type(node.trim) ~= "boolean" then
        fail("trim of %s must be true or false", node.kind)
    end
    check_default(node)
    return node
end

-- Copies named options, and the bare numbers of a range, into the node.
local function configure(node, options)
    if type(options) ~= "table" or type(options.kind) == "string" then
        local sample = RANGE[node.kind] and "1, 10" or 'doc = "…"'
        fail("%s takes a table of options, as in %s{ %s }", node.kind, node.kind, sample)
    end
    local known = OPTIONS[node.kind]
    for _, key in ipairs(kit.sorted(options)) do
        if RANGE[node.kind] and (key == 1 or key == 2) then
            node[key == 1 and "min" or "max"] = options[key]
        elseif known[key] then
            node[key] = options[key]
        elseif type(key) ~= "number" then
            fail('%s has no option "%s"%s', node.kind, tostring(key), kit.hint(key, known))
        elseif node.kind ~= "one_of" then
            fail("%s does not take a value number %s", node.kind, key)
        end
    end
    return check_options(node)
end

local function bare(kind)
    local min, max
    if kind == "id" then
        min, max = 1, MAX_ID
    end
    words[kind] = setmetatable({ kind = kind, required = true, min = min, max = max }, {
        __call = word(function(_, options)
            return configure({ kind = kind, required = true, min = min, max = max }, options)
        end),
    })
end
for kind in pairs(set "text integer number boolean id email date datetime timezone any") do
    bare(kind)
end

words.one_of = word(function(options)
    if type(options) ~= "table" or #options == 0 then
        fail('one_of takes its values, as in one_of{ "open", "done" }')
    end
    local node, seen = { kind = "one_of", required = true, values = {} }, {}
    for i, value in ipairs(options) do
        if type(value) ~= "string" and math.type(value) ~= "integer" then
            fail("value %d of one_of must be a string or an integer", i)
        elseif seen[value] then
            fail("one_of has the value %q twice", value)
        end
        seen[value], node.values[i] = true, value
    end
    return configure(node, options)
end)

return { words = words, configure = configure }
