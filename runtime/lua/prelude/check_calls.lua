-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that looks at calls of host functions: whether they are allowed where they stand, how
-- many arguments they get, and whether the names that they are given exist in the manifest. Called with the kit and
-- the tree module; returns check(app, file, report).
local kit, tree = ...

local LOAD, RULE = 1, 4     -- enum rt_phase
local METHODS = kit.set "POST GET PUT PATCH DELETE SOCKET"

local function names_of(list)
    local names = {}
    for _, name in ipairs(list or {}) do
        names[name] = true
    end
    return names
end

-- Where a call's argument is a name of the manifest: what it is called, the list, and the node.
local NAMED = {
    ["timer.at"] = function(m, arg) return "timer", m.timers, arg(3) end,
    ["webhook.send"] = function(m, arg) return "webhook event", m.webhooks and m.webhooks.events or {}, arg(2) end,
    ["socket.send"] = function(m, arg) return "model", m.models, arg(2) end,
    ["socket.authenticate"] = function(m, arg) return "principal", m.principals, arg(2) end,
    ["config.get"] = function(m, arg) return "setting in config", m.config, arg(1) end,
    ["events.emit"] = function(m, arg)
        local options = tree.constructor(arg(3))
        return "model", m.models, options and tree.field(options, "model")
    end,
}
for _, name in ipairs { "record", "streak", "report", "group" } do
    NAMED["analytics." .. name] = function(m, arg)
        local options = tree.constructor(arg(1))
        return "measure", names_of(m.measures), options and tree.field(options, "measure"),
            options and tree.constructor(tree.field(options, "measures"))
    end
end
NAMED["webhook.create"] = function(m, arg)
    local options = tree.constructor(arg(1))
    return "webhook event", m.webhooks and m.webhooks.events or {}, nil,
        options and tree.constructor(tree.field(options, "events"))
end

local function check_named(app, node, first, name, at)
    local find = NAMED[name]
    if not find or not app.manifest then
        return
    end
    local what, known, one, several = find(app.manifest, function(i) return node[first + i - 1] end)
    local function look(value)
        local text = value and tree.constant(value)
        if text and not (known or {})[text] then
            at(value.line and value or node, "name", string.format('%s: there is no %s "%s"', name, what, text),
                kit.near(text, known or {}) or "app.lua declares them")
        end
    end
    look(one)
    for _, value in ipairs(several or {}) do
        look(value)
    end
end

local function check_phase(file, fn, name, depth, node, at)
    if depth == 0 and fn.phases & LOAD == 0 then
        at(node, "phase", name .. " is not allowed while files are loaded", "call it in a function: a handler, a job")
    elseif file.kind == "rule" and fn.phases & RULE == 0 then
        at(node, "phase", name .. " is not allowed in a rule", "rules are pure: hand over what they need as arguments")
    end
end

-- "timer.at(key: string, due: integer, name: string, args?: table)" → the fewest and the most arguments.
local function arity(usage)
    local params = usage:match "%b()":sub(2, -2):gsub("%b{}", ""):gsub("%b()", "")
    local least, most = 0, 0
    for param in params:gmatch "[^,]+" do
        local name, kind = param:match "^%s*([%w_.]+%??)%s*:?%s*(.*)$"
        if name == "..." then
            return least, math.huge
        end
        most = most + 1
        if name:sub(-1) ~= "?" and not kind:find "nil" and kind ~= "any" then
            least = most
        end
    end
    return least, most
end

local function check_arguments(fn, name, node, first, at)
    local least, most = arity(fn.usage)
    local given, open = tree.count(node, first)
    if given > most or given < least and not open then
        at(node, "arguments", string.format("%s: %d argument%s given", name, given, given == 1 and "" or "s"),
            "usage: " .. fn.usage)
    end
end

local function check_fail(node, at)
    local status = node[2] and node[2].tag == "Number" and tonumber(node[2][1])
    if status and (status < 400 or status > 599) then
        at(node, "status", "fail: a failure's status is from 400 to 599", "answers are returned: return " .. node[2][1])
    end
end

local function check_require(app, file, name, depth, node, at)
    local path = name:find "^lib%." and name or app.name .. "." .. name
    path = path:gsub("%.", "/") .. ".lua"
    if depth > 0 then
        at(node, "require", string.format('require "%s" stands in a function', name), "require at the top of a file")
    elseif file.kind == "rule" and (name:find "^routes%." or name:find "^jobs%.") then
        at(node, "layers", string.format('a rule requires "%s"', name), "routes and jobs use rules, not the other way")
    elseif file.kind == "lib" and not name:find "^lib%." then
        at(node, "layers", string.format('lib/ requires "%s" of an app', name), "lib/ is shared: it knows no app")
    elseif not app.paths[path] then
        local known = {}
        for other in pairs(app.paths) do
            known[(other:gsub("^" .. app.name .. "/", ""):gsub("%.lua$", ""):gsub("/", "."))] = true
        end
        at(node, "require", string.format('require "%s": there is no file %s', name, path), kit.near(name, known))
    end
end

local function check_host_call(app, file, node, depth, at)
    local lib, field, first = tree.callee(node, app.libs)
    local fn = lib and app.libs[lib][field]
    local colon = node.tag == "Invoke"
    if fn and colon ~= (lib == "socket") then
        at(node, "arguments", string.format("%s is called with a %s", lib .. (colon and ":" or ".") .. field,
            colon and "colon" or "dot"), "usage: " .. fn.usage)
    elseif fn then
        check_phase(file, fn, lib .. "." .. field, depth, node, at)
        check_arguments(fn, lib .. "." .. field, node, first, at)
        check_named(app, node, first, lib .. "." .. field, at)
    elseif lib == "tx" or lib == "socket" then     -- luacheck knows the fields of globals only
        at(node, "name", string.format("%s has no '%s'", lib, field), kit.near(field, app.libs[lib]))
    end
end

return function(app, file, report)
    local function at(node, rule, message, hint)
        report { file = file.path, line = node.line, column = file.state:offset_to_column(node.line, node.offset),
            message = message, hint = hint, rule = rule }
    end
    for _, call in ipairs(tree.calls(file)) do
        local node, depth = call.node, call.depth
        local called = tree.global_call(node)
        local name = called == "require" and tree.constant(node[2])
        if name then
            check_require(app, file, name, depth, node, at)
        elseif called == "fail" then
            check_fail(node, at)
        elseif METHODS[called] and depth > 0 and file.kind ~= "lib" then
            at(node, "phase", called .. " declares a route; it stands in a function", "routes are declared in units")
        else
            check_host_call(app, file, node, depth, at)
        end
    end
end
