-- SPDX-License-Identifier: Apache-2.0
--
-- Who asks: a member of an organization, by what stands behind "Bearer". Each kind of credential finds the member that
-- it belongs to, with the rights that this member has now.
local credentials = { keys = require "keys" }
local oauth = require "oauth"

--- The member that a bearer value stands for, and until when; or nil, nil and why not.
function credentials.authenticate(value)
    if credentials.keys:means(value) then
        return credentials.keys:authenticate(value, config.get "key_seconds")
    end
    local token = oauth.is_token(value) and oauth.authenticate(value, time.now())
    if token then
        return token.user, token.expires_at
    end
    return nil, nil, "The API key or access token is unknown, has expired or was revoked."
end

return credentials
