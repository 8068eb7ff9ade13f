-- SPDX-License-Identifier: Apache-2.0
--
-- 9.1, 9.2 and 10.1: the tasks of an organization, who works on them, and what has been happening. Only what belongs to
-- the organization is seen here (FF-39).
local activities = require "present.activities"
local conditions = require "lib.conditions"
local facts = require "analytics"
local happenings = require "happenings"
local memberships = require "memberships"
local organizations = require "organizations"
local tasks = require "present.tasks"
local view = require "view"

local NEWEST_FIRST = { "-created_at" }
local params = { slug = organizations.slug_param }

local TASK = [[
SELECT t.id, t.user_id, t.organization_id, t.title, t.status, t.priority, t.project_id,
       (SELECT 1 FROM projects p WHERE p.id = t.project_id AND p.organization_id = t.organization_id) AS shared_project
  FROM tasks t WHERE t.id = ? AND t.organization_id = ?]]
local ASSIGNMENT = [[
SELECT t.id, a.id AS "assigned_to.id", a.username AS "assigned_to.username", b.id AS "assigned_by.id",
       b.username AS "assigned_by.username", t.priority, t.assigned_at AS "assigned_at:time"
  FROM tasks t JOIN users a ON a.id = t.user_id JOIN users b ON b.id = t.assigned_by WHERE t.id = ?]]

local function list(req)
    local query = req.query
    local where = conditions.new("organization_id = ?", req.organization.id)
    where:filter("user_id = ?", query.owner):filter("status = ?", query.status)
    where:filter("project_id = ?", query.project)
    if query.date then
        where:add("created_at >= ? AND created_at < ?", time.day(req.user.timezone, query.date))
    end
    return 200, view.list(req, tasks.of_organization, where, NEWEST_FIRST)
end

-- The assignee becomes the owner, so that the task can be started from there (FF-45). A project that is the former
-- owner's own does not go along.
local function assign(req)
    local body, organization = req.body, req.organization
    return 200, db.transaction(function(tx)
        local task = db.one(TASK, body.task_id, organization.id) or fail.not_found "There is no such task."
        local assignee = memberships.find(organization.id, body.assigned_to)
        if not assignee then
            fail.validation { assigned_to = "This user is no member of the organization." }
        elseif task.status ~= "pending" then
            fail.conflict "Only a pending task can be assigned."
        end
        task.priority = body.priority or task.priority
        facts.withdraw_task(task.id)
        tx.update("tasks", {
            user_id = body.assigned_to,
            project_id = task.shared_project and task.project_id or null,
            priority = task.priority,
            assigned_by = req.user.id,
            assigned_at = req.now,
        }, "id = ?", task.id)
        facts.record_task(task.id)
        local to = { id = assignee.user_id, username = assignee.username }
        happenings.task_assigned(tx, task, to, req.user.id, req.now)
        return db.object(ASSIGNMENT, task.id)
    end)
end

local function feed(req)
    local sql = "a.organization_id = ? ORDER BY a.at DESC, a.id DESC LIMIT ?"
    return 200, { activities = view.all(activities, sql, req.organization.id, req.query.limit) }
end

return {
    name = "organization_tasks",
    summary = "The tasks of an organization and what happens to them.",
    GET "/api/v2/organizations/{slug}/tasks/" {
        summary = "List tasks of the organization",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "task.list",
        params = params,
        query = {
            owner = doc("Filter by employee ID.", optional(integer)),
            status = doc("Filter by status.", optional(one_of { "pending", "in_progress", "paused", "completed" })),
            project = doc("Filter by project ID.", optional(integer)),
            date = doc("Filter by creation date, in the caller's time zone.", optional(date)),
            page = view.paging.page,
            page_size = view.paging.page_size,
        },
        returns = { [200] = "OrganizationTaskPage" },
        errors = { [404] = "There is no such organization or page." },
        run = list,
    },
    POST "/api/v2/organizations/{slug}/tasks/assign/" {
        summary = "Assign a task",
        description = "The assignee becomes the task's owner.",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "task.assign",
        params = params,
        body = {
            task_id = integer { example = 45 },
            assigned_to = integer { example = 3 },
            priority = optional(one_of { "low", "medium", "high", "urgent" }),
        },
        returns = { [200] = "Assignment" },
        errors = {
            [400] = "Invalid fields, or the assignee is no active member.",
            [404] = "There is no such organization, or no such task in it.",
            [409] = "The task is not pending.",
        },
        run = assign,
    },
    GET "/api/v2/organizations/{slug}/dashboard/activity/" {
        summary = "Live activity feed",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "dashboard.see",
        params = params,
        query = { limit = doc("Number of recent activities.", integer { 1, 200, default = 50 }) },
        returns = { [200] = "ActivityFeed" },
        errors = { [404] = "There is no such organization." },
        run = feed,
    },
}
