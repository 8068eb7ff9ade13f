-- SPDX-License-Identifier: Apache-2.0
--
-- What sockets are sent (section 12). The host adds room and seq to each, by which a client may resume.
local models = {}

local object_id = id { example = 1 }
local title = text { example = "Write blog post" }
local begun = example(1737367200, datetime)
local ended = example(1737372600, datetime)
local seconds = integer { example = 900 }
local task = object { { "id", object_id }, { "title", title } }
local user = object {
    { "id", object_id },
    { "username", text { example = "janedoe" } },
    { "first_name", text { example = "Jane" } },
}

local function event(name, fields)
    return object { { "type", example(name, one_of { name }) }, { "data", object(fields) } }
end

models.TaskStartedEvent = event("task_started", {
    { "task_id", object_id },
    { "title", title },
    { "started_at", begun },
    { "pomodoro_session", object { { "id", object_id }, { "duration_minutes", integer { example = 25 } } } },
    { "task", task },
})

models.TaskPausedEvent = event("task_paused", {
    { "task_id", object_id },
    { "paused_at", begun },
    { "elapsed_seconds", doc("Of focus, so far.", seconds) },
    { "task", task },
})

models.TaskResumedEvent = event("task_resumed", {
    { "task_id", object_id },
    { "resumed_at", begun },
    { "remaining_seconds", integer { example = 600 } },
    { "task", task },
})

models.TaskCompletedEvent = event("task_completed", {
    { "task_id", object_id },
    { "title", title },
    { "completed_at", ended },
    { "total_focus_seconds", integer { example = 4500 } },
    { "completed_pomodoros", integer { example = 3 } },
    { "task", task },
})

models.PomodoroCompletedEvent = event("pomodoro_completed", {
    { "session_id", object_id },
    { "task_id", object_id },
    { "completed_at", ended },
    { "play_sound", boolean },
})

models.BreakStartedEvent = event("break_started", {
    { "session_id", object_id },
    { "break_type", one_of { "short", "long" } },
    { "duration_minutes", integer { example = 5 } },
    { "started_at", begun },
})

models.EmployeeTaskStartedEvent = event("employee_task_started", {
    { "user", user },
    { "task", object {
        { "id", object_id },
        { "title", title },
        { "project", doc("Its name.", nullable(text { example = "Client Project A" })) },
    } },
    { "started_at", begun },
})

models.EmployeeTaskCompletedEvent = event("employee_task_completed", {
    { "user", user },
    { "task", task },
    { "completed_at", ended },
    { "total_focus_seconds", integer { example = 4500 } },
})

models.EmployeeIdleEvent = event("employee_idle", {
    { "user", user },
    { "idle_since", doc("The end of the last activity.", begun) },
    { "idle_duration_minutes", integer { example = 45 } },
})

models.TaskAssignedEvent = event("task_assigned", {
    { "task", object {
        { "id", object_id },
        { "title", title },
        { "priority", one_of { "low", "medium", "high", "urgent" } },
    } },
    { "assigned_by", object { { "id", object_id }, { "username", text { example = "janedoe" } } } },
    { "assigned_at", begun },
})

return models
