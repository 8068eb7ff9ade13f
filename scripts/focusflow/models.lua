-- SPDX-License-Identifier: Apache-2.0
--
-- The shapes of all answers by name, in the order of the document; also what the API documentation shows.
local models = {}

local parts = {
    require "models.accounts", require "models.work", require "models.reports", require "models.organizations",
    require "models.webhooks", require "models.events", (require "models.teams"),
}
for _, part in ipairs(parts) do
    for name, model in pairs(part) do
        models[name] = model
    end
end

-- Pages of a list (FF-12) and where it is.
local lists = {
    ApiKey = "v1/auth/api-keys",
    Project = "v1/projects",
    Task = "v1/tasks",
    Session = "v1/pomodoro/sessions",
    OwnOrganization = "v2/organizations",
    Member = "v2/organizations/acme-startup/members",
    OrganizationProject = "v2/organizations/acme-startup/projects",
    OrganizationTask = "v2/organizations/acme-startup/tasks",
    Webhook = "v2/organizations/acme-startup/webhooks",
    Delivery = "v2/organizations/acme-startup/webhooks/1/deliveries",
}
for item, place in pairs(lists) do
    local path = "https://api.focusflow.com/api/" .. place .. "/"
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
