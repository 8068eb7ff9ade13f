-- SPDX-License-Identifier: Apache-2.0
--
-- `perigee check`: everything that can be known before running. Runs in a state of its own with Lua's libraries
-- (runtime/lua/check_run.c), where scripts are only read. Gets the host's table; returns { add = function(app),
-- finish = function(json, colours) → errors }, after which it begins anew. An app is { name, files = { { path, text },
-- … }, globals, libs, values, manifest, load_error, schema_error, prepare, table_names, summary }.
--
-- Reading a file (luacheck's work) takes most of the time and depends on nothing but its text, so the tables of files
-- stay: in the next run, or in another app, the file of the same text is known.
local host = ...
local kit = host.load "kit" ()
local tree = host.load "check_tree" ()
local lint, why_not = host.load "check_lint" (kit)
local check_calls = host.load "check_calls" (kit, tree)
local check_routes = host.load "check_routes" (tree)
local check_request = host.load "check_request" (kit, tree)
local check_sql = host.load "check_sql" (kit, tree)
local check_unused = host.load "check_unused" (tree)
local check_load = host.load "check_load" (tree)
local show = host.load "check_show" ()

local KEPT_RUNS = 20            -- for how many more a file is kept that was not seen

local problems, summaries = {}, {}
local routes_of_apps = {}       -- "GET /x/{}/" → the app that has it
local known, runs = {}, 1       -- path → the file as it was seen last, with file.run

local function kind_of(app, path)
    local part = path:match("^" .. app.name .. "/(%w+)/")
    if path:find "^lib/" then
        return path:find "^lib/spec/" and "spec" or "lib"
    end
    return part == "spec" and "spec" or part == "rules" and "rule" or "script"
end

local function scripts_of(app)
    local list = {}
    app.paths = {}
    for _, file in ipairs(app.files) do
        if file.path:find "%.lua$" then
            local before = known[file.path]
            file = before and before.text == file.text and before or file
            file.kind = kind_of(app, file.path)
            file.required, file.run = false, runs
            list[#list + 1] = file
            app.paths[file.path], known[file.path] = file, file
        end
    end
    return list
end

-- A file that is read in two apps (lib/) has its problems once; loading stops at what was found better before.
local function collector(app)
    local seen, at_line, counts = {}, {}, { errors = 0, warnings = 0 }
    for _, p in ipairs(problems) do
        if p.file:find "^lib/" then
            seen[p.file .. ":" .. p.line .. ":" .. p.column .. p.message] = true
        end
    end
    return function(p)
        local key, line = p.file .. ":" .. p.line .. ":" .. p.column .. p.message, p.file .. ":" .. p.line
        if seen[key] or p.rule == "load" and at_line[line] then
            return
        end
        seen[key], at_line[line] = true, at_line[line] or not p.warning
        p.app, p.severity = app.name, p.warning and "warning" or "error"
        counts[p.warning and "warnings" or "errors"] = counts[p.warning and "warnings" or "errors"] + 1
        problems[#problems + 1] = p
    end, counts
end

-- Without luacheck.
local function check_syntax(files, report)
    for _, file in ipairs(files) do
        local compiled, why = load(file.text, "@" .. file.path, "t", {})
        local line, message = tostring(why):match "^.-:(%d+): (.*)$"
        if not compiled then
            report { file = file.path, line = math.tointeger(tonumber(line)) or 1, column = 1, rule = "syntax",
                message = message or why }
            file.broken = true
        end
    end
end

-- The files of lib/ that an app's own files require, and what these require: only their tables need to be the app's.
local function mark_required(app, file)
    file.required = true
    for _, call in ipairs(file.ast and tree.calls(file) or {}) do
        local name = tree.global_call(call.node) == "require" and tree.constant(call.node[2])
        local other = name and app.paths[name:gsub("%.", "/") .. ".lua"]
        if other and not other.required then
            mark_required(app, other)
        end
    end
end

local function check_files(app, files, report)
    lint(app, files, report)
    for _, file in ipairs(files) do
        if file.kind ~= "lib" then
            mark_required(app, file)
        end
    end
    for _, file in ipairs(files) do
        if file.ast and file.kind ~= "spec" then
            tree.note_values(file, app.values[file.path] or {})
            check_calls(app, file, report)
            check_routes(app, file, report)
            check_request(app, file, report)
            if app.prepare and file.required then
                check_sql(app, file, report)
            end
        end
    end
    if app.manifest then
        check_unused(app, files, report)
    end
    for _, file in ipairs(files) do
        if file.locals then     -- the next app, or run, has other values
            tree.note_values(file, {})
        end
    end
end

-- Of two apps with the same route the first is served, unless a host name says which app is meant.
local function check_other_apps(app, report)
    local m = app.manifest
    for _, route in ipairs(m.routes) do
        local shape = (route.method .. " " .. route.path):gsub("{[^}]*}", "{}")
        local other = routes_of_apps[shape]
        if not other then
            routes_of_apps[shape] = app.name
        elseif other ~= app.name and #m.hosts == 0 then
            local path, line = tostring(route.line):match "^(.-):(%d+)$"
            line = math.tointeger(tonumber(line)) or 1
            report { file = path or app.name .. "/app.lua", line = line,
                column = tree.first_column(app.paths[path or ""], line),
                message = string.format("%s %s: the app %s has this route, too", route.method, route.path, other),
                hint = "give the app hosts of its own, or another prefix", rule = "routes" }
        end
    end
end

-- What loading raised is said again only where nothing else was found: a broken file has one error, not two.
local function check_loading(app, files, report)
    local broken = false
    for _, file in ipairs(files) do
        broken = broken or file.broken and app.load_error:find(file.path .. ":", 1, true) ~= nil
    end
    if not broken then
        check_load(app, app.load_error, report)
    end
end

-- "0002_add_colour.sql:2: no such table: note"
local function schema_problem(app)
    local file, line, message = app.schema_error:match "^([%w_.]+%.sql):(%d+): (.*)$"
    return { file = "db/" .. app.name .. (file and "/" .. file or ""), line = math.tointeger(tonumber(line)) or 1,
        column = 1, message = message or app.schema_error, rule = "schema" }
end

local M = {}

function M.add(app)
    local files = scripts_of(app)
    local report, counts = collector(app)
    if app.schema_error then
        report(schema_problem(app))
    end
    if lint then
        check_files(app, files, report)
    else
        check_syntax(files, report)
    end
    if app.manifest then
        check_other_apps(app, report)
    end
    if app.load_error then
        check_loading(app, files, report)
    end
    summaries[#summaries + 1] = { app = app.name, text = app.summary, counts = counts }
end

function M.finish(json, colours)
    if not lint then
        io.stderr:write("perigee: names and SQL were not checked: luacheck (package lua-check) cannot be loaded: ",
            tostring(why_not):match "^[^\n]*", "\n")
    end
    table.sort(problems, function(a, b)
        if a.file ~= b.file then
            return a.file < b.file
        elseif a.line ~= b.line then
            return a.line < b.line
        elseif a.column ~= b.column then
            return a.column < b.column
        end
        return a.message < b.message
    end)
    local errors = show(problems, summaries, json, colours)
    problems, summaries, routes_of_apps = {}, {}, {}
    for path, file in pairs(known) do
        known[path] = file.run + KEPT_RUNS >= runs and file or nil
    end
    runs = runs + 1
    return errors
end

return M
