-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that looks at what handlers read of a request: fields that it does not have, and
-- parameters that the route does not declare. A table gives nil for both. Called with the kit and the tree module;
-- returns check(app, file, report).
local kit, tree = ...

local FIELDS = kit.set "params query body user now id origin method path query_text address header link"
local PARTS = kit.set "params query body"

-- The names of a table of types that is written with plain keys only; nil for anything else.
local function names_of(node)
    if not node or node.tag ~= "Table" then
        return nil
    end
    local names = {}
    for _, entry in ipairs(node) do
        if entry.tag ~= "Pair" or entry[1].tag ~= "String" then
            return nil
        end
        names[entry[1][1]] = true
    end
    return names
end

local function fields_of(app)
    local fields = kit.set(table.concat(kit.sorted(FIELDS), " "))
    for _, list in ipairs { app.manifest.scopes or {}, app.manifest.principals or {} } do
        for name in pairs(list) do
            fields[name] = true
        end
    end
    return fields
end

-- What the script itself adds to the table `req` is there.
local function add_assigned(fn, var, fields)
    tree.walk(fn[2], function(node)
        for _, left in ipairs(node.tag == "Set" and node[1] or {}) do
            if left.tag == "Index" and left[1].var == var and left[2].tag == "String" then
                fields[left[2][1]] = true
            end
        end
    end)
end

local function check_function(fn, known, fields, at)
    local req = fn[1][1]
    local var = req and req.tag == "Id" and req.var
    if not var then
        return
    end
    add_assigned(fn, var, fields)
    tree.walk(fn[2], function(node)
        if node.tag ~= "Index" or node[2].tag ~= "String" then
            return
        end
        local base, name = node[1], node[2][1]
        if base.var == var and not fields[name] then
            at(node[2], string.format("a request has no '%s'", name), kit.near(name, fields))
        elseif base.tag == "Index" and base[1].var == var and base[2].tag == "String" and PARTS[base[2][1]] then
            local part = base[2][1]
            if known[part] and not known[part][name] then
                at(node[2], string.format("%s.%s is not declared in the route's %s", req[1] .. "." .. part, name, part),
                    kit.near(name, known[part]))
            end
        end
    end)
end

return function(app, file, report)
    local function at(node, message, hint)
        report { file = file.path, line = node.line, column = file.state:offset_to_column(node.line, node.offset),
            message = message, hint = hint, rule = "request" }
    end
    for _, call in ipairs(tree.calls(file)) do
        local spec = app.manifest and select(2, tree.route(call.node))
        for _, key in ipairs { "run", "check" } do
            local fn = spec and tree.field(spec, key)
            if fn and fn.tag == "Function" then
                local known = {}
                for part in pairs(PARTS) do
                    known[part] = names_of(tree.field(spec, part))
                end
                check_function(fn, known, fields_of(app), at)
            end
        end
    end
end
