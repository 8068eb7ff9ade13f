-- SPDX-License-Identifier: Apache-2.0
--
-- Members for specs that ask the app as its users do.
local people = { PASSWORD = "SecurePass123!" }

--- A new organization's admin, as a client; `id` is the user's.
function people.register(name)
    local body = client:post("/v1/auth/register", {
        name = name,
        email = name .. "@x.example",
        password = people.PASSWORD,
    }):expect(201).body
    local own = client:as(body.api_key)
    own.id = body.user.id
    return own
end

--- Somebody else of the organization.
function people.colleague(admin, name, role)
    local body = admin:post("/v1/users", { name = name, email = name .. "@x.example", role = role }):expect(201).body
    local own = client:as(body.api_key)
    own.id = body.id
    return own
end

--- A new task in a new project.
function people.task(own, fields)
    fields = fields or {}
    fields.title = fields.title or "Write"
    fields.project_id = fields.project_id or own:post("/v1/projects", { name = "P" }):expect(201).body.id
    return own:post("/v1/tasks", fields):expect(201).body
end

return people
