-- SPDX-License-Identifier: Apache-2.0
--
-- The profile of a user (1.5).
local rules = require "rules.sessions"
local view = require "view"

return view.new {
    table = "users",
    alias = "u",
    columns = [[u.id, u.email, u.username, u.first_name, u.last_name, u.user_type, u.timezone,
        COALESCE(u.focus_duration, ]] .. rules.DEFAULT_FOCUS_MINUTES .. [[) AS "pomodoro_settings.focus_duration",
        u.short_break AS "pomodoro_settings.short_break", u.long_break AS "pomodoro_settings.long_break",
        u.long_break_interval AS "pomodoro_settings.long_break_interval", u.created_at AS "created_at:time"]],
}
