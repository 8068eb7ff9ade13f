-- SPDX-License-Identifier: Apache-2.0
--
-- Personal API keys: accepted as the bearer value wherever an access token is, shown once (FF-60).
local conditions = require "lib.conditions"
local credentials = require "auth"
local view = require "view"

local keys = view.new {
    table = "api_keys",
    alias = "k",
    columns = [[k.id, k.name, k.created_at AS "created_at:time"]],
}
local REVOKED = 4401   -- what sockets without a good token are closed with (FF-52)
local NEWEST_FIRST = { "-created_at" }

return {
    name = "api_keys",
    summary = "Personal API keys.",
    GET "/api/v1/auth/api-keys/" {
        summary = "List API keys",
        description = "Without the keys themselves, which are shown only when they are made.",
        who = "user",
        limit = "standard",
        can = "api_key.manage",
        query = view.paging,
        returns = { [200] = "ApiKeyPage" },
        errors = { [404] = "There is no such page." },
        run = function(req)
            return 200, view.list(req, keys, conditions.new("user_id = ?", req.user.id), NEWEST_FIRST)
        end,
    },
    POST "/api/v1/auth/api-keys/" {
        summary = "Create an API key",
        who = "user",
        limit = "standard",
        can = "api_key.manage",
        body = { name = text { 1, 100, example = "Laptop" } },
        returns = { [201] = "NewApiKey" },
        secret = true,
        run = function(req)
            local key, hash = credentials.keys:new()
            local row = { user_id = req.user.id, name = req.body.name, key_hash = hash, created_at = req.now }
            return 201, db.transaction(function(tx)
                local id = tx.insert("api_keys", row)
                return { id = id, name = row.name, key = key, created_at = row.created_at }
            end)
        end,
    },
    DELETE "/api/v1/auth/api-keys/{id}/" {
        summary = "Revoke an API key",
        who = "user",
        limit = "standard",
        can = "api_key.manage",
        params = { id = id },
        returns = { [204] = "none" },
        errors = { [404] = "The user has no such key." },
        run = function(req)
            return db.transaction(function(tx)
                local sql = "DELETE FROM api_keys WHERE id = ? AND user_id = ?"
                if tx.run(sql, req.params.id, req.user.id) == 0 then
                    fail.not_found()
                end
                auth.revoke()
                events.close("api_key:" .. req.params.id, REVOKED, "The key has been revoked.")
                return 204
            end)
        end,
    },
}
