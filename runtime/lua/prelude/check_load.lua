-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that turns what loading an app has raised into problems with places: one text with a
-- line per problem of the manifest, or a single error with a traceback. Called with the tree module; returns
-- check(app, text, report).
local tree = ...

local function split_hint(message)
    local text, hint = message:match "^(.-) %((did you mean .-%?)%)$"
    return text or message, hint
end

-- "GET /x/: can = …": where the route that begins in this line has that key.
local function key_of_route(app, path, line, message)
    local file, key, place = app.paths[path], message:match "^%u+ /%S*: (%l+)", nil
    if key and file and file.ast then
        tree.walk(file.ast, function(node)
            if node.tag == "Call" and node.line == line and node[2] and node[2].tag == "Table" then
                place = place or select(2, tree.field(node[2], key))
            end
        end)
    end
    if place then
        return place.line, file.state:offset_to_column(place.line, place.offset)
    end
    return line, tree.first_column(file, line)
end

-- A problem of the manifest without a place: where app.lua says the path or the name that it is about.
local function find_name(app, message)
    local file = app.paths[app.name .. "/app.lua"]
    local path = message:match "(/%S*)"
    local names = { path or false, message:match '^[^"]*"([^"]+)"' or false, message:match "^%w+" or false }
    local best, place = #names + 1, nil
    if not file or not file.ast then
        return 1, 1
    end
    tree.walk(file.ast, function(node)
        local text = node.tag == "String" and node or node.tag == "Pair" and node[1].tag == "String" and node[1]
        for rank, name in ipairs(names) do
            if text and text[1] == name and rank < best then
                best, place = rank, text
            end
        end
    end)
    if place then
        return place.line, file.state:offset_to_column(place.line, place.offset)
    end
    return 1, 1
end

local function problem_of(app, text, rule)
    local path, line, message = text:match "^([%w_./-]+):(%d+): (.*)$"
    if path then
        local column
        line, column = key_of_route(app, path, math.tointeger(tonumber(line)), message)
        local said, hint = split_hint(message)
        return { file = path, line = line, column = column, message = said, hint = hint, rule = rule }
    end
    local said, hint = split_hint(text)
    local at, column = find_name(app, text)
    return { file = app.name .. "/app.lua", line = at, column = column, message = said, hint = hint, rule = rule }
end

return function(app, text, report)
    local body, several = text:gsub("\nstack traceback:.*$", ""):gsub("^app [%w_]+: %d+ problems?\n", "")
    if several == 0 then
        report(problem_of(app, body, "load"))
        return
    end
    for line in body:gmatch "[^\n]+" do
        report(problem_of(app, (line:gsub("^  ", "")), "manifest"))
    end
end
