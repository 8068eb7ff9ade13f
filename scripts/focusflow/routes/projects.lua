-- SPDX-License-Identifier: Apache-2.0
--
-- 2.1 to 2.5: projects. Another user's project is unknown (FF-15).
local conditions = require "lib.conditions"
local facts = require "analytics"
local organizations = require "organizations"
local projects = require "present.projects"
local settled = require "settled"
local view = require "view"

local ordering = view.ordering { "created_at", "name", "is_active" }
local NOT_FOUND = "The user has no such project."

-- Bodies: what 2.2 takes, with its defaults, and what 2.4 takes.
local name = text { 1, 100, example = "Freelance Work" }
local description = text { 0, 5000, example = "Client projects" }
local function color(default)
    return text {
        pattern = "^#%x%x%x%x%x%x$",
        regex = "^#[0-9A-Fa-f]{6}$",
        message = "Enter a colour as #RRGGBB.",
        default = default,
        example = "#3498db",
    }
end

local function find(req)
    return projects.find(req.user.id, req.params.id) or fail.not_found()
end

local function list(req)
    local where = conditions.new("user_id = ?", req.user.id):filter("is_active = ?", req.query.is_active)
    return 200, view.list(req, projects.item, where)
end

local function check(req)
    return select(2, organizations.place(req.user, { organization = req.body.organization }))
end

local function create(req)
    local body = req.body
    return 201, db.transaction(function(tx)
        local place, violations = organizations.place(req.user, { organization = body.organization })
        local id = tx.insert("projects", {
            user_id = req.user.id,
            organization_id = place and place.id or not place and fail.validation(violations) or nil,
            name = body.name,
            description = body.description,
            color_code = body.color_code,
            is_active = body.is_active,
            created_at = req.now,
        })
        return projects.find(req.user.id, id)
    end)
end

local function update(req, tx)
    find(req)
    local changes = {}
    for _, field in ipairs { "name", "description", "color_code", "is_active" } do
        changes[field] = req.body[field]
    end
    if next(changes) ~= nil then
        tx.update("projects", changes, "id = ?", req.params.id)
    end
    return 200, find(req)
end

-- The tasks stay, without a project (FF-17).
local function delete(req, tx)
    local project = find(req)
    facts.empty_project(project.id)
    tx.update("tasks", { project_id = null }, "project_id = ?", project.id)
    tx.run("DELETE FROM projects WHERE id = ?", project.id)
    return 204
end

return {
    name = "projects",
    summary = "Projects of one user.",
    GET "/api/v1/projects/" {
        summary = "List projects",
        who = "user",
        limit = "standard",
        query = {
            is_active = doc("Filter by active status.", optional(boolean)),
            ordering = ordering,
            page = view.paging.page,
            page_size = view.paging.page_size,
        },
        returns = { [200] = "ProjectPage" },
        errors = { [404] = "There is no such page." },
        run = list,
    },
    POST "/api/v1/projects/" {
        summary = "Create a project",
        who = "user",
        limit = "standard",
        body = {
            name = name,
            description = text { 0, 5000, default = "", example = "Client projects" },
            color_code = color "#3498db",
            is_active = boolean { default = true },
            organization = organizations.field,
        },
        check = check,
        returns = { [201] = "ProjectDetails" },
        run = create,
    },
    GET "/api/v1/projects/{id}/" {
        summary = "Get a project",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [200] = "ProjectDetails" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return 200, find(req)
        end,
    },
    PATCH "/api/v1/projects/{id}/" {
        summary = "Update a project",
        who = "user",
        limit = "standard",
        params = { id = id },
        body = {
            name = optional(name),
            description = optional(description),
            color_code = optional(color()),
            is_active = optional(boolean),
        },
        returns = { [200] = "ProjectDetails" },
        errors = { [404] = NOT_FOUND },
        run = settled.write(update),
    },
    DELETE "/api/v1/projects/{id}/" {
        summary = "Delete a project",
        description = "Its tasks are kept, without a project.",
        who = "user",
        limit = "standard",
        params = { id = id },
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND },
        run = settled.write(delete),
    },
}
