-- SPDX-License-Identifier: Apache-2.0
--
-- 8.2 and 8.3: invites. The token is kept as a hash; whoever has it can use it only with the invited address (FF-44).
local mails = require "mails"
local memberships = require "memberships"
local organizations = require "organizations"
local roles = require "rules.roles"
local rules = require "rules.organizations"

local INVITE_URL = "https://focusflow.com/invite/"
local TOKEN_LENGTH = 40

local MEMBER = [[
SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organization_id = ? AND u.email_key = ? AND m.is_active = 1]]
local PENDING = "organization_id = ? AND email_key = ? AND accepted_at IS NULL AND replaced_at IS NULL"
local BY_TOKEN = [[
SELECT i.id, i.email_key, i.role, i.expires_at, i.accepted_at, i.replaced_at, o.id AS "organization.id",
       o.name AS "organization.name", o.slug AS "organization.slug"
  FROM invites i JOIN organizations o ON o.id = i.organization_id WHERE i.token_hash = ?]]

-- The rule on who may invite whom needs the body, so it is asked here, after the one of the route (FF-43).
local function check(req)
    local role = req.body.role
    if role and not roles.may_invite(req.organization.role, role) then
        fail.forbidden("Only an admin may invite somebody as " .. role .. ".")
    end
end

local function send_mail(req, row, url)
    local sent, problem = mail.send(mails.invite {
        email = row.email,
        organization = req.organization.name,
        invited_by = req.user.username,
        role = row.role,
        message = row.message,
        url = url,
        expires_at = time.iso(row.expires_at),
    })
    if not sent then
        fail.validation { email = problem }
    end
end

local function invite(req)
    local body, organization = req.body, req.organization
    local token, key = crypto.random(TOKEN_LENGTH), body.email:lower()
    local row = {
        organization_id = organization.id,
        email = body.email,
        email_key = key,
        role = body.role,
        message = body.message,
        token_hash = crypto.sha256(token),
        invited_by = req.user.id,
        created_at = req.now,
        expires_at = req.now + rules.INVITE_SECONDS,
    }
    return 201, db.transaction(function(tx)
        if db.value(MEMBER, organization.id, key) then
            fail.conflict "This address already belongs to a member."
        end
        tx.update("invites", { replaced_at = req.now }, PENDING, organization.id, key)
        send_mail(req, row, INVITE_URL .. token)
        return {
            id = tx.insert("invites", row),
            email = row.email,
            role = row.role,
            invite_token = token,
            invite_url = INVITE_URL .. token,
            expires_at = row.expires_at,
            created_at = row.created_at,
        }
    end)
end

-- The invite of a token that this user may use now.
local function find(req)
    local found = db.one(BY_TOKEN, crypto.sha256(req.body.token)) or fail.not_found "There is no such invite."
    if db.value("SELECT email_key FROM users WHERE id = ?", req.user.id) ~= found.email_key then
        fail.forbidden "The invite is for another e-mail address."
    elseif found.accepted_at or found.replaced_at then
        fail.conflict(found.accepted_at and "The invite has been used." or "A newer invite has replaced this one.")
    elseif found.expires_at <= req.now then
        fail.validation { token = "The invite has expired." }
    elseif memberships.find(found.organization.id, req.user.id) then
        fail.conflict "You are already a member of this organization."
    end
    return found
end

local function accept(req)
    return 200, db.transaction(function(tx)
        local found = find(req)
        tx.update("invites", { accepted_at = req.now }, "id = ?", found.id)
        memberships.join(tx, found.organization.id, req.user.id, found.role, req.now)
        return {
            message = "Successfully joined " .. found.organization.name,
            organization = found.organization,
            membership = { role = found.role },
        }
    end)
end

return {
    name = "invites",
    summary = "Inviting people into an organization.",
    POST "/api/v2/organizations/{slug}/invites/" {
        summary = "Invite a member",
        description = "Sends a mail with the link. A pending invite for the same address is replaced.",
        who = "user",
        within = "organization",
        limit = "organization",
        can = "member.invite",
        params = { slug = organizations.slug_param },
        body = {
            email = email { max = 254, example = "newuser@acme.com" },
            role = one_of { "employee", "manager", "admin", default = "employee" },
            message = text { 0, 1000, default = "", example = "Welcome to the team!" },
        },
        check = check,
        returns = { [201] = "Invite" },
        errors = {
            [403] = "The user is no manager or admin, or invites somebody above the own role.",
            [404] = "There is no such organization.",
            [409] = "The address belongs to a member.",
        },
        secret = true,
        run = invite,
    },
    POST "/api/v2/invites/accept/" {
        summary = "Accept an invite",
        who = "user",
        limit = "organization",
        body = { token = text { 1, 200, example = "a7b8c9d0e1f2" } },
        returns = { [200] = "Joined" },
        errors = {
            [400] = "The invite has expired.",
            [403] = "The invite is for another e-mail address.",
            [404] = "There is no such invite.",
            [409] = "The invite has been used or replaced, or the user is a member already.",
        },
        run = accept,
    },
}
