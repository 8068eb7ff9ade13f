-- SPDX-License-Identifier: Apache-2.0
--
-- Who belongs to an organization, and as what. A membership that ends stays as an inactive row (FF-41). Principals know
-- the organization that new work goes to by itself, so every change here makes them be looked up again.
local memberships = {}

local ACTIVE = [[
SELECT m.id, m.user_id, m.role, m.organization_id FROM memberships m
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

local function changed(tx, user_id)
    tx.run(USER_TYPE, user_id)   -- FF-9
    auth.revoke()
end

--- Makes the user a member, again if need be.
function memberships.join(tx, organization_id, user_id, role, now)
    local values = { role = role, is_active = true, joined_at = now, left_at = null }
    if tx.update("memberships", values, "organization_id = ? AND user_id = ?", organization_id, user_id) == 0 then
        values.organization_id, values.user_id, values.left_at = organization_id, user_id, nil
        tx.insert("memberships", values)
    end
    changed(tx, user_id)
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
        changed(tx, member.user_id)
    end
end

function memberships.remove(tx, organization, member, now)
    keep_in_charge(organization, member)
    tx.update("memberships", { is_active = false, left_at = now }, "id = ?", member.id)
    changed(tx, member.user_id)
end

return memberships
