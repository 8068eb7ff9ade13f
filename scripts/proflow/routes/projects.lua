-- SPDX-License-Identifier: Apache-2.0
--
-- Projects. One that is deleted takes its tasks along; recorded time stays (PF-11).
local changes = require "changes"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local references = require "references"
local values = require "values"
local views = require "views"

local NOT_FOUND = "The organization has no such project."
local ONE = { id = ids.type "proj_7QhT2vYxN4mKpR8sWc3f" }

local name = text { 1, 255, example = "New Project" }
local team = doc("A team of the organization; null for none.", optional(nullable(ids.type "team_7QhT2vYxN4mKpR8sWc3f")))

local function delete_tasks(tx, id)
    tx.run("DELETE FROM tasks WHERE project_id = ?", id)
end

return {
    name = "projects",
    summary = "Projects of an organization.",
    GET "/v1/projects" {
        summary = "List projects",
        who = "member",
        limit = "key",
        can = "project.read",
        query = lists.query { status = "Project status", team_id = "Team identifier" },
        returns = { [200] = "ProjectPage" },
        run = function(req)
            local where = conditions.new("organization = ?", req.user.organization)
            where:filter("status = ?", req.query.status):filter("team_id = ?", req.query.team_id)
            return lists.list(req, views.project, where)
        end,
    },
    POST "/v1/projects" {
        summary = "Create a project",
        who = "member",
        limit = "key",
        can = "project.write",
        body = {
            name = name,
            description = values.description,
            team_id = team,
            status = values.project_status "active",
        },
        check = references.check,
        returns = { [201] = "Project" },
        run = function(req)
            local body = req.body
            return changes.create(req, "project", {
                name = body.name,
                description = body.description,
                team_id = body.team_id,
                status = body.status,
                updated_at = req.now,
            })
        end,
    },
    GET "/v1/projects/{id}" {
        summary = "Get a project",
        who = "member",
        limit = "key",
        can = "project.read",
        params = ONE,
        returns = { [200] = "Project" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return 200, select(2, views.find("project", req.user, req.params.id))
        end,
    },
    PATCH "/v1/projects/{id}" {
        summary = "Update a project",
        who = "member",
        limit = "key",
        can = "project.write",
        params = ONE,
        body = {
            name = optional(name),
            description = values.description,
            team_id = team,
            status = optional(values.project_status()),
        },
        check = references.check,
        returns = { [200] = "Project" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return changes.update(req, "project")
        end,
    },
    DELETE "/v1/projects/{id}" {
        summary = "Delete a project with its tasks",
        description = "The event project.deleted stands for all of them. Recorded time stays.",
        who = "member",
        limit = "key",
        can = "project.delete",
        params = ONE,
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return changes.delete(req, "project", delete_tasks)
        end,
    },
}
