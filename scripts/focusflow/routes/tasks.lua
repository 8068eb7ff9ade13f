-- SPDX-License-Identifier: Apache-2.0
--
-- 3.1 to 3.5: tasks; 3.6 to 3.9, which change their states: routes/task_states.lua.
local conditions = require "lib.conditions"
local facts = require "analytics"
local organizations = require "organizations"
local settled = require "settled"
local tasks = require "present.tasks"
local view = require "view"
local workflow = require "workflow"

local SEARCH = "(contains_nocase(title, ?) OR contains_nocase(description, ?))"
local NOT_FOUND = "The user has no such task."

-- Bodies: what 3.2 takes, with its defaults, and what 3.4 takes.
local ordering = view.ordering { "created_at", "started_at", "ended_at", "title", "status", "estimated_pomodoros" }
local title = text { 1, 255, example = "Review pull requests" }
local description = text { 0, 10000, example = "Check team's code submissions" }
local project = doc("A project of the user; null for none.", optional(nullable(id)))
local estimate = integer { 1, 100, example = 2 }
local function priority(default)
    return one_of { "low", "medium", "high", "urgent", default = default }
end

local function list(req)
    local query = req.query
    local where = conditions.new("user_id = ?", req.user.id)
    where:filter("status = ?", query.status):filter("project_id = ?", query.project)
    if query.date then
        where:add("created_at >= ? AND created_at < ?", time.day(req.user.timezone, query.date))
    end
    if query.search and query.search ~= "" then
        where:add(SEARCH, query.search, query.search)
    end
    return 200, view.list(req, tasks.item, where)
end

-- A violation unless the user may use the project (FF-19), or nil.
local function unknown_project(user, project_id)
    local given = project_id ~= nil and project_id ~= null
    if given and not db.value("SELECT 1 FROM projects WHERE id = ? AND user_id = ?", project_id, user.id) then
        return { project = "There is no such project." }
    end
end

-- What the types cannot say about a body.
local function check(req)
    local violations = organizations.unknown(req.body.organization) or {}
    for field, message in pairs(unknown_project(req.user, req.body.project) or {}) do
        violations[field] = message
    end
    return violations
end

-- The project may have gone since the check.
local function stays_known(user, project_id)
    local violations = unknown_project(user, project_id)
    if violations then
        fail.validation(violations)
    end
end

local function create(req)
    local body = req.body
    local project_id = body.project ~= null and body.project or nil
    return 201, db.transaction(function(tx)
        stays_known(req.user, project_id)
        local id = tx.insert("tasks", {
            user_id = req.user.id,
            project_id = project_id,
            title = body.title,
            description = body.description,
            priority = body.priority,
            estimated_pomodoros = body.estimated_pomodoros,
            created_at = req.now,
        })
        return tasks.find(req.user.id, id)
    end)
end

local function update(req, tx)
    local body, changes = req.body, {}
    local task = workflow.task(req.user.id, req.params.id)
    for _, field in ipairs { "title", "description", "estimated_pomodoros", "priority" } do
        changes[field] = body[field]
    end
    if body.project ~= nil then
        local project_id = body.project ~= null and body.project or nil
        stays_known(req.user, project_id)
        if project_id ~= task.project_id then
            facts.move_task(task.id, project_id)
            changes.project_id = body.project
        end
    end
    if next(changes) ~= nil then
        tx.update("tasks", changes, "id = ?", task.id)
    end
    return 200, tasks.find_with_sessions(req.user.id, task.id)
end

local unit = {
    name = "tasks",
    summary = "Tasks of one user.",
    GET "/api/v1/tasks/" {
        summary = "List tasks",
        who = "user",
        limit = "standard",
        query = {
            status = doc("Filter by status.", optional(one_of { "pending", "in_progress", "paused", "completed" })),
            project = doc("Filter by project ID.", optional(integer)),
            date = doc("Filter by creation date, in the user's time zone.", optional(date)),
            search = doc("Search in title and description.", optional(text { 0, 1000 })),
            ordering = ordering,
            page = view.paging.page,
            page_size = view.paging.page_size,
        },
        returns = { [200] = "TaskPage" },
        errors = { [404] = "There is no such page." },
        run = list,
    },
    POST "/api/v1/tasks/" {
        summary = "Create a task",
        who = "user",
        limit = "standard",
        body = {
            title = title,
            description = text { 0, 10000, default = "", example = "Check team's code submissions" },
            project = project,
            estimated_pomodoros = integer { 1, 100, default = 1, example = 2 },
            priority = priority "medium",
            organization = organizations.field,
        },
        check = check,
        returns = { [201] = "Task" },
        errors = { [400] = "Invalid fields, or a project that the user may not use." },
        run = create,
    },
    GET "/api/v1/tasks/{id}/" {
        summary = "Get a task with its sessions",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "TaskDetails" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return 200, tasks.find_with_sessions(req.user.id, req.params.id) or fail.not_found()
        end,
    },
    PATCH "/api/v1/tasks/{id}/" {
        summary = "Update a task",
        description = "Status and time stamps are read-only here: start, pause, resume or complete the task.",
        who = "user",
        limit = "standard",
        params = { id = id },
        body = {
            title = optional(title),
            description = optional(description),
            project = project,
            estimated_pomodoros = optional(estimate),
            priority = optional(priority()),
        },
        check = check,
        returns = { [200] = "TaskDetails" },
        errors = { [400] = "Invalid fields, or a project that the user may not use.", [404] = NOT_FOUND },
        run = settled.write(update),
    },
    DELETE "/api/v1/tasks/{id}/" {
        summary = "Delete a task with its sessions",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND },
        run = settled.write(function(req, tx)
            workflow.delete(tx, workflow.task(req.user.id, req.params.id))
            return 204
        end),
    },
}

for _, route in ipairs((require "routes.task_states")) do
    unit[#unit + 1] = route
end
return unit
