-- SPDX-License-Identifier: Apache-2.0
local hooks = require "lib.webhooks"
local mails = require "mails"
local webhooks = require "webhooks"

local SECRET = "your-webhook-secret"

-- A hook as the host hands it over.
local hook = { sign = function(text) return crypto.hmac(SECRET, text) end }

local function built(data)
    return webhooks.build("task_completed", {
        organization = { id = 1, slug = "acme-startup" },
        data = data or { task = { id = 42, title = "Bug fix" } },
        at = 1737369000,
    }, hook)
end

-- Bodies are made with the host's own functions: in plain Lua this part waits for `perigee test`.
local describe_in_host = json and describe or pending

describe_in_host("a webhook's body", function()
    it("has the documented members in their order", function()
        local names = {}
        for name in built({}).body:gmatch '"(%l+)":' do
            names[#names + 1] = name
        end
        assert.same({ "event", "organization", "id", "slug", "data", "timestamp", "signature" }, names)
        local value = json.decode(built().body)
        assert.equal("2025-01-20T10:30:00Z", value.timestamp)
        assert.equal("Bug fix", value.data.task.title)
    end)

    it("is signed by its last member without it, and as a whole by the header (FF-58)", function()
        local answer = built { note = [[,"signature":"sha256=fake"}]] }
        local body = answer.body
        local before = body:match '^(.*),"signature":"sha256=%x+"}$'
        assert.equal("sha256=" .. crypto.hmac(SECRET, before .. "}"), json.decode(body).signature)
        assert.equal("sha256=" .. crypto.hmac(SECRET, body), answer.headers["X-FocusFlow-Signature"])
    end)
end)

describe("a mail", function()
    local function invite(changes)
        local t = {
            email = "new@acme.com", organization = "Acme", invited_by = "jane", role = "manager", message = "",
            url = "https://focusflow.com/invite/x", expires_at = "2025-01-27T10:00:00Z",
        }
        for k, v in pairs(changes or {}) do
            t[k] = v
        end
        return mails.invite(t)
    end

    it("of an invite says who, where, as what and until when", function()
        local mail = invite()
        assert.equal("new@acme.com", mail.to)
        for _, part in ipairs { "jane invites you", "join Acme", "as a manager", "https://focusflow.com/invite/x",
            "2025-01-27" } do
            assert.is_truthy(mail.text:find(part, 1, true), part)
        end
    end)

    it("quotes the message and lets no name make a line of its own", function()
        local mail = invite { message = "Hello\nthere", organization = "A\r\nBcc: x@y.z", invited_by = "j\nane" }
        assert.is_truthy(mail.text:find("    Hello\n    there\n", 1, true))
        assert.equal("Join A Bcc: x@y.z on FocusFlow", mail.subject)
        assert.is_nil(mail.text:find "\nBcc")
    end)

    it("takes names with signs of format strings as they are", function()
        assert.is_truthy(invite({ organization = "100%d" }).text:find("join 100%d", 1, true))
        assert.is_truthy(hooks.disabled_mail("a@b.c", "50%", "https://x/%s").text:find("https://x/%s", 1, true))
    end)
end)
