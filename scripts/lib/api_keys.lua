-- SPDX-License-Identifier: Apache-2.0
--
-- API keys: a prefix that says what they are and 32 random characters. A key is shown once; what is kept is its hash,
-- by which whoever it belongs to is found. Where the rows are is the app's affair.
local api_keys = {}
api_keys.__index = api_keys

local LENGTH = 32

--- A kind of keys: { prefix = "ff_", principal = "SELECT … WHERE key_hash = ?" }.
function api_keys.kind(kind)
    return setmetatable(kind, api_keys)
end

--- A new key and what is kept of it.
function api_keys:new()
    local key = self.prefix .. crypto.random(LENGTH)
    return key, crypto.sha256(key)
end

--- Whether a bearer value means to be such a key.
function api_keys:means(value)
    return value:sub(1, #self.prefix) == self.prefix
end

--- What a principal's function returns for a key. A key does not expire: it is looked up again after `seconds`.
function api_keys:authenticate(value, seconds)
    local principal = db.one(self.principal, crypto.sha256(value))
    if not principal then
        return nil, nil, "The API key is unknown or has been revoked."
    end
    return principal, time.now() + seconds
end

return api_keys
