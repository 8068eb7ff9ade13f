-- SPDX-License-Identifier: Apache-2.0
--
-- What was granted, and the codes and tokens that stand for it. Only digests are stored: they are of random texts, so
-- whoever reads the database has nothing to present. A grant's end is the end of all of its tokens.
local grants = { CODE_SECONDS = 600, ACCESS_SECONDS = 3600, REFRESH_SECONDS = 30 * 86400 }

local PREFIX = { code = "oac_", access = "oat_", refresh = "ort_" }
local RANDOM = 43       -- letters and digits: 256 bits
local SWEEP = 100       -- of what is over, at most so much is removed with each new grant

local CODE = [[SELECT c.id, c.redirect_uri, c.challenge, c.method, c.expires_at, c.used_at,
        g.id AS "grant.id", g.client_id AS "grant.client_id", g.user_id AS "grant.user_id", g.scope AS "grant.scope",
        g.revoked_at AS "grant.revoked_at"
    FROM oauth_codes c JOIN oauth_grants g ON g.id = c.grant_id WHERE c.code_hash = ?]]
local TOKEN = [[SELECT t.id, t.kind, t.scope, t.expires_at, t.used_at,
        g.id AS "grant.id", g.client_id AS "grant.client_id", g.user_id AS "grant.user_id", g.scope AS "grant.scope",
        g.revoked_at AS "grant.revoked_at", c.client_id
    FROM oauth_tokens t JOIN oauth_grants g ON g.id = t.grant_id JOIN oauth_clients c ON c.id = g.client_id
    WHERE t.token_hash = ?]]

local FORGET = "DELETE FROM oauth_grants WHERE id IN (SELECT id FROM oauth_grants WHERE expires_at < ? LIMIT ?)"

local function make(kind)
    local value = PREFIX[kind] .. crypto.random(RANDOM)
    return value, crypto.sha256(value)
end

--- A new grant's id. `scope` is a text, "" for none.
function grants.create(tx, client, user_id, scope, now)
    tx.run(FORGET, now, SWEEP)
    return tx.insert("oauth_grants", {
        client_id = client.id, user_id = user_id, scope = scope, created_at = now,
        expires_at = now + grants.CODE_SECONDS,
    })
end

--- A code for a request: { redirect_uri =, code_challenge =, code_challenge_method = }.
function grants.code(tx, grant_id, request, now)
    local value, hash = make "code"
    tx.insert("oauth_codes", {
        code_hash = hash, grant_id = grant_id, redirect_uri = request.redirect_uri, challenge = request.code_challenge,
        method = request.code_challenge and (request.code_challenge_method or "plain"),
        expires_at = now + grants.CODE_SECONDS,
    })
    return value
end

function grants.find_code(value)
    return db.one(CODE, crypto.sha256(value))
end

function grants.find_token(value)
    return db.one(TOKEN, crypto.sha256(value))
end

--- Marks a code or refresh token as used.
function grants.use(tx, what, id, now)
    tx.update(what == "code" and "oauth_codes" or "oauth_tokens", { used_at = now }, "id = ?", id)
end

local function insert(tx, kind, grant, scope, seconds, now)
    local value, hash = make(kind)
    tx.insert("oauth_tokens", {
        token_hash = hash, grant_id = grant.id, kind = kind, scope = scope, created_at = now,
        expires_at = now + seconds,
    })
    return value
end

--- The answer of RFC 6749, 5.1. `scope` is that of the access token; the refresh token has all of the grant's.
function grants.issue(tx, grant, scope, with_refresh, now)
    tx.run("DELETE FROM oauth_tokens WHERE grant_id = ? AND expires_at < ?", grant.id, now)
    local seconds = with_refresh and grants.REFRESH_SECONDS or grants.ACCESS_SECONDS
    tx.update("oauth_grants", { expires_at = now + seconds }, "id = ?", grant.id)
    return {
        access_token = insert(tx, "access", grant, scope, grants.ACCESS_SECONDS, now),
        token_type = "Bearer", expires_in = grants.ACCESS_SECONDS, scope = scope ~= "" and scope or nil,
        refresh_token = with_refresh and insert(tx, "refresh", grant, grant.scope, grants.REFRESH_SECONDS, now) or nil,
    }
end

--- Ends the grant and with it all of its codes and tokens.
function grants.revoke(tx, grant_id, now)
    tx.update("oauth_grants", { revoked_at = now }, "id = ? AND revoked_at IS NULL", grant_id)
    auth.revoke()
end

--- Ends one access token; the grant goes on.
function grants.revoke_token(tx, id)
    tx.run("DELETE FROM oauth_tokens WHERE id = ?", id)
    auth.revoke()
end

--- Ends everything that was granted in a user's name: after a change of the password, or when the user leaves.
function grants.revoke_user(tx, user_id, now)
    tx.update("oauth_grants", { revoked_at = now }, "user_id = ? AND revoked_at IS NULL", user_id)
    auth.revoke()
end

--- Whether a text looks like an access token; for apps that have other tokens too.
function grants.is_access(value)
    return value:sub(1, #PREFIX.access) == PREFIX.access
end

--- The living access token's row, or nil.
function grants.living(value, now)
    local token = grants.is_access(value) and grants.find_token(value)
    if token and token.kind == "access" and token.expires_at > now and not token.grant.revoked_at then
        return token
    end
end

return grants
