-- SPDX-License-Identifier: Apache-2.0
local unit = require "routes.tasks_base"

for _, route in ipairs(unit) do
    if route.method == "POST" and route.path == "/api/v1/tasks/" then
        route.body.title = text { 1, 200 }
        route.body.description = text { 0, 5000, default = "" }
        route.body.project = id
        route.returns = { [201] = "TaskCreated" }
    end
end

return unit
