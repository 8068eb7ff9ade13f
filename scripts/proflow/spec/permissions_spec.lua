-- SPDX-License-Identifier: Apache-2.0
local rules = require "rules.permissions"

local ROLES = { "viewer", "developer", "manager", "admin" }

-- "project.write" → the roles that may, in the order above.
local function who_may(what)
    local found = {}
    for _, role in ipairs(ROLES) do
        if rules[what] { role = role } then
            found[#found + 1] = role
        end
    end
    return table.concat(found, " ")
end

describe("roles (PF-13)", function()
    it("viewers only read, and manage keys of their own", function()
        local may = {}
        for what, rule in pairs(rules) do
            if rule { role = "viewer" } then
                may[#may + 1] = what
            end
        end
        table.sort(may)
        assert.same({
            "api_key.read", "api_key.write", "project.read", "task.read", "team.read", "time_entry.read", "user.read",
        }, may)
    end)

    it("developers and managers work", function()
        for _, what in ipairs { "project.write", "task.write", "task.delete", "time_entry.write" } do
            assert.equal("developer manager admin", who_may(what))
        end
    end)

    it("managers record time for others", function()
        assert.equal("manager admin", who_may "time_entry.write_for_others")
    end)

    it("admins do the rest", function()
        for _, what in ipairs {
            "project.delete", "team.write", "user.write", "webhook.manage", "api_key.write_all",
        } do
            assert.equal("admin", who_may(what))
        end
    end)

    it("a refusal says what is needed", function()
        local allowed, why = rules["time_entry.write_for_others"] { role = "developer" }
        assert.is_false(allowed)
        assert.equal("This takes the role manager or admin.", why)
    end)

    it("a role that does not exist may nothing", function()
        for _, rule in pairs(rules) do
            assert.is_false((rule { role = "owner" }))
        end
    end)
end)
