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

--- The scope of all routes below /api/v2/organizations/{slug}/: req.organization, with the user's role in it. An unknown
--- one is 404, one that the user is not a member of 403 (FF-38).
function organizations.scope(user, params)
    local organization = db.one(BY_SLUG, user.id, params.slug) or fail.not_found()
    if not organization.role then
        fail.forbidden "You are not a member of this organization."
    end
    return organization
end

organizations.field = doc("Slug of an organization of the user; null for personal work.",
    optional(nullable(text { 1, 50, example = "acme-startup" })))

--- A violation for an organization that the user does not belong to, or nil.
function organizations.unknown(slug)
    if slug ~= nil and slug ~= null then
        return { organization = "There is no such organization." }
    end
end

return organizations
