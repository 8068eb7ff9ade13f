-- SPDX-License-Identifier: Apache-2.0
--
-- What the other prelude files share: raising at the script's line, sets, sorted keys, "did you mean".
local M = {}

-- Raises a sentence without a position; `word` adds the one that helps.
function M.fail(...)
    error(string.format(...), 0)
end

-- Raises what `fn` raises, but with the position of the script line that called the word.
function M.word(fn)
    return function(...)
        local ok, result = pcall(fn, ...)
        if not ok then
            error(result, 2)
        end
        return result
    end
end

-- Edit distance, for "did you mean"; two letters that changed places are one mistake.
local function distance(a, b)
    local rows = { [-1] = {}, [0] = {} }
    for j = 0, #b do
        rows[0][j] = j
    end
    for i = 1, #a do
        local row, above, before = { [0] = i }, rows[i - 1], rows[i - 2]
        for j = 1, #b do
            local x, y = a:byte(i), b:byte(j)
            row[j] = math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x == y and 0 or 1))
            if i > 1 and j > 1 and x == b:byte(j - 1) and a:byte(i - 1) == y then
                row[j] = math.min(row[j], before[j - 2] + 1)
            end
        end
        rows[i] = row
    end
    return rows[#a][#b]
end

function M.sorted(t)
    local keys = {}
    for key in pairs(t) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        if type(a) == type(b) and (type(a) == "string" or type(a) == "number") then
            return a < b
        end
        return tostring(a) < tostring(b)
    end)
    return keys
end

-- The known name that is close to this one, or nil.
local function nearest(name, known)
    local best, near = nil, #name <= 4 and 1 or 2
    for _, candidate in ipairs(M.sorted(known)) do
        local d = type(candidate) == "string" and distance(name, candidate) or near + 1
        if d <= near and (not best or d < distance(name, best)) then
            best = candidate
        end
    end
    return best
end

-- 'did you mean "x"?' when a known name is close, else nil.
function M.near(name, known)
    local best = nearest(tostring(name), known)
    return best and string.format('did you mean "%s"?', best)
end

-- The same in brackets behind a sentence; "" when there is none.
function M.hint(name, known)
    local near = M.near(name, known)
    return near and " (" .. near .. ")" or ""
end

-- "a b" → { a = true, b = true }
function M.set(list)
    local result = {}
    for name in list:gmatch("%S+") do
        result[name] = true
    end
    return result
end

-- The names of what can be wrong with a value, as in the manifest's `messages` and a type's `message`.
M.MESSAGES = M.set [[required blank null text integer number boolean min_length max_length min max choice email date
    datetime timezone list object min_items max_items pattern depth]]

return M
