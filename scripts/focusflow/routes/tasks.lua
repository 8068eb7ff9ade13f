-- SPDX-License-Identifier: Apache-2.0
--
-- 3.1 to 3.5: tasks; 3.6 to 3.9, which change their states: routes/task_states.lua.
local conditions = require "lib.conditions"
local facts = require "analytics"
local happenings = require "happenings"
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
local project = doc("A project of the user or of an organization of the user; null for none.", optional(nullable(id)))
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

-- Where a new task belongs; or nil and what keeps it from there (FF-39, FF-64).
local function place_of(req)
    local place, violations = organizations.place(req.user, req.body)
    if place and place.require_task_estimates and not req.body.estimated_pomodoros then
        return nil, { estimated_pomodoros = "This organization's tasks need an estimate." }
    end
    return place, violations
end

local function check_new(req)
    return select(2, place_of(req))
end

local function create(req)
    local body = req.body
    local project_id = body.project ~= null and body.project or nil
    return 201, db.transaction(function(tx)
        local place, violations = place_of(req)   -- again: what it rests on may have changed since the check
        if not place then
            fail.validation(violations)
        end
        local id = tx.insert("tasks", {
            user_id = req.user.id,
            project_id = project_id,
            organization_id = place.id,
            title = body.title,
            description = body.description,
            priority = body.priority,
            estimated_pomodoros = body.estimated_pomodoros or 1,
            created_at = req.now,
        })
        if place.id then
            facts.task_created(id)
            happenings.task_created(tx, { id = id, user_id = req.user.id, organization_id = place.id }, req.now)
        end
        return tasks.find(req.user.id, id)
    end)
end

-- The changes that a move to another project makes, or nil and a violation. In an organization's project a task becomes
-- the organization's; nothing else takes it out of one.
local function move(req)
    local project_id = req.body.project
    if project_id == nil or project_id == null then
        return { project_id = project_id }
    end
    local place = organizations.of_project(req.user, project_id)
    if not place then
        return nil, { project = "There is no such project." }
    end
    return { project_id = project_id, organization_id = place.id }
end

local function check_change(req)
    return select(2, move(req))
end

local function update(req, tx)
    local body = req.body
    local task = workflow.task(req.user.id, req.params.id)
    local changes, violations = move(req)
    if not changes then
        fail.validation(violations)
    end
    local moved = changes.project_id ~= nil and changes.project_id ~= (task.project_id or null)
    for _, field in ipairs { "title", "description", "estimated_pomodoros", "priority" } do
        changes[field] = body[field]
    end
    if moved then
        facts.withdraw_task(task.id)
    end
    if next(changes) ~= nil then
        tx.update("tasks", changes, "id = ?", task.id)
    end
    if moved then
        facts.record_task(task.id)
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
            estimated_pomodoros = doc("1 when left out, unless the organization wants one.", optional(estimate)),
            priority = priority "medium",
            organization = organizations.field,
        },
        check = check_new,
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
        check = check_change,
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
