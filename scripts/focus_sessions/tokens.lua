-- SPDX-License-Identifier: Apache-2.0
--
-- The bearer tokens that registering and logging in give (FS-1). They are signed with this app's key, so those of other
-- apps are invalid here.
local tokens = {}

--- A token of the user with that uuid.
function tokens.issue(uuid, now)
    return jwt.sign { sub = uuid, iat = now, exp = now + config.get "token_seconds" }
end

--- The user { id } whose token it is and when it expires; or nil, code, message.
function tokens.authenticate(token)
    local claims, reason = jwt.verify(token)
    local user = claims and db.one("SELECT id FROM users WHERE uuid = ?", claims.sub)
    if not user then
        return nil, nil, reason == "expired" and "The token has expired." or "The token is invalid."
    end
    return user, claims.exp
end

return tokens
