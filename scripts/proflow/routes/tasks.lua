-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks of projects.
local ids = require "ids"
local resource = require "resource"
local values = require "values"

local TASK = {
    name = "task",
    many = "tasks",
    model = "Task",
    path = "/v1/tasks",
    example = "task_7QhT2vYxN4mKpR8sWc3f",
}

local title = text { 1, 255, example = "New Task" }
local project = ids.type "proj_7QhT2vYxN4mKpR8sWc3f"
local assignee = doc("A user of the organization; null for none.",
    optional(nullable(ids.type "user_7QhT2vYxN4mKpR8sWc3f")))

return {
    name = "tasks",
    summary = "Tasks of an organization's projects.",
    resource.list(TASK, {
        project_id = "Project identifier",
        status = "Task status",
        assignee_id = "Assignee identifier",
        priority = "Task priority",
    }),
    resource.create(TASK, {
        title = title,
        description = values.description,
        project_id = project,
        assignee_id = assignee,
        priority = values.priority "medium",
        status = values.task_status "todo",
    }),
    resource.get(TASK),
    resource.update(TASK, {
        title = optional(title),
        description = values.description,
        project_id = optional(project),
        assignee_id = assignee,
        priority = optional(values.priority()),
        status = optional(values.task_status()),
    }),
    resource.delete(TASK, "Recorded time stays."),
}
