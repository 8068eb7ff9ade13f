-- SPDX-License-Identifier: Apache-2.0
--
-- Organizations as other files need them: the one that a path names, and the one that new work belongs to (FF-39).
local organizations = {}

local BY_SLUG = [[
SELECT o.id, o.name, o.slug, o.owner_id, o.is_active AS "is_active:bool", o.default_pomodoro_duration,
       o.require_task_estimates AS "require_task_estimates:bool", o.working_start, o.working_end, o.created_at,
       m.role, m.id AS membership_id
  FROM organizations o
  LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = ? AND m.is_active = 1
 WHERE o.slug = ?]]

-- What a member may put work into: an organization by slug or id, or a project, which is the user's own and personal,
-- or an organization's that the user is a member of.
local PLACE = [[
SELECT o.id, o.require_task_estimates AS "require_task_estimates:bool"
  FROM organizations o JOIN memberships m ON m.organization_id = o.id AND m.user_id = ? AND m.is_active = 1 WHERE ]]
local PLACE_BY_SLUG, PLACE_BY_ID = PLACE .. "o.slug = ?", PLACE .. "o.id = ?"
local PROJECT = [[
SELECT p.organization_id AS id, o.require_task_estimates AS "require_task_estimates:bool"
  FROM projects p LEFT JOIN organizations o ON o.id = p.organization_id
 WHERE p.id = ? AND CASE WHEN o.id IS NULL THEN p.user_id = ? ELSE EXISTS (
       SELECT 1 FROM memberships m WHERE m.organization_id = o.id AND m.user_id = ? AND m.is_active = 1) END]]

--- The scope of all routes below /api/v2/organizations/{slug}/: req.organization, with the user's role in it. An
--- unknown one is 404, one that the user is not a member of 403 (FF-38).
function organizations.scope(user, params)
    local organization = db.one(BY_SLUG, user.id, params.slug) or fail.not_found()
    if not organization.role then
        fail.forbidden "You are not a member of this organization."
    end
    return organization
end

organizations.slug_param = text { 1, 100, example = "acme-startup" }
organizations.field = doc("Slug of an organization of the user; null for personal work. Left out: that of the project, "
    .. "else the one that the user joined last.", optional(nullable(text { 1, 50, example = "acme-startup" })))

local function given(value)
    return value ~= nil and value ~= null
end

local PERSONAL = {}

local function place_of_project(user, project_id, violations)
    local place = given(project_id) and db.one(PROJECT, project_id, user.id, user.id)
    if given(project_id) and not place then
        violations.project = "There is no such project."
    end
    return place and place.id and place
end

local function place_by_name(user, slug, violations)
    local place = given(slug) and db.one(PLACE_BY_SLUG, user.id, slug)
    if given(slug) and not place then
        violations.organization = "There is no such organization."
    end
    return place
end

--- Where new work belongs (FF-39): { id = of an organization, or nil for personal work, require_task_estimates }. Or
--- nil and violations. The body's `organization` and `project` count, whichever of them the route has.
function organizations.place(user, body)
    local violations = {}
    local of_project = place_of_project(user, body.project, violations)
    local named = place_by_name(user, body.organization, violations)
    if next(violations) then
        return nil, violations
    end
    local last = body.organization == nil and user.organization_id   -- known with the token; the membership may be over
    return of_project or named or last and db.one(PLACE_BY_ID, user.id, last) or PERSONAL
end

--- Where work belongs that moves to the project: { id = the project's organization, or nil }; nil when the user may not
--- use the project (FF-19).
function organizations.of_project(user, project_id)
    return db.one(PROJECT, project_id, user.id, user.id)
end

--- The minutes of a pomodoro that the organization sets (FF-22); nil for personal work.
function organizations.focus_minutes(id)
    return id and db.value("SELECT default_pomodoro_duration FROM organizations WHERE id = ?", id)
end

return organizations
