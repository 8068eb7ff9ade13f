-- SPDX-License-Identifier: Apache-2.0
--
-- What the files of 11.3 say (FF-51), whatever format they get: { title =, facts =, chart =, tables = }. A table marked
-- `long` is too long for paper, as is a column marked `data`; the table marked `csv` is the one to work on. Times are
-- seconds until a format writes them.
local facts = require "analytics"
local figures = require "rules.figures"
local periods = require "rules.periods"
local team = require "team_figures"
local team_papers = {}

local NO_PROJECT = "No project of the organization"
local PROJECTS = "SELECT id, name FROM projects WHERE organization_id = ?"
local PER_DAY, PER_WEEK = 62, 400   -- the longest ranges, in days, that a chart shows by day and by week

local function hours(seconds)
    return ("%.2f h"):format(figures.hours(seconds))
end

local function percent(part, total)
    return figures.percentage(part, total) .. " %"
end

local EMPLOYEE, NARROW_EMPLOYEE = { "Employee", width = 26 }, { "Employee", width = 18 }
local USERNAME = { "Username", data = true }
local FOCUS = { "Focus hours", type = "hours" }
local SHARE = { "Share", type = "percent" }
local TASKS = { "Tasks", type = "integer" }
local COMPLETED = { "Completed", type = "integer" }
local RATE = { "Rate", type = "percent" }
local RATE_DATA = { "Rate", type = "percent", data = true }
local DATE = { "Date", type = "date" }
local NAME_OF_ONE = { "Employee", data = true }   -- on paper it is in the title

-- The busiest bars of what is to be compared.
local function ranked(labels, values, most)
    return { labels = table.move(labels, 1, most, 1, {}), values = table.move(values, 1, most, 1, {}) }
end

-- Focus by day, week or month, as the range is long.
local function over_time(days, first)
    local step = #days <= PER_DAY and "day" or #days <= PER_WEEK and "week" or "month"
    local labels, values, last = {}, {}, nil
    for i, seconds in ipairs(days) do
        local year, month, day = time.civil(time.add_days(first, i - 1))
        local weekday = step == "week" and select(3, time.iso_week(time.add_days(first, i - 1)))
        local period = periods.label(step, year, month, day)
        if not last or step == "day" or weekday == 1 or step == "month" and period ~= last then
            labels[#labels + 1], values[#values + 1], last = period, 0, period
        end
        values[#values] = values[#values] + seconds
    end
    for i, seconds in ipairs(values) do
        values[i] = figures.hours(seconds)
    end
    return { title = "Focus by " .. step, labels = labels, values = values, unit = "h" }
end

local function day_rows(group, first, employee)
    local rows = {}
    for i, focus in ipairs(group.focus_seconds.days) do
        local completed = group.tasks_completed.days[i]
        if focus > 0 or completed > 0 then
            local row = { time.add_days(first, i - 1), focus, completed }
            rows[#rows + 1] = employee and { employee.name, employee.username, table.unpack(row) } or row
        end
    end
    return rows
end

local function hour_rows(group, first, last)
    local rows = {}
    for i, entry in ipairs(figures.busiest_hours(group.focus_seconds.hour_days, time.days_between(first, last) + 1)) do
        rows[i] = { entry.hour, entry.average }
    end
    return rows
end

local function fraction(part, total)
    return total > 0 and part / total or 0
end

--- A report on everybody.
function team_papers.team(ask)
    local group = team.of(ask.members, ask.zone, ask.first, ask.last, { project_id = ask.project_id })
    local focus, completed, rows = group.focus_seconds.total, group.tasks_completed.total, {}
    for i, entry in ipairs(team.by_member(ask.members, group)) do
        local member = entry.member
        rows[i] = { member.name, member.username, entry.focus_seconds, fraction(entry.focus_seconds, focus),
            entry.tasks, entry.tasks_completed, fraction(entry.tasks_completed, entry.tasks),
            member.is_active and "active" or "left" }
    end
    local active = team.active(ask.members)
    return {
        title = "Team report",
        facts = {
            { "Focus time", hours(focus) },
            { "Per employee", hours(focus / active) },
            { "Tasks completed", tostring(completed) },
            { "Completion rate", percent(completed, group.detail_count) },
            { "Employees", tostring(active) },
        },
        chart = over_time(group.focus_seconds.days, ask.first),
        tables = {
            { title = "Employees", rows = rows, csv = true,
                columns = { EMPLOYEE, USERNAME, FOCUS, SHARE, TASKS, COMPLETED, RATE, { "Status" } } },
            { title = "Busiest hours", rows = hour_rows(group, ask.first, ask.last),
                columns = { { "Hour" }, { "Members focusing on the average day", type = "number" } } },
            { title = "Days", rows = day_rows(group, ask.first), long = true, columns = { DATE, FOCUS, COMPLETED } },
        },
    }
end

-- One entry per project of the organization with figures, most focus first; all other work is the last.
local function project_entries(ask, group)
    local names, list, other = {}, {}, { name = NO_PROJECT, focus_seconds = 0, tasks_completed = 0, count = 0 }
    for _, project in ipairs(db.all(PROJECTS, ask.organization.id)) do
        names[project.id] = project.name
    end
    for _, entry in ipairs(group.by) do
        if names[entry.key] then
            entry.name = names[entry.key]
            list[#list + 1] = entry
        else
            for _, key in ipairs { "focus_seconds", "tasks_completed", "count" } do
                other[key] = other[key] + entry[key]
            end
        end
    end
    list[#list + 1] = other.count > 0 and other or nil
    return list
end

local function contributor_rows(members, group)
    local rows = {}
    for _, entry in ipairs(team.by_member(members, group)) do
        if entry.focus_seconds > 0 or entry.tasks_completed > 0 then
            rows[#rows + 1] = { entry.member.name, entry.member.username, entry.focus_seconds,
                fraction(entry.focus_seconds, group.focus_seconds.total), entry.tasks_completed }
        end
    end
    return rows
end

--- A report by project.
function team_papers.project(ask)
    local one = ask.project_id ~= nil
    local choices = { project_id = ask.project_id, key_shift = facts.TASK_BITS }
    local group = team.of(ask.members, ask.zone, ask.first, ask.last, choices)
    local focus, completed, rows, labels, values = group.focus_seconds.total, group.tasks_completed.total, {}, {}, {}
    for i, entry in ipairs(project_entries(ask, group)) do
        rows[i] = { entry.name, entry.focus_seconds, fraction(entry.focus_seconds, focus), entry.count,
            entry.tasks_completed, fraction(entry.tasks_completed, entry.count) }
        labels[i], values[i] = entry.name, figures.hours(entry.focus_seconds)
    end
    local compared = ranked(labels, values, 12)
    compared.title, compared.unit = "Focus by project", "h"
    return {
        title = "Project report",
        facts = {
            { "Focus time", hours(focus) },
            { "Projects", tostring(#rows) },
            { "Tasks", tostring(group.detail_count) },
            { "Tasks completed", tostring(completed) },
            { "Completion rate", percent(completed, group.detail_count) },
        },
        chart = one and over_time(group.focus_seconds.days, ask.first) or compared,
        tables = {
            { title = "Projects", rows = rows, csv = true, long = one,
                columns = { { "Project", width = 40 }, FOCUS, SHARE, TASKS, COMPLETED, RATE } },
            { title = "Contributors", rows = contributor_rows(ask.members, group),
                columns = { EMPLOYEE, USERNAME, FOCUS, SHARE, COMPLETED } },
            { title = "Days", rows = day_rows(group, ask.first), long = not one,
                columns = { DATE, FOCUS, COMPLETED } },
        },
    }
end

local function individual_facts(group, employees)
    local focus, days = group.focus_seconds.total, figures.active(group.focus_seconds.days)
    return {
        { "Focus time", hours(focus) },
        { "Days", tostring(days) },
        employees == 1 and { "Per day", hours(days > 0 and focus / days or 0) }
            or { "Employees", tostring(employees) },
        { "Completed", tostring(group.tasks_completed.total) },
        { "Peak hours", figures.peak_hours(group.focus_seconds.hours)[1] or "none" },
    }
end

--- A report by member, or on one.
function team_papers.individual(ask)
    local rows, days, labels, values = {}, {}, {}, {}
    local all = team.of(ask.members, ask.zone, ask.first, ask.last, { project_id = ask.project_id })
    for _, entry in ipairs(team.by_member(ask.members, all)) do
        local member = entry.member
        local only = team.of({ member }, ask.zone, ask.first, ask.last, { project_id = ask.project_id })
        local active_days = figures.active(only.focus_seconds.days)
        rows[#rows + 1] = { member.name, member.username, entry.focus_seconds, active_days,
            fraction(entry.focus_seconds, active_days), entry.tasks_completed,
            fraction(entry.tasks_completed, entry.tasks),
            table.concat(figures.peak_hours(only.focus_seconds.hours), ", ") }
        table.move(day_rows(only, ask.first, member), 1, #only.focus_seconds.days, #days + 1, days)
        labels[#labels + 1], values[#values + 1] = member.name, figures.hours(entry.focus_seconds)
    end
    local compared = ranked(labels, values, 12)
    compared.title, compared.unit = "Focus by employee", "h"
    return {
        title = ask.employee and "Report on " .. ask.employee.name or "Individual report",
        facts = individual_facts(all, #rows),
        chart = ask.employee and over_time(all.focus_seconds.days, ask.first) or compared,
        tables = {
            { title = "Employees", rows = rows, long = ask.employee ~= nil,
                columns = { NARROW_EMPLOYEE, USERNAME, FOCUS, { "Days", type = "integer" },
                    { "Per day", type = "hours" }, COMPLETED, RATE_DATA, { "Peak hours", width = 24 } } },
            { title = "Days", rows = days, csv = true, long = not ask.employee,
                columns = { ask.employee and NAME_OF_ONE or EMPLOYEE, USERNAME, DATE, FOCUS, COMPLETED } },
        },
    }
end

return team_papers
