-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that looks at what routes answer: a literal status that `returns` does not declare.
-- Called with the kit and the tree module; returns check(app, file, report).
local kit, tree = ...

local METHODS = kit.set "GET POST PUT PATCH DELETE"

-- METHOD "/path" { … } → "METHOD /path", the table
local function route_of(node)
    local head, spec = node[1], node[2]
    local method = node.tag == "Call" and head.tag == "Call" and tree.global_call(head)
    if method and METHODS[method] and spec and spec.tag == "Table" then
        return method .. " " .. (tree.constant(head[2]) or "…"), spec
    end
end

-- The statuses of a returns table; nil when some are not written as numbers.
local function declared(returns)
    if not returns or returns.tag ~= "Table" then
        return nil
    end
    local statuses = {}
    for _, entry in ipairs(returns) do
        local status = entry.tag == "Pair" and entry[1].tag == "Number" and tonumber(entry[1][1])
        if not status then
            return nil
        end
        statuses[status] = true
    end
    return statuses
end

local function function_of(node)
    if node and node.tag ~= "Function" then
        node = tree.value_of(node)
    end
    return node and node.tag == "Function" and node or nil
end

-- The function whose results a return passes on: db.transaction(function(tx) … end).
local function passed_on(app, node)
    local lib, field, first = tree.callee(node, app.libs)
    return lib == "db" and field == "transaction" and function_of(node[first]) or nil
end

-- Calls found(status, node) for each literal status that the function returns.
local function each_status(app, fn, found)
    local function look(node)
        if node.tag == "Function" then
            return
        elseif node.tag == "Return" and node[1] then
            local inner = #node == 1 and node[1].tag == "Call" and passed_on(app, node[1])
            if node[1].tag == "Number" then
                found(tonumber(node[1][1]), node[1])
            elseif inner then
                each_status(app, inner, found)
            end
            return
        end
        for i = 1, #node do
            if type(node[i]) == "table" then
                look(node[i])
            end
        end
    end
    look(fn[2])
end

return function(app, file, report)
    tree.walk(file.ast, function(node)
        local what, spec = route_of(node)
        local statuses = spec and declared(tree.field(spec, "returns"))
        local run = statuses and function_of(tree.field(spec, "run"))
        if not run then
            return
        end
        each_status(app, run, function(status, at)
            if not statuses[status] then
                report { file = file.path, line = at.line, column = file.state:offset_to_column(at.line, at.offset),
                    message = string.format("%s answers %s, which its returns does not declare", what, status),
                    hint = string.format("declare [%s] in returns", status), rule = "status" }
            end
        end)
    end)
end
