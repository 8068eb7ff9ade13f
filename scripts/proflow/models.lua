-- SPDX-License-Identifier: Apache-2.0
--
-- The shapes of all answers by name; also what the API documentation shows. The values of PF-8 are named here once.
local events = require "webhooks".events
local models = require "lib.webhooks".models "task.created"

local at = example(1705752000, datetime)
local function name_of(what)
    return text { example = what .. "_7QhT2vYxN4mKpR8sWc3f" }
end
local values = require "values"

models.Project = object {
    { "id", name_of "proj" },
    { "name", text { example = "New Project" } },
    { "description", nullable(text { example = "Project Description" }) },
    { "status", values.project_status() },
    { "team_id", nullable(name_of "team") },
    { "created_at", at },
    { "updated_at", at },
}
models.Task = object {
    { "id", name_of "task" },
    { "title", text { example = "New Task" } },
    { "description", nullable(text { example = "Task Description" }) },
    { "status", values.task_status() },
    { "priority", values.priority() },
    { "assignee_id", nullable(name_of "user") },
    { "project_id", name_of "proj" },
    { "created_at", at },
    { "updated_at", at },
}
models.Team = object {
    { "id", name_of "team" },
    { "name", text { example = "Team Name" } },
    { "description", nullable(text { example = "Team Description" }) },
    { "status", values.state() },
    { "created_at", at },
    { "updated_at", at },
}

local user = {
    { "id", name_of "user" },
    { "name", text { example = "User Name" } },
    { "email", text { example = "user@example.com" } },
    { "role", values.role() },
    { "status", values.state() },
    { "created_at", at },
    { "updated_at", at },
}
local key = doc("Shown this once.", text { example = "pf_4nX8…" })
models.User = object(user)
models.NewUser = object { { "api_key", key }, table.unpack(user) }
models.Registered = object {
    { "user", ref "User" },
    { "organization", object { { "id", name_of "org" }, { "name", text { example = "Acme" } } } },
    { "api_key", key },
}
models.ApiKey = object {
    { "id", name_of "key" },
    { "name", text { example = "Deployment" } },
    { "user_id", name_of "user" },
    { "created_at", at },
}
models.NewApiKey = object {
    { "id", name_of "key" },
    { "name", text { example = "Deployment" } },
    { "api_key", key },
    { "created_at", at },
}
models.TimeEntry = object {
    { "id", name_of "entry" },
    { "task_id", name_of "task" },
    { "user_id", name_of "user" },
    { "duration", doc("Seconds.", integer { example = 3600 }) },
    { "description", nullable(text { example = "Work description" }) },
    { "started_at", at },
    { "created_at", at },
}

local webhook = {
    { "id", text { example = "webhook_1" } },
    { "url", text { example = "https://your-domain.com/webhook" } },
    { "events", list(one_of(events)) },
    { "is_active", doc("false: it has failed for too long.", boolean) },
    { "created_at", at },
}
models.Webhook = object(webhook)
table.insert(webhook, { "secret", doc("Only where the server made it, and only this once.", omit(text)) })
models.NewWebhook = object(webhook)

for _, item in ipairs { "Project", "Task", "Team", "User", "ApiKey", "TimeEntry", "Webhook", "Delivery" } do
    models[item .. "Page"] = object {
        { "data", list(ref(item)) },
        { "meta", object {
            { "total", doc("Items on all pages.", integer { example = 100 }) },
            { "page", integer { example = 1 } },
            { "per_page", integer { example = 10 } },
        } },
    }
end

return models
