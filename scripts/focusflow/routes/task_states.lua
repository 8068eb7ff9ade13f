-- SPDX-License-Identifier: Apache-2.0
--
-- 3.6 to 3.9, a part of the unit in routes/tasks.lua: starting, pausing, resuming and completing tasks. What is allowed
-- when: rules/sessions.lua.
local organizations = require "organizations"
local rules = require "rules.sessions"
local settled = require "settled"
local workflow = require "workflow"

local NOT_FOUND = "The user has no such task."

local function start(req, tx)
    local task = workflow.task(req.user.id, req.params.id)
    local own = db.value("SELECT focus_duration FROM users WHERE id = ?", req.user.id)
    local minutes = rules.focus_minutes(req.body.pomodoro_duration, own,
        organizations.focus_minutes(task.organization_id))
    return 200, { task = task, pomodoro_session = workflow.start(tx, task, minutes, req.now) }
end

local function pause(req, tx)
    local task = workflow.task(req.user.id, req.params.id)
    local session = workflow.pause(tx, task, req.now)
    return 200, {
        id = task.id,
        status = task.status,
        paused_at = session and session.paused_at or req.now,
        active_session = session and { id = session.id, paused_duration = session.banked },
    }
end

local function resume(req, tx)
    local task = workflow.task(req.user.id, req.params.id)
    local session = workflow.resume(tx, task, req.now)
    local at = session and session.resumed_at or req.now
    return 200, {
        id = task.id,
        status = task.status,
        resumed_at = at,
        active_session = session and { id = session.id, remaining_seconds = rules.remaining_seconds(session, at) },
    }
end

local function complete(req, tx)
    local task = workflow.task(req.user.id, req.params.id)
    workflow.complete(tx, task, req.now)
    return 200, task
end

return {
    POST "/api/v1/tasks/{id}/start/" {
        summary = "Start a task",
        description = "Begins the next pomodoro of the task. A running break ends.",
        who = "user",
        limit = "standard",
        params = { id = id },
        body = {
            pomodoro_duration = doc("Minutes; otherwise the user's focus duration.",
                optional(integer { 1, 180, example = 25 })),
        },
        returns = { [200] = "TaskStarted" },
        errors = {
            [404] = NOT_FOUND,
            [409] = "The task is completed, or a session of it or of another task is open.",
        },
        run = settled.write(start),
    },
    POST "/api/v1/tasks/{id}/pause/" {
        summary = "Pause a task",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "TaskPaused" },
        errors = { [404] = NOT_FOUND, [409] = "The task is not in progress." },
        run = settled.write(pause),
    },
    POST "/api/v1/tasks/{id}/resume/" {
        summary = "Resume a task",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "TaskResumed" },
        errors = { [404] = NOT_FOUND, [409] = "The task is not paused." },
        run = settled.write(resume),
    },
    POST "/api/v1/tasks/{id}/complete/" {
        summary = "Complete a task",
        description = "Its open session ends and does not count as a completed pomodoro.",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "TaskCompleted" },
        errors = { [404] = NOT_FOUND, [409] = "The task is already completed." },
        run = settled.write(complete),
    },
}
