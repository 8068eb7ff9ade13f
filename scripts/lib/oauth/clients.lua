-- SPDX-License-Identifier: Apache-2.0
--
-- Who may ask for tokens: registering applications and recognising them (RFC 6749, 2).
local answers = require "lib.oauth.answers"
local uris = require "lib.oauth.uris"
local clients = {}

local FIND = [[SELECT id, client_id, secret_hash, name, redirect_uris, owner_id, tenant_id
    FROM oauth_clients WHERE client_id = ?]]
local SHOW = [[SELECT client_id, name, redirect_uris AS "redirect_uris:json",
        CASE WHEN secret_hash IS NULL THEN 'none' ELSE 'client_secret_basic' END AS token_endpoint_auth_method,
        created_at AS "created_at:time"
    FROM oauth_clients WHERE tenant_id = ? ORDER BY id DESC]]
local NOBODY = ("0"):rep(64)        -- compared with when there is no such client
local LONGEST = 1000                -- of an Authorization header

clients.METHODS = { "client_secret_basic", "client_secret_post", "none" }

--- The client, with `redirect_uris` as a table and `public`, or nil.
function clients.find(client_id)
    local client = client_id and db.one(FIND, client_id)
    if client then
        client.redirect_uris, client.public = json.decode(client.redirect_uris), client.secret_hash == nil
    end
    return client
end

--- Whether the URI is registered: the same text (RFC 9700, 2.1).
function clients.redirects_to(client, uri)
    for _, registered in ipairs(client.redirect_uris) do
        if registered == uri then
            return true
        end
    end
    return false
end

--- What the Authorization header has for a scheme, "" when that is too long to be anything; nil without it.
function clients.header(req, scheme)
    local header = req:header "Authorization"
    if header and header:sub(1, #scheme + 1):lower() == scheme .. " " then
        return #header <= LONGEST and header:sub(#scheme + 2) or ""
    end
end

-- Client id and secret of a Basic header, both form-encoded in it (2.3.1); false when it cannot be read.
local function basic(req)
    local coded = clients.header(req, "basic")
    if not coded then
        return nil
    end
    local plain = crypto.decode(coded, "base64") or ""
    local colon = plain:find(":", 1, true)
    local name, secret = colon and url.decode(plain:sub(1, colon - 1)), colon and url.decode(plain:sub(colon + 1))
    return name and secret and name or false, secret
end

-- Client id, secret or nil; or false and why they cannot be used.
local function credentials(req)
    local id, secret = answers.given(req.body.client_id), answers.given(req.body.client_secret)
    local name, password = basic(req)
    if name == nil then
        return id, secret
    elseif name and (secret or id and id ~= name) then
        return false, "invalid_request", "The client must authenticate in one way only."
    end
    return name, password
end

--- The client that makes this request, or nil, an error code and a description.
function clients.authenticate(req)
    local id, secret, description = credentials(req)
    if description then
        return nil, secret, description
    end
    local client = clients.find(id or nil)
    local right = crypto.equal(crypto.sha256(secret or ""), client and client.secret_hash or NOBODY)
    if client and client.public and not secret or client and not client.public and right then
        return client
    end
    return nil, "invalid_client", "The client is unknown, or did not authenticate."
end

--- The client as it is answered, with the secret that is never shown again.
function clients.create(body, owner, now)
    local public = body.token_endpoint_auth_method == "none"
    local secret = not public and "ocs_" .. crypto.random(43) or nil
    local row = {
        client_id = "client_" .. crypto.random(24), secret_hash = secret and crypto.sha256(secret), name = body.name,
        redirect_uris = json.encode(json.array(body.redirect_uris)), owner_id = owner.id, tenant_id = owner.tenant_id,
        created_at = now,
    }
    db.transaction(function(tx)
        tx.insert("oauth_clients", row)
    end)
    return {
        client_id = row.client_id, client_secret = secret, name = row.name, redirect_uris = body.redirect_uris,
        token_endpoint_auth_method = body.token_endpoint_auth_method, created_at = now,
    }
end

--- Ends the client and all that it was granted; false when the tenant has no such client.
function clients.delete(client_id, tenant_id)
    return db.transaction(function(tx)
        local found = tx.run("DELETE FROM oauth_clients WHERE client_id = ? AND tenant_id = ?", client_id, tenant_id)
        if found > 0 then
            auth.revoke()
        end
        return found > 0
    end)
end

--- A tenant's clients as JSON, newest first, and how many.
function clients.list(tenant_id)
    return db.json(SHOW, tenant_id)
end

--- What is wrong with the URIs of a registration, for a route's check.
function clients.check(body, plain_http)
    for _, uri in ipairs(body.redirect_uris or {}) do
        local problem = uris.problem(uri, plain_http)
        if problem then
            return { redirect_uris = string.format("%s %s.", uri, problem) }
        end
    end
end

return clients
