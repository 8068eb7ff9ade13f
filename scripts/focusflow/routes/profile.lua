-- SPDX-License-Identifier: Apache-2.0
--
-- 1.5 and 1.6: the user's own profile and settings.
local accounts = require "accounts"
local users = require "present.users"
local view = require "view"

local function update(req)
    local body, changes = req.body, {}
    for _, field in ipairs { "first_name", "last_name", "username" } do
        changes[field] = body[field]
    end
    changes.username_key = body.username and body.username:lower()
    changes.timezone = body.timezone and time.zone(body.timezone)
    for setting, minutes in pairs(body.pomodoro_settings or {}) do   -- merged key by key (FF-10)
        changes[setting] = minutes
    end
    return 200, db.transaction(function(tx)
        local changed = next(changes) == nil or tx.try(function()
            tx.update("users", changes, "id = ?", req.user.id)
        end)
        if not changed then
            fail.validation(accounts.taken(nil, body.username, req.user.id) or { username = "Cannot be used" })
        end
        if body.username or body.timezone then
            auth.revoke()   -- principals carry the name and the zone
        end
        return view.one(users, "u.id = ?", req.user.id)
    end)
end

return {
    name = "profile",
    summary = "The user's profile and settings.",
    GET "/api/v1/auth/profile/" {
        summary = "Get the profile",
        who = "user",
        limit = "standard",
        returns = { [200] = "Profile" },
        run = function(req)
            return 200, view.one(users, "u.id = ?", req.user.id)
        end,
    },
    PATCH "/api/v1/auth/profile/" {
        summary = "Update the profile",
        description = "pomodoro_settings is merged key by key; read-only fields are ignored.",
        who = "user",
        limit = "standard",
        body = {
            first_name = optional(accounts.first_name),
            last_name = optional(accounts.last_name),
            username = optional(accounts.username),
            timezone = optional(example("Asia/Kathmandu", timezone)),
            pomodoro_settings = optional(object {
                { "focus_duration", optional(integer { 1, 180, example = 30 }) },
                { "short_break", optional(integer { 1, 60, example = 5 }) },
                { "long_break", optional(integer { 1, 120, example = 15 }) },
                { "long_break_interval", optional(integer { 1, 12, example = 4 }) },
            }),
        },
        check = function(req)
            return accounts.taken(nil, req.body.username, req.user.id)
        end,
        returns = { [200] = "Profile" },
        errors = { [400] = "Invalid fields, or the username is already taken." },
        run = update,
    },
}
