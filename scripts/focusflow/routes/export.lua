-- SPDX-License-Identifier: Apache-2.0
--
-- 6.1: everything a user has made, as JSON or as one CSV file (FF-35). Password and tokens are in no column of it.
local projects = require "present.projects"
local rows = require "present.sessions"
local tasks = require "present.tasks"
local users = require "present.users"
local view = require "view"

-- The CSV's columns: the union of the columns below.
local COLUMNS = {
    "record_type", "id", "email", "username", "first_name", "last_name", "user_type", "timezone", "name", "description",
    "color_code", "is_active", "title", "status", "priority", "project_id", "estimated_pomodoros",
    "completed_pomodoros", "total_focus_seconds", "task_id", "is_break", "break_type", "duration_minutes",
    "actual_duration_seconds", "completed", "created_at", "started_at", "ended_at",
}
-- Only ids are sorted, so that a large account needs little memory.
local RECORDS = {
    [[SELECT 'user' AS record_type, id, email, username, first_name, last_name, user_type, timezone,
        created_at AS "created_at:time" FROM users WHERE id = ?]],
    [[SELECT 'project' AS record_type, id, name, description, color_code, is_active AS "is_active:bool",
        created_at AS "created_at:time" FROM projects
        WHERE id IN (SELECT id FROM projects WHERE user_id = ?) ORDER BY id]],
    [[SELECT 'task' AS record_type, id, title, description, status, priority, project_id, estimated_pomodoros,
        completed_pomodoros, total_focus_seconds, created_at AS "created_at:time", started_at AS "started_at:time",
        ended_at AS "ended_at:time" FROM tasks
        WHERE id IN (SELECT id FROM tasks WHERE user_id = ?) ORDER BY id]],
    [[SELECT 'pomodoro_session' AS record_type, id, task_id, is_break AS "is_break:bool", break_type, duration_minutes,
        actual_duration_seconds, completed AS "completed:bool", started_at AS "started_at:time",
        ended_at AS "ended_at:time" FROM pomodoro_sessions
        WHERE id IN (SELECT id FROM pomodoro_sessions WHERE user_id = ?) ORDER BY id]],
}

-- The file's rows are these queries, each column by its name.
local function records(user_id)
    local queries = {}
    for i, sql in ipairs(RECORDS) do
        queries[i] = { sql = sql, by_name = true, user_id }
    end
    return queries
end

local function export(req)
    local user_id = req.user.id
    if req.query.format == "csv" then
        return 200, report.csv { name = "focusflow-export.csv", columns = COLUMNS, rows = records(user_id) }
    end
    return 200, {
        user = view.one(users, "u.id = ?", user_id),
        projects = view.all(projects.item, "p.user_id = ? ORDER BY p.id", user_id),
        tasks = view.all(tasks.item, "t.user_id = ? ORDER BY t.id", user_id),
        pomodoro_sessions = view.all(rows, "s.user_id = ? ORDER BY s.id", user_id),
        exported_at = req.now,
    }
end

return {
    name = "export",
    summary = "All data of one user.",
    GET "/api/v1/export/data/" {
        summary = "Export all data",
        description = "format=csv sends one file; its column record_type says what a line is.",
        who = "user",
        limit = "standard",
        query = { format = one_of { "json", "csv", default = "json" } },
        returns = { [200] = "Export" },
        run = export,
    },
}
