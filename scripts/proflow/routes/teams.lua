-- SPDX-License-Identifier: Apache-2.0
--
-- Teams and who is in them (PF-12).
local ids = require "ids"
local references = require "references"
local resource = require "resource"
local values = require "values"
local views = require "views"

local TEAM = {
    name = "team",
    many = "teams",
    model = "Team",
    path = "/v1/teams",
    example = "team_7QhT2vYxN4mKpR8sWc3f",
}

-- Another organization's teams are none.
local function of_organization(where, id, member)
    if id ~= member.organization_id then
        where:add "1 = 0"
    end
end

local MEMBER = [[
INSERT INTO team_members (team_id, user) SELECT ?, seq FROM users WHERE id = ? ON CONFLICT DO NOTHING]]

-- Who is in the team already stays.
local function add_member(req)
    return db.transaction(function(tx)
        views.find("team", req.user, req.params.id)
        references.require(req)
        tx.run(MEMBER, req.params.id, req.body.user_id)
        return 204
    end)
end

return {
    name = "teams",
    summary = "Teams of an organization.",
    resource.list(TEAM, { organization_id = "Organization identifier", status = "Team status" }, {
        organization_id = of_organization,
    }),
    resource.create(TEAM, {
        name = text { 1, 255, example = "Team Name" },
        description = values.description,
        status = values.state "active",
    }),
    resource.route(POST, TEAM.path .. "/{id}/members", "team.write", {
        summary = "Add a user to a team",
        params = { id = ids.type(TEAM.example) },
        body = { user_id = ids.type "user_7QhT2vYxN4mKpR8sWc3f" },
        check = references.check,
        returns = { [204] = "none" },
        errors = { [404] = "The organization has no such team." },
        run = add_member,
    }),
}
