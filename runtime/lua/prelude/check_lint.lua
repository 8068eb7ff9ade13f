-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that finds syntax errors, unknown names and what is unused, with luacheck's engine. The
-- syntax tree stays in the file for the other parts. Called with the kit; returns lint(app, files, report), or nil
-- and why where luacheck cannot be loaded.
local kit = ...
local loaded, luacheck = pcall(require, "luacheck")
if not loaded then
    return nil, luacheck
end
local check_state = require "luacheck.check_state"
local parser = require "luacheck.parser"
local stages = require "luacheck.stages"
local utils = require "luacheck.utils"

-- Blanks, and figures about functions, are not our business and a third of the time.
local LEFT_OUT = kit.set "detect_bad_whitespace detect_cyclomatic_complexity"
local HANDLES = kit.set "tx socket"     -- parameters of functions, not globals
local OPEN = { other_fields = true }
local NO_LINES = { "6" }                -- blanks and lengths of lines are a formatter's business
local FATAL = kit.set "011 111 112 113 121 122 131 142 143"
local INSTEAD = {
    print = 'log.info("…") writes to the log', io = "scripts read and write no files",
    os = "time.now() has the time; scripts start no programs", debug = "scripts do not see the host's inside",
    load = "code is in files; require them", loadstring = "code is in files; require them",
    dofile = "require the file", package = "require finds files of the app and of lib/",
    unpack = "table.unpack", tx = "a transaction is handed to the function of db.transaction",
    socket = "a socket is handed to the functions of a SOCKET route",
}

-- What luacheck calls a standard: the globals with their fields.
local function standard(globals)
    local std = {}
    for name, fields in pairs(globals) do
        if not HANDLES[name] then
            std[name] = OPEN
            if type(fields) == "table" then
                std[name] = { fields = {} }
                for field in pairs(fields) do
                    std[name].fields[field] = OPEN
                end
            end
        end
    end
    return { read_globals = std }
end

local function run_stages(state)
    for i, name in ipairs(stages.names) do
        if not LEFT_OUT[name] then
            stages.modules[i].run(state)
        end
    end
end

local function options_for(app)
    local scripts = { std = standard(app.globals), ignore = NO_LINES }
    local globals = kit.sorted(app.globals)
    table.move({ "host", "client", "clock", "captured" }, 1, 4, #globals + 1, globals)
    local specs = { std = "max+busted", read_globals = globals, ignore = NO_LINES }
    return { script = scripts, rule = scripts, lib = scripts, spec = specs }
end

-- Parses and analyses one file: luacheck's report of it, and the tree unless the syntax is wrong.
local function analyse(file)
    local state = check_state.new(file.text)
    local ok, failure = utils.try(run_stages, state)
    if ok then
        file.ast, file.state = state.ast, state
        return { warnings = state.warnings, inline_options = state.inline_options, line_lengths = state.line_lengths,
            line_endings = state.line_endings }
    elseif not utils.is_instance(failure.err, parser.SyntaxError) then
        error(failure.err, 0)
    end
    local err = failure.err
    file.broken = true
    local column = state.line_offsets and state:offset_to_column(err.line, err.offset) or 1
    return { warnings = { { code = "011", line = err.line, column = column, end_column = column, msg = err.msg } },
        inline_options = {}, line_lengths = {}, line_endings = {} }
end

local function undefined(app, w)
    local name = w.name
    return string.format("there is no global '%s'", name), INSTEAD[name] or kit.near(name, app.globals)
end

local function no_field(app, w)
    local field = w.field or w.indexing and w.indexing[#w.indexing] or "?"
    local fields = app.globals[w.name]
    if w.name == "config" then
        return "config has no '" .. field .. "'", string.format('a setting is read with config.get "%s"', field)
    end
    return string.format("%s has no '%s'", w.name, field), type(fields) == "table" and kit.near(field, fields) or nil
end

local function worded(app, w)
    if w.code == "113" then
        return undefined(app, w)
    elseif w.code == "143" then
        return no_field(app, w)
    elseif w.code == "111" or w.code == "112" then
        return string.format("assignment to the undeclared global '%s'", w.name), "use local"
    elseif w.code == "121" or w.code == "122" or w.code == "142" then
        return luacheck.get_message(w), "globals belong to the host"
    elseif w.code:sub(1, 1) == "2" and w.code ~= "221" then
        return luacheck.get_message(w), w.name and w.name ~= "..." and "remove it, or name it _" or nil
    end
    return luacheck.get_message(w)
end

-- What is wrong in files, as lists of problems: file.lint.
local function look_at(app, files)
    local options, reports, chosen = options_for(app), {}, {}
    for i, file in ipairs(files) do
        local ok, found = pcall(analyse, file)
        file.lint = {}
        if not ok then      -- nested too deeply, say: the other files are checked all the same
            file.lint[1] = { line = 1, column = 1, rule = "syntax", message = "this file cannot be analysed: "
                .. tostring(found):match "^[^\n]*" }
            found = { warnings = {}, inline_options = {}, line_lengths = {}, line_endings = {} }
        end
        reports[i], chosen[i] = found, options[file.kind]
        table.sort(reports[i].warnings, function(a, b)
            return a.line < b.line or a.line == b.line and a.column < b.column
        end)
    end
    for i, events in ipairs(luacheck.process_reports(reports, chosen)) do
        for _, w in ipairs(events) do
            local message, hint = worded(app, w)
            table.insert(files[i].lint, { line = w.line, column = w.column, message = message, hint = hint,
                rule = w.code == "011" and "syntax" or "lint." .. w.code, warning = not FATAL[w.code] })
        end
    end
end

-- The globals are the host's, the same for all apps and for as long as this runs: what is wrong in a file stays true.
return function(app, files, report)
    local new = {}
    for _, file in ipairs(files) do
        new[#new + 1] = not file.lint and file or nil
    end
    look_at(app, new)
    for _, file in ipairs(files) do
        for _, p in ipairs(file.lint) do
            report { file = file.path, line = p.line, column = p.column, message = p.message, hint = p.hint,
                rule = p.rule, warning = p.warning }
        end
    end
end
