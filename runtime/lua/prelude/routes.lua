-- SPDX-License-Identifier: Apache-2.0
--
-- The part of the manifest check that looks at units and their routes: known keys, names that exist, parameters that
-- match the path, one route per method and path. Called with the kit, the declaration words and the host's table;
-- returns check_units(ctx, units, out).
local kit, declare, host = ...
local sorted, hint, set = kit.sorted, kit.hint, kit.set
local check_socket = host.load "sockets" (kit)

local UNIT = set "name summary description"
local ROUTE = set [[method path line socket summary description who guests within limit can params query body form
    invalid returns errors envelope secret check run]]
local SOCKET = set [[method path line socket summary description who within limit can params query errors check
    token_query receives sends open message closed timeout]]
local SPECIAL = set "none file html"
local COMPOSITE = set "object map ref any"

-- Values of a path, a query or a form arrive as text: no objects there.
local function check_leaves(ctx, node, line, what)
    for _, field in ipairs(node and node.fields or {}) do
        local kind = field.type.kind == "list" and field.type.of.kind or field.type.kind
        if COMPOSITE[kind] or kind == "list" then
            ctx.problem(line, "%s.%s: a text of a URL or a form cannot hold the type %s", what, field.name, kind)
        end
    end
end

local function check_params(ctx, r, node, what)
    local declared, names = {}, kit.set(table.concat(declare.path_names(r.path), " "))
    for _, field in ipairs(node and node.fields or {}) do
        declared[field.name] = true
        if not names[field.name] then
            ctx.problem(r.line, "%s: params.%s is not in the path%s", what, field.name, hint(field.name, names))
        end
    end
    for _, name in ipairs(sorted(names)) do
        if not declared[name] then
            ctx.problem(r.line, "%s: the path's {%s} needs a type in params", what, name)
        end
    end
end

local function check_returns(ctx, r, what)
    local returns = {}
    if type(r.returns) ~= "table" or next(r.returns) == nil then
        ctx.problem(r.line, '%s: returns must say what is answered, as in { [200] = "Task" }', what)
        return returns
    end
    for _, status in ipairs(sorted(r.returns)) do
        local value, place = r.returns[status], string.format("%s: returns[%s]", what, tostring(status))
        if math.type(status) ~= "integer" or status < 100 or status > 599 then
            ctx.problem(r.line, "%s is not a status", place)
        elseif type(value) == "string" then
            if not SPECIAL[value] and not ctx.models[value] then
                ctx.problem(r.line, '%s: there is no model "%s"%s', place, value, hint(value, ctx.models))
            end
            returns[status] = value
        else
            returns[status] = ctx.type(value, r.line, place)
        end
    end
    return returns
end

local function check_name(ctx, r, what, key, known, list)
    if r[key] ~= nil and not known[r[key]] then
        ctx.problem(r.line, '%s: %s = "%s" is not in %s%s', what, key, tostring(r[key]), list, hint(r[key], known))
    end
end

local function check_route_fields(ctx, r, out, what)
    ctx.keys(r, r.socket and SOCKET or ROUTE, r.line, what)
    if type(r.summary) ~= "string" or r.summary == "" then
        ctx.problem(r.line, "%s: summary is missing", what)
    end
    if r.who == nil then
        ctx.problem(r.line, '%s: who is missing, "anyone" or one of principals', what)
    elseif r.who ~= "anyone" then
        check_name(ctx, r, what, "who", out.principals, "principals")
    end
    check_name(ctx, r, what, "limit", out.limits, "limits")
    check_name(ctx, r, what, "can", out.rules, "rules")
    check_name(ctx, r, what, "within", out.scopes, "scopes")
    if r.within ~= nil and r.params == nil then
        ctx.problem(r.line, "%s: within needs params: the path says which %s", what, tostring(r.within))
    end
    for _, key in ipairs { "secret", "form" } do
        if r[key] ~= nil and type(r[key]) ~= "boolean" then
            ctx.problem(r.line, "%s: %s must be true or false", what, key)
        end
    end
    if r.guests ~= nil and (type(r.guests) ~= "boolean" or r.who == "anyone") then
        ctx.problem(r.line, '%s: guests must be true or false, on a route whose who is not "anyone"', what)
    end
    for _, key in ipairs { "check", "envelope", "run" } do
        if type(r[key]) ~= "function" and (r[key] ~= nil or key == "run" and not r.socket) then
            ctx.problem(r.line, "%s: %s must be a function", what, key)
        end
    end
    if r.invalid ~= nil and r.invalid ~= 400 and r.invalid ~= 422 then
        ctx.problem(r.line, "%s: invalid, the status of invalid input, must be 400 or 422", what)
    end
    if r.form and r.body == nil then
        ctx.problem(r.line, "%s: form needs a body", what)
    end
    if r.body ~= nil and r.method == "GET" then
        ctx.problem(r.line, "%s: a GET has no body", what)
    end
    for _, status in ipairs(sorted(type(r.errors) == "table" and r.errors or {})) do
        if math.type(status) ~= "integer" or type(r.errors[status]) ~= "string" then
            ctx.problem(r.line, "%s: errors must map a status to a sentence", what)
        end
    end
end

local function check_route(ctx, r, unit, out)
    local what = (r.socket and "SOCKET" or r.method) .. " " .. r.path
    local shape = (r.method .. " " .. r.path):gsub("{[^}]*}", "{}")
    shape = out.trailing_slash and #r.path > 1 and shape:gsub("/$", "") or shape
    if ctx.seen[shape] then
        ctx.problem(r.line, "%s: already declared at %s", what, ctx.seen[shape])
    end
    ctx.seen[shape] = r.line or what
    check_route_fields(ctx, r, out, what)
    local nodes = {}
    for _, key in ipairs { "params", "query", "body" } do
        nodes[key] = r[key] ~= nil and ctx.type(r[key], r.line, what .. ": " .. key) or nil
        if nodes[key] and nodes[key].kind ~= "object" and (key ~= "body" or nodes[key].kind ~= "ref") then
            ctx.problem(r.line, "%s: %s must be an object", what, key)
        end
    end
    check_leaves(ctx, nodes.params, r.line, what .. ": params")
    check_leaves(ctx, nodes.query, r.line, what .. ": query")
    if r.form then
        check_leaves(ctx, nodes.body, r.line, what .. ": body")
    end
    check_params(ctx, r, nodes.params, what)
    local index = #out.routes + 1
    out.routes[index] = {
        index = index, method = r.method, path = r.path, unit = unit, summary = r.summary, description = r.description,
        who = r.who, within = r.within, limit = r.limit, can = r.can, params = nodes.params, query = nodes.query,
        body = nodes.body, returns = r.socket and { [101] = "none" } or check_returns(ctx, r, what),
        errors = type(r.errors) == "table" and r.errors or {},
        secret = r.secret == true, guests = r.guests == true, form = r.form == true,
        invalid = r.invalid or out.invalid, envelope = r.envelope, check = r.check, run = r.run, line = r.line,
        socket = r.socket and check_socket(ctx, r, what) or nil,
    }
end

-- The file that returned a unit, when the host knows it.
local function file_of(unit)
    return host and host.file_of and host.file_of(unit)
end

local function check_unit_fields(ctx, unit, i, out)
    local name = type(unit.name) == "string" and unit.name or file_of(unit) or string.format("units[%d]", i)
    local what, named = string.format("unit %s", name), {}
    for key, value in pairs(unit) do
        if math.type(key) ~= "integer" then
            named[key] = value
        end
    end
    ctx.keys(named, UNIT, nil, what)
    if type(unit.name) ~= "string" or ctx.units[name] then
        ctx.problem(nil, "%s needs a name of its own", what)
    end
    ctx.units[name] = true
    if type(unit.summary) ~= "string" then
        ctx.problem(nil, "%s: summary is missing", what)
    end
    out.units[i] = { name = name, summary = unit.summary, description = unit.description }
    return name
end

-- Fills out.units and out.routes from the manifest's list of units.
local function check_units(ctx, units, out)
    out.units, out.routes = {}, {}
    if #units == 0 then
        ctx.problem(nil, "units must list the app's units")
    end
    for i, unit in ipairs(units) do
        if type(unit) ~= "table" then
            local file = file_of(unit)
            ctx.problem(nil, "units[%d] must be a table; does %s return one?", i, file or "its file")
        else
            local name = check_unit_fields(ctx, unit, i, out)
            for at, route in ipairs(unit) do
                if type(route) == "table" and type(route.method) == "string" and type(route.path) == "string" then
                    check_route(ctx, route, name, out)
                else
                    ctx.problem(nil, 'unit %s: entry %d is not a route, as in GET "/path" { … }', name, at)
                end
            end
        end
    end
end

return check_units
