-- SPDX-License-Identifier: Apache-2.0
--
-- 10.2, 10.3, 11.1 and 11.2 as functions of an organization, the user who asks, and local dates, first and last
-- included. Days and hours are those of the asking user's zone (FF-14), also for members who live elsewhere. Focus time
-- is that of ended sessions, as in all reports (FF-29).
local facts = require "analytics"
local figures = require "rules.figures"
local members = require "present.members"
local recent_tasks = require "recent_tasks"
local team = require "team_figures"
local team_reports = {}

local NOW = [[
SELECT m.user_id, ]] .. members.STATUS .. [[ AS status, t.id AS task_id, t.title,
       EXISTS (SELECT 1 FROM activities a WHERE a.organization_id = m.organization_id AND a.user_id = m.user_id
                  AND a.at >= ? AND a.at < ?)
    OR EXISTS (SELECT 1 FROM pomodoro_sessions x LEFT JOIN tasks xt ON xt.id = x.task_id
                WHERE x.user_id = m.user_id AND x.started_at >= ? AND x.started_at < ? AND x.ended_at > ?
                  AND COALESCE(xt.organization_id, x.organization_id) = m.organization_id) AS "seen:bool"
  FROM memberships m ]] .. members.NOW .. [[
 WHERE m.organization_id = ? AND m.is_active = 1]]
local IN_PROGRESS = "SELECT COUNT(*) FROM tasks WHERE organization_id = ? AND status = 'in_progress'"
local OPEN = "SELECT id FROM tasks WHERE organization_id = ? AND status IN ('in_progress', 'paused')"
local MEMBER = [[
SELECT m.id, u.id AS "user.id", u.username AS "user.username", u.first_name AS "user.first_name", m.role AS "user.role"
  FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organization_id = ? AND m.user_id = ? AND m.is_active = 1]]

local DAY = 86400
local ORDER = { focused = 1, paused = 2, on_break = 3, idle = 4 }

local function user_of(member)
    return { id = member.user_id, username = member.username }
end

-- What everybody does now, by user. A session that began longer ago than a day and is over has left an activity today.
local function now_of(organization, from, to)
    local by_user = {}
    for _, row in ipairs(db.all(NOW, from, to, from - DAY, to, from, organization.id)) do
        by_user[row.user_id] = row
    end
    return by_user
end

--- 10.2: today (FF-48).
function team_reports.overview(organization, user, now)
    local today = time.today(user.timezone, now)
    local all = team.members(organization.id)
    local group = team.of(all, user.timezone, today, today)
    local doing = now_of(organization, time.day(user.timezone, today))
    local employees, seen, focused = {}, 0, 0
    for i, member in ipairs(all) do
        local current = doing[member.user_id]
        if current then
            employees[#employees + 1] = {
                user = user_of(member),
                status = current.status,
                current_task = current.task_id and { id = current.task_id, title = current.title },
                focus_time_today = figures.hours(group.focus_seconds.subjects[i]),
                place = i,
            }
            seen = seen + ((current.seen or current.status ~= "idle") and 1 or 0)
            focused = focused + (current.status == "focused" and 1 or 0)
        end
    end
    table.sort(employees, function(a, b)
        if a.status ~= b.status then
            return ORDER[a.status] < ORDER[b.status]
        end
        return a.place < b.place
    end)
    return {
        date = today,
        timezone = user.timezone,
        active_employees = seen,
        currently_focused = focused,
        total_focus_hours_today = figures.hours(group.focus_seconds.total),
        tasks_completed_today = group.tasks_completed.total,
        tasks_in_progress = db.value(IN_PROGRESS, organization.id),
        employees_status = employees,
    }
end

--- 10.3: one active member (FF-49); 404 for anybody else.
function team_reports.employee(organization, user, user_id, first, last, now)
    local member = db.one(MEMBER, organization.id, user_id) or fail.not_found()
    local group = team.of({ member }, user.timezone, first, last)
    local focus = group.focus_seconds
    local streak = analytics.streak {
        kind = "member",
        id = member.id,
        measure = "pomodoros",
        zone = user.timezone,
        today = time.today(user.timezone, now),
        current = true,
    }
    local active_days = figures.active(focus.days)
    return {
        user = member.user,
        timezone = user.timezone,
        date_range = { start = first, ["end"] = last },
        statistics = {
            total_focus_hours = figures.hours(focus.total),
            total_tasks_completed = group.tasks_completed.total,
            avg_daily_focus_hours = active_days > 0 and figures.daily_hours(focus.total, active_days) or 0,
            current_streak = streak.current,
        },
        recent_tasks = recent_tasks.of(organization.id, user_id, 10),
        productivity_pattern = {
            peak_hours = figures.peak_hours(focus.hours),
            avg_task_duration_minutes = figures.average(focus.total, group.detail_count * 60),
        },
    }
end

local function busiest_hours(group, first, last)
    local hours = figures.busiest_hours(group.focus_seconds.hour_days, time.days_between(first, last) + 1)
    for i, entry in ipairs(hours) do
        hours[i] = { hour = entry.hour, avg_active_employees = entry.average }
    end
    return hours
end

--- 11.1 (FF-50); `project_id` (nullable) restricts it to work on one project.
function team_reports.team(organization, user, first, last, project_id)
    local all = team.members(organization.id)
    local group = team.of(all, user.timezone, first, last, { project_id = project_id })
    local focus, completed = group.focus_seconds.total, group.tasks_completed.total
    local employees = team.by_member(all, group)
    for i, entry in ipairs(employees) do
        employees[i] = {
            user = user_of(entry.member),
            focus_hours = figures.hours(entry.focus_seconds),
            tasks_completed = entry.tasks_completed,
            completion_rate = figures.ratio(entry.tasks_completed, entry.tasks, 2),
            is_active = entry.member.is_active,
        }
    end
    return {
        timezone = user.timezone,
        date_range = { start = first, ["end"] = last },
        team_statistics = {
            total_focus_hours = figures.hours(focus),
            avg_focus_hours_per_employee = figures.daily_hours(focus, team.active(all)),
            total_tasks_completed = completed,
            avg_task_completion_rate = figures.ratio(completed, group.detail_count, 2),
        },
        employee_breakdown = employees,
        peak_productivity_hours = busiest_hours(group, first, last),
    }
end

local function contributors(all, group)
    local list = {}
    for _, entry in ipairs(team.by_member(all, group)) do
        if entry.focus_seconds > 0 or entry.tasks_completed > 0 then
            list[#list + 1] = {
                user = user_of(entry.member),
                focus_hours = figures.hours(entry.focus_seconds),
                tasks_completed = entry.tasks_completed,
                contribution_percentage = figures.ratio(100 * entry.focus_seconds, group.focus_seconds.total, 1),
                is_active = entry.member.is_active,
            }
        end
    end
    return list
end

local function timeline(group, first)
    local list = {}
    for i, focus in ipairs(group.focus_seconds.days) do
        local completed = group.tasks_completed.days[i]
        if focus > 0 or completed > 0 then
            list[#list + 1] = {
                date = time.add_days(first, i - 1),
                focus_hours = figures.hours(focus),
                tasks_completed = completed,
            }
        end
    end
    return list
end

-- How many of the project's tasks of the range are in progress or paused now: those of the organization are few.
local function in_progress(organization_id, group)
    local of_range, n = {}, 0
    for _, entry in ipairs(group.by) do
        of_range[entry.key & (1 << facts.TASK_BITS) - 1] = true
    end
    for _, task in ipairs(db.all(OPEN, organization_id)) do
        n = n + (of_range[task.id] and 1 or 0)
    end
    return n
end

--- 11.2 (FF-33, FF-50).
function team_reports.project(organization, user, project, first, last)
    local all = team.members(organization.id)
    local group = team.of(all, user.timezone, first, last, { project_id = project.id, key_shift = 0 })
    local focus = group.focus_seconds.total
    return {
        project = project,
        timezone = user.timezone,
        date_range = { start = first, ["end"] = last },
        total_focus_hours = figures.hours(focus),
        total_tasks = group.detail_count,
        completed_tasks = group.tasks_completed.total,
        in_progress_tasks = in_progress(organization.id, group),
        avg_task_duration_hours = figures.ratio(focus / 3600, group.detail_count, 1),
        contributors = contributors(all, group),
        timeline = timeline(group, first),
    }
end

return team_reports
