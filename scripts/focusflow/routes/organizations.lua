-- SPDX-License-Identifier: Apache-2.0
--
-- 7.1 to 7.3: organizations, the projects in them (FF-40), and which ones a user is in: without that no client could
-- offer a choice.
local conditions = require "lib.conditions"
local memberships = require "memberships"
local organizations = require "organizations"
local projects = require "present.projects"
local rows = require "present.organizations"
local rules = require "rules.organizations"
local view = require "view"

local NEWEST_FIRST, LAST_JOINED_FIRST = { "-created_at" }, { "-joined_at" }
local NOT_FOUND = "There is no such organization."
local params = { slug = organizations.slug_param }

local name = text { 1, 100, example = "Acme Startup" }
local minutes = integer { 1, 180, example = 25 }
local time_of_day = text {
    pattern = "^[0-2]%d:[0-5]%d$",
    regex = "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    message = "Enter a time as HH:MM.",
    example = "09:00",
}
local working_hours = object { { "start", time_of_day }, { "end", example("17:00", time_of_day) } }
local SETTINGS = { "default_pomodoro_duration", "require_task_estimates", "working_hours" }

-- A slug that is no slug, or that cannot be made from the name (FF-36).
local function check_new(req)
    local body = req.body
    if body.slug and not rules.is_slug(body.slug) then
        return { slug = "Use lower-case letters and digits, with single hyphens between them; at most 50." }
    elseif body.name and not body.slug and not rules.slug_of(body.name) then
        return { slug = "No slug can be made from this name; give one." }
    end
end

local function create(req)
    local body = req.body
    return 201, db.transaction(function(tx)
        local id = tx.insert_new("organizations", {
            name = body.name,
            slug = body.slug or rules.slug_of(body.name),
            owner_id = req.user.id,
            default_pomodoro_duration = body.default_pomodoro_duration,
            require_task_estimates = body.require_task_estimates,
            created_at = req.now,
        }) or fail.conflict "An organization with this slug already exists."
        memberships.join(tx, id, req.user.id, "admin", req.now)
        return view.one(rows.new, "o.id = ?", id)
    end)
end

-- The body with what stands inside `settings` moved to where 7.1 has it; what is outside counts first (FF-37).
local function flat(body)
    local out = { name = body.name, is_active = body.is_active }
    for _, key in ipairs(SETTINGS) do
        out[key] = body[key]
        if out[key] == nil and body.settings then
            out[key] = body.settings[key]
        end
    end
    return out
end

local function check_hours(req)
    local violations = {}
    local places = { working_hours = req.body.working_hours,
        ["settings.working_hours"] = req.body.settings and req.body.settings.working_hours }
    for field, hours in pairs(places) do
        if hours.start and hours["end"] and (hours.start >= hours["end"] or hours["end"] > "23:59") then
            violations[field] = "The start must be before the end, and both be times of a day."
        end
    end
    return violations
end

local function update(req)
    local changes = flat(req.body)
    local hours = changes.working_hours
    changes.working_hours = nil
    changes.working_start, changes.working_end = hours and hours.start, hours and hours["end"]
    return 200, db.transaction(function(tx)
        if next(changes) ~= nil then
            tx.update("organizations", changes, "id = ?", req.organization.id)
        end
        if changes.is_active ~= nil then
            auth.revoke()   -- principals know where new work goes by itself
        end
        return rows.details(req.organization.id, req.user, req.now)
    end)
end

local function list_own(req)
    local where = conditions.new("user_id = ? AND is_active = 1", req.user.id)
    return 200, view.list(req, rows.own, where, LAST_JOINED_FIRST)
end

local function list_projects(req)
    local where = conditions.new("organization_id = ?", req.organization.id)
    return 200, view.list(req, projects.of_organization, where, NEWEST_FIRST)
end

return {
    name = "organizations",
    summary = "Organizations and the projects in them.",
    POST "/api/v2/organizations/" {
        summary = "Create an organization",
        description = "The creator becomes its owner and an admin.",
        who = "user",
        limit = "organization",
        body = {
            name = name,
            slug = doc("Made from the name when left out.", optional(text {
                1, 50,
                regex = "^[a-z0-9]+(-[a-z0-9]+)*$",
                example = "acme-startup",
            })),
            default_pomodoro_duration = integer { 1, 180, default = 25, example = 25 },
            require_task_estimates = boolean { default = false },
        },
        check = check_new,
        returns = { [201] = "NewOrganization" },
        errors = { [409] = "The slug is taken." },
        run = create,
    },
    GET "/api/v2/organizations/" {
        summary = "List one's organizations",
        description = "Those that the caller is an active member of, and as what; the last joined first.",
        who = "user",
        limit = "organization",
        query = view.paging,
        returns = { [200] = "OwnOrganizationPage" },
        errors = { [404] = "There is no such page." },
        run = list_own,
    },
    GET "/api/v2/organizations/{slug}/" {
        summary = "Get an organization",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "organization.see",
        params = params,
        returns = { [200] = "Organization" },
        errors = { [404] = NOT_FOUND },
        run = function(req)
            return 200, rows.details(req.organization.id, req.user, req.now)
        end,
    },
    PATCH "/api/v2/organizations/{slug}/" {
        summary = "Update an organization",
        description = "Settings may stand at the top or inside `settings`. The slug cannot change.",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "organization.change",
        params = params,
        body = {
            name = optional(example("Acme Inc", name)),
            is_active = optional(boolean),
            default_pomodoro_duration = optional(minutes),
            require_task_estimates = optional(boolean),
            working_hours = optional(working_hours),
            settings = optional(object {
                { "default_pomodoro_duration", optional(minutes) },
                { "require_task_estimates", optional(boolean) },
                { "working_hours", optional(working_hours) },
            }),
        },
        check = check_hours,
        returns = { [200] = "Organization" },
        errors = { [404] = NOT_FOUND },
        run = update,
    },
    GET "/api/v2/organizations/{slug}/projects/" {
        summary = "List the projects of an organization",
        description = "Its members may use them for their tasks.",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "project.list",
        params = params,
        query = view.paging,
        returns = { [200] = "OrganizationProjectPage" },
        errors = { [404] = "There is no such organization or page." },
        run = list_projects,
    },
}
