-- SPDX-License-Identifier: Apache-2.0
--
-- Users of an organization (PF-12). A new one gets a key; who has no password can only use keys.
local accounts = require "accounts"
local resource = require "resource"
local values = require "values"
local view = require "lib.view"
local views = require "views"

local USER = { name = "user", many = "users", model = "User", path = "/v1/users" }
local IN_TEAM = "EXISTS (SELECT 1 FROM team_members m WHERE m.team_id = ? AND m.user = users.seq)"

local function create(req)
    local new = req.body
    new.password_hash = new.password and password.hash(new.password)
    return 201, db.transaction(function(tx)
        local organization = req.user.organization
        local seq = accounts.user(tx, organization, new, req.now)
        local user = view.one(views.user, "t.seq = ?", seq)
        user.api_key = accounts.key(tx, organization, seq, accounts.KEY_NAME, req.now).api_key
        return user
    end)
end

return {
    name = "users",
    summary = "Users of an organization.",
    resource.list(USER, { team_id = "Team identifier", role = "User role", status = "User status" }, {
        team_id = function(where, id) where:add(IN_TEAM, id) end,
    }),
    resource.route(POST, USER.path, "user.write", {
        summary = "Create a user",
        description = "The answer has the user's first API key, which is shown this once.",
        body = {
            name = accounts.name,
            email = accounts.email,
            role = values.role "developer",
            password = optional(accounts.password),
        },
        returns = { [201] = "NewUser" },
        errors = { [409] = "The e-mail is already registered." },
        secret = true,
        run = create,
    }),
}
