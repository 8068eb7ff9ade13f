-- SPDX-License-Identifier: Apache-2.0
--
-- Who may do what: the rules that routes name with `can`. A refusal is 403. What belongs to another user is not refused
-- but unknown (404, FF-15): there the queries carry the user's id.
local roles = require "rules.roles"

-- What may be done in an organization → the lowest role that may. Who has no role in it is refused everything.
local ORGANIZATION = {
    ["organization.see"] = "employee",
    ["organization.change"] = "admin",
    ["member.list"] = "employee",
    ["member.invite"] = "manager",         -- for which roles: rules/roles.lua
    ["member.change"] = "admin",
    ["member.remove"] = "admin",
    ["project.list"] = "employee",
    ["task.list"] = "manager",
    ["task.assign"] = "manager",
    ["dashboard.see"] = "manager",         -- activity feed, overview
    ["employee.see"] = "manager",
    ["analytics.see"] = "manager",         -- team and project figures
    ["analytics.export"] = "manager",
    ["webhook.manage"] = "admin",
}

local rules = {
    -- A key that leaked must not be able to make itself successors that outlive its revocation.
    ["api_key.manage"] = function(user)
        if user.login then
            return true
        end
        return false, "API keys are managed with an access token, not with an API key."
    end,
}

for what, needed in pairs(ORGANIZATION) do
    rules[what] = function(_, req)
        if roles.at_least(req.organization and req.organization.role, needed) then
            return true
        end
        return false, "This takes the role " .. needed .. " in the organization."
    end
end

return rules
