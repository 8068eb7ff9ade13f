-- SPDX-License-Identifier: Apache-2.0
--
-- The part of the manifest check that looks at limits and at the scopes that they may count for. Called with the kit;
-- returns check(ctx, limits, out), which fills out.limits.
local kit = ...
local sorted, set = kit.sorted, kit.set

local KEYS = set "count seconds per strangers"
-- What a request has under its own names; a scope's table stands beside it.
local REQ = set "params query body user now id origin method path query_text address header link"

local function check_scopes(ctx, scopes)
    for _, name in ipairs(sorted(scopes)) do
        if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") or REQ[name] then
            ctx.problem(nil, 'scopes: "%s" is no name that req could have beside its own', tostring(name))
        end
    end
end

local function check_limit(ctx, limit, what, out)
    ctx.keys(limit, KEYS, nil, what)
    for _, key in ipairs { "count", "seconds" } do
        if math.type(limit[key]) ~= "integer" or limit[key] < 1 then
            ctx.problem(nil, "%s: %s must be a positive integer", what, key)
        end
    end
    local per = limit.per or false
    if per ~= "user" and per ~= "token" and per ~= "address" and not out.principals[per] and not out.scopes[per] then
        ctx.problem(nil, '%s: per must be "user", "token", "address", a principal or a scope', what)
    end
end

-- Who cannot be told from others but by the address counts there.
local function check_strangers(ctx, limits, limit, what)
    local other = limit.strangers ~= nil and limits[limit.strangers]
    if limit.strangers ~= nil and (limit.per == "address" or type(other) ~= "table" or other.per ~= "address") then
        ctx.problem(nil, '%s: strangers must name a limit per address, and the limit itself must not be one%s', what,
            kit.hint(limit.strangers, limits))
    end
end

return function(ctx, limits, out)
    check_scopes(ctx, out.scopes)
    out.limits = {}
    for _, name in ipairs(sorted(limits)) do
        local limit, what = limits[name], string.format('limits["%s"]', tostring(name))
        if type(limit) == "table" then
            check_limit(ctx, limit, what, out)
            check_strangers(ctx, limits, limit, what)
        else
            ctx.problem(nil, "%s must be a table { count =, seconds =, per = }", what)
            limit = {}
        end
        local of_scope = out.scopes[limit.per or false] and true
        out.limits[name] = {
            count = limit.count, seconds = limit.seconds, per = limit.per, of_scope = of_scope,
            strangers = limit.strangers,
        }
    end
end
