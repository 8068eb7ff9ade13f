-- SPDX-License-Identifier: Apache-2.0
--
-- Scopes (RFC 6749, 3.3): a list of { "name", "What it allows." } in the app's settings. An app without any grants what
-- the user may do, and takes no notice of the parameter. Pure.
local scopes = {}

local function known(config)
    local names = {}
    for _, scope in ipairs(config.scopes) do
        names[#names + 1], names[scope[1]] = scope[1], scope[2]
    end
    return names
end

--- The scopes of a request as a text in the app's order, all of `within` (default: all there are) when none are named;
--- nil when there is one that is not among them.
function scopes.granted(config, wanted, within)
    local names, asked, allowed = known(config), {}, {}
    if #names == 0 then
        return ""
    end
    for name in (within or table.concat(names, " ")):gmatch "%S+" do
        allowed[name] = true
    end
    for name in (wanted or within or table.concat(names, " ")):gmatch "%S+" do
        if not allowed[name] then
            return nil
        end
        asked[name] = true
    end
    local out = {}
    for _, name in ipairs(names) do
        out[#out + 1] = asked[name] and name or nil
    end
    return table.concat(out, " ")
end

--- What a page shows: { { right = "…" }, … }.
function scopes.described(config, granted)
    local names, out = known(config), {}
    for name in granted:gmatch "%S+" do
        out[#out + 1] = { right = names[name] }
    end
    return out[1] and out or { { right = config.rights } }
end

--- "a b" → { a = true, b = true }
function scopes.set(granted)
    local set = {}
    for name in granted:gmatch "%S+" do
        set[name] = true
    end
    return set
end

return scopes
