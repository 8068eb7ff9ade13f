-- SPDX-License-Identifier: Apache-2.0
--
-- 5.1 to 5.5 as functions of a user { id, timezone } and local dates, first and last included. Days are those of the
-- user's time zone (FF-14, X-16), which every answer names.
local figures = require "rules.figures"
local projects = require "present.projects"
local reports = {}

-- The tasks of a day are those created, started or completed on it, each once, by their status now (FF-29).
local DAY_TASKS = [[
SELECT COUNT(*) AS total, COUNT(*) FILTER (WHERE status = 'completed') AS completed,
       COUNT(*) FILTER (WHERE status IN ('in_progress', 'paused')) AS in_progress,
       COUNT(*) FILTER (WHERE status = 'pending') AS pending
  FROM tasks WHERE id IN (
       SELECT id FROM tasks WHERE user_id = ? AND created_at >= ? AND created_at < ?
       UNION SELECT id FROM tasks WHERE user_id = ? AND started_at >= ? AND started_at < ?
       UNION SELECT id FROM tasks WHERE user_id = ? AND ended_at >= ? AND ended_at < ?)]]

-- The tasks of a project with activity in a range: the same, or worked on in it (FF-33).
local RANGE_TASKS = [[
SELECT COUNT(*) FROM tasks t WHERE t.project_id = ? AND t.user_id = ? AND (
       t.created_at >= ? AND t.created_at < ? OR t.started_at >= ? AND t.started_at < ?
    OR t.ended_at >= ? AND t.ended_at < ?
    OR EXISTS (SELECT 1 FROM session_spans p JOIN pomodoro_sessions s ON s.id = p.session_id
                WHERE s.task_id = t.id AND p.ended_at > ? AND p.started_at < ?))]]

local FOCUS_AND_TASKS = { "focus_seconds", "tasks_completed" }
local ALL = { "focus_seconds", "tasks_completed", "pomodoros" }

-- The user's figures for days first..last; `project_id` restricts them to one project.
local function figures_of(user, measures, first, last, project_id)
    return analytics.report {
        kind = "user",
        id = user.id,
        detail = project_id,
        measures = measures,
        zone = user.timezone,
        first = first,
        last = last,
    }
end

-- One row per day, made by row(date, focus seconds, tasks completed); days for which it returns nil are left out.
local function by_day(report, first, row)
    local rows = {}
    for i, focus in ipairs(report.focus_seconds.days) do
        rows[#rows + 1] = row(time.add_days(first, i - 1), focus, report.tasks_completed.days[i])
    end
    return rows
end

-- One row per project with focus time or completed tasks, most focus first, made by row(project or nil, entry).
local function by_project(report, row)
    local rows = {}
    for _, entry in ipairs(report.by) do
        if entry.focus_seconds > 0 or entry.tasks_completed > 0 then
            rows[#rows + 1] = row(projects.reference(entry.key), entry)
        end
    end
    return rows
end

local function day_row(day, focus, completed)
    return { date = day, focus_hours = figures.hours(focus), tasks_completed = completed }
end

function reports.daily(user, day)
    local from, to = time.day(user.timezone, day)
    local report = figures_of(user, ALL, day, day)
    local tasks = db.one(DAY_TASKS, user.id, from, to, user.id, from, to, user.id, from, to)
    return {
        date = day,
        timezone = user.timezone,
        total_tasks = tasks.total,
        completed_tasks = tasks.completed,
        in_progress_tasks = tasks.in_progress,
        pending_tasks = tasks.pending,
        total_focus_seconds = report.focus_seconds.total,
        total_focus_hours = figures.hours(report.focus_seconds.total),
        total_pomodoros = report.pomodoros.total,
        projects_breakdown = by_project(report, function(project, entry)
            return { project = project, focus_seconds = entry.focus_seconds, tasks_completed = entry.tasks_completed }
        end),
    }
end

--- An ISO week (FF-30), which begins on `monday`.
function reports.weekly(user, year, week, monday)
    local sunday = time.add_days(monday, 6)
    local report = figures_of(user, FOCUS_AND_TASKS, monday, sunday)
    local total = report.focus_seconds.total
    local top = by_project(report, function(project, entry)
        return entry.focus_seconds > 0 and {
            project = project,
            focus_hours = figures.hours(entry.focus_seconds),
            percentage = figures.percentage(entry.focus_seconds, total),
        } or nil
    end)
    return {
        week = week,
        year = year,
        timezone = user.timezone,
        start_date = monday,
        end_date = sunday,
        total_focus_hours = figures.hours(total),
        total_tasks_completed = report.tasks_completed.total,
        avg_daily_focus_hours = figures.daily_hours(total, 7),
        daily_breakdown = by_day(report, monday, day_row),
        top_projects = table.move(top, 1, 5, 1, {}),
    }
end

-- Focus hours by ISO week, in order of time; the month cuts its first and last week (FF-31).
local function by_week(report, first)
    local weeks = {}
    for i, focus in ipairs(report.focus_seconds.days) do
        local _, week = time.iso_week(time.add_days(first, i - 1))
        local row = weeks[#weeks]
        if not row or row.week ~= week then
            row = { week = week, focus_seconds = 0 }
            weeks[#weeks + 1] = row
        end
        row.focus_seconds = row.focus_seconds + focus
    end
    for _, row in ipairs(weeks) do
        row.focus_hours = figures.hours(row.focus_seconds)
    end
    return weeks
end

function reports.monthly(user, year, month)
    local days = time.month_days(year, month)
    local first = time.date(year, month, 1)
    local report = figures_of(user, ALL, first, time.add_days(first, days - 1))
    local best = figures.best(report.focus_seconds.days)
    return {
        month = month,
        year = year,
        timezone = user.timezone,
        total_focus_hours = figures.hours(report.focus_seconds.total),
        total_tasks_completed = report.tasks_completed.total,
        total_pomodoros = report.pomodoros.total,
        avg_daily_focus_hours = figures.daily_hours(report.focus_seconds.total, days),
        most_productive_day = best and time.add_days(first, best - 1),
        weekly_breakdown = by_week(report, first),
        projects_summary = by_project(report, function(project, entry)
            return {
                project = project and project.name,
                focus_hours = figures.hours(entry.focus_seconds),
                tasks_completed = entry.tasks_completed,
            }
        end),
    }
end

--- An active day has a completed focus session; the streak may end yesterday (FF-32).
function reports.streaks(user, today)
    local streak = analytics.streak {
        kind = "user",
        id = user.id,
        measure = "pomodoros",
        zone = user.timezone,
        today = today,
    }
    return {
        current_streak = streak.current,
        longest_streak = streak.longest,
        streak_start_date = streak.start,
        total_active_days = streak.active_days,
        timezone = user.timezone,
    }
end

--- One project of the user { id, name } in a range of days (FF-33, FF-34).
function reports.project(user, project, first, last)
    local report = figures_of(user, FOCUS_AND_TASKS, first, last, project.id)
    local from, to = time.day(user.timezone, first), select(2, time.day(user.timezone, last))
    local tasks = db.value(RANGE_TASKS, project.id, user.id, from, to, from, to, from, to, from, to)
    return {
        project = project,
        timezone = user.timezone,
        date_range = { start = first, ["end"] = last },
        total_focus_hours = figures.hours(report.focus_seconds.total),
        total_tasks = tasks,
        completed_tasks = report.tasks_completed.total,
        avg_task_duration_minutes = figures.average(report.focus_seconds.total, tasks * 60),
        daily_activity = by_day(report, first, function(day, focus, completed)
            return (focus > 0 or completed > 0) and day_row(day, focus, completed) or nil
        end),
    }
end

return reports
