-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that looks at what routes answer: a literal status that `returns` does not declare.
-- Called with the tree module; returns check(app, file, report).
local tree = ...

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

local function check_route(app, what, spec, found)
    local statuses = declared(tree.field(spec, "returns"))
    local run = statuses and function_of(tree.field(spec, "run"))
    if run then
        each_status(app, run, function(status, at)
            if not statuses[status] then
                found(at, string.format("%s answers %s, which its returns does not declare", what, status),
                    string.format("declare [%s] in returns", status))
            end
        end)
    end
end

return function(app, file, report)
    local function found(at, message, hint)
        report { file = file.path, line = at.line, column = file.state:offset_to_column(at.line, at.offset),
            message = message, hint = hint, rule = "status" }
    end
    for _, call in ipairs(tree.calls(file)) do
        local what, spec = tree.route(call.node)
        if spec then
            check_route(app, what, spec, found)
        end
    end
end
