-- SPDX-License-Identifier: Apache-2.0
--
-- The values that fields may have (PF-8), as types; with a default for the bodies that create something.
local values = {}

local function choice(list)
    return function(default)
        local options = { default = default }
        for i, value in ipairs(list) do
            options[i] = value
        end
        return one_of(options)
    end
end

values.project_status = choice { "active", "on_hold", "completed", "archived" }
values.task_status = choice { "todo", "in_progress", "in_review", "done" }
values.priority = choice { "low", "medium", "high", "urgent" }
values.state = choice { "active", "inactive" }
values.role = choice { "admin", "manager", "developer", "viewer" }

--- A description in a body: null is none.
values.description = optional(nullable(text { 0, 10000, example = "Description" }))

return values
