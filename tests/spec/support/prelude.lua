-- SPDX-License-Identifier: Apache-2.0
--
-- A stand-in for the host, so that prelude files run in plain Lua: load, null, iso, and a JSON writer that knows
-- arrays.
local M = {}

M.null = setmetatable({}, { __name = "null", __tostring = function() return "null" end })
local ARRAY = { __name = "array" }

function M.array(t)
    return setmetatable(t, ARRAY)
end

function M.is_array(t)
    return getmetatable(t) == ARRAY
end

M.host = { null = M.null }

function M.host.load(name)
    return assert(loadfile("runtime/lua/prelude/" .. name .. ".lua"))
end

function M.host.where()
    return nil
end

function M.host.iso(t)
    return os.date("!%Y-%m-%dT%H:%M:%SZ", t)
end

local function quote(text)
    return '"' .. text:gsub('[%c"\\]', function(c) return string.format("\\u%04x", c:byte()) end) .. '"'
end

-- JSON with sorted keys. A table with a list part that nobody marked as an array is a mistake of the code under test.
function M.encode(value)
    if rawequal(value, M.null) then
        return "null"
    elseif type(value) == "string" then
        return quote(value)
    elseif type(value) ~= "table" then
        return tostring(value)
    end
    local items = {}
    if M.is_array(value) then
        for i, item in ipairs(value) do
            items[i] = M.encode(item)
        end
        return "[" .. table.concat(items, ",") .. "]"
    end
    local keys = {}
    for key in pairs(value) do
        assert(type(key) == "string", "a list that is not marked as an array")
        keys[#keys + 1] = key
    end
    table.sort(keys)
    for i, key in ipairs(keys) do
        items[i] = quote(key) .. ":" .. M.encode(value[key])
    end
    return "{" .. table.concat(items, ",") .. "}"
end

return M
