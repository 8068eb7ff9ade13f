-- SPDX-License-Identifier: Apache-2.0
local unit = require "routes.projects_base"

for _, route in ipairs(unit) do
    if route.method == "POST" then
        route.body.name = text { 1, 200 }
        route.returns = { [201] = "Project" }
    end
end

return unit
