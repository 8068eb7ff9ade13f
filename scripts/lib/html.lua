-- SPDX-License-Identifier: Apache-2.0
--
-- Pages from templates in which everything is escaped: there is no way to put raw text in, and a place where escaping
-- would not be enough is refused when the template is made, not found by whoever attacks it. Pure.
--
--   {{name}}               the value, escaped; a missing one is an error
--   {{#name}}…{{/name}}    for each table of a list; once for any other value but nil, false and an empty list
--   {{^name}}…{{/name}}    otherwise
local html = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }
local ADDRESSES = { href = true, src = true, action = true, formaction = true }
local UNSAFE = { style = true, srcdoc = true, srcset = true }
local RAW = { script = true, style = true }

--- The text for an element or a quoted attribute.
function html.escape(text)
    return (text:gsub("[&<>\"']", ENTITIES))
end

-- An address that a click may lead to: relative, or of a scheme that runs no script.
local function address(text)
    local scheme = text:match "^[%z\1-\32]*([^/?#:]*):"
    if scheme and scheme:lower() ~= "http" and scheme:lower() ~= "https" then
        return "about:invalid"
    end
    return text
end

-- ---- where in a page a place is ------------------------------------------------------------------------------------

-- Each takes the place and the rest of the literal text, changes the place and returns what is left; nil at the end.
local step = {}

function step.text(place, rest)
    local before, after = rest:match "^(.-)<(.*)$"
    place.open = before ~= nil and (after == "" or after == "/")
    if not before or place.open then
        return nil
    elseif after:sub(1, 3) == "!--" then
        place.mode = "comment"
        return after:sub(4)
    end
    local closing, name = after:match "^([/!]?)(%a[%w-]*)"
    if name then
        place.mode, place.tag, place.attribute = "tag", closing == "" and name:lower() or nil, nil
        return after:sub(#closing + #name + 1)
    end
    return after
end

function step.comment(place, rest)
    local _, stop = rest:find("-->", 1, true)
    place.mode = stop and "text" or "comment"
    return stop and rest:sub(stop + 1)
end

function step.raw(place, rest)
    local start = rest:lower():find("</" .. place.tag, 1, true)
    place.mode = start and "text" or "raw"
    return start and rest:sub(start)
end

function step.value(place, rest)
    local inside, after = rest:match("^([^" .. place.quote .. "]*)" .. place.quote .. "(.*)$")
    place.so_far = place.so_far .. (inside or rest)
    if inside then
        place.mode, place.attribute = "tag", nil
    end
    return after
end

function step.tag(place, rest)
    local after = rest:match "^[%s/]*(.*)$"
    if after == "" then
        return nil
    elseif after:sub(1, 1) == ">" then
        place.mode = RAW[place.tag] and "raw" or "text"
        return after:sub(2)
    end
    local name, behind = after:match "^([^%s=>/\"']+)%s*(.*)$"
    if name then
        place.attribute = name:lower()
        after = behind
    end
    local quote, value = after:match "^=%s*([\"'])(.*)$"
    if quote then
        place.mode, place.quote, place.so_far = "value", quote, ""
        return value
    end
    local bare = after:match "^=%s*(.*)$"
    return bare and bare:match "^[^%s>]*(.*)$" or name and after or after:sub(2)
end

local function walk(place, literal)
    local rest = literal
    while rest and rest ~= "" do
        rest = step[place.mode](place, rest)
    end
end

-- Why a value cannot stand here, or nil.
local function refusal(place)
    if place.mode == "text" then
        return place.open and "is the name of a tag" or nil
    elseif place.mode ~= "value" then
        local where = { tag = "a tag, outside of quotes", comment = "a comment", raw = "a script or style" }
        return "stands in " .. where[place.mode]
    elseif place.attribute:find "^on" or UNSAFE[place.attribute] then
        return "stands in the attribute " .. place.attribute
    elseif ADDRESSES[place.attribute] and place.so_far ~= "" and not place.so_far:find "^[^:]*[/?#]" and
        not place.so_far:lower():find "^https?:" then
        return "continues an address whose scheme is not known"
    end
end

-- ---- templates -----------------------------------------------------------------------------------------------------

local function same(a, b)
    return a.mode == b.mode and (a.mode ~= "value" or a.quote == b.quote and a.attribute == b.attribute)
end

local function copy(place)
    local result = {}
    for key, value in pairs(place) do
        result[key] = value
    end
    return result
end

local parse

local function section(kind, name, text, at, place)
    local before = copy(place)
    local body, stop, closed = parse(text, at, place)
    if closed ~= name then
        error(string.format("html: {{%s%s}} is not closed by {{/%s}}", kind, name, name), 0)
    elseif not same(before, place) then
        error(string.format("html: {{%s%s}} must begin and end in the same place of the page", kind, name), 0)
    end
    return { kind = kind, name = name, body = body }, stop
end

-- The nodes from `at` to the end, or to the end of the section: nodes, position after it, the name that closed it.
function parse(text, at, place)
    local nodes = {}
    while true do
        local open = text:find("{{", at, true)
        local literal = text:sub(at, (open or 0) - 1)
        walk(place, literal)
        nodes[#nodes + 1] = literal
        if not open then
            return nodes, #text + 1, nil
        end
        local kind, name, stop = text:match("^{{([#^/]?)([%a_][%w_]*)}}()", open)
        if not kind then
            error("html: not a placeholder: " .. text:sub(open, open + 20), 0)
        elseif kind == "/" then
            return nodes, stop, name
        elseif kind == "" then
            local why = refusal(place)
            if why then
                error(string.format("html: {{%s}} %s, where escaping is not enough", name, why), 0)
            end
            local is_address = ADDRESSES[place.attribute] and place.so_far == ""
            nodes[#nodes + 1] = { kind = "", name = name, address = place.mode == "value" and is_address }
            place.so_far = (place.so_far or "") .. "\0"     -- what follows does not begin the value
        else
            nodes[#nodes + 1], stop = section(kind, name, text, stop, place)
        end
        at = stop
    end
end

local function write(out, nodes, values)
    for _, node in ipairs(nodes) do
        local value = node.name and values[node.name]
        if type(node) == "string" then
            out[#out + 1] = node
        elseif node.kind == "" then
            if type(value) ~= "string" and type(value) ~= "number" then
                error(string.format("html: {{%s}} needs a text or a number, got %s", node.name, type(value)), 0)
            end
            out[#out + 1] = html.escape(node.address and address(value) or tostring(value))
        else
            local list = type(value) == "table" and value or value and { {} } or {}
            if node.kind == "^" then
                list = #list == 0 and { {} } or {}
            end
            for _, item in ipairs(list) do
                write(out, node.body, setmetatable({}, { __index = function(_, key)
                    local own = item[key]
                    if own ~= nil then
                        return own
                    end
                    return values[key]
                end }))
            end
        end
    end
    return out
end

--- A function of a table of values that returns the page. Raises for a template that is not safe.
function html.template(text)
    local place = { mode = "text" }
    local ok, nodes, _, closed = pcall(parse, text, 1, place)
    if ok and closed then
        ok, nodes = false, string.format("html: {{/%s}} closes nothing", closed)
    end
    if not ok then
        error(nodes, 2)
    end
    return function(values)
        return table.concat(write({}, nodes, values))
    end
end

return html
