-- SPDX-License-Identifier: Apache-2.0
local tasks = require "present.tasks_base"
local view = require "view"

-- The view without some of its columns.
local function without(v, ...)
    local columns = v.columns
    for _, pattern in ipairs { ... } do
        local found
        columns, found = columns:gsub(pattern, "")
        assert(found == 1)
    end
    return view.new { table = v.table, alias = v.alias, columns = columns, joins = v.joins }
end

local ADDED = ", %(SELECT o%.slug [^)]*%) AS organization"
local PRIORITY = ",%s*t%.priority"
local COLOUR = "%s*p%.color_code AS \"project%.color_code\","
local NOT_YET = ",%s*t%.started_at AS \"started_at:time\",%s*t%.ended_at AS \"ended_at:time\""

tasks.created = without(tasks.item, ADDED, PRIORITY, COLOUR, NOT_YET)
tasks.item = without(tasks.item, ADDED, PRIORITY)
tasks.details = without(tasks.details, ADDED, PRIORITY, COLOUR)

function tasks.find(user_id, id)
    return view.object(tasks.created, "t.id = ? AND t.user_id = ?", id, user_id)
end

return tasks
