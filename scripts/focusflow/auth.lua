-- SPDX-License-Identifier: Apache-2.0
--
-- Tokens and API keys. Every token names the login that it came from, and is good only while that login is: a logout
-- revokes one row and with it the refresh token and all its access tokens (FF-3).
local api_keys = require "lib.api_keys"
local credentials = {}

local FAILED, EXPIRED = "AUTHENTICATION_FAILED", "TOKEN_EXPIRED"

-- The organization that new work goes to by itself: the one that the user joined last (FF-39).
local HOME = [[
       (SELECT m.organization_id FROM memberships m JOIN organizations o ON o.id = m.organization_id
         WHERE m.user_id = u.id AND m.is_active = 1 AND o.is_active = 1
         ORDER BY m.joined_at DESC, m.id DESC LIMIT 1) AS organization_id]]
local BY_LOGIN = [[
SELECT u.id, u.username, u.timezone, l.id AS login,
]] .. HOME .. [[

  FROM logins l JOIN users u ON u.id = l.user_id
 WHERE l.id = ? AND l.user_id = ? AND l.revoked_at IS NULL]]
local BY_KEY = [[
SELECT u.id, u.username, u.timezone, k.id AS api_key,
]] .. HOME .. [[

  FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.key_hash = ?]]

local function sign(token_type, user_id, login, now)
    return jwt.sign {
        user_id = user_id,
        token_type = token_type,
        login = login,
        iat = now,
        exp = now + config.get(token_type .. "_seconds"),
        jti = crypto.uuid(),
    }
end

--- An access token of the login.
function credentials.access(user_id, login, now)
    return sign("access", user_id, login, now)
end

--- A new login and its two tokens.
function credentials.log_in(tx, user_id, now)
    -- Logins none of whose tokens can be alive are of no use any more.
    local oldest = now - config.get "refresh_seconds" - config.get "access_seconds"
    tx.run("DELETE FROM logins WHERE user_id = ? AND created_at < ?", user_id, oldest)
    local login = tx.insert("logins", { user_id = user_id, created_at = now })
    return {
        access = sign("access", user_id, login, now),
        refresh = sign("refresh", user_id, login, now),
    }
end

--- Whose token of the given type it is and when it expires; or nil, code, message (FF-4, FF-6).
function credentials.read(token, token_type)
    local claims, reason = jwt.verify(token)
    if not claims then
        if reason == "expired" then
            return nil, EXPIRED, "The token has expired."
        end
        return nil, FAILED, "The token is invalid."
    end
    local user = claims.token_type == token_type and claims.exp and db.one(BY_LOGIN, claims.login, claims.user_id)
    if not user then
        return nil, FAILED, "The token is invalid or has been revoked."
    end
    return user, claims.exp
end

--- Personal API keys (FF-60).
credentials.keys = api_keys.kind { prefix = "ff_", principal = BY_KEY }

--- The principal of a bearer value: an access token or an API key.
function credentials.authenticate(value)
    if credentials.keys:means(value) then
        return credentials.keys:authenticate(value, config.get "access_seconds")
    end
    return credentials.read(value, "access")
end

return credentials
