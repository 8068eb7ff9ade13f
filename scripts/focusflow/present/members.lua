-- SPDX-License-Identifier: Apache-2.0
--
-- Members with what they are doing now (8.1). Only work in the organization shows: a session of a personal task leaves
-- its user idle (FF-39, FF-41).
local view = require "view"
local members = {}

--- Joins to a membership `m` of the user's open session `s`, and of the task `t` that it is of.
members.NOW = [[
LEFT JOIN pomodoro_sessions s ON s.user_id = m.user_id AND s.ended_at IS NULL AND m.is_active = 1
LEFT JOIN tasks t ON t.id = s.task_id AND t.organization_id = m.organization_id]]

--- current_status by those joins.
members.STATUS = [[
CASE WHEN t.id IS NOT NULL THEN CASE WHEN s.paused_at IS NULL THEN 'focused' ELSE 'paused' END
     WHEN s.is_break = 1 AND s.organization_id = m.organization_id THEN 'on_break' ELSE 'idle' END]]

members.item = view.new {
    table = "memberships",
    alias = "m",
    columns = [[m.id, u.id AS "user.id", u.username AS "user.username", u.email AS "user.email",
        u.first_name AS "user.first_name", u.last_name AS "user.last_name", m.role, m.joined_at AS "joined_at:time",
        ]] .. members.STATUS .. [[ AS current_status, t.id AS "current_task.id", t.title AS "current_task.title",
        m.is_active AS "is_active:bool"]],
    joins = "JOIN users u ON u.id = m.user_id " .. members.NOW,
}

return members
