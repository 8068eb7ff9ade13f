-- SPDX-License-Identifier: Apache-2.0
if not client then   -- plain Lua has no host to ask
    return
end
local people = require "spec.people"

describe("ProFlow", function()
    local ada

    before_each(function()
        ada = ada or people.register "ada"
    end)

    it("tells webhooks of a change with the object as it is answered", function()
        ada:post("/v1/webhooks", {
            url = "https://hooks.x.example/in", events = { "task.updated" }, secret = "between us",
        }):expect(201)
        local task = people.task(ada)
        local changed = ada:patch("/v1/tasks/" .. task.id, { status = "done" }):expect(200).body
        local sent = captured.webhooks "task.updated"
        assert.equal(1, #sent)
        assert.same(changed, sent[1].body.data)
        assert.equal("sha256=" .. crypto.hmac("between us", sent[1].text), sent[1].headers["x-proflow-signature"])
    end)

    it("lets nobody know who else there is by asking for their time", function()
        local dev = people.colleague(ada, "dev", "developer")
        local task = people.task(ada)
        for _, user in ipairs { ada.id, "user_unknown" } do
            dev:post("/v1/time-entries", { task_id = task.id, duration = 60, user_id = user }):expect(403)
        end
    end)

    it("begins recorded time so that it ends now", function()
        clock.set "2031-01-20T12:00:00Z"
        local entry = ada:post("/v1/time-entries", { task_id = people.task(ada).id, duration = 3600 }):expect(201).body
        assert.equal("2031-01-20T11:00:00Z", entry.started_at)
    end)

    it("counts a thousand requests per key and hour", function()
        clock.set "2031-01-20T13:00:00Z"
        local other = client:as(ada:post("/v1/api-keys", {}):expect(201).body.api_key)
        client:limits(true)
        local left = {}
        for i, own in ipairs { ada, other, ada } do
            left[i] = own:get("/v1/tasks"):expect(200).headers["x-ratelimit-remaining"]
        end
        client:limits(false)
        assert.same({ "999", "999", "998" }, left)
    end)

    it("forgets a revoked key at once", function()
        local made = ada:post("/v1/api-keys", { name = "Old" }):expect(201).body
        client:as(made.api_key):get("/v1/users"):expect(200)
        ada:delete("/v1/api-keys/" .. made.id):expect(204)
        client:as(made.api_key):get("/v1/users"):expect(401)
    end)
end)
