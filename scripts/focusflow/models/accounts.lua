-- SPDX-License-Identifier: Apache-2.0
--
-- Users, tokens and API keys.
local models = {}

local user_id = id { example = 1 }
local address = email { example = "user@example.com" }
local username = text { example = "johndoe" }
local first_name = text { example = "John" }
local last_name = text { example = "Doe" }
local user_type = doc("organization while the user is a member of one.", one_of { "individual", "organization" })
local zone = example("America/New_York", timezone)
local created_at = example(1736937000, datetime)
local token = text { example = "eyJ0eXAiOiJKV1QiLCJhbG..." }

models.Tokens = object {
    { "access", doc("Good for an hour.", token) },
    { "refresh", doc("Good for a week, or until a logout.", token) },
}

models.Registered = object {
    { "id", user_id },
    { "email", address },
    { "username", username },
    { "first_name", first_name },
    { "last_name", last_name },
    { "user_type", user_type },
    { "timezone", zone },
    { "created_at", created_at },
    { "tokens", ref "Tokens" },
}

models.LoggedIn = object {
    { "user", object {
        { "id", user_id },
        { "email", address },
        { "username", username },
        { "user_type", user_type },
    } },
    { "tokens", ref "Tokens" },
}

models.Access = object { { "access", token } }

models.Profile = object {
    { "id", user_id },
    { "email", address },
    { "username", username },
    { "first_name", first_name },
    { "last_name", last_name },
    { "user_type", user_type },
    { "timezone", zone },
    { "pomodoro_settings", object {
        { "focus_duration", doc("Minutes.", integer { example = 25 }) },
        { "short_break", doc("Minutes.", integer { example = 5 }) },
        { "long_break", doc("Minutes.", integer { example = 15 }) },
        { "long_break_interval", doc("Focus sessions until a long break.", integer { example = 4 }) },
    } },
    { "created_at", created_at },
}

models.ApiKey = object {
    { "id", user_id },
    { "name", text { example = "Laptop" } },
    { "created_at", created_at },
}

models.NewApiKey = object {
    { "id", user_id },
    { "name", text { example = "Laptop" } },
    { "key", doc("Shown only now.", text { example = "ff_" .. ("Ab3"):rep(10) .. "Zz" }) },
    { "created_at", created_at },
}

return models
