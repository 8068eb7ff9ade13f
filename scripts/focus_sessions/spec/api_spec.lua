-- SPDX-License-Identifier: Apache-2.0
if not client then   -- plain Lua has no host to ask
    return
end

local function register(name)
    local body = { email = name .. "@x.example", password = "SecurePass123!" }
    return client:as(client:post("/auth/register", body):expect(200).body.token)
end

local function start(who, fields)
    fields = fields or {}
    fields.duration_minutes = fields.duration_minutes or 25
    return who:post("/focus-sessions", fields):expect(200).body
end

describe("a focus session", function()
    it("is active until it is completed, with the time at which that was", function()
        clock.set "2030-01-20T10:00:00Z"
        local ann = register "ann"
        local session = start(ann, { description = "Writing Chapter 1" })
        assert.equal("active", session.status)
        clock.advance "25m"
        local done = ann:patch("/focus-sessions/" .. session.id, { status = "completed" }):expect(200).body
        assert.equal("completed", done.status)
        assert.matches("^2030%-01%-20T10:00:0%d", done.started_at)
        assert.matches("^2030%-01%-20T10:25:0%d", done.completed_at)
        ann:patch("/focus-sessions/" .. session.id, { status = "cancelled" }):expect(409)
    end)

    it("may be for a quest of the user, and of nobody else (FS-5)", function()
        local owner, other = register "owner", register "other"
        local quest = owner:post("/quests", { title = "Write a novel" }):expect(200).body
        assert.equal(quest.id, start(owner, { quest_id = quest.id }).quest_id)
        local refused = other:post("/focus-sessions", { duration_minutes = 5, quest_id = quest.id }):expect(400).body
        assert.is_table(refused.error.details.quest_id)
        assert.equal(1, #owner:get("/focus-sessions?quest_id=" .. quest.id):expect(200).body)
    end)

    it("is known to its user alone (FS-12)", function()
        local owner, other = register "mine", register "yours"
        local path = "/focus-sessions/" .. start(owner).id
        other:patch(path, { status = "completed" }):expect(404)
        other:delete(path):expect(404)
        owner:delete(path):expect(200)
        owner:delete(path):expect(404)
    end)

    it("needs a token that is not yet seven days old (FS-1)", function()
        client:get("/focus-sessions"):expect(401)
        local cy = register "cy"
        clock.advance "6d"
        cy:get("/focus-sessions"):expect(200)
        clock.advance "1d"
        cy:get("/focus-sessions"):expect(401)
    end)
end)
