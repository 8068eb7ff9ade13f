-- SPDX-License-Identifier: Apache-2.0
local rules = require "rules.sessions"

local function session(fields)
    local s = { duration_minutes = 25, started_at = 1000, resumed_at = 1000, ends_at = 2500, banked = 0 }
    for key, value in pairs(fields or {}) do
        s[key] = value
    end
    return s
end

describe("the task machine", function()
    local idle = { task_id = 1 }
    local own = { task_id = 1, open = { task_id = 1, is_break = false } }
    local other = { task_id = 1, open = { task_id = 2, is_break = false } }
    local on_break = { task_id = 1, open = { is_break = true } }

    local function step(state, action, context)
        return rules.step("task", state, action, context or idle)
    end

    it("answers every action in every state", function()
        for _, states in pairs(rules.machine) do
            for _, actions in pairs(states) do
                for _, transition in pairs(actions) do
                    assert.is_true((transition.state == nil) ~= (transition.refusal == nil))
                end
            end
        end
        for state, actions in pairs(rules.machine.task) do
            for _, action in ipairs { "start", "pause", "resume", "complete" } do
                assert.is_table(actions[action], state .. " " .. action)
            end
        end
    end)

    it("starts a pending task (FF-20)", function()
        assert.equal("in_progress", (step("pending", "start")))
    end)

    it("starts the next pomodoro when no session of the task is open (FF-20)", function()
        for _, state in ipairs { "in_progress", "paused" } do
            assert.equal("in_progress", (step(state, "start")))
            local new_state, refusal = step(state, "start", own)
            assert.is_nil(new_state)
            assert.is_string(refusal)
        end
    end)

    it("does not start while another task's focus session is open (FF-21)", function()
        for _, state in ipairs { "pending", "in_progress", "paused" } do
            assert.is_nil((step(state, "start", other)))
        end
    end)

    it("starts during a break (FF-21)", function()
        for _, state in ipairs { "pending", "in_progress", "paused" } do
            assert.equal("in_progress", (step(state, "start", on_break)))
        end
    end)

    it("pauses only what is in progress and resumes only what is paused (FF-20)", function()
        assert.equal("paused", (step("in_progress", "pause", own)))
        assert.equal("in_progress", (step("paused", "resume", own)))
        for _, state in ipairs { "pending", "paused", "completed" } do
            assert.is_nil((step(state, "pause")))
        end
        for _, state in ipairs { "pending", "in_progress", "completed" } do
            assert.is_nil((step(state, "resume")))
        end
    end)

    it("completes from every state but completed (FF-20)", function()
        for _, state in ipairs { "pending", "in_progress", "paused" } do
            assert.equal("completed", (step(state, "complete")))
        end
        assert.is_nil((step("completed", "complete")))
    end)

    it("never leaves completed", function()
        for _, action in ipairs { "start", "pause", "resume", "complete" } do
            local new_state, refusal = step("completed", action)
            assert.is_nil(new_state)
            assert.equal("The task is already completed.", refusal)
        end
    end)
end)

describe("the session machine", function()
    it("knows the state of a session", function()
        assert.equal("none", rules.state(nil))
        assert.equal("running", rules.state(session()))
        assert.equal("paused", rules.state(session { paused_at = 1200 }))
        assert.equal("ended", rules.state(session { ended_at = 1200 }))
    end)

    it("begins a break only when nothing is open (FF-27)", function()
        assert.equal("running", (rules.step("session", "none", "begin_break")))
        assert.is_nil((rules.step("session", "running", "begin_break")))
        assert.is_nil((rules.step("session", "paused", "begin_break")))
    end)

    it("finishes what is open, once (FF-28)", function()
        assert.equal("ended", (rules.step("session", "running", "finish")))
        assert.equal("ended", (rules.step("session", "paused", "finish")))
        assert.is_nil((rules.step("session", "ended", "finish")))
    end)

    it("counts what elapsed or was finished, not what ended with its task or for another (FF-21, FF-24)", function()
        assert.same({ elapsed = true, finished = true, task_completed = false, replaced = false }, rules.completes)
    end)
end)

describe("the time of a session", function()
    it("runs from the start", function()
        assert.equal(900, rules.elapsed_seconds(session(), 1900))
        assert.equal(600, rules.remaining_seconds(session(), 1900))
    end)

    it("stands still while paused (FF-25)", function()
        local paused = session { paused_at = 1900, banked = 900 }
        assert.equal(900, rules.elapsed_seconds(paused, 5000))
        assert.equal(600, rules.remaining_seconds(paused, 5000))
        assert.is_nil(rules.span(paused, 5000))
    end)

    it("goes on after a resume, with the planned end shifted (FF-23)", function()
        local resumed = session { resumed_at = 2200, banked = 900 }
        assert.equal(2800, rules.planned_end(resumed, 2200))
        assert.equal(1000, rules.elapsed_seconds(resumed, 2300))
    end)

    it("keeps no span without length and is never negative (X-17)", function()
        assert.is_nil(rules.span(session(), 1000))
        assert.is_nil(rules.span(session(), 990))
        assert.equal(0, rules.elapsed_seconds(session(), 990))
        assert.equal(1000, rules.moment(session(), 990))
        assert.equal(1200, rules.moment(session { paused_at = 1200 }, 990))
    end)

    it("is over at the planned end, not before, and not while paused", function()
        assert.is_false(rules.is_over(session(), 2499))
        assert.is_true(rules.is_over(session(), 2500))
        assert.is_false(rules.is_over(session { paused_at = 1200 }, 9999))
        assert.is_false(rules.is_over(session { ended_at = 2500 }, 9999))
    end)

    it("has the length of the request, of the user, of the organization, or 25 minutes (FF-22)", function()
        assert.equal(50, rules.focus_minutes(50, 30, 45))
        assert.equal(30, rules.focus_minutes(nil, 30, 45))
        assert.equal(45, rules.focus_minutes(nil, nil, 45))
        assert.equal(25, rules.focus_minutes(nil, nil, nil))
    end)
end)
