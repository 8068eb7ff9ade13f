-- SPDX-License-Identifier: Apache-2.0
--
-- Values as a person reads them in the console. Nothing secret: what such fields hold is not shown.
local DEPTH, ITEMS, TEXT, ROWS = 6, 60, 300, 200
local WORD = "^[%a_][%w_]*$"
local SECRETS = { "password", "secret", "token", "hash", "sealed", "private", "key$" }
local M = {}

local function secret(name)
    if type(name) ~= "string" then
        return false
    end
    name = name:lower()
    for _, part in ipairs(SECRETS) do
        if name:find(part) then
            return true
        end
    end
    return false
end

local function quote(s)
    local cut = #s > TEXT and s:sub(1, TEXT) or s
    cut = cut:gsub('[%c"\\\127]', function(c)
        return c == "\n" and "\\n" or c == '"' and '\\"' or c == "\\" and "\\\\" or string.format("\\%03d", c:byte())
    end)
    return '"' .. cut .. '"' .. (#s > TEXT and string.format(" … (%d bytes)", #s) or "")
end

local function rank(key)
    return type(key) == "number" and 1 or type(key) == "string" and 2 or 3
end

local function keys_of(t)
    local keys = {}
    for key in next, t do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        if rank(a) ~= rank(b) then
            return rank(a) < rank(b)
        end
        return rank(a) < 3 and a < b or rank(a) == 3 and tostring(a) < tostring(b)
    end)
    return keys
end

return function(host)
    local word

    local function items(t, indent, seen, depth)
        local out, n = {}, #t
        for i, key in ipairs(keys_of(t)) do
            if i > ITEMS then
                out[#out + 1] = "…"
                break
            end
            local label = ""
            if type(key) == "string" then
                label = (key:find(WORD) and key or "[" .. quote(key) .. "]") .. " = "
            elseif math.type(key) ~= "integer" or key < 1 or key > n then
                label = "[" .. word(key, indent, seen, depth) .. "] = "
            end
            local value = rawget(t, key)
            local hide = secret(key) and (type(value) == "string" or type(value) == "number")
            out[#out + 1] = label .. (hide and "(secret)" or word(value, indent .. "  ", seen, depth))
        end
        return out
    end

    local function in_table(t, indent, seen, depth)
        local real = host.real(t)
        if seen[real] then
            return "{ … the same table … }"
        elseif next(real) == nil then
            return "{}"
        elseif depth > DEPTH then
            return "{ … }"
        end
        seen[real] = true
        local parts = items(real, indent, seen, depth + 1)
        seen[real] = nil
        local line = "{ " .. table.concat(parts, ", ") .. " }"
        if #line + #indent <= 100 and not line:find("\n", 1, true) then
            return line
        end
        return "{\n  " .. indent .. table.concat(parts, ",\n  " .. indent) .. "\n" .. indent .. "}"
    end

    function word(v, indent, seen, depth)
        if v == null then
            return "null"
        elseif type(v) == "string" then
            return quote(v)
        elseif type(v) == "table" then
            return in_table(v, indent or "", seen or {}, depth or 1)
        elseif type(v) == "function" then
            local file, line = host.where(v)
            return line > 0 and string.format("function <%s:%d>", file, line) or "function"
        end
        return tostring(v)
    end

    -- The columns of a list of records, or nil when it is something else.
    local function columns_of(list)
        if #list == 0 or getmetatable(list) == "read-only" then
            return nil
        end
        local known = {}
        for key, row in next, list do
            if math.type(key) ~= "integer" or type(row) ~= "table" or next(row) == nil then
                return nil
            end
            for name, value in next, row do
                if type(name) ~= "string" or type(value) == "table" or type(value) == "function" then
                    return nil
                end
                known[name] = (known[name] == nil or known[name]) and type(value) == "number"
            end
        end
        local names = keys_of(known)
        table.sort(names, function(a, b) return (a == "id" and "" or a) < (b == "id" and "" or b) end)
        return names, known
    end

    local function cell(name, value)
        if value == nil then
            return ""
        elseif secret(name) and type(value) ~= "boolean" then
            return "(secret)"
        elseif type(value) == "string" then
            local s = quote(value):sub(2, -2)
            return #value > TEXT and quote(value) or (s:gsub('\\"', '"'))
        end
        return tostring(value)
    end

    local function lay_out(t)
        local widths, lines = {}, {}
        for i, name in ipairs(t.columns) do
            widths[i] = utf8.len(name) or #name
            for _, row in ipairs(t.rows) do
                widths[i] = math.max(widths[i], utf8.len(row[i]) or #row[i])
            end
        end
        local function line(row, numeric)
            local cells = {}
            for i, text in ipairs(row) do
                local pad = (" "):rep(widths[i] - (utf8.len(text) or #text))
                cells[i] = numeric[i] and pad .. text or text .. pad
            end
            lines[#lines + 1] = (table.concat(cells, "  "):gsub(" +$", ""))
        end
        line(t.columns, t.numeric)
        for _, row in ipairs(t.rows) do
            line(row, t.numeric)
        end
        lines[#lines + 1] = string.format("(%d %s%s)", t.total, t.total == 1 and "row" or "rows",
            t.total > #t.rows and ", the first " .. #t.rows .. " shown" or "")
        return table.concat(lines, "\n")
    end

    local function as_table(list, names, known)
        local t = { kind = "table", columns = json.array(names), rows = json.array(), numeric = json.array(),
            total = #list }
        for i, name in ipairs(names) do
            t.numeric[i] = known[name]
        end
        for i = 1, math.min(#list, ROWS) do
            local row = json.array()
            for k, name in ipairs(names) do
                row[k] = cell(name, list[i][name])
            end
            t.rows[i] = row
        end
        t.text = lay_out(t)
        return t
    end

    -- A copy without secrets and without what JSON cannot hold.
    local function plain(v, seen)
        if type(v) == "function" or type(v) == "thread" then
            return null
        elseif type(v) ~= "table" then
            return v
        end
        v = host.real(v)
        if seen[v] then
            return null
        end
        seen[v] = true
        local list = #v > 0 or (next(v) == nil and getmetatable(v) ~= nil)
        local out = list and json.array() or {}
        for key, value in next, v do
            local hide = secret(key) and (type(value) == "string" or type(value) == "number")
            if not list or math.type(key) == "integer" then
                out[list and key or tostring(key)] = hide and "(secret)" or plain(value, seen)
            end
        end
        seen[v] = nil
        return out
    end

    M.word = word

    --- The value as the protocol's object.
    function M.value(v)
        local out
        if type(v) == "table" and rawget(v, "console_text") then
            out = { kind = "text", text = v.console_text }
        else
            local names, known
            if type(v) == "table" then
                names, known = columns_of(v)
            end
            out = names and as_table(v, names, known) or { kind = "value", lua = type(v), text = word(v) }
        end
        if host.json then
            local data = out.kind == "text" and out.text or plain(v, {})
            out.json = data == nil and null or data
        end
        return out
    end

    return M
end
