-- SPDX-License-Identifier: Apache-2.0
--
-- API keys and the member that each belongs to.
local api_keys = require "lib.api_keys"

local BY_KEY = [[
SELECT u.seq AS id, u.id AS user_id, u.role, u.organization, o.id AS organization_id, k.id AS api_key
  FROM api_keys k JOIN users u ON u.seq = k.user JOIN organizations o ON o.seq = u.organization
 WHERE k.key_hash = ? AND u.status = 'active']]

return api_keys.kind { prefix = "pf_", principal = BY_KEY }
