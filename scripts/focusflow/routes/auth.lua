-- SPDX-License-Identifier: Apache-2.0
--
-- 1.1 to 1.4: registering, logging in and out.
local accounts = require "accounts"
local credentials = require "auth"
local passwords = require "lib.passwords"

local LOGGED_OUT = 4401   -- what sockets without a good token are closed with (FF-52)
local BY_EMAIL = "SELECT id, email, username, user_type, password_hash FROM users WHERE email_key = ?"

local function register(req)
    local new = req.body
    new.password_hash = password.hash(new.password)
    new.timezone = new.timezone and time.zone(new.timezone) or "UTC"
    return 201, db.transaction(function(tx)
        new.id = accounts.create(tx, new, req.now)
        new.user_type, new.created_at = "individual", req.now
        new.tokens = credentials.log_in(tx, new.id, req.now)
        return new
    end)
end

local function log_in(req)
    local user = passwords.verified(db.one(BY_EMAIL, req.body.email:lower()), req.body.password)     -- FF-6
    return 200, db.transaction(function(tx)
        return { user = user, tokens = credentials.log_in(tx, user.id, req.now) }
    end)
end

local function refresh(req)
    local user, code, message = credentials.read(req.body.refresh, "refresh")
    if not user then
        fail.unauthorized(message, code)
    end
    return 200, { access = credentials.access(user.id, user.login, req.now) }
end

local function log_out(req)
    local user = credentials.read(req.body.refresh, "refresh")
    return db.transaction(function(tx)
        local login = user and user.id == req.user.id and user.login
        local revoked = login and tx.update("logins", { revoked_at = req.now }, "id = ? AND revoked_at IS NULL", login)
        if not revoked or revoked == 0 then
            fail.validation { refresh = "The token is invalid, expired, revoked or another user's." }
        end
        auth.revoke()
        events.close("login:" .. login, LOGGED_OUT, "Logged out.")
        return 205
    end)
end

return {
    name = "auth",
    summary = "Registering, logging in and out.",
    POST "/api/v1/auth/register/" {
        summary = "Register a user",
        who = "anyone",
        limit = "auth",
        body = {
            email = email { max = 254, example = "user@example.com" },
            username = accounts.username,
            password = example("SecurePass123!", accounts.password),
            first_name = text { 0, 150, default = "", example = "John" },
            last_name = text { 0, 150, default = "", example = "Doe" },
            timezone = doc("IANA name; UTC when left out.", optional(example("America/New_York", timezone))),
        },
        check = function(req)
            return accounts.taken(req.body.email, req.body.username)
        end,
        returns = { [201] = "Registered" },
        errors = { [400] = "Invalid fields, or the e-mail or username is already registered." },
        secret = true,
        run = register,
    },
    POST "/api/v1/auth/login/" {
        summary = "Log in",
        who = "anyone",
        limit = "auth",
        body = passwords.login,
        returns = { [200] = "LoggedIn" },
        errors = { [401] = passwords.WRONG },
        secret = true,
        run = log_in,
    },
    POST "/api/v1/auth/refresh/" {
        summary = "Get a new access token",
        description = "The refresh token stays valid until it expires or is logged out.",
        who = "anyone",
        limit = "auth",
        body = { refresh = text { example = "eyJ0eXAiOiJKV1QiLCJhbG..." } },
        returns = { [200] = "Access" },
        errors = { [401] = "The refresh token is invalid, revoked or expired." },
        secret = true,
        run = refresh,
    },
    POST "/api/v1/auth/logout/" {
        summary = "Log out",
        description = "Ends the refresh token and every access token of the same login.",
        who = "user",
        limit = "auth",
        body = { refresh = text { example = "eyJ0eXAiOiJKV1QiLCJhbG..." } },
        returns = { [205] = "none" },
        errors = { [400] = "The refresh token is invalid, expired, revoked or another user's." },
        run = log_out,
    },
}
