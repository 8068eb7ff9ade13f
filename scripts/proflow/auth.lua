-- SPDX-License-Identifier: Apache-2.0
--
-- Who asks: a member of an organization, by what stands behind "Bearer". Each kind of credential finds the member that
-- it belongs to, with the rights that this member has now.
local api_keys = require "lib.api_keys"
local credentials = {}

local BY_KEY = [[
SELECT u.seq AS id, u.id AS user_id, u.role, u.organization, o.id AS organization_id, k.id AS api_key
  FROM api_keys k JOIN users u ON u.seq = k.user JOIN organizations o ON o.seq = u.organization
 WHERE k.key_hash = ? AND u.status = 'active']]

credentials.keys = api_keys.kind { prefix = "pf_", principal = BY_KEY }

--- The member that a bearer value stands for, and until when; or nil, nil and why not.
function credentials.authenticate(value)
    if credentials.keys:means(value) then
        return credentials.keys:authenticate(value, config.get "key_seconds")
    end
    return nil, nil, "The API key is unknown or has been revoked."
end

return credentials
