-- SPDX-License-Identifier: Apache-2.0
--
-- Teams and who is in them (PF-12).
local changes = require "changes"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local references = require "references"
local values = require "values"
local views = require "views"

local function list_teams(req)
    local organization = req.query.organization_id
    local where = conditions.new("organization = ?", req.user.organization):filter("status = ?", req.query.status)
    if organization and organization ~= req.user.organization_id then
        where:add "1 = 0"
    end
    return lists.list(req, views.team, where)
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
    GET "/v1/teams" {
        summary = "List teams",
        who = "member",
        limit = "key",
        can = "team.read",
        query = lists.query { organization_id = "Organization identifier", status = "Team status" },
        returns = { [200] = "TeamPage" },
        run = list_teams,
    },
    POST "/v1/teams" {
        summary = "Create a team",
        who = "member",
        limit = "key",
        can = "team.manage",
        body = {
            name = text { 1, 255, example = "Team Name" },
            description = values.description,
            status = values.state "active",
        },
        returns = { [201] = "Team" },
        run = function(req)
            local body = req.body
            return changes.create(req, "team", {
                name = body.name,
                description = body.description,
                status = body.status,
                updated_at = req.now,
            })
        end,
    },
    POST "/v1/teams/{id}/members" {
        summary = "Add a user to a team",
        who = "member",
        limit = "key",
        can = "team.manage",
        params = { id = ids.type "team_7QhT2vYxN4mKpR8sWc3f" },
        body = { user_id = ids.type "user_7QhT2vYxN4mKpR8sWc3f" },
        check = references.check,
        returns = { [204] = "none" },
        errors = { [404] = "The organization has no such team." },
        run = add_member,
    },
}
