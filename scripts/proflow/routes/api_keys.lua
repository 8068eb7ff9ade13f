-- SPDX-License-Identifier: Apache-2.0
--
-- API keys (PF-1). Everybody manages keys of their own; admins all of the organization (PF-13).
local accounts = require "accounts"
local ids = require "ids"
local passwords = require "lib.passwords"
local resource = require "resource"
local rules = require "rules.permissions"
local views = require "views"

local KEY = { name = "api_key", many = "API keys", model = "ApiKey", path = "/v1/api-keys" }
local BY_EMAIL = "SELECT seq, organization, password_hash FROM users WHERE email_key = ? AND status = 'active'"

local function manages_all(member)
    return (rules["api_key.write_all"](member))
end

-- Without a key: whose e-mail and password these are.
local function log_in(body)
    if not (body.email or body.password) then
        fail.unauthorized "An API key, or e-mail and password, are needed."
    elseif not (body.email and body.password) then
        local field = body.email and "password" or "email"
        fail.validation { [field] = "This field is required." }
    end
    local user = passwords.verified(db.one(BY_EMAIL, body.email:lower()), body.password)
    return user.organization, user.seq
end

local function create(req)
    local organization, user
    if req.user then
        organization, user = req.user.organization, req.user.id
    else
        organization, user = log_in(req.body)
    end
    return 201, db.transaction(function(tx)
        return accounts.key(tx, organization, user, req.body.name or accounts.KEY_NAME, req.now)
    end)
end

local function revoke(req)
    return db.transaction(function(tx)
        local seq = views.find("api_key", req.user, req.params.id)
        if db.value("SELECT user FROM api_keys WHERE seq = ?", seq) ~= req.user.id and not manages_all(req.user) then
            fail.forbidden "The key is another user's."
        end
        tx.run("DELETE FROM api_keys WHERE seq = ?", seq)
        auth.revoke()
        return 204
    end)
end

return {
    name = "api_keys",
    summary = "API keys.",
    resource.route(POST, KEY.path, nil, {
        summary = "Create an API key",
        description = "For the user of the key that comes with the request, else of e-mail and password.",
        guests = true,
        body = {
            name = optional(accounts.key_name),
            email = optional(passwords.login.email),
            password = optional(passwords.login.password),
        },
        returns = { [201] = "NewApiKey" },
        errors = { [401] = "The key is no good, e-mail or password are wrong, or there is neither." },
        secret = true,
        run = create,
    }),
    resource.list(KEY, {}, nil, function(where, member)
        if not manages_all(member) then
            where:add("user = ?", member.id)
        end
    end),
    resource.route(DELETE, KEY.path .. "/{id}", "api_key.write", {
        summary = "Revoke an API key",
        params = { id = ids.type "key_7QhT2vYxN4mKpR8sWc3f" },
        returns = { [204] = "none" },
        errors = { [403] = "The key is another user's.", [404] = "The organization has no such key." },
        run = revoke,
    }),
}
