-- SPDX-License-Identifier: Apache-2.0
--
-- Who belongs to an organization, and as what. A membership that ends stays as an inactive row (FF-41). Principals know
-- the organization that new work goes to by itself, so every change here makes them be looked up again.
local roles = require "rules.roles"
local memberships = {}

local RECONNECT = 1012   -- of WebSocket: come again

local ACTIVE = [[
SELECT m.id, m.user_id, u.username, m.role FROM memberships m JOIN users u ON u.id = m.user_id
 WHERE m.organization_id = ? AND m.user_id = ? AND m.is_active = 1]]
local ADMINS = "SELECT COUNT(*) FROM memberships WHERE organization_id = ? AND role = 'admin' AND is_active = 1"
local USER_TYPE = [[
UPDATE users SET user_type = CASE
       WHEN EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = users.id AND m.is_active = 1) THEN 'organization'
       ELSE 'individual' END
 WHERE id = ?]]

--- The active membership of a user, or nil.
function memberships.find(organization_id, user_id)
    return db.one(ACTIVE, organization_id, user_id)
end

-- What sockets hear of an organization is decided when they log in (events.lua). Of a user who may hear more, clients
-- have to connect anew; out of what the user may hear no more, sockets are taken at once.
local function adjust_sockets(organization_id, user_id, before, after)
    local label, managers = "user:" .. user_id, "managers:" .. organization_id
    local heard, hears = roles.at_least(before, "manager"), roles.at_least(after, "manager")
    if hears and not heard then
        events.close(label, RECONNECT, "Your role has changed.")
    elseif heard and not hears then
        events.expel(label, managers)
    end
    if not after then
        events.expel(label, "organization:" .. organization_id)
    end
end

-- A user's role in an organization was `before` and is `after`, nil for none.
local function changed(tx, organization_id, user_id, before, after)
    tx.run(USER_TYPE, user_id)   -- FF-9
    auth.revoke()
    adjust_sockets(organization_id, user_id, before, after)
end

--- Makes the user a member, again if need be.
function memberships.join(tx, organization_id, user_id, role, now)
    local values = { role = role, is_active = true, joined_at = now, left_at = null }
    if tx.update("memberships", values, "organization_id = ? AND user_id = ?", organization_id, user_id) == 0 then
        values.organization_id, values.user_id, values.left_at = organization_id, user_id, nil
        tx.insert("memberships", values)
    end
    changed(tx, organization_id, user_id, nil, role)
end

-- Nobody is left in charge without the owner, and nobody takes an organization from its owner (FF-42).
local function keep_in_charge(organization, member)
    if member.user_id == organization.owner_id then
        fail.conflict "The owner of the organization stays its admin."
    elseif member.role == "admin" and db.value(ADMINS, organization.id) == 1 then
        fail.conflict "The last admin of the organization stays its admin."
    end
end

function memberships.change_role(tx, organization, member, role)
    if role ~= member.role then
        if member.role == "admin" then
            keep_in_charge(organization, member)
        end
        tx.update("memberships", { role = role }, "id = ?", member.id)
        changed(tx, organization.id, member.user_id, member.role, role)
    end
end

function memberships.remove(tx, organization, member, now)
    keep_in_charge(organization, member)
    tx.update("memberships", { is_active = false, left_at = now }, "id = ?", member.id)
    changed(tx, organization.id, member.user_id, member.role, nil)
end

return memberships
