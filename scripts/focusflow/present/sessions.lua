-- SPDX-License-Identifier: Apache-2.0
--
-- Pomodoro sessions as list items (4.4).
local view = require "view"

return view.new {
    table = "pomodoro_sessions",
    alias = "s",
    columns = [[s.id, t.id AS "task.id", t.title AS "task.title", s.started_at AS "started_at:time",
        s.ended_at AS "ended_at:time", s.duration_minutes, s.actual_duration_seconds, s.is_break AS "is_break:bool",
        s.completed AS "completed:bool"]],
    joins = "LEFT JOIN tasks t ON t.id = s.task_id",
}
