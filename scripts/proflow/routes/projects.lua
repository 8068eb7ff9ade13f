-- SPDX-License-Identifier: Apache-2.0
--
-- Projects. One that is deleted takes its tasks along; recorded time stays (PF-11).
local ids = require "ids"
local resource = require "resource"
local values = require "values"

local PROJECT = {
    name = "project",
    many = "projects",
    model = "Project",
    path = "/v1/projects",
    example = "proj_7QhT2vYxN4mKpR8sWc3f",
}
local name = text { 1, 255, example = "New Project" }
local team = doc("A team of the organization; null for none.", optional(nullable(ids.type "team_7QhT2vYxN4mKpR8sWc3f")))

return {
    name = "projects",
    summary = "Projects of an organization.",
    resource.list(PROJECT, { status = "Project status", team_id = "Team identifier" }),
    resource.create(PROJECT, {
        name = name,
        description = values.description,
        team_id = team,
        status = values.project_status "active",
    }),
    resource.get(PROJECT),
    resource.update(PROJECT, {
        name = optional(name),
        description = values.description,
        team_id = team,
        status = optional(values.project_status()),
    }),
    resource.delete(PROJECT, "With its tasks; the event project.deleted stands for all of them. Recorded time stays.",
        function(tx, id)
            tx.run("DELETE FROM tasks WHERE project_id = ?", id)
        end),
}
