-- SPDX-License-Identifier: Apache-2.0
--
-- What others learn of a change, in its transaction and nowhere else. Of everything its user's own sockets are told
-- (FF-53). Of work in an organization there is also an activity in the feed (FF-47), an event for its managers, and a
-- webhook (FF-57); and the watch for idle employees begins anew (FF-54).
--
-- Functions take rows: a task { id, user_id, organization_id, title, … }, a session { id, user_id, organization_id,
-- task_id, … }. Without organization_id the work is personal, and costs no more than asking whether anybody listens.
local idle = require "idle"
local rules = require "rules.sessions"
local happenings = {}

-- The organization, its member and the task, for all that is told of work in one. No row when the user has left: then
-- what is done with a task that stayed behind is nobody's business any more.
local CONTEXT = [[
SELECT o.id, o.slug, o.working_start, o.working_end, m.role, u.id AS "user.id", u.username AS "user.username",
       u.first_name AS "user.first_name", t.id AS "task.id", t.title AS "task.title", p.name AS "task.project"
  FROM memberships m JOIN organizations o ON o.id = m.organization_id JOIN users u ON u.id = m.user_id
  LEFT JOIN tasks t ON t.id = ?
  LEFT JOIN projects p ON p.id = t.project_id AND p.organization_id = o.id
 WHERE m.organization_id = ? AND m.user_id = ? AND m.is_active = 1]]

local function context_of(organization_id, user_id, task_id)
    return organization_id and db.one(CONTEXT, task_id, organization_id, user_id)
end

local function tell_user(user_id, what, model, data)
    events.emit("user:" .. user_id, { type = what, data = data }, model)
end

-- To managers and admins, but for the one who did it (FF-53).
local function tell_managers(context, what, model, data)
    events.emit("managers:" .. context.id, { type = what, data = data }, {
        model = model,
        except = "user:" .. context.user.id,
    })
end

-- Writes the activity and sends the webhook; `data` gets user and task. Instants in it are texts already.
local function publish(tx, context, what, data, at)
    tx.insert("activities", {
        organization_id = context.id,
        type = what,
        user_id = context.user.id,
        task_id = context.task and context.task.id,
        at = at,
    })
    data.user, data.task = context.user, context.task
    webhook.send("organization:" .. context.id, what, {
        organization = { id = context.id, slug = context.slug },
        data = data,
        at = at,
    })
end

function happenings.task_created(tx, task, at)
    local context = context_of(task.organization_id, task.user_id, task.id)
    if context then
        tx.insert("activities", {
            organization_id = context.id,
            type = "task_created",
            user_id = task.user_id,
            task_id = task.id,
            at = at,
        })
        idle.watch(context, at)
    end
end

function happenings.task_started(tx, task, session)
    local at = session.started_at
    tell_user(task.user_id, "task_started", "TaskStartedEvent", {
        task_id = task.id,
        title = task.title,
        started_at = at,
        pomodoro_session = session,
        task = task,
    })
    local context = context_of(task.organization_id, task.user_id, task.id)
    if context then
        publish(tx, context, "task_started", { started_at = time.iso(at) }, at)
        tell_managers(context, "employee_task_started", "EmployeeTaskStartedEvent", {
            user = context.user,
            task = context.task,
            started_at = at,
        })
    end
end

--- `session` is the one that was paused, or nil.
function happenings.task_paused(tx, task, session, at)
    local elapsed = session and session.banked or 0
    tell_user(task.user_id, "task_paused", "TaskPausedEvent", {
        task_id = task.id,
        paused_at = at,
        elapsed_seconds = elapsed,
        task = task,
    })
    local context = context_of(task.organization_id, task.user_id, task.id)
    if context then
        publish(tx, context, "task_paused", { paused_at = time.iso(at), elapsed_seconds = elapsed }, at)
    end
end

--- `session` is the one that goes on, or nil.
function happenings.task_resumed(tx, task, session, at)
    local remaining = session and rules.remaining_seconds(session, at) or 0
    tell_user(task.user_id, "task_resumed", "TaskResumedEvent", {
        task_id = task.id,
        resumed_at = at,
        remaining_seconds = remaining,
        task = task,
    })
    local context = context_of(task.organization_id, task.user_id, task.id)
    if context then
        publish(tx, context, "task_resumed", { resumed_at = time.iso(at), remaining_seconds = remaining }, at)
    end
end

function happenings.task_completed(tx, task, at)
    tell_user(task.user_id, "task_completed", "TaskCompletedEvent", {
        task_id = task.id,
        title = task.title,
        completed_at = at,
        total_focus_seconds = task.total_focus_seconds,
        completed_pomodoros = task.completed_pomodoros,
        task = task,
    })
    local context = context_of(task.organization_id, task.user_id, task.id)
    if context then
        publish(tx, context, "task_completed", {
            completed_at = time.iso(at),
            total_focus_seconds = task.total_focus_seconds,
            completed_pomodoros = task.completed_pomodoros,
        }, at)
        tell_managers(context, "employee_task_completed", "EmployeeTaskCompletedEvent", {
            user = context.user,
            task = context.task,
            completed_at = at,
            total_focus_seconds = task.total_focus_seconds,
        })
        idle.watch(context, at)
    end
end

--- An ended focus session counts as a completed pomodoro.
function happenings.pomodoro_completed(tx, session)
    local at = session.ended_at
    tell_user(session.user_id, "pomodoro_completed", "PomodoroCompletedEvent", {
        session_id = session.id,
        task_id = session.task_id,
        completed_at = at,
        play_sound = true,
    })
    local context = context_of(session.organization_id, session.user_id, session.task_id)
    if context then
        publish(tx, context, "pomodoro_completed", { session_id = session.id, completed_at = time.iso(at) }, at)
        idle.watch(context, at)
    end
end

function happenings.break_started(tx, session)
    local at = session.started_at
    tell_user(session.user_id, "break_started", "BreakStartedEvent", {
        session_id = session.id,
        break_type = session.break_type,
        duration_minutes = session.duration_minutes,
        started_at = at,
    })
    local context = context_of(session.organization_id, session.user_id)
    if context then
        publish(tx, context, "break_started", {
            session_id = session.id,
            break_type = session.break_type,
            duration_minutes = session.duration_minutes,
            started_at = time.iso(at),
        }, at)
    end
end

function happenings.break_ended(session)
    local context = context_of(session.organization_id, session.user_id)
    if context then
        idle.watch(context, session.ended_at)
    end
end

--- A manager has given the task to somebody, who is { id, username }.
function happenings.task_assigned(tx, task, assignee, manager_id, at)
    local context = context_of(task.organization_id, manager_id, task.id)
    tell_user(assignee.id, "task_assigned", "TaskAssignedEvent", {
        task = task,
        assigned_by = context.user,
        assigned_at = at,
    })
    context.task.priority = task.priority
    publish(tx, context, "task_assigned", {
        assigned_to = { id = assignee.id, username = assignee.username },
        assigned_by = context.user,
        assigned_at = time.iso(at),
    }, at)
end

--- An employee of the organization has been idle from `since` to `at` (FF-54).
function happenings.employee_idle(organization_id, user_id, since, at)
    local context = context_of(organization_id, user_id)
    local minutes = (at - since) // 60
    tell_managers(context, "employee_idle", "EmployeeIdleEvent", {
        user = context.user,
        idle_since = since,
        idle_duration_minutes = minutes,
    })
    webhook.send("organization:" .. context.id, "employee_idle", {
        organization = { id = context.id, slug = context.slug },
        data = { user = context.user, idle_since = time.iso(since), idle_duration_minutes = minutes },
        at = at,
    })
end

return happenings
