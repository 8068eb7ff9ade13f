-- SPDX-License-Identifier: Apache-2.0
--
-- The activity feed of an organization (10.1, FF-47).
local view = require "view"

return view.new {
    table = "activities",
    alias = "a",
    columns = [[a.id, a.type, u.id AS "user.id", u.username AS "user.username", u.first_name AS "user.first_name",
        t.id AS "task.id", t.title AS "task.title", a.at AS "timestamp:time"]],
    joins = "JOIN users u ON u.id = a.user_id LEFT JOIN tasks t ON t.id = a.task_id",
}
