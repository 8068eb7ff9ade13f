-- SPDX-License-Identifier: Apache-2.0
--
-- Registering: an organization, its first admin and a key (PF-1).
local accounts = require "accounts"
local views = require "views"

local function register(req)
    local new = req.body
    new.password_hash = password.hash(new.password)
    new.role = "admin"
    local name = new.organization_name or new.name .. "'s organization"
    return 201, db.transaction(function(tx)
        local organization, id = accounts.organization(tx, name, req.now)
        local user = accounts.user(tx, organization, new, req.now)
        return {
            user = views.object("user", user),
            organization = { id = id, name = name },
            api_key = accounts.key(tx, organization, user, accounts.KEY_NAME, req.now).api_key,
        }
    end)
end

return {
    name = "auth",
    summary = "Registering.",
    POST "/v1/auth/register" {
        summary = "Register an organization",
        description = "With its first user, an admin, and that user's first API key, which is shown this once.",
        who = "anyone",
        limit = "address",
        body = {
            name = accounts.name,
            email = accounts.email,
            password = accounts.password,
            organization_name = doc("After the user when left out.", optional(text { 1, 255, example = "Acme" })),
        },
        returns = { [201] = "Registered" },
        errors = { [409] = "The e-mail is already registered." },
        secret = true,
        run = register,
    },
}
