-- SPDX-License-Identifier: Apache-2.0
--
-- Making organizations, their users, and keys.
local credentials = require "auth"
local ids = require "ids"
local accounts = { KEY_NAME = "API key" }

accounts.name = text { 1, 255, example = "Ada Lovelace" }
accounts.email = email { max = 254, example = "user@example.com" }
accounts.password = text { 8, 128, trim = false, example = "SecurePass123!" }
accounts.key_name = text { 1, 255, example = "Deployment" }

--- A new organization's number and name.
function accounts.organization(tx, name, now)
    local id = ids.new "org"
    return tx.insert("organizations", { id = id, name = name, created_at = now }), id
end

--- A new user's number; 409 when the e-mail is registered, whatever its case and organization.
function accounts.user(tx, organization, user, now)
    return tx.insert_new("users", {
        id = ids.new "user",
        organization = organization,
        name = user.name,
        email = user.email,
        email_key = user.email:lower(),
        password_hash = user.password_hash,
        role = user.role,
        created_at = now,
        updated_at = now,
    }) or fail.conflict "This e-mail is already registered."
end

--- A new key of that user: what is shown of it, this once.
function accounts.key(tx, organization, user, name, now)
    local key, hash = credentials.keys:new()
    local row = {
        id = ids.new "key",
        organization = organization,
        user = user,
        name = name,
        key_hash = hash,
        created_at = now,
    }
    tx.insert("api_keys", row)
    return { id = row.id, name = name, api_key = key, created_at = now }
end

return accounts
