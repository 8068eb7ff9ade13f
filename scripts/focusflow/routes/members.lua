-- SPDX-License-Identifier: Apache-2.0
--
-- 8.1, 8.4, 8.5: the members of an organization. {user_id} is the user's id, not the membership's (FF-41).
local conditions = require "lib.conditions"
local members = require "present.members"
local memberships = require "memberships"
local organizations = require "organizations"
local roles = require "rules.roles"
local view = require "view"

local LAST_JOINED_FIRST = { "-joined_at" }
local NOT_FOUND = "There is no such organization, or the user is no member of it."
local IN_CHARGE = "The member is the owner or the last admin."
local slug = organizations.slug_param

local function list(req)
    local query = req.query
    local where = conditions.new("organization_id = ?", req.organization.id)
    where:add("is_active = ?", query.is_active):filter("role = ?", query.role)
    return 200, view.list(req, members.item, where, LAST_JOINED_FIRST)
end

local function find(req)
    return memberships.find(req.organization.id, req.params.user_id) or fail.not_found()
end

local function change(req)
    return 200, db.transaction(function(tx)
        local member = find(req)
        memberships.change_role(tx, req.organization, member, req.body.role)
        return view.object(members.item, "m.id = ?", member.id)
    end)
end

local function remove(req)
    return db.transaction(function(tx)
        memberships.remove(tx, req.organization, find(req), req.now)
        return 204
    end)
end

return {
    name = "members",
    summary = "The members of an organization.",
    GET "/api/v2/organizations/{slug}/members/" {
        summary = "List members",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "member.list",
        params = { slug = slug },
        query = {
            role = doc("Filter by role.", optional(one_of(roles.ALL))),
            is_active = doc("false: those who left.", boolean { default = true }),
            page = view.paging.page,
            page_size = view.paging.page_size,
        },
        returns = { [200] = "MemberPage" },
        errors = { [404] = "There is no such organization or page." },
        run = list,
    },
    PATCH "/api/v2/organizations/{slug}/members/{user_id}/" {
        summary = "Update a member's role",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "member.change",
        params = { slug = slug, user_id = id },
        body = { role = one_of(roles.ALL) },
        returns = { [200] = "Member" },
        errors = { [404] = NOT_FOUND, [409] = IN_CHARGE },
        run = change,
    },
    DELETE "/api/v2/organizations/{slug}/members/{user_id}/" {
        summary = "Remove a member",
        description = "Access ends at once. The membership is kept as an inactive one.",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "member.remove",
        params = { slug = slug, user_id = id },
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND, [409] = IN_CHARGE },
        run = remove,
    },
}
