-- SPDX-License-Identifier: Apache-2.0
--
-- The token endpoint (RFC 6749, 3.2) and revocation (RFC 7009). What decides and what changes is one transaction, so of
-- two requests with the same code or refresh token one is first, and the other one is the second use.
local answers = require "lib.oauth.answers"
local clients = require "lib.oauth.clients"
local grants = require "lib.oauth.grants"
local pkce = require "lib.oauth.pkce"
local scopes = require "lib.oauth.scopes"

local refuse = answers.refuse
local NO_STORE = { Pragma = "no-cache" }      -- beside the Cache-Control of `secret` (5.1)

-- A stored code or token that this client may use: nil and an answer otherwise. A second use ends the grant.
local function usable(tx, row, client, now, what)
    if not row or row.grant.client_id ~= client.id then
        return nil, refuse("invalid_grant", "The " .. what .. " is not one of this client's.")
    elseif row.used_at then
        grants.revoke(tx, row.grant.id, now)
        return nil, refuse("invalid_grant", "The " .. what .. " was used before; its grant is revoked.")
    elseif row.grant.revoked_at or row.expires_at <= now then
        return nil, refuse("invalid_grant", "The " .. what .. " has expired or was revoked.")
    end
    return row
end

local function no_user(config, client, user_id)
    local user = config.find(user_id)
    return not user or user.tenant_id ~= client.tenant_id
end

local function exchange_code(config, req, client)
    local body = req.body
    local code, uri = answers.given(body.code), answers.given(body.redirect_uri)
    if not code or not uri then
        return refuse("invalid_request", (code and "redirect_uri" or "code") .. " is required.")
    end
    return db.transaction(function(tx)
        local row, status, value, headers = usable(tx, grants.find_code(code), client, req.now, "code")
        if not row then
            return status, value, headers
        elseif row.redirect_uri ~= uri then
            return refuse("invalid_grant", "redirect_uri is not that of the authorization request.")
        elseif not pkce.fits(row.challenge, row.method, answers.given(body.code_verifier)) then
            return refuse("invalid_grant", "code_verifier does not fit the authorization request.")
        elseif no_user(config, client, row.grant.user_id) then
            return refuse("invalid_grant", "The user's account has ended.")
        end
        grants.use(tx, "code", row.id, req.now)
        return 200, grants.issue(tx, row.grant, row.grant.scope, true, req.now), NO_STORE
    end)
end

local function refresh(config, req, client)
    local value = answers.given(req.body.refresh_token)
    if not value then
        return refuse("invalid_request", "refresh_token is required.")
    end
    return db.transaction(function(tx)
        local found = grants.find_token(value)
        found = found and found.kind == "refresh" and found or nil
        local row, status, answer, headers = usable(tx, found, client, req.now, "refresh token")
        if not row then
            return status, answer, headers
        elseif no_user(config, client, row.grant.user_id) then
            return refuse("invalid_grant", "The user's account has ended.")
        end
        local scope = scopes.granted(config, answers.given(req.body.scope), row.grant.scope)
        if not scope then
            return refuse("invalid_scope", "The scope was not granted.")
        end
        grants.use(tx, "token", row.id, req.now)
        return 200, grants.issue(tx, row.grant, scope, true, req.now), NO_STORE
    end)
end

local function client_credentials(config, req, client)
    if client.public then
        return refuse("unauthorized_client", "A public client cannot act for itself.")
    elseif no_user(config, client, client.owner_id) then
        return refuse("unauthorized_client", "The owner's account has ended.")
    end
    local scope = scopes.granted(config, answers.given(req.body.scope))
    if not scope then
        return refuse("invalid_scope", "There is no such scope.")
    end
    return 200, db.transaction(function(tx)
        local id = grants.create(tx, client, client.owner_id, scope, req.now)
        return grants.issue(tx, { id = id, scope = scope }, scope, false, req.now)
    end), NO_STORE
end

local GRANTS = {
    authorization_code = exchange_code, refresh_token = refresh, client_credentials = client_credentials,
}

local token = {}

function token.exchange(config, req)
    local kind = answers.given(req.body.grant_type)
    if not kind then
        return refuse("invalid_request", "grant_type is required.")
    elseif not GRANTS[kind] then
        return refuse("unsupported_grant_type", "There are authorization_code, client_credentials and refresh_token.")
    end
    local client, code, description = clients.authenticate(req)
    if not client then
        return refuse(code, description)
    end
    return GRANTS[kind](config, req, client)
end

--- 200 whether or not there is such a token; one of another client is refused (RFC 7009, 2.1 and 2.2).
function token.revoke(req)
    local client, code, description = clients.authenticate(req)
    local value = answers.given(req.body.token)
    if not client then
        return refuse(code, description)
    elseif not value then
        return refuse("invalid_request", "token is required.")
    end
    return db.transaction(function(tx)
        local row = grants.find_token(value)
        if row and row.grant.client_id ~= client.id then
            return refuse("invalid_grant", "The token was issued to another client.")
        elseif row and row.kind == "refresh" then
            grants.revoke(tx, row.grant.id, req.now)
        elseif row then
            grants.revoke_token(tx, row.id)
        end
        return 200, {}, NO_STORE
    end)
end

return token
