-- SPDX-License-Identifier: Apache-2.0
--
-- The shapes of all answers by name, in the order of the document; also what the API documentation shows.
local models = {}

for _, part in ipairs { require "models.accounts", require "models.work", (require "models.reports") } do
    for name, model in pairs(part) do
        models[name] = model
    end
end

-- Pages of a list (FF-12).
for _, item in ipairs { "ApiKey", "Project", "Task", "Session" } do
    local path = "https://api.focusflow.com/api/v1/" .. item:lower() .. "s/"
    models[item .. "Page"] = object {
        { "count", doc("Items on all pages.", integer) },
        { "next", nullable(example(path .. "?page=3", text)) },
        { "previous", nullable(example(path .. "?page=1", text)) },
        { "results", list(ref(item)) },
    }
end

models.Export = object {
    { "user", ref "Profile" },
    { "projects", list(ref "Project") },
    { "tasks", list(ref "Task") },
    { "pomodoro_sessions", list(ref "Session") },
    { "exported_at", datetime },
}

return models
