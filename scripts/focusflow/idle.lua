-- SPDX-License-Identifier: Apache-2.0
--
-- The watch for idle employees (FF-54): one durable timer per employee and organization. It is set anew by all work in
-- the organization; when it goes off, jobs/idle.lua looks whether the employee has been idle since.
local idle = {}

--- After an activity at `at` of the member in `context` { id of the organization, role, user = { id } }.
function idle.watch(context, at)
    if context.role == "employee" then
        local due = at + config.get "idle_minutes" * 60
        timer.at("idle:" .. context.id .. ":" .. context.user.id, due, "idle.check", {
            organization_id = context.id,
            user_id = context.user.id,
        })
    end
end

return idle
