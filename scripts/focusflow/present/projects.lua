-- SPDX-License-Identifier: Apache-2.0
--
-- Projects as list items (2.1) and in full (2.3, FF-16).
local figures = require "rules.figures"
local view = require "view"

local COLUMNS = [[p.id, p.name, p.description, p.color_code, p.is_active AS "is_active:bool",
    (SELECT COUNT(*) FROM tasks t WHERE t.project_id = p.id) AS task_count,
    (SELECT COALESCE(SUM(t.total_focus_seconds), 0) FROM tasks t WHERE t.project_id = p.id) AS total_focus_time,
    (SELECT o.slug FROM organizations o WHERE o.id = p.organization_id) AS organization,
    p.created_at AS "created_at:time"]]
local OWNER = [[, u.id AS "owner.id", u.username AS "owner.username"]]
local OWNER_JOIN = "JOIN users u ON u.id = p.user_id"

local full = view.new {
    table = "projects",
    alias = "p",
    columns = COLUMNS .. OWNER .. [[,
        (SELECT COUNT(*) FROM tasks t WHERE t.project_id = p.id AND t.status = 'completed') AS completed_tasks]],
    joins = OWNER_JOIN,
}

local projects = {
    item = view.new { table = "projects", alias = "p", columns = COLUMNS },
    -- FF-40
    of_organization = view.new { table = "projects", alias = "p", columns = COLUMNS .. OWNER, joins = OWNER_JOIN },
}

--- A user's project with owner and statistics, or nil.
function projects.find(user_id, id)
    local project = view.one(full, "p.id = ? AND p.user_id = ?", id, user_id)
    if project then
        project.statistics = {
            total_tasks = project.task_count,
            completed_tasks = project.completed_tasks,
            total_focus_hours = figures.hours(project.total_focus_time),
            avg_task_duration = figures.average(project.total_focus_time, project.completed_tasks),
        }
    end
    return project
end

--- { id, name } of a project, or nil: for 0, the key of facts without one.
function projects.reference(id)
    local name = id ~= 0 and db.value("SELECT name FROM projects WHERE id = ?", id)
    return name and { id = id, name = name } or nil
end

return projects
