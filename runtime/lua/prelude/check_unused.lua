-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that finds rules and models that nobody uses. A name is used where a route or a model
-- has it, or where a text of the scripts says it outside of the table that declares it. Called with the tree module;
-- returns check(app, files, report).
local tree = ...

-- Where a file first has a name as the key of a table, and where it says which texts; found once.
local function texts_of(file)
    if not file.texts then
        local keys, said = {}, {}
        tree.walk(file.ast, function(node)
            if node.tag == "Pair" then
                local name = node[1].tag == "String" and node[1][1]
                if name and not keys[name] then
                    keys[name] = node[1]
                end
            elseif node.tag == "String" then
                said[node] = node[1]
            end
        end)
        file.texts = { keys = keys, said = said }
    end
    return file.texts
end

-- Where names are keys of tables, and which names are said or indexed.
local function look_through(files)
    local keys, declaring, used = {}, {}, {}
    local looked = {}
    for _, file in ipairs(files) do
        if file.ast and file.kind ~= "spec" then
            looked[#looked + 1] = texts_of(file)
            for name, node in pairs(file.texts.keys) do
                if not keys[name] then
                    keys[name], declaring[node] = { file = file, node = node }, true
                end
            end
        end
    end
    for _, texts in ipairs(looked) do
        for node, text in pairs(texts.said) do
            used[text] = used[text] or not declaring[node]
        end
    end
    return keys, used
end

-- What the loaded routes and models name, however the scripts put the name together.
local function add_named(value, used)
    for key, inner in pairs(value) do
        if type(inner) == "table" then
            add_named(inner, used)
        elseif key == "ref" or key == "can" or math.type(key) == "integer" then
            used[inner] = true
        end
    end
end

return function(app, files, report)
    local keys, used = look_through(files)
    add_named(app.manifest.routes, used)
    add_named(app.manifest.models, used)
    local function complain(what, name)
        local place = keys[name]
        local node, file = place and place.node, place and place.file
        report { file = file and file.path or app.name .. "/app.lua", line = node and node.line or 1,
            column = node and file.state:offset_to_column(node.line, node.offset) or 1, warning = true,
            message = string.format('nobody uses the %s "%s"', what, name), rule = "unused." .. what }
    end
    for what, list in pairs { rule = app.manifest.rules, model = app.manifest.models } do
        for name in pairs(list) do
            if not used[name] then
                complain(what, name)
            end
        end
    end
end
