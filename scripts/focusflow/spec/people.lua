-- SPDX-License-Identifier: Apache-2.0
--
-- Users and organizations for specs that ask the app as its users do.
local people = { PASSWORD = "SecurePass123!" }

--- A new user's client; `id` is the user's.
function people.register(name)
    local body = client:post("/api/v1/auth/register/", {
        email = name .. "@x.example",
        username = name,
        password = people.PASSWORD,
        timezone = "Europe/Berlin",
    }):expect(201).body
    local own = client:as(body.tokens.access)
    own.id = body.id
    return own
end

--- A new organization of that admin.
function people.organization(admin, slug)
    admin:post("/api/v2/organizations/", { name = slug, slug = slug }):expect(201)
    return "/api/v2/organizations/" .. slug .. "/"
end

--- The link in a mail brings a user into the organization.
function people.join(admin, organization, name, role)
    local own = people.register(name)
    admin:post(organization .. "invites/", { email = name .. "@x.example", role = role }):expect(201)
    local sent = captured.mail(name .. "@x.example")
    local token = sent[#sent].text:match "/invite/([%w_-]+)"
    own:post("/api/v2/invites/accept/", { token = token }):expect(200)
    return own
end

--- A new task; its path.
function people.task(own, fields)
    fields = fields or {}
    fields.title = fields.title or "Write"
    return "/api/v1/tasks/" .. own:post("/api/v1/tasks/", fields):expect(201).body.id .. "/"
end

return people
