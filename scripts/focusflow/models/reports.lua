-- SPDX-License-Identifier: Apache-2.0
--
-- Reports. Every one of them is per day, so it names the time zone whose days they are (X-16).
local models = {}

local zone = doc("The zone whose days these are.", example("America/New_York", timezone))
local hours = number { example = 12.5 }
local count = integer { example = 4 }
local project = doc("null for tasks without a project.", nullable(object {
    { "id", id { example = 1 } },
    { "name", text { example = "Personal Development" } },
}))
local days = list(object {
    { "date", example("2025-01-13", date) },
    { "focus_hours", number { example = 2.5 } },
    { "tasks_completed", count },
})

models.DailySummary = object {
    { "date", example("2025-01-20", date) },
    { "total_tasks", doc("Created, started or completed on the day.", integer { example = 5 }) },
    { "completed_tasks", integer { example = 3 } },
    { "in_progress_tasks", doc("Paused ones included.", integer { example = 1 }) },
    { "pending_tasks", integer { example = 1 } },
    { "total_focus_seconds", integer { example = 5400 } },
    { "total_focus_hours", number { example = 1.5 } },
    { "total_pomodoros", integer { example = 6 } },
    { "projects_breakdown", list(object {
        { "project", project },
        { "focus_seconds", integer { example = 3600 } },
        { "tasks_completed", integer { example = 2 } },
    }) },
    { "timezone", zone },
}

models.WeeklyReport = object {
    { "week", integer { example = 3 } },
    { "year", integer { example = 2025 } },
    { "start_date", example("2025-01-13", date) },
    { "end_date", example("2025-01-19", date) },
    { "total_focus_hours", hours },
    { "total_tasks_completed", integer { example = 18 } },
    { "avg_daily_focus_hours", number { example = 1.79 } },
    { "daily_breakdown", doc("All seven days.", days) },
    { "top_projects", doc("At most five.", list(object {
        { "project", project },
        { "focus_hours", number { example = 8.5 } },
        { "percentage", doc("Of the week's focus time.", integer { example = 68 }) },
    })) },
    { "timezone", zone },
}

models.MonthlyReport = object {
    { "month", integer { example = 1 } },
    { "year", integer { example = 2025 } },
    { "total_focus_hours", number { example = 45.5 } },
    { "total_tasks_completed", integer { example = 67 } },
    { "total_pomodoros", integer { example = 182 } },
    { "avg_daily_focus_hours", doc("Over all days of the month.", number { example = 1.47 }) },
    { "most_productive_day", doc("null without focus time.", nullable(example("2025-01-15", date))) },
    { "weekly_breakdown", doc("ISO weeks, cut to the month.", list(object {
        { "week", integer { example = 1 } },
        { "focus_hours", number { example = 10.5 } },
    })) },
    { "projects_summary", list(object {
        { "project", doc("null for tasks without a project.", nullable(text { example = "Personal Development" })) },
        { "focus_hours", number { example = 25.5 } },
        { "tasks_completed", integer { example = 32 } },
    }) },
    { "timezone", zone },
}

models.Streaks = object {
    { "current_streak", integer { example = 7 } },
    { "longest_streak", integer { example = 15 } },
    { "streak_start_date", doc("null without a streak.", nullable(example("2025-01-14", date))) },
    { "total_active_days", integer { example = 45 } },
    { "timezone", zone },
}

models.ProjectReport = object {
    { "project", object { { "id", id { example = 1 } }, { "name", text { example = "Personal Development" } } } },
    { "date_range", object {
        { "start", example("2025-01-01", date) },
        { "end", example("2025-01-20", date) },
    } },
    { "total_focus_hours", number { example = 28.5 } },
    { "total_tasks", doc("With activity in the range.", integer { example = 35 }) },
    { "completed_tasks", doc("In the range.", integer { example = 28 }) },
    { "avg_task_duration_minutes", integer { example = 48 } },
    { "daily_activity", doc("The days with focus time or completed tasks.", days) },
    { "timezone", zone },
}

return models
