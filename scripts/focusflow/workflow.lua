-- SPDX-License-Identifier: Apache-2.0
--
-- What users do with tasks and sessions (3.6 to 3.9, 4.2, 4.3), one function per action, each in the caller's
-- transaction. The machine in rules.sessions decides; a refusal is 409.
local facts = require "analytics"
local happenings = require "happenings"
local rules = require "rules.sessions"
local sessions = require "sessions"
local workflow = {}

local function step(subject, state, action, context)
    local new_state, refusal = rules.step(subject, state, action, context)
    if not new_state then
        fail.conflict(refusal)
    end
    return new_state
end

-- What the action makes of the task; sets its state and returns the user's open session and whether it is the task's.
local function decide(task, action)
    local open = sessions.open_of(task.user_id)
    task.status = step("task", task.status, action, { task_id = task.id, open = open })
    return open, open ~= nil and open.task_id == task.id
end

-- The same, stored, with further changes of the task.
local function move(tx, task, action, changes)
    local open, own = decide(task, action)
    changes = changes or {}
    changes.status = task.status
    tx.update("tasks", changes, "id = ?", task.id)
    return open, own
end

--- A user's task as the other functions want it; 404 without one.
function workflow.task(user_id, id)
    return db.one([[SELECT id, user_id, project_id, organization_id, title, status, estimated_pomodoros,
        completed_pomodoros, total_focus_seconds, started_at, ended_at FROM tasks WHERE id = ? AND user_id = ?]],
        id, user_id) or fail.not_found()
end

--- Begins the next pomodoro of the task; ends a break (FF-21). Returns the session.
function workflow.start(tx, task, minutes, at)
    local first = not task.started_at
    task.started_at = task.started_at or at
    -- Only what changes: each of these columns has indexes of its own.
    local open = move(tx, task, "start", { started_at = first and at or nil, ended_at = task.ended_at and null })
    if open then
        sessions.finish(tx, open, at, "replaced")
    end
    local session = sessions.begin(tx, { user_id = task.user_id, task_id = task.id, minutes = minutes }, at)
    if first and task.organization_id then
        facts.task_started(task.id)
    end
    happenings.task_started(tx, task, session)
    return session
end

--- Returns the task's session, or nil if none is open.
function workflow.pause(tx, task, at)
    local open, own = move(tx, task, "pause")
    if own then
        sessions.pause(tx, open, at)
    end
    happenings.task_paused(tx, task, own and open or nil, at)
    return own and open or nil
end

--- Returns the task's session, or nil if none is open.
function workflow.resume(tx, task, at)
    local open, own = move(tx, task, "resume")
    if own then
        sessions.resume(tx, open, at)
    end
    happenings.task_resumed(tx, task, own and open or nil, at)
    return own and open or nil
end

--- Completes the task; its open session ends uncompleted (FF-24). One update of the task's row for both.
function workflow.complete(tx, task, at)
    local open, own = decide(task, "complete")
    local seconds, pomodoros = 0, 0
    if own then
        sessions.close(tx, open, at, "task_completed")
        seconds, pomodoros = open.banked, open.completed and 1 or 0
    end
    tx.run([[UPDATE tasks SET status = ?, ended_at = ?, total_focus_seconds = total_focus_seconds + ?,
        completed_pomodoros = completed_pomodoros + ? WHERE id = ?]], task.status, at, seconds, pomodoros, task.id)
    task.ended_at = at
    task.total_focus_seconds = task.total_focus_seconds + seconds
    task.completed_pomodoros = task.completed_pomodoros + pomodoros
    facts.task_completed(task.id, own and open.id or nil)
    happenings.task_completed(tx, task, at)
end

--- Begins a break of `minutes` in an organization or, with nil, from personal work; returns the session.
function workflow.begin_break(tx, user_id, organization_id, break_type, minutes, at)
    step("session", rules.state(sessions.open_of(user_id)), "begin_break")
    local session = sessions.begin(tx, {
        user_id = user_id,
        organization_id = organization_id,
        break_type = break_type,
        minutes = minutes,
    }, at)
    happenings.break_started(tx, session)
    return session
end

--- Ends a focus session or a break early; the task keeps its state (FF-28).
function workflow.finish(tx, session, at)
    step("session", rules.state(session), "finish")
    sessions.finish(tx, session, at, "finished")
end

--- Deletes a task with its sessions (FF-17).
function workflow.delete(tx, task)
    facts.withdraw_task(task.id)
    sessions.delete_of(tx, task.id)
    if task.organization_id then
        tx.run("DELETE FROM activities WHERE task_id = ?", task.id)
    end
    tx.run("DELETE FROM tasks WHERE id = ?", task.id)
end

return workflow
