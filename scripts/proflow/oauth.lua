-- SPDX-License-Identifier: Apache-2.0
--
-- OAuth 2.0 (PF-3): lib/oauth with ProFlow's members. A client belongs to an organization, and only its members may let
-- it act for them.
local keys = require "keys"
local new_oauth = require "lib.oauth"

local MEMBER = [[
SELECT u.seq AS id, u.id AS user_id, u.role, u.organization, o.id AS organization_id, u.organization AS tenant_id
  FROM users u JOIN organizations o ON o.seq = u.organization
 WHERE u.seq = ? AND u.status = 'active']]
local BY_EMAIL = "SELECT seq, password_hash FROM users WHERE email_key = ? AND status = 'active'"

local function find(seq)
    return db.one(MEMBER, seq)
end

-- Without a user the check takes as long, so the time does not tell which e-mails exist.
local function login(email, given)
    local user = db.one(BY_EMAIL, email:lower())
    return password.verify(given, user and user.password_hash) and find(user.seq) or nil
end

return new_oauth {
    prefix = "/v1/oauth",
    title = "ProFlow",
    rights = "Read and change projects, tasks, teams and recorded time, as far as your role allows.",
    who = "member",
    can = "oauth_client.manage",
    limits = { authorize = "address", token = "address", clients = "key" },
    login = login,
    find = find,
    key = function(key)
        local member = keys:means(key) and keys:authenticate(key, 0)
        return member and find(member.id)
    end,
    caller = function(req)
        return { id = req.user.id, tenant_id = req.user.organization }
    end,
}
