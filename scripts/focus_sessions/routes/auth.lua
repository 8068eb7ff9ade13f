-- SPDX-License-Identifier: Apache-2.0
--
-- Registering and logging in (FS-1).
local passwords = require "lib.passwords"
local tokens = require "tokens"

local BY_EMAIL = "SELECT uuid, email, name, password_hash FROM users WHERE email_key = ?"

local function logged_in(user, now)
    return 200, {
        token = tokens.issue(user.uuid, now),
        user = { id = user.uuid, email = user.email, name = user.name },
    }
end

local function register(req)
    local user = {
        uuid = crypto.uuid(),
        email = req.body.email,
        email_key = req.body.email:lower(),
        password_hash = password.hash(req.body.password),
        name = req.body.name,
        created_at = req.now,
    }
    return db.transaction(function(tx)
        if not tx.insert_new("users", user) then
            fail.conflict "This e-mail is already registered."
        end
        return logged_in(user, req.now)
    end)
end

local function log_in(req)
    local user = db.one(BY_EMAIL, req.body.email:lower())
    return logged_in(passwords.verified(user, req.body.password), req.now)
end

return {
    name = "auth",
    summary = "Registering and logging in.",
    POST "/auth/register" {
        summary = "Register",
        who = "anyone",
        body = {
            email = email { max = 254, example = "user@example.com" },
            password = text { 8, 128, trim = false, example = "SecurePass123!" },
            name = optional(nullable(text { 0, 100, example = "Ada" })),
        },
        returns = { [200] = "LoggedIn" },
        errors = { [409] = "The e-mail is already registered." },
        secret = true,
        run = register,
    },
    POST "/auth/login" {
        summary = "Log in",
        who = "anyone",
        body = passwords.login,
        returns = { [200] = "LoggedIn" },
        errors = { [401] = passwords.WRONG },
        secret = true,
        run = log_in,
    },
}
