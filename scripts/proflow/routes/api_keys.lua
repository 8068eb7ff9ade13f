-- SPDX-License-Identifier: Apache-2.0
--
-- API keys (PF-1). Everybody manages keys of their own; admins all of the organization (PF-13).
local accounts = require "accounts"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local passwords = require "lib.passwords"
local rules = require "rules.permissions"
local views = require "views"

local BY_EMAIL = "SELECT seq, organization, password_hash FROM users WHERE email_key = ? AND status = 'active'"

local function manages_all(member)
    return (rules["api_key.manage_all"](member))
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

local function list_keys(req)
    local where = conditions.new("organization = ?", req.user.organization)
    if not manages_all(req.user) then
        where:add("user = ?", req.user.id)
    end
    return lists.list(req, views.api_key, where)
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
    POST "/v1/api-keys" {
        summary = "Create an API key",
        description = "For the user of the key that comes with the request, else of e-mail and password.",
        who = "member",
        guests = true,
        limit = "key",
        body = {
            name = optional(accounts.key_name),
            email = optional(passwords.login.email),
            password = optional(passwords.login.password),
        },
        returns = { [201] = "NewApiKey" },
        errors = { [401] = "The key is no good, e-mail or password are wrong, or there is neither." },
        secret = true,
        run = create,
    },
    GET "/v1/api-keys" {
        summary = "List API keys",
        description = "Without the keys themselves. An admin sees those of the whole organization.",
        who = "member",
        limit = "key",
        can = "api_key.manage_own",
        query = lists.query {},
        returns = { [200] = "ApiKeyPage" },
        run = list_keys,
    },
    DELETE "/v1/api-keys/{id}" {
        summary = "Revoke an API key",
        who = "member",
        limit = "key",
        can = "api_key.manage_own",
        params = { id = ids.type "key_7QhT2vYxN4mKpR8sWc3f" },
        returns = { [204] = "none" },
        errors = { [403] = "The key is another user's.", [404] = "The organization has no such key." },
        run = revoke,
    },
}
