-- SPDX-License-Identifier: Apache-2.0
--
-- An app with users, keys and little else but the OAuth of lib/oauth. Its tables are in tests/support/db/door.
local new_oauth = require "lib.oauth"

local USER = [[SELECT id, tenant_id, email, admin AS "admin:bool" FROM users WHERE ]]
local FOREVER = 3600

local function find(id)
    return db.one(USER .. "id = ?", id)
end

local function by_key(key)
    return db.one(USER .. "key_hash = ?", crypto.sha256(key))
end

local function login(email, given)
    local row = db.one("SELECT id, password_hash FROM users WHERE email = ?", email)
    return password.verify(given, row and row.password_hash) and find(row.id) or nil
end

local plain

-- Whoever may pass with this, by a key or an access token: lib/oauth itself must not let the latter grant anything.
local function bearer(value)
    local token = plain.authenticate(value, time.now())
    return token and token.user or by_key(value)
end

local function settings(more)
    more.title, more.login, more.key, more.find, more.can = "Door & Sons", login, bearer, find, "clients.manage"
    more.limits = { token = "token" }
    return more
end

plain = new_oauth(settings { prefix = "/door/oauth", rights = "Open the doors that you can open." })

local gated = new_oauth(settings { prefix = "/door/gated/oauth", name = "gated", issuer = "/door/gated",
    scopes = { { "look", "See which doors are open." }, { "open", "Open doors." } } })

-- Whoever a key or an access token stands for, with what the token may do.
local function user(value)
    local token = plain.is_token(value) and plain.authenticate(value, time.now())
    local who = token and token.user or by_key(value)
    if not who then
        return nil, "unauthorized", "Nobody is known by this."
    end
    return { id = who.id, tenant_id = who.tenant_id, email = who.email, admin = who.admin,
        look = token and token.scopes.look, open = token and token.scopes.open,
        client_id = token and token.client_id }, token and token.expires_at or time.now() + FOREVER
end

local function register(req)
    local hash, key = password.hash(req.body.password), "key_" .. crypto.random(32)
    return 201, db.transaction(function(tx)
        local id = tx.insert("users", { tenant_id = req.body.tenant_id, email = req.body.email, password_hash = hash,
            key_hash = crypto.sha256(key), admin = req.body.admin })
        return { id = id, key = key }
    end)
end

return {
    name = "door", title = "Door", prefixes = { "/door" },
    codes = { [400] = "bad_request", [401] = "unauthorized", [403] = "forbidden", [404] = "not_found",
        [405] = "method_not_allowed", [429] = "rate_limit_exceeded" },
    envelope = function(e) return { error = { code = e.code, message = e.message, details = e.details } } end,
    principals = { user = user },
    rules = { ["clients.manage"] = function(who) return who.admin end },
    limits = { token = { count = 1000, seconds = 3600, per = "address" } },
    units = {
        plain.unit, gated.unit,
        {
            name = "door", summary = "Users.",
            POST "/door/users" {
                summary = "Register", who = "anyone", returns = { [201] = any },
                body = { tenant_id = id, email = text, password = text { trim = false },
                    admin = boolean { default = false } },
                run = register,
            },
            DELETE "/door/users/{id}" {
                summary = "Remove", who = "anyone", params = { id = id }, returns = { [204] = "none" },
                run = function(req)
                    db.transaction(function(tx)
                        plain.revoke_user(tx, req.params.id, req.now)
                        tx.run("DELETE FROM users WHERE id = ?", req.params.id)
                    end)
                    return 204
                end,
            },
            GET "/door/me" {
                summary = "Who am I", who = "user",
                returns = { [200] = object { { "id", id }, { "email", text }, { "client_id", omit(text) },
                    { "look", omit(boolean) }, { "open", omit(boolean) } } },
                run = function(req)
                    return 200, { id = req.user.id, email = req.user.email, client_id = req.user.client_id,
                        look = req.user.look, open = req.user.open }
                end,
            },
            GET "/door/clients" {
                summary = "My applications", who = "user", can = "clients.manage", returns = { [200] = any },
                run = function(req) return 200, (plain.clients(req.user.tenant_id)) end,
            },
        },
    },
}
