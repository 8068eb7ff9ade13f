-- SPDX-License-Identifier: Apache-2.0
--
-- What managers see of their teams (10.2, 10.3, 11.1, 11.2).
local roles = require "rules.roles"
local models = {}

local object_id = id { example = 2 }
local username = text { example = "janedoe" }
local user = object { { "id", object_id }, { "username", username } }
local task = nullable(object { { "id", id { example = 45 } }, { "title", text { example = "Code review" } } })
local hours = number { example = 45.5 }
local count = integer { example = 32 }
local zone = doc("The zone whose days and hours these are: the caller's.", example("America/New_York", timezone))
local date_range = object { { "start", example("2025-01-01", date) }, { "end", example("2025-01-20", date) } }
local is_active = doc("false for somebody who has left.", boolean)
local of_range = doc("Created, started, worked on or completed in the range.", integer { example = 45 })

models.TeamOverview = object {
    { "date", example("2025-01-20", date) },
    { "active_employees", doc("Members with a session or a change of a task today.", integer { example = 4 }) },
    { "currently_focused", integer { example = 2 } },
    { "total_focus_hours_today", doc("Of ended sessions.", number { example = 8.5 }) },
    { "tasks_completed_today", integer { example = 12 } },
    { "tasks_in_progress", doc("Now.", integer { example = 3 }) },
    { "employees_status", doc("All active members; who is focused comes first.", list(object {
        { "user", user },
        { "status", one_of { "focused", "paused", "on_break", "idle" } },
        { "current_task", task },
        { "focus_time_today", doc("Hours.", number { example = 3.5 }) },
    })) },
    { "timezone", zone },
}

models.EmployeeDetails = object {
    { "user", object {
        { "id", object_id },
        { "username", username },
        { "first_name", text { example = "Jane" } },
        { "role", one_of(roles.ALL) },
    } },
    { "statistics", doc("Of the range; only work in the organization.", object {
        { "total_focus_hours", hours },
        { "total_tasks_completed", count },
        { "avg_daily_focus_hours", doc("Over the days with focus time.", number { example = 3.2 }) },
        { "current_streak", doc("Days up to today or yesterday with a completed pomodoro.", integer { example = 5 }) },
    }) },
    { "recent_tasks", doc("The ten last touched.", list(object {
        { "id", id { example = 45 } },
        { "title", text { example = "Code review" } },
        { "status", one_of { "pending", "in_progress", "paused", "completed" } },
        { "focus_time_seconds", integer { example = 1800 } },
    })) },
    { "productivity_pattern", object {
        { "peak_hours", doc("Up to two ranges of two hours with most focus time, most first.",
            list(text { example = "09:00-11:00" })) },
        { "avg_task_duration_minutes", doc("Focus time by the tasks of the range.", integer { example = 45 }) },
    } },
    { "date_range", date_range },
    { "timezone", zone },
}

models.TeamReport = object {
    { "date_range", date_range },
    { "team_statistics", object {
        { "total_focus_hours", number { example = 180.5 } },
        { "avg_focus_hours_per_employee", doc("By all active members.", number { example = 36.1 }) },
        { "total_tasks_completed", integer { example = 156 } },
        { "avg_task_completion_rate", doc("Completed by all tasks of the range.", number { example = 0.85 }) },
    } },
    { "employee_breakdown", doc("All active members, and who has left but worked in the range; most focus first.",
        list(object {
            { "user", user },
            { "focus_hours", hours },
            { "tasks_completed", count },
            { "completion_rate", doc("Completed by all tasks of the range.", number { example = 0.91 }) },
            { "is_active", is_active },
        })) },
    { "peak_productivity_hours", doc("At most five, highest first.", list(object {
        { "hour", text { example = "09:00" } },
        { "avg_active_employees", doc("Members who focused in that hour, on the average day of the range.",
            number { example = 4.2 }) },
    })) },
    { "timezone", zone },
}

models.TeamProjectReport = object {
    { "project", object { { "id", id { example = 3 } }, { "name", text { example = "Client Project A" } } } },
    { "date_range", date_range },
    { "total_focus_hours", number { example = 85.5 } },
    { "total_tasks", of_range },
    { "completed_tasks", doc("In the range.", integer { example = 38 }) },
    { "in_progress_tasks", doc("Of the range, in progress or paused now.", integer { example = 5 }) },
    { "avg_task_duration_hours", doc("Focus time by the tasks of the range.", number { example = 1.9 }) },
    { "contributors", doc("Who focused or completed tasks; most focus first.", list(object {
        { "user", user },
        { "focus_hours", hours },
        { "tasks_completed", integer { example = 20 } },
        { "contribution_percentage", doc("Of the focus time.", number { example = 53.2 }) },
        { "is_active", is_active },
    })) },
    { "timeline", doc("The days with focus time or completed tasks.", list(object {
        { "date", example("2025-01-20", date) },
        { "focus_hours", number { example = 6.5 } },
        { "tasks_completed", integer { example = 3 } },
    })) },
    { "timezone", zone },
}

return models
