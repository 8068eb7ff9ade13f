-- SPDX-License-Identifier: Apache-2.0
local organizations = require "rules.organizations"
local permissions = require "rules.permissions"
local roles = require "rules.roles"

local function as(role)
    return { organization = role and { role = role } }
end

-- What each role may do beyond the one before.
local MAY = {
    employee = { "organization.see", "member.list", "project.list" },
    manager = {
        "member.invite", "task.list", "task.assign", "dashboard.see", "employee.see", "analytics.see",
        "analytics.export",
    },
    admin = { "organization.change", "member.change", "member.remove", "webhook.manage" },
}

describe("permissions in an organization", function()
    for i, needed in ipairs(roles.ALL) do
        for _, rule in ipairs(MAY[needed]) do
            it(rule .. " takes " .. needed, function()
                for k, role in ipairs(roles.ALL) do
                    assert.equal(k >= i, (permissions[rule]({ id = 1 }, as(role))), role)
                end
                assert.is_false((permissions[rule]({ id = 1 }, as(nil))))
                assert.is_false((permissions[rule]({ id = 1 }, as "owner")))
                assert.is_string(select(2, permissions[rule]({ id = 1 }, as "nobody")))
            end)
        end
    end

    it("has no rule that is not listed here", function()
        local known = { ["api_key.manage"] = true }
        for _, list in pairs(MAY) do
            for _, rule in ipairs(list) do
                known[rule] = true
            end
        end
        for rule in pairs(permissions) do
            assert.is_true(known[rule], rule)
        end
    end)
end)

describe("inviting", function()
    it("is for managers and admins, and never for somebody above oneself (FF-43)", function()
        local found = {}
        for _, role in ipairs(roles.ALL) do
            for _, invited in ipairs(roles.ALL) do
                if roles.may_invite(role, invited) then
                    found[#found + 1] = role .. " " .. invited
                end
            end
        end
        assert.same({ "manager employee", "manager manager", "admin employee", "admin manager", "admin admin" }, found)
        assert.is_false(roles.may_invite(nil, "employee"))
    end)
end)

describe("slugs", function()
    it("are words between single hyphens, at most 50 characters", function()
        for _, good in ipairs { "a", "acme", "acme-startup-2", ("a"):rep(50), "0" } do
            assert.is_true(organizations.is_slug(good), good)
        end
        for _, bad in ipairs { "", "-", "-a", "a-", "a--b", "A", "a b", "a_b", "ü", ("a"):rep(51), "a\n" } do
            assert.is_false(organizations.is_slug(bad), bad)
        end
    end)

    it("are made from names, and are slugs then", function()
        assert.equal("acme-startup", organizations.slug_of "Acme Startup")
        assert.equal("r-d", organizations.slug_of "  R & D!")
        assert.is_nil(organizations.slug_of "日本")
        assert.is_nil(organizations.slug_of "--")
        for _, name in ipairs { ("ab "):rep(33), ("x"):rep(49) .. " yz", "Café Ångström" } do
            assert.is_true(organizations.is_slug(organizations.slug_of(name)), name)
        end
    end)
end)
