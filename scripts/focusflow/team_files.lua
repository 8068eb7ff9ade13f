-- SPDX-License-Identifier: Apache-2.0
--
-- 11.3: a report as a file. A PDF shows all of it but tables that are too long to read, a workbook has a sheet for each
-- table, a CSV is the table to work on.
local figures = require "rules.figures"
local periods = require "rules.periods"
local team = require "team_figures"
local team_papers = require "team_papers"
local team_files = {}

local writers = {}

-- The table without the columns that paper has no room for.
local function for_paper(t)
    local columns, rows = {}, {}
    for c, column in ipairs(t.columns) do
        if not column.data then
            columns[#columns + 1] = column
            for i, row in ipairs(t.rows) do
                rows[i] = rows[i] or {}
                rows[i][#columns] = row[c]
            end
        end
    end
    return { title = t.title, columns = columns, rows = rows }
end

function writers.pdf(paper, ask, name)
    local tables = {}
    for _, t in ipairs(paper.tables) do
        if not t.long and #t.rows > 0 then
            tables[#tables + 1] = for_paper(t)
        end
    end
    return report.pdf {
        name = name .. ".pdf",
        title = paper.title,
        subtitle = ask.organization.name .. (ask.project and " · " .. ask.project.name or ""),
        period = periods.range(ask.first, ask.last) .. " · " .. ask.zone,
        facts = paper.facts,
        chart = paper.chart,
        tables = tables,
        zone = ask.zone,
    }
end

function writers.excel(paper, ask, name)
    local sheets = {}
    for i, t in ipairs(paper.tables) do
        sheets[i] = { name = t.title, columns = t.columns, rows = t.rows }
    end
    return report.xlsx { name = name .. ".xlsx", title = paper.title, zone = ask.zone, sheets = sheets }
end

function writers.csv(paper, _, name)
    local chosen, columns = nil, {}
    for _, t in ipairs(paper.tables) do
        chosen = t.csv and t or chosen
    end
    for i, column in ipairs(chosen.columns) do
        columns[i] = column[1]
        for _, row in ipairs(chosen.rows) do
            if column.type == "hours" then
                row[i] = figures.hours(row[i])
            elseif column.type == "percent" then
                row[i] = figures.ratio(row[i], 1, 4)
            end
        end
    end
    return report.csv { name = name .. ".csv", columns = columns, rows = chosen.rows }
end

--- The file of a request: { organization, zone, first, last, format, kind = "team" | "project" | "individual",
--- project (nullable), employee (nullable: one of the members) }.
function team_files.make(ask)
    ask.project_id = ask.project and ask.project.id
    ask.members = ask.employee and { ask.employee } or team.members(ask.organization.id)
    local name = table.concat({ ask.organization.slug, ask.kind, ask.first, ask.last }, "-")
    return writers[ask.format](team_papers[ask.kind](ask), ask, name)
end

return team_files
