-- SPDX-License-Identifier: Apache-2.0
--
-- The roles in an organization. Pure.
local roles = {}

-- A role may do everything that the ones before it may (FF-38).
roles.ALL = { "employee", "manager", "admin" }

local rank = {}
for i, role in ipairs(roles.ALL) do
    rank[role] = i
end

--- Whether the role is that one or a higher one. No role, or one that does not exist, is below all.
function roles.at_least(role, needed)
    return (rank[role] or 0) >= rank[needed]
end

--- Whether somebody of the role may invite somebody for a role: nobody above oneself (FF-43).
function roles.may_invite(role, invited)
    return roles.at_least(role, "manager") and roles.at_least(role, invited)
end

return roles
