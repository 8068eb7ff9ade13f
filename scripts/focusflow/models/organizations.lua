-- SPDX-License-Identifier: Apache-2.0
--
-- Organizations: members, invites, tasks and the activity feed (V2).
local roles = require "rules.roles"
local models = {}

local object_id = id { example = 1 }
local slug = text { example = "acme-startup" }
local name = text { example = "Acme Startup" }
local username = text { example = "janedoe" }
local first_name = text { example = "Jane" }
local title = text { example = "Code review" }
local created_at = example(1737367200, datetime)
local role = one_of(roles.ALL)
local priority = one_of { "low", "medium", "high", "urgent" }
local task = nullable(object { { "id", object_id }, { "title", title } })
local minutes = doc("Minutes of a pomodoro where the user has no own setting.", integer { example = 25 })
local estimates = doc("Whether a task needs estimated_pomodoros.", boolean)
local is_active = doc("false: new work no longer goes there by itself.", boolean)
local working_hours = object { { "start", text { example = "09:00" } }, { "end", text { example = "17:00" } } }

models.NewOrganization = object {
    { "id", object_id },
    { "name", name },
    { "slug", slug },
    { "is_active", is_active },
    { "default_pomodoro_duration", minutes },
    { "require_task_estimates", estimates },
    { "member_count", integer { example = 1 } },
    { "created_at", created_at },
    { "owner", object {
        { "id", object_id },
        { "username", text { example = "johndoe" } },
        { "email", email { example = "john@acme.com" } },
    } },
}

models.Organization = object {
    { "id", object_id },
    { "name", name },
    { "slug", slug },
    { "is_active", is_active },
    { "settings", object {
        { "default_pomodoro_duration", minutes },
        { "require_task_estimates", estimates },
        { "working_hours", doc("In the zone of each employee.", working_hours) },
    } },
    { "statistics", object {
        { "total_members", doc("Former ones included.", integer { example = 5 }) },
        { "active_members", integer { example = 5 } },
        { "total_projects", integer { example = 8 } },
        { "total_tasks_today", doc("Created, started or completed today, in the caller's zone.",
            integer { example = 23 }) },
        { "completed_tasks_today", integer { example = 12 } },
    } },
    { "created_at", created_at },
    { "timezone", doc("The zone whose day today is.", example("America/New_York", timezone)) },
}

models.OwnOrganization = object {
    { "id", object_id },
    { "name", name },
    { "slug", slug },
    { "role", doc("The caller's.", role) },
    { "member_count", integer { example = 5 } },
}

models.Member = object {
    { "id", doc("Of the membership.", object_id) },
    { "user", object {
        { "id", object_id },
        { "username", username },
        { "email", email { example = "jane@acme.com" } },
        { "first_name", first_name },
        { "last_name", text { example = "Doe" } },
    } },
    { "role", role },
    { "joined_at", example(1736928000, datetime) },
    { "current_status", doc("By work in this organization.", one_of { "focused", "paused", "on_break", "idle" }) },
    { "current_task", doc("null unless focused or paused.", task) },
    { "is_active", doc("false after a removal.", boolean) },
}

models.Invite = object {
    { "id", object_id },
    { "email", email { example = "newuser@acme.com" } },
    { "role", role },
    { "invite_token", doc("Shown only now, and in the mail.", text { example = "a7b8c9d0e1f2" }) },
    { "invite_url", text { example = "https://focusflow.com/invite/a7b8c9d0e1f2" } },
    { "expires_at", doc("A week later.", example(1737972000, datetime)) },
    { "created_at", created_at },
}

models.Joined = object {
    { "message", text { example = "Successfully joined Acme Startup" } },
    { "organization", object { { "id", object_id }, { "name", name }, { "slug", slug } } },
    { "membership", object { { "role", role } } },
}

models.OrganizationProject = object {
    { "id", object_id },
    { "name", text { example = "Client Project A" } },
    { "description", text { example = "" } },
    { "color_code", text { example = "#FF5733" } },
    { "is_active", boolean },
    { "task_count", integer { example = 12 } },
    { "total_focus_time", doc("Seconds.", integer { example = 7200 }) },
    { "created_at", created_at },
    { "organization", slug },
    { "owner", object { { "id", object_id }, { "username", username } } },
}

models.OrganizationTask = object {
    { "id", object_id },
    { "title", title },
    { "status", one_of { "pending", "in_progress", "paused", "completed" } },
    { "owner", object { { "id", object_id }, { "username", username }, { "first_name", first_name } } },
    { "project", nullable(object { { "id", object_id }, { "name", text { example = "Client Project A" } } }) },
    { "started_at", doc("The first start.", nullable(example(1737364500, datetime))) },
    { "estimated_pomodoros", integer { example = 2 } },
    { "completed_pomodoros", integer { example = 1 } },
    { "priority", priority },
    { "total_focus_seconds", integer { example = 1500 } },
    { "created_at", created_at },
    { "ended_at", nullable(created_at) },
}

local person = object { { "id", object_id }, { "username", username } }

models.Assignment = object {
    { "id", object_id },
    { "assigned_to", person },
    { "assigned_by", person },
    { "priority", priority },
    { "assigned_at", created_at },
}

models.Activity = object {
    { "id", object_id },
    { "type", one_of {
        "task_created", "task_started", "task_paused", "task_resumed", "task_completed", "task_assigned",
        "pomodoro_completed", "break_started",
    } },
    { "user", object { { "id", object_id }, { "username", username }, { "first_name", first_name } } },
    { "task", doc("null for a break.", task) },
    { "timestamp", example(1737364500, datetime) },
}

models.ActivityFeed = object { { "activities", list(ref "Activity") } }

return models
