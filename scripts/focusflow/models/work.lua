-- SPDX-License-Identifier: Apache-2.0
--
-- Projects, tasks and sessions.
local models = {}

local object_id = id { example = 1 }
local project_name = text { example = "Personal Development" }
local color = text { example = "#FF5733" }
local title = text { example = "Write blog post" }
local status = one_of { "pending", "in_progress", "paused", "completed" }
local begun = example(1737367200, datetime)
local ended = example(1737372600, datetime)
local minutes = integer { example = 25 }
local organization = doc("The organization it belongs to.", nullable(text { example = "acme-startup" }))

local function with(fields, ...)
    local all = table.move(fields, 1, #fields, 1, {})
    return object(table.move({ ... }, 1, select("#", ...), #all + 1, all))
end

local project = {
    { "id", object_id },
    { "name", project_name },
    { "description", text { example = "Self-improvement tasks" } },
    { "color_code", color },
    { "is_active", boolean },
    { "task_count", integer { example = 12 } },
    { "total_focus_time", doc("Seconds.", integer { example = 7200 }) },
    { "created_at", example(1736496000, datetime) },
    { "organization", organization },
}
models.Project = object(project)
models.ProjectDetails = with(project,
    { "owner", object { { "id", object_id }, { "username", text { example = "johndoe" } } } },
    { "statistics", object {
        { "total_tasks", integer { example = 15 } },
        { "completed_tasks", integer { example = 8 } },
        { "total_focus_hours", number { example = 12.5 } },
        { "avg_task_duration", doc("Focus seconds per completed task.", integer { example = 5625 }) },
    } })

local task = {
    { "id", object_id },
    { "title", title },
    { "description", text { example = "Complete Django tutorial" } },
    { "status", status },
    { "project", nullable(object { { "id", object_id }, { "name", project_name }, { "color_code", color } }) },
    { "estimated_pomodoros", integer { example = 3 } },
    { "completed_pomodoros", integer { example = 0 } },
    { "total_focus_seconds", doc("Of its ended focus sessions.", integer { example = 0 }) },
    { "created_at", example(1737363600, datetime) },
    { "started_at", doc("The first start.", nullable(begun)) },
    { "ended_at", doc("When it was completed.", nullable(ended)) },
    { "priority", one_of { "low", "medium", "high", "urgent" } },
    { "organization", organization },
}
models.Task = object(task)
models.TaskDetails = with(task,
    { "pomodoro_sessions", doc("Its focus sessions, oldest first.", list(object {
        { "id", object_id },
        { "started_at", begun },
        { "ended_at", doc("null while open.", nullable(example(1737368700, datetime))) },
        { "duration_minutes", minutes },
        { "actual_duration_seconds", doc("Without pauses; 0 while open.", integer { example = 1500 }) },
        { "completed", boolean },
    })) })

models.TaskStarted = object {
    { "task", object { { "id", object_id }, { "title", title }, { "status", status }, { "started_at", begun } } },
    { "pomodoro_session", object {
        { "id", object_id },
        { "started_at", begun },
        { "duration_minutes", minutes },
        { "ends_at", example(1737368700, datetime) },
    } },
}

models.TaskPaused = object {
    { "id", object_id },
    { "status", status },
    { "paused_at", example(1737368100, datetime) },
    { "active_session", nullable(object {
        { "id", object_id },
        { "paused_duration", doc("Seconds of focus so far.", integer { example = 900 }) },
    }) },
}

models.TaskResumed = object {
    { "id", object_id },
    { "status", status },
    { "resumed_at", example(1737368400, datetime) },
    { "active_session", nullable(object {
        { "id", object_id },
        { "remaining_seconds", integer { example = 600 } },
    }) },
}

models.TaskCompleted = object {
    { "id", object_id },
    { "title", title },
    { "status", status },
    { "started_at", doc("null when it was never started.", nullable(begun)) },
    { "ended_at", ended },
    { "total_focus_seconds", integer { example = 4500 } },
    { "completed_pomodoros", integer { example = 3 } },
    { "estimated_pomodoros", integer { example = 3 } },
}

local task_of_session = doc("null for a break.", nullable(object { { "id", object_id }, { "title", title } }))

models.ActiveSession = object {
    { "id", object_id },
    { "task", task_of_session },
    { "started_at", begun },
    { "duration_minutes", minutes },
    { "is_break", boolean },
    { "is_paused", boolean },
    { "elapsed_seconds", doc("Without pauses.", integer { example = 900 }) },
    { "remaining_seconds", integer { example = 600 } },
}

models.Break = object {
    { "id", object_id },
    { "is_break", boolean },
    { "break_type", one_of { "short", "long" } },
    { "duration_minutes", integer { example = 5 } },
    { "started_at", example(1737368700, datetime) },
    { "ends_at", example(1737369000, datetime) },
}

models.SessionCompleted = object {
    { "id", object_id },
    { "completed", boolean },
    { "ended_at", example(1737368700, datetime) },
    { "actual_duration_seconds", integer { example = 1500 } },
}

models.Session = object {
    { "id", object_id },
    { "task", task_of_session },
    { "started_at", begun },
    { "ended_at", doc("null while open.", nullable(example(1737368700, datetime))) },
    { "duration_minutes", minutes },
    { "actual_duration_seconds", doc("Without pauses; 0 while open.", integer { example = 1500 }) },
    { "is_break", boolean },
    { "completed", boolean },
}

return models
