-- SPDX-License-Identifier: Apache-2.0
--
-- Tasks of projects.
local changes = require "changes"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local references = require "references"
local values = require "values"
local views = require "views"

local NOT_FOUND = "The organization has no such task."
local ONE = { id = ids.type "task_7QhT2vYxN4mKpR8sWc3f" }

local title = text { 1, 255, example = "New Task" }
local project = ids.type "proj_7QhT2vYxN4mKpR8sWc3f"
local assignee = doc("A user of the organization; null for none.",
    optional(nullable(ids.type "user_7QhT2vYxN4mKpR8sWc3f")))

return {
    name = "tasks",
    summary = "Tasks of an organization's projects.",
    GET "/v1/tasks" {
        summary = "List tasks",
        who = "member",
        limit = "key",
        can = "task.read",
        query = lists.query {
            project_id = "Project identifier", status = "Task status", assignee_id = "Assignee identifier",
            priority = "Task priority",
        },
        returns = { [200] = "TaskPage" },
        run = function(req)
            local query = req.query
            local where = conditions.new("organization = ?", req.user.organization)
            where:filter("project_id = ?", query.project_id):filter("status = ?", query.status)
            where:filter("assignee_id = ?", query.assignee_id):filter("priority = ?", query.priority)
            return lists.list(req, views.task, where)
        end,
    },
    POST "/v1/tasks" {
        summary = "Create a task",
        who = "member",
        limit = "key",
        can = "task.write",
        body = {
            title = title,
            description = values.description,
            project_id = project,
            assignee_id = assignee,
            priority = values.priority "medium",
            status = values.task_status "todo",
        },
        check = references.check,
        returns = { [201] = "Task" },
        run = function(req)
            local body = req.body
            return changes.create(req, "task", {
                title = body.title,
                description = body.description,
                project_id = body.project_id,
                assignee_id = body.assignee_id,
                priority = body.priority,
                status = body.status,
                updated_at = req.now,
            })
        end,
    },
    GET "/v1/tasks/{id}" {
        summary = "Get a task",
        who = "member",
        limit = "key",
        can = "task.read",
        params = ONE,
        returns = { [200] = "Task" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return 200, select(2, views.find("task", req.user, req.params.id))
        end,
    },
    PATCH "/v1/tasks/{id}" {
        summary = "Update a task",
        who = "member",
        limit = "key",
        can = "task.write",
        params = ONE,
        body = {
            title = optional(title),
            description = values.description,
            project_id = optional(project),
            assignee_id = assignee,
            priority = optional(values.priority()),
            status = optional(values.task_status()),
        },
        check = references.check,
        returns = { [200] = "Task" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return changes.update(req, "task")
        end,
    },
    DELETE "/v1/tasks/{id}" {
        summary = "Delete a task",
        description = "Recorded time stays.",
        who = "member",
        limit = "key",
        can = "task.write",
        params = ONE,
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return changes.delete(req, "task")
        end,
    },
}
