-- SPDX-License-Identifier: Apache-2.0
if not client then   -- plain Lua has no host to ask
    return
end
local people = require "spec.people"

describe("in an organization", function()
    local ada, mia, eve, acme

    setup(function()
        ada = people.register "ada"
        acme = people.organization(ada, "initech")
        mia = people.join(ada, acme, "mia", "manager")
        eve = people.join(ada, acme, "eve", "employee")
    end)

    it("nobody invites somebody above oneself (FF-43)", function()
        local function invite(who, role)
            return who:post(acme .. "invites/", { email = role .. "@new.example", role = role }).status
        end
        assert.same({ 201, 201, 201 }, { invite(ada, "employee"), invite(ada, "manager"), invite(ada, "admin") })
        assert.same({ 201, 201, 403 }, { invite(mia, "employee"), invite(mia, "manager"), invite(mia, "admin") })
        assert.same({ 403, 403, 403 }, { invite(eve, "employee"), invite(eve, "manager"), invite(eve, "admin") })
    end)

    it("strangers see nothing (FF-42)", function()
        local sam = people.register "sam"
        for _, path in ipairs { "", "members/", "tasks/", "webhooks/", "dashboard/overview/" } do
            sam:get(acme .. path):expect(403)
        end
    end)

    it("managers hear what employees begin, and a webhook goes out (FF-53, FF-57)", function()
        local managers = "managers:" .. ada:get(acme):expect(200).body.id
        captured.listen(managers)
        ada:post(acme .. "webhooks/", {
            url = "https://hooks.acme.example/in",
            events = { "task_started" },
            secret = "a secret of the specs",
        }):expect(201)
        eve:post(people.task(eve, { title = "Ship it" }) .. "start/"):expect(200)
        local sent = captured.webhooks "task_started"
        assert.equal(1, #sent)
        assert.equal("Ship it", sent[1].body.data.task.title)
        assert.equal("initech", sent[1].body.organization.slug)
        assert.equal("sha256=" .. crypto.hmac("a secret of the specs", sent[1].text),
            sent[1].headers["x-focusflow-signature"])
        local told = captured.events(managers)
        assert.equal("employee_task_started", told[1].type)
        assert.equal("eve", told[1].data.user.username)
    end)
end)
