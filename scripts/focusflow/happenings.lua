-- SPDX-License-Identifier: Apache-2.0
--
-- What other people and programs learn of a change, all in the transaction of the change and nowhere else: the activity
-- feed of the organization (FF-47).
--
-- A task or session here is a row with user_id and organization_id; without the latter it is personal and nobody but its
-- user learns of it.
local happenings = {}

local function record(tx, what, organization_id, user_id, task_id, at)
    if organization_id then
        tx.insert("activities", {
            organization_id = organization_id,
            type = what,
            user_id = user_id,
            task_id = task_id,
            at = at,
        })
    end
end

local function of_task(what)
    return function(tx, task, _, at)
        record(tx, what, task.organization_id, task.user_id, task.id, at)
    end
end

-- Each is called as (tx, task, session or nil, at).
happenings.task_created = of_task "task_created"
happenings.task_started = of_task "task_started"
happenings.task_paused = of_task "task_paused"
happenings.task_resumed = of_task "task_resumed"
happenings.task_completed = of_task "task_completed"

--- A focus session counts as a completed pomodoro.
function happenings.pomodoro_completed(tx, session, at)
    record(tx, "pomodoro_completed", session.organization_id, session.user_id, session.task_id, at)
end

function happenings.break_started(tx, session, at)
    record(tx, "break_started", session.organization_id, session.user_id, nil, at)
end

--- A manager has given the task to somebody.
function happenings.task_assigned(tx, task, _, manager_id, at)
    record(tx, "task_assigned", task.organization_id, manager_id, task.id, at)
end

return happenings
