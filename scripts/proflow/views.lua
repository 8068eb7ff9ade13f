-- SPDX-License-Identifier: Apache-2.0
--
-- Objects as answers have them (PF-10): the documented members, and the names of what they belong to.
local view = require "lib.view"
local views = {}

local function of(name, table_name, columns)
    views[name] = view.new { table = table_name, alias = "t", key = "seq", columns = columns }
end

local TIMES = [[, t.created_at AS "created_at:time", t.updated_at AS "updated_at:time"]]

of("project", "projects", "t.id, t.name, t.description, t.status, t.team_id" .. TIMES)
of("task", "tasks", "t.id, t.title, t.description, t.status, t.priority, t.assignee_id, t.project_id" .. TIMES)
of("team", "teams", "t.id, t.name, t.description, t.status" .. TIMES)
of("user", "users", "t.id, t.name, t.email, t.role, t.status" .. TIMES)
of("time_entry", "time_entries", [[t.id, t.task_id, t.user_id, t.duration, t.description,
    t.started_at AS "started_at:time", t.created_at AS "created_at:time"]])
of("api_key", "api_keys", [[t.id, t.name, (SELECT u.id FROM users u WHERE u.seq = t.user) AS user_id,
    t.created_at AS "created_at:time"]])

--- The object of that number, as JSON.
function views.object(name, seq)
    return view.object(views[name], "t.seq = ?", seq)
end

--- The number and the JSON of an organization's object, or a 404.
function views.find(name, member, id)
    local v = views[name]
    local seq = db.value("SELECT seq FROM " .. v.table .. " WHERE id = ? AND organization = ?", id, member.organization)
    return seq or fail.not_found(), views.object(name, seq)
end

return views
