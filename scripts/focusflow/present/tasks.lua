-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks as list items and with their sessions (FF-18).
local view = require "view"
local tasks = {}

local COLUMNS = [[t.id, t.title, t.description, t.status, p.id AS "project.id", p.name AS "project.name",
    p.color_code AS "project.color_code", t.estimated_pomodoros, t.completed_pomodoros, t.total_focus_seconds,
    t.created_at AS "created_at:time", t.started_at AS "started_at:time", t.ended_at AS "ended_at:time",
    t.priority, (SELECT o.slug FROM organizations o WHERE o.id = t.organization_id) AS organization]]

local function tasks_with(columns)
    return view.new {
        table = "tasks",
        alias = "t",
        columns = columns,
        joins = "LEFT JOIN projects p ON p.id = t.project_id",
    }
end

tasks.item = tasks_with(COLUMNS)
tasks.details = tasks_with(COLUMNS .. [[, ? AS "pomodoro_sessions:json"]])
-- 9.1. A project that is not the organization's own stays its owner's affair.
tasks.of_organization = view.new {
    table = "tasks",
    alias = "t",
    columns = [[t.id, t.title, t.status, u.id AS "owner.id", u.username AS "owner.username",
        u.first_name AS "owner.first_name", p.id AS "project.id", p.name AS "project.name",
        t.started_at AS "started_at:time", t.estimated_pomodoros, t.completed_pomodoros, t.priority,
        t.total_focus_seconds, t.created_at AS "created_at:time", t.ended_at AS "ended_at:time"]],
    joins = [[JOIN users u ON u.id = t.user_id
        LEFT JOIN projects p ON p.id = t.project_id AND p.organization_id = t.organization_id]],
}
tasks.session = view.new {
    table = "pomodoro_sessions",
    alias = "s",
    columns = [[s.id, s.started_at AS "started_at:time", s.ended_at AS "ended_at:time", s.duration_minutes,
        s.actual_duration_seconds, s.completed AS "completed:bool"]],
}

--- A user's task, or nil.
function tasks.find(user_id, id)
    return view.object(tasks.item, "t.id = ? AND t.user_id = ?", id, user_id)
end

--- A user's task with its focus sessions, oldest first, or nil.
function tasks.find_with_sessions(user_id, id)
    local sessions = view.all(tasks.session, "s.task_id = ? ORDER BY s.started_at, s.id", id)
    return view.object(tasks.details, "t.id = ? AND t.user_id = ?", sessions, id, user_id)
end

return tasks
