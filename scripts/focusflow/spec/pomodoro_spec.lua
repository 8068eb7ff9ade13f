-- SPDX-License-Identifier: Apache-2.0
if not client then   -- plain Lua has no host to ask
    return
end
local people = require "spec.people"

local OF_25 = { pomodoro_duration = 25 }   -- whatever the default is

describe("a pomodoro", function()
    local ann, n = nil, 0

    before_each(function()
        n = n + 1
        ann = people.register("ann" .. n)   -- a token is good for an hour, and here hours pass
    end)

    it("ends by itself after 25 minutes, and the task goes on (FF-23)", function()
        captured.listen("user:" .. ann.id)
        local task = people.task(ann)
        ann:post(task .. "start/", OF_25):expect(200)
        clock.advance "24m59s"
        ann:get("/api/v1/pomodoro/active/"):expect(200)
        clock.advance "1s"
        ann:get("/api/v1/pomodoro/active/"):expect(404)
        local shown = ann:get(task):expect(200).body
        assert.equal("in_progress", shown.status)
        assert.equal(1, shown.completed_pomodoros)
        assert.equal(25 * 60, shown.total_focus_seconds)
        local told = captured.events("user:" .. ann.id)
        assert.equal("pomodoro_completed", told[#told].type)
    end)

    it("stands still while it is paused (FF-25)", function()
        local task = people.task(ann)
        ann:post(task .. "start/", OF_25):expect(200)
        clock.advance "10m"
        ann:post(task .. "pause/"):expect(200)
        clock.advance "30m"
        ann:post(task .. "resume/"):expect(200)
        assert.equal(15 * 60, ann:get("/api/v1/pomodoro/active/"):expect(200).body.remaining_seconds)
        clock.advance "15m"
        ann:get("/api/v1/pomodoro/active/"):expect(404)
    end)

    it("cannot begin while one of another task is open (FF-21)", function()
        ann:post(people.task(ann) .. "start/", OF_25):expect(200)
        ann:post(people.task(ann) .. "start/", OF_25):expect(409)
        clock.advance "25m"
        ann:post(people.task(ann) .. "start/", OF_25):expect(200)
    end)
end)

describe("limits", function()
    it("are a hundred requests a minute and begin anew with the next (FF-56)", function()
        local cy = people.register "cyd"
        client:limits(true)
        clock.advance(60 - time.now() % 60)
        local left
        for _ = 1, 100 do
            left = cy:get("/api/v1/tasks/"):expect(200).headers["x-ratelimit-remaining"]
        end
        assert.equal("0", left)
        assert.equal("RATE_LIMIT_EXCEEDED", cy:get("/api/v1/tasks/"):expect(429).body.error.code)
        clock.advance "60s"
        cy:get("/api/v1/tasks/"):expect(200)
    end)
end)
