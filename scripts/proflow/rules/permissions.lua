-- SPDX-License-Identifier: Apache-2.0
--
-- Who may do what (PF-13): the rules that routes name with `can`. A refusal is 403. What belongs to another
-- organization is not refused but unknown (404): there the queries carry the organization.
local EVERYBODY = { "viewer", "developer", "manager", "admin" }
local WORKERS = { "developer", "manager", "admin" }
local MANAGERS = { "manager", "admin" }
local ADMINS = { "admin" }

local MAY = {
    ["project.read"] = EVERYBODY,
    ["project.write"] = WORKERS,
    ["project.delete"] = ADMINS,
    ["task.read"] = EVERYBODY,
    ["task.write"] = WORKERS,
    ["task.delete"] = WORKERS,
    ["time_entry.read"] = EVERYBODY,
    ["time_entry.write"] = WORKERS,
    ["time_entry.write_for_others"] = MANAGERS,
    ["team.read"] = EVERYBODY,
    ["team.write"] = ADMINS,
    ["user.read"] = EVERYBODY,
    ["user.write"] = ADMINS,
    ["webhook.manage"] = ADMINS,
    ["oauth_client.manage"] = ADMINS,
    ["api_key.read"] = EVERYBODY,         -- their own
    ["api_key.write"] = EVERYBODY,
    ["api_key.write_all"] = ADMINS,
}

local rules = {}
for what, roles in pairs(MAY) do
    local allowed = {}
    for _, role in ipairs(roles) do
        allowed[role] = true
    end
    local refusal = "This takes the role " .. table.concat(roles, " or ") .. "."
    rules[what] = function(member)
        return allowed[member.role] == true, refusal
    end
end

return rules
