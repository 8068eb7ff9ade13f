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
local TIMES = { created_at = true, started_at = true, ended_at = true }
local AT_ONCE = 500
local RECORDS = {
    { "user", [[SELECT id, email, username, first_name, last_name, user_type, timezone, created_at
        FROM users WHERE id = ? AND id > ? ORDER BY id LIMIT ?]] },
    { "project", [[SELECT id, name, description, color_code, is_active AS "is_active:bool", created_at
        FROM projects WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?]] },
    { "task", [[SELECT id, title, description, status, priority, project_id, estimated_pomodoros, completed_pomodoros,
        total_focus_seconds, created_at, started_at, ended_at
        FROM tasks WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?]] },
    { "pomodoro_session", [[SELECT id, task_id, is_break AS "is_break:bool", break_type, duration_minutes,
        actual_duration_seconds, completed AS "completed:bool", started_at, ended_at
        FROM pomodoro_sessions WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?]] },
}

local function cells(record_type, record)
    local row = { record_type }
    for i = 2, #COLUMNS do
        local column = COLUMNS[i]
        local value = record[column]
        if value ~= nil and TIMES[column] then
            value = time.iso(value)
        end
        row[i] = value == nil and null or value
    end
    return row
end

-- An iterator over all rows of the file that holds a slice of them at a time.
local function records(user_id)
    local kind, slice, at, last = 1, {}, 0, 0
    return function()
        while at == #slice do
            if at > 0 and at < AT_ONCE then
                kind, last = kind + 1, 0
            end
            if not RECORDS[kind] then
                return nil
            end
            slice, at = db.all(RECORDS[kind][2], user_id, last, AT_ONCE), 0
            if #slice == 0 then
                kind, last = kind + 1, 0
            end
        end
        at = at + 1
        last = slice[at].id
        return cells(RECORDS[kind][1], slice[at])
    end
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
