-- SPDX-License-Identifier: Apache-2.0
--
-- Reading a syntax tree of luacheck's parser: walking, constants, which host function a call means. Returns the module.
local tree = {}
local VALUES = { var = true, func = true }     -- not what a caller or a loop gives

--- Calls visit(node, depth) for each node, parents first; depth counts the functions around it.
function tree.walk(node, visit, depth)
    depth = depth or 0
    if node.tag then
        visit(node, depth)
    end
    if node.tag == "Function" then
        depth = depth + 1
    end
    for i = 1, #node do
        if type(node[i]) == "table" then
            tree.walk(node[i], visit, depth)
        end
    end
end

--- The only value that a local variable ever gets, as a node; nil when it has several or comes from elsewhere.
function tree.value_of(node)
    local var = node.tag == "Id" and node.var
    local values = var and var.values
    return values and #values == 1 and VALUES[values[1].type] and values[1].node or nil
end

-- The locals of the top of a file that get one value; found once.
local function locals_of(file)
    local function look(node)
        for _, id in ipairs(node.tag == "Local" and node[1] or {}) do
            if id.var and #id.var.values == 1 then
                file.locals[#file.locals + 1] = id
            end
        end
        for i = 1, node.tag == "Function" and 0 or #node do
            if type(node[i]) == "table" then
                look(node[i])
            end
        end
    end
    if not file.locals then
        file.locals = {}
        look(file.ast)
    end
    return file.locals
end

--- Notes at these locals what they hold once the file is loaded: { name = text or { field = text } }.
function tree.note_values(file, values)
    for _, id in ipairs(locals_of(file)) do
        id.var.loaded = values[id[1]]
    end
end

-- What a local, or a field of one, holds once the file is loaded.
local function loaded(node)
    if node.tag == "Id" and node.var then
        return node.var.loaded
    elseif node.tag == "Index" and node[1].tag == "Id" and node[1].var and type(node[1].var.loaded) == "table" then
        return node[2].tag == "String" and node[1].var.loaded[node[2][1]]
    end
end

--- The text that an expression always has, or nil.
function tree.constant(node, depth)
    depth = depth or 0
    local text = node and loaded(node)
    if type(text) == "string" then
        return text
    end
    if not node or depth > 200 then
        return nil
    elseif node.tag == "String" then
        return node[1]
    elseif node.tag == "Paren" then
        return tree.constant(node[1], depth + 1)
    elseif node.tag == "Op" and node[1] == "concat" then
        local left, right = tree.constant(node[2], depth + 1), tree.constant(node[3], depth + 1)
        return left and right and left .. right
    elseif node.tag == "Index" and node[2].tag == "String" then
        local table_node = tree.value_of(node[1])
        return table_node and table_node.tag == "Table" and tree.constant(tree.field(table_node, node[2][1]), depth + 1)
    end
    return tree.constant(tree.value_of(node), depth + 1)
end

--- The value that a table constructor has under a key, and the key's node.
function tree.field(node, key)
    for _, entry in ipairs(node) do
        if entry.tag == "Pair" and entry[1][1] == key then
            return entry[2], entry[1]
        end
    end
end

--- The texts that an expression may have: one, or those of a table that is indexed with something.
function tree.choices(node)
    local text, list = node and tree.constant(node), {}
    if text then
        return { text }
    end
    local values = node and node.tag == "Index" and tree.constructor(node[1]) or {}
    for _, entry in ipairs(values) do
        list[#list + 1] = tree.constant(entry.tag == "Pair" and entry[2] or entry)
    end
    return list
end

--- The table constructor that an expression is, directly or through a local variable.
function tree.constructor(node)
    if node and node.tag ~= "Table" then
        node = tree.value_of(node)
    end
    return node and node.tag == "Table" and node or nil
end

-- A global library, or a handle: a parameter with the handle's name.
local function library(id, libs)
    local handle = id[1] == "tx" or id[1] == "socket"
    if id.tag ~= "Id" or not libs[id[1]] or handle ~= (id.var ~= nil) then
        return nil
    end
    return (not handle or id.var.values[1] and id.var.values[1].type == "arg") and id[1] or nil
end

--- For a call: the library, the function's name, and the place of its first argument in the node.
function tree.callee(node, libs)
    local fn = node[1]
    if node.tag == "Invoke" then
        return library(fn, libs), node[2][1], 3
    elseif node.tag == "Call" and fn.tag == "Index" and fn[2].tag == "String" then
        return library(fn[1], libs), fn[2][1], 2
    end
end

--- A call of a global function: its name.
function tree.global_call(node)
    return node.tag == "Call" and node[1].tag == "Id" and not node[1].var and node[1][1] or nil
end

local METHODS = { GET = true, POST = true, PUT = true, PATCH = true, DELETE = true }

--- METHOD "/path" { … } → "METHOD /path", the table
function tree.route(node)
    local head, spec = node[1], node[2]
    local method = node.tag == "Call" and head.tag == "Call" and tree.global_call(head)
    if method and METHODS[method] and spec and spec.tag == "Table" then
        return method .. " " .. (tree.constant(head[2]) or "…"), spec
    end
end

--- All calls of a file, { node, depth } in the order of the text; found once.
function tree.calls(file)
    if not file.calls then
        file.calls = {}
        tree.walk(file.ast, function(node, depth)
            if node.tag == "Call" or node.tag == "Invoke" then
                file.calls[#file.calls + 1] = { node = node, depth = depth }
            end
        end)
    end
    return file.calls
end

--- How many values the arguments from place `first` on are, and whether that is the least of them.
function tree.count(node, first)
    local last = node[#node]
    local open = #node >= first and (last.tag == "Call" or last.tag == "Invoke" or last.tag == "Dots")
    return #node - first + 1 - (open and 1 or 0), open
end

--- The column of the first letter of a line.
function tree.first_column(file, line)
    local at = 0
    for content in ((file and file.text or "") .. "\n"):gmatch "(.-)\n" do
        at = at + 1
        if at == line then
            return #content:match "^%s*" + 1
        end
    end
    return 1
end

return tree
