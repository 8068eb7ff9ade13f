-- SPDX-License-Identifier: Apache-2.0
--
-- How `perigee check` says what it has found: like a compiler on standard error, with a line per app on standard
-- output, or all as JSON for editors. Returns show(problems, summaries, json, colours) → number of errors.
local MEMBERS = { "app", "file", "line", "column", "severity", "message", "hint", "rule" }

local function json_text(value)
    if type(value) == "number" then
        return string.format("%d", value)
    end
    return '"' .. value:gsub('["\\]', "\\%0"):gsub("[%c\127]", function(c)
        return string.format("\\u%04x", c:byte())
    end) .. '"'
end

local function show_json(problems)
    local list = {}
    for i, p in ipairs(problems) do
        local members = {}
        for _, name in ipairs(MEMBERS) do
            members[#members + 1] = p[name] and json_text(name) .. ":" .. json_text(p[name]) or nil
        end
        list[i] = "{" .. table.concat(members, ",") .. "}"
    end
    io.stdout:write("[", table.concat(list, ",\n "), "]\n")
end

local function paint(on, code, text)
    return on and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

local function show_text(problems, colours)
    for _, p in ipairs(problems) do
        local place = string.format("%s:%d:%d:", p.file, p.line, p.column)
        local kind = p.warning and paint(colours, "35", "warning: ") or colours and paint(true, "31", "error: ") or ""
        io.stderr:write(paint(colours, "1", place), " ", kind, p.message, "\n")
        if p.hint then
            io.stderr:write("    ", paint(colours, "36", p.hint), "\n")
        end
    end
end

local function counted(n, word)
    return n > 0 and string.format("%d %s%s", n, word, n == 1 and "" or "s") or nil
end

local function show_summary(summary)
    local errors, warnings = counted(summary.counts.errors, "error"), counted(summary.counts.warnings, "warning")
    local found = errors and warnings and errors .. ", " .. warnings or errors or warnings or "no problems"
    io.stdout:write(summary.app, ": ", summary.text and summary.text .. ", " or "", found, "\n")
end

return function(problems, summaries, json, colours)
    local errors = 0
    for _, p in ipairs(problems) do
        errors = errors + (p.warning and 0 or 1)
    end
    if json then
        show_json(problems)
    else
        show_text(problems, colours)
        for _, summary in ipairs(summaries) do
            show_summary(summary)
        end
    end
    return errors
end
