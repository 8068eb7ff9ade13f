-- SPDX-License-Identifier: Apache-2.0
--
-- OAuth 2.0 for an app (docs/OAUTH.md): RFC 6749 with PKCE (7636), revocation (7009) and metadata (8414). Neither users
-- nor rules are known here: the app says how to log in and who a user is.
--
--   local oauth = require "lib.oauth" {
--       prefix = "/v1/oauth",      -- of the endpoints
--       name = "oauth",            -- of the unit
--       issuer = "/v1",            -- the path of the issuer; default: the prefix without its last segment
--       title = "Example",         -- what a person knows the app by
--       rights = "See and change your projects.",      -- what a client may do, when there are no scopes
--       scopes = { { "read", "See your projects." }, … },           -- optional
--       who = "user", can = "oauth.manage",            -- of the routes that manage clients
--       limits = { authorize =, token =, clients = },  -- names of the app's limits, each optional
--       login = function(email, password) → user | nil,             -- may wait
--       key = function(key) → user | nil,              -- optional: of the app's own keys, which need no page
--       find = function(id) → user | nil,              -- whoever may still act
--       caller = function(req) → user,                 -- of a request to manage clients; default: req.user
--       plain_http = false,        -- whether redirects may go to http on other hosts
--   }
--
-- A user is { id =, tenant_id = }, integers; users act for clients of their own tenant only. What is returned has
-- `unit` for the manifest, `authenticate(token, now)` for the app's principals, `is_token(text)`, `clients(tenant_id)`,
-- and for transactions `revoke_user(tx, user_id, now)`.
--
-- The tables belong to the app; its migration creates them:
--
--   oauth_clients  id, client_id UNIQUE, secret_hash (NULL: public), name, redirect_uris (JSON), owner_id, tenant_id,
--                  created_at
--   oauth_grants   id, client_id → oauth_clients ON DELETE CASCADE, user_id, scope, created_at, expires_at, revoked_at
--   oauth_codes    id, code_hash UNIQUE, grant_id → oauth_grants ON DELETE CASCADE, redirect_uri, challenge, method,
--                  expires_at, used_at
--   oauth_tokens   id, token_hash UNIQUE, grant_id → oauth_grants ON DELETE CASCADE, kind, scope, created_at,
--                  expires_at, used_at
local answers = require "lib.oauth.answers"
local authorize = require "lib.oauth.authorize"
local clients = require "lib.oauth.clients"
local grants = require "lib.oauth.grants"
local pkce = require "lib.oauth.pkce"
local scopes = require "lib.oauth.scopes"
local token = require "lib.oauth.token"
local uris = require "lib.oauth.uris"

local ANY = optional(text { trim = false, max = 4000 })     -- what is missing or wrong is said in the RFC's words
local NAMED = text { 1, 100, example = "Report builder" }
local URIS = list(text { 1, uris.LONGEST, example = "https://app.example.com/callback" }, { min = 1, max = 20 })
local METHOD = one_of(clients.METHODS)
local CLIENT = object {
    { "client_id", text }, { "client_secret", omit(doc("Shown once. Public clients have none.", text)) },
    { "name", NAMED }, { "redirect_uris", URIS }, { "token_endpoint_auth_method", METHOD }, { "created_at", datetime },
}
local TOKENS = object {
    { "access_token", text }, { "token_type", text { example = "Bearer" } }, { "expires_in", integer },
    { "refresh_token", omit(text) }, { "scope", omit(text) },
}
local REQUEST = {
    response_type = ANY, client_id = ANY, redirect_uri = ANY, scope = ANY, state = ANY, code_challenge = ANY,
    code_challenge_method = ANY, response_mode = ANY,
}
local NOTHING = map(any)        -- {}: some clients read the answer to a revocation as JSON
local METADATA = "/.well-known/oauth-authorization-server"

local function with(fields, more)
    local out = {}
    for _, from in ipairs { fields, more } do
        for name, value in pairs(from) do
            out[name] = value
        end
    end
    return out
end

local function metadata(config, origin)
    local names = {}
    for i, scope in ipairs(config.scopes) do
        names[i] = scope[1]
    end
    local base = origin .. config.prefix
    return {
        issuer = origin .. config.issuer, authorization_endpoint = base .. "/authorize",
        token_endpoint = base .. "/token", revocation_endpoint = base .. "/revoke",
        response_types_supported = { "code" }, response_modes_supported = { "query" },
        grant_types_supported = { "authorization_code", "client_credentials", "refresh_token" },
        token_endpoint_auth_methods_supported = clients.METHODS,
        revocation_endpoint_auth_methods_supported = clients.METHODS,
        code_challenge_methods_supported = pkce.METHODS, authorization_response_iss_parameter_supported = true,
        scopes_supported = names[1] and names or nil,
    }
end

local function client_routes(config)
    return POST(config.prefix .. "/clients") {
        summary = "Register an application", who = config.who, can = config.can, limit = config.limits.clients,
        body = {
            name = NAMED, redirect_uris = URIS,
            token_endpoint_auth_method = one_of(with(clients.METHODS, { default = clients.METHODS[1] })),
        },
        check = function(req) return clients.check(req.body, config.plain_http) end,
        returns = { [201] = CLIENT }, secret = true,
        run = function(req) return 201, clients.create(req.body, config.caller(req), req.now) end,
    }, DELETE(config.prefix .. "/clients/{client_id}") {
        summary = "Remove an application, and all that it was granted", who = config.who, can = config.can,
        limit = config.limits.clients, params = { client_id = text { 1, 100 } }, returns = { [204] = "none" },
        run = function(req)
            if not clients.delete(req.params.client_id, config.caller(req).tenant_id) then
                fail.not_found()
            end
            return 204
        end,
    }
end

local function authorize_routes(config)
    local returns = { [200] = "html", [302] = "none", [400] = "html", [401] = "html", [403] = "html" }
    return GET(config.prefix .. "/authorize") {
        summary = "Ask for a code: a page to log in and allow it, or with a key a redirect at once", who = "anyone",
        limit = config.limits.authorize, query = REQUEST, envelope = answers.envelope, invalid = 400, returns = returns,
        secret = true,
        run = function(req) return authorize.show(config, req) end,
    }, POST(config.prefix .. "/authorize") {
        summary = "What the page sends: log in and allow it", who = "anyone", limit = config.limits.authorize,
        form = true, body = with(REQUEST, { email = ANY, password = ANY, decision = ANY, csrf = ANY }),
        envelope = answers.envelope, invalid = 400, returns = returns, secret = true,
        run = function(req) return authorize.submit(config, req) end,
    }
end

local function token_routes(config)
    local authentication = { client_id = ANY, client_secret = ANY }
    return POST(config.prefix .. "/token") {
        summary = "Get tokens for a code, a refresh token or the client itself", who = "anyone", form = true,
        limit = config.limits.token, secret = true, envelope = answers.envelope, invalid = 400,
        body = with(authentication, {
            grant_type = ANY, code = ANY, redirect_uri = ANY, code_verifier = ANY, refresh_token = ANY, scope = ANY,
        }),
        returns = { [200] = TOKENS, [400] = answers.ERROR, [401] = answers.ERROR },
        run = function(req) return token.exchange(config, req) end,
    }, POST(config.prefix .. "/revoke") {
        summary = "Revoke a token; a refresh token with all that came of its grant", who = "anyone", form = true,
        limit = config.limits.token, secret = true, envelope = answers.envelope, invalid = 400,
        body = with(authentication, { token = ANY, token_type_hint = ANY }),
        returns = { [200] = NOTHING, [400] = answers.ERROR, [401] = answers.ERROR },
        run = token.revoke,
    }, GET(METADATA .. config.issuer) {
        summary = "What this authorization server can do", who = "anyone", returns = { [200] = any },
        run = function(req) return 200, metadata(config, req.origin) end,
    }
end

local DEFAULTS = {
    name = "oauth", scopes = {}, limits = {}, who = "user", rights = "Do what you can do there.",
    caller = function(req) return req.user end,
}

--- The OAuth part of an app.
return function(settings)
    local config = with(DEFAULTS, settings)
    config.issuer = config.issuer or config.prefix:match "^(.*)/[^/]+$"
    local unit = { name = config.name, summary = "OAuth 2.0: applications that act for users, and for themselves." }
    for _, routes in ipairs { client_routes, authorize_routes, token_routes } do
        for _, route in ipairs { routes(config) } do
            unit[#unit + 1] = route
        end
    end
    local oauth = { unit = unit, is_token = grants.is_access, clients = clients.list, revoke_user = grants.revoke_user }

    --- Who an access token stands for: { user =, client_id =, scopes = set, expires_at =, grant_id = }, or nil.
    function oauth.authenticate(value, now)
        local found = grants.living(value, now)
        local user = found and config.find(found.grant.user_id)
        return user and {
            user = user, client_id = found.client_id, scopes = scopes.set(found.scope), expires_at = found.expires_at,
            grant_id = found.grant.id,
        } or nil
    end

    return oauth
end
