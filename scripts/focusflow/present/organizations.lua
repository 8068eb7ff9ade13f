-- SPDX-License-Identifier: Apache-2.0
--
-- An organization when it is new (7.1) and later (7.2), and as one of those that a user is in.
local view = require "view"
local organizations = {}

organizations.new = view.new {
    table = "organizations",
    alias = "o",
    columns = [[o.id, o.name, o.slug, o.is_active AS "is_active:bool", o.default_pomodoro_duration,
        o.require_task_estimates AS "require_task_estimates:bool",
        (SELECT COUNT(*) FROM memberships m WHERE m.organization_id = o.id AND m.is_active = 1) AS member_count,
        o.created_at AS "created_at:time", u.id AS "owner.id", u.username AS "owner.username",
        u.email AS "owner.email"]],
    joins = "JOIN users u ON u.id = o.owner_id",
}

-- Of a membership: where the user is, and as what.
organizations.own = view.new {
    table = "memberships",
    alias = "m",
    columns = [[o.id, o.name, o.slug, m.role,
        (SELECT COUNT(*) FROM memberships x WHERE x.organization_id = o.id AND x.is_active = 1) AS member_count]],
    joins = "JOIN organizations o ON o.id = m.organization_id",
}

local ROW = [[
SELECT o.id, o.name, o.slug, o.is_active AS "is_active:bool",
       o.default_pomodoro_duration AS "settings.default_pomodoro_duration",
       o.require_task_estimates AS "settings.require_task_estimates:bool",
       o.working_start, o.working_end, o.created_at,
       (SELECT COUNT(*) FROM memberships m WHERE m.organization_id = o.id) AS "statistics.total_members",
       (SELECT COUNT(*) FROM memberships m WHERE m.organization_id = o.id AND m.is_active = 1)
           AS "statistics.active_members",
       (SELECT COUNT(*) FROM projects p WHERE p.organization_id = o.id) AS "statistics.total_projects"
  FROM organizations o WHERE o.id = ?]]

-- Created, started or completed between two instants.
local TOUCHED = [[
SELECT COUNT(*) FROM (
    SELECT id FROM tasks WHERE organization_id = ? AND created_at >= ? AND created_at < ?
     UNION SELECT id FROM tasks WHERE organization_id = ? AND started_at >= ? AND started_at < ?
     UNION SELECT id FROM tasks WHERE organization_id = ? AND ended_at >= ? AND ended_at < ?)]]
local COMPLETED = "SELECT COUNT(*) FROM tasks WHERE organization_id = ? AND ended_at >= ? AND ended_at < ?"

--- The organization in full. Today is a day of the user's zone (FF-14).
function organizations.details(id, user, now)
    local organization = db.one(ROW, id)
    local from, to = time.day(user.timezone, time.today(user.timezone, now))
    local hours = { start = organization.working_start, ["end"] = organization.working_end }
    organization.settings.working_hours = hours
    organization.statistics.total_tasks_today = db.value(TOUCHED, id, from, to, id, from, to, id, from, to)
    organization.statistics.completed_tasks_today = db.value(COMPLETED, id, from, to)
    organization.timezone = user.timezone
    return organization
end

return organizations
