-- SPDX-License-Identifier: Apache-2.0
--
-- The authorization endpoint (RFC 6749, 3.1 and 4.1): a request is either refused on a page, because nobody knows where
-- it came from, or answered by a redirect to where its client registered.
local answers = require "lib.oauth.answers"
local clients = require "lib.oauth.clients"
local csrf = require "lib.oauth.csrf"
local grants = require "lib.oauth.grants"
local page = require "lib.oauth.page"
local pkce = require "lib.oauth.pkce"
local scopes = require "lib.oauth.scopes"
local uris = require "lib.oauth.uris"

local KEPT = {      -- what the form repeats
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
    "response_mode",
}

-- A redirect to the client, with the request's state and who answers (RFC 9207).
local function redirect(config, req, request, parameters)
    parameters[#parameters + 1] = { "state", request.state }
    parameters[#parameters + 1] = { "iss", req.origin .. config.issuer }
    local location = uris.with(request.redirect_uri, parameters)
    if #location > uris.LONGEST_ANSWER then
        return page.refuse(config.title, "The state of the request is too long.")
    end
    return 302, nil, { Location = location, ["Referrer-Policy"] = "no-referrer" }
end

local function refuse(config, req, request, code, description)
    return redirect(config, req, request, { { "error", code }, { "error_description", description } })
end

-- The client that asks, or nil and why it cannot be told anything.
local function client_of(request, repeated)
    local client = not repeated.client_id and clients.find(request.client_id)
    if not client then
        return nil, "The application is not known here."
    end
    local uri = not repeated.redirect_uri and request.redirect_uri
    if not uri or not clients.redirects_to(client, uri) then
        return nil, "The address to go back to is not one that the application has registered."
    end
    return client
end

-- An error code and a description, or nil; request.scope becomes what is granted.
local function problem_of(config, client, request, repeated)
    local twice = next(repeated)
    if twice then
        return "invalid_request", "A parameter was given more than once."
    elseif not request.response_type then
        return "invalid_request", "response_type is required."
    elseif request.response_type ~= "code" then
        return "unsupported_response_type", "response_type must be code."
    elseif request.response_mode and request.response_mode ~= "query" then
        return "invalid_request", "response_mode must be query."
    end
    local wrong = pkce.problem(client.public, request.code_challenge, request.code_challenge_method)
    if wrong then
        return "invalid_request", wrong .. "."
    end
    request.scope = scopes.granted(config, request.scope)
    return not request.scope and "invalid_scope" or nil, "There is no such scope."
end

-- The grant and its code, for a user who is known to be who he is.
local function grant(config, req, request, client, user)
    if user.tenant_id ~= client.tenant_id then
        return refuse(config, req, request, "access_denied", "This account does not belong to the application's owner.")
    end
    local code = db.transaction(function(tx)
        return grants.code(tx, grants.create(tx, client, user.id, request.scope, req.now), request, req.now)
    end)
    return redirect(config, req, request, { { "code", code } })
end

-- The page; `asked` is the request as it came, which the form repeats.
local function ask(config, req, request, client, asked, status, message)
    local token, cookie = csrf.issue(req, config.prefix)
    local fields = { { name = "csrf", value = token } }
    for _, name in ipairs(KEPT) do
        if asked[name] then
            fields[#fields + 1] = { name = name, value = asked[name] }
        end
    end
    return page.ask(status, {
        title = config.title, client = client.name, action = config.prefix .. "/authorize", fields = fields,
        email = asked.email or "", message = message and { { message = message } },
        rights = scopes.described(config, request.scope),
    }, request.redirect_uri, cookie)
end

-- The parameters with a value, and a copy to be changed.
local function parameters(from)
    local asked, request = {}, {}
    for _, name in ipairs(KEPT) do
        asked[name] = answers.given(from[name])
        request[name] = asked[name]
    end
    return asked, request
end

-- The user of an app's own key in the Authorization header; nil without the header. An access token is no key: with it
-- a client could grant itself, or another one, more than it was given.
local function user_of_key(config, req)
    local key = clients.header(req, "bearer")
    if not key then
        return nil
    elseif grants.is_access(key) or not config.key then
        fail.unauthorized "A key is needed here, or none."
    end
    return config.key(key) or fail.unauthorized "The key is not valid."
end

local authorize = {}

--- GET: the page, or with a key the answer at once.
function authorize.show(config, req)
    local fields, repeated = url.fields(req.query_text)
    if not fields then
        return page.refuse(config.title, "The address of this page is damaged.")
    end
    local asked, request = parameters(fields)
    local client, unknown = client_of(request, repeated)
    if not client then
        return page.refuse(config.title, unknown)
    end
    request.state = not repeated.state and request.state or nil
    local code, description = problem_of(config, client, request, repeated)
    if code then
        return refuse(config, req, request, code, description)
    end
    local user = user_of_key(config, req)
    if user then
        return grant(config, req, request, client, user)
    end
    return ask(config, req, request, client, asked, 200)
end

--- POST: what the page's form sends.
function authorize.submit(config, req)
    local body = req.body
    local asked, request = parameters(body)
    local client, unknown = client_of(request, {})
    if not client then
        return page.refuse(config.title, unknown)
    end
    local code, description = problem_of(config, client, request, {})
    if code then
        return refuse(config, req, request, code, description)
    end
    asked.email = body.email
    if not csrf.holds(req, answers.given(body.csrf)) then
        return ask(config, req, request, client, asked, 403, "This page was open for too long. Please sign in again.")
    elseif body.decision == "deny" then
        return refuse(config, req, request, "access_denied", "The user did not allow it.")
    end
    local email, password = answers.given(body.email), answers.given(body.password)
    local user = email and password and config.login(email, password)
    if not user then
        return ask(config, req, request, client, asked, 401, "E-mail and password do not match.")
    end
    return grant(config, req, request, client, user)
end

return authorize
