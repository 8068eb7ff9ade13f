-- SPDX-License-Identifier: Apache-2.0
--
-- Pieces of the docs page: escaping templates, prose, coloured code, and the rows that describe the fields of a schema.
-- Called with the kit and the host's table; returns { html =, join =, prose =, json =, shell =, row =, rows = }.
local kit, host = ...
local null = host.null
local M = {}
local MAX_DEPTH = 4

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(text)
    return (tostring(text):gsub("[&<>\"']", ENTITIES))
end

-- Fills {name} with the escaped value, {!name} with a value that is HTML already.
function M.html(template, values)
    return (template:gsub("{(!?)([%a_]+)}", function(raw, name)
        local value = values[name]
        if value == nil then
            kit.fail("docs page: no value for {%s}", name)
        end
        return raw == "!" and value or escape(value)
    end))
end
local html = M.html

function M.join(list, separator)
    return table.concat(list, separator or "\n")
end

-- Escaped text with `code` spans; with `tag`, one element for each paragraph.
function M.prose(text, tag)
    local result = escape(text):gsub("`([^`]+)`", "<code>%1</code>")
    if not tag or result == "" then
        return result
    end
    return "<" .. tag .. ">" .. result:gsub("\n%s*\n", "</" .. tag .. "><" .. tag .. ">") .. "</" .. tag .. ">"
end

-- The JSON between two strings: numbers and words in colour.
local function plain_json(text)
    return (escape(text):gsub("%-?%d[%d.eE+-]*", '<i class="n">%0</i>'):gsub("%f[%a][tfn][rau]%a+", function(word)
        return (word == "true" or word == "false" or word == "null") and '<i class="n">' .. word .. "</i>" or word
    end))
end

-- JSON text with names, strings, numbers and words in colour.
function M.json(text)
    local result, at = {}, 1
    while at <= #text do
        local first = text:find('"', at, true)
        if not first then
            break
        end
        local last = first + 1
        while text:sub(last, last) ~= '"' do
            last = last + (text:sub(last, last) == "\\" and 2 or 1)
        end
        result[#result + 1] = plain_json(text:sub(at, first - 1))
        local class = text:find("^%s*:", last + 1) and "k" or "s"
        result[#result + 1] = html('<i class="{class}">{text}</i>', { class = class, text = text:sub(first, last) })
        at = last + 1
    end
    return table.concat(result) .. plain_json(text:sub(at))
end

function M.shell(text)
    return (escape(text):gsub("^curl", '<i class="k">curl</i>'):gsub("%$TOKEN", '<i class="n">%0</i>'))
end

local function range(low, high, unit)
    if unit == "characters" and low == 1 and not high then
        return "not blank"
    end
    unit = unit and " " .. unit or ""
    if low and high then
        return low == high and string.format("%s%s", low, unit) or string.format("%s–%s%s", low, high, unit)
    elseif low or high then
        return string.format("%s %s%s", low and "at least" or "at most", low or high, unit)
    end
end

local function type_text(sample, schema)
    local inner, name = sample:resolve(schema)
    local kind = sample.type_of(inner) or "any"
    local nullable = schema.anyOf ~= nil or (type(schema.type) == "table" and schema.type[#schema.type] == "null")
    local text = kind
    if kind == "array" then
        text = "list of " .. type_text(sample, inner.items)
    elseif type(inner.additionalProperties) == "table" then
        text = "map of " .. type_text(sample, inner.additionalProperties)
    elseif name then
        text = name
    elseif inner.format and inner.format ~= "int64" then
        text = inner.format
    end
    return text .. (nullable and " or null" or "")
end

-- What limits the value, as short texts.
local function limits(sample, schema)
    local list = {}
    list[#list + 1] = range(schema.minLength, schema.maxLength, "characters")
    list[#list + 1] = range(schema.minimum, schema.maximum)
    list[#list + 1] = range(schema.minItems, schema.maxItems, "items")
    if schema.default ~= nil and not (null ~= nil and rawequal(schema.default, null)) then
        list[#list + 1] = "default " .. sample:encode(schema.default, schema)
    end
    return table.concat(list, " · ")
end

local function choices(schema)
    local list = {}
    for _, value in ipairs(schema.enum or {}) do
        if not (null ~= nil and rawequal(value, null)) then
            list[#list + 1] = html("<code>{value}</code>", { value = value })
        end
    end
    return list[1] and '<div class="choices">' .. M.join(list, " ") .. "</div>" or ""
end

-- The fields inside an object or inside the items of a list.
local function nested(sample, schema, depth)
    local inner = sample:resolve(schema)
    if sample.type_of(inner) == "array" then
        inner = sample:resolve(inner.items)
    end
    if depth >= MAX_DEPTH or not inner.properties then
        return ""
    end
    return '<div class="fields">' .. M.rows(sample, inner, depth + 1) .. "</div>"
end

function M.row(sample, name, schema, required, text, depth)
    return html([[<div class="field"><div class="name"><code>{name}</code>{!required}</div>
<div class="what"><span class="type">{type}</span> <span class="limits">{limits}</span>{!choices}{!text}</div>
{!nested}</div>]], {
        name = name, required = required and '<span class="req">required</span>' or "",
        type = type_text(sample, schema), limits = limits(sample, schema), choices = choices(schema),
        text = M.prose(text or schema.description or "", "p"), nested = nested(sample, schema, depth or 1),
    })
end

-- A row for each field of an object schema (or of a list's items), or one line for what has no fields.
function M.rows(sample, schema, depth)
    local inner, name = sample:resolve(schema)
    if sample.type_of(inner) == "array" then
        local prefix = depth and "" or '<p class="note">A list of these:</p>'
        return prefix .. M.rows(sample, inner.items, depth or 1)
    elseif not inner.properties then
        return html('<p class="note">{type}</p>', { type = name or type_text(sample, schema) })
    end
    local required, rows = {}, {}
    for _, field in ipairs(inner.required or {}) do
        required[field] = true
    end
    for i, field in ipairs(sample.order[inner.properties] or kit.sorted(inner.properties)) do
        rows[i] = M.row(sample, field, inner.properties[field], required[field], nil, depth)
    end
    return M.join(rows)
end

-- The messages of a socket, both ways; "" for another operation.
function M.messages(sample, operation)
    local parts = {}
    for _, direction in ipairs { "receives", "sends" } do
        for _, schema in ipairs((operation["x-websocket"] or {})[direction] or {}) do
            local _, name = sample:resolve(schema)
            parts[#parts + 1] = html([[<details class="answer"><summary><b class="st ok">{way}</b>
<span><small>{name}</small></span></summary><div class="fields">{!rows}</div></details>]], {
                way = direction == "sends" and "sends" or "takes", name = name or "application/json",
                rows = M.rows(sample, schema),
            })
        end
    end
    return parts[1] and "<h4>Messages</h4>" .. M.join(parts) or ""
end

return M
