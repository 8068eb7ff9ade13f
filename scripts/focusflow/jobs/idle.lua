-- SPDX-License-Identifier: Apache-2.0
--
-- The timer of the watch for idle employees. It goes off when nothing has happened in the organization for a while, and
-- finds out what that means: reported is an employee who has no session open, was active earlier on the day, and should
-- be working now (FF-54). Also when it goes off late, it speaks of the time at which it was due (X-17).
local happenings = require "happenings"
local rules = require "rules.idle"

local WHO = [[
SELECT o.id AS organization_id, o.working_start, o.working_end, u.id AS user_id, u.timezone
  FROM memberships m JOIN organizations o ON o.id = m.organization_id JOIN users u ON u.id = m.user_id
 WHERE m.organization_id = ? AND m.user_id = ? AND m.is_active = 1 AND m.role = 'employee' AND o.is_active = 1]]
local OPEN = "SELECT 1 AS open, ends_at FROM pomodoro_sessions WHERE user_id = ? AND ended_at IS NULL"
-- The last activity in the organization, or the end of whatever session came after it.
local LAST_ACTIVITY = "SELECT MAX(at) FROM activities WHERE organization_id = ? AND user_id = ?"
local LAST_SESSION = [[
SELECT ended_at FROM pomodoro_sessions WHERE user_id = ? AND ended_at IS NOT NULL ORDER BY started_at DESC LIMIT 1]]

local function look(due, args)
    local who = db.one(WHO, args.organization_id, args.user_id)
    if not who then
        return
    end
    local wait = config.get "idle_minutes" * 60
    local function again(at)
        timer.at("idle:" .. who.organization_id .. ":" .. who.user_id, at, "idle.check", args)
    end
    local open = db.one(OPEN, who.user_id)
    if open then
        return again((open.ends_at or due) + wait)
    end
    local active = db.value(LAST_ACTIVITY, who.organization_id, who.user_id)
    local since = math.max(active, db.value(LAST_SESSION, who.user_id) or active)
    local first, after = time.day(who.timezone, time.today(who.timezone, since))
    local start = rules.instant(first, after, who.working_start)
    local report_at = rules.due(since, wait, start, rules.instant(first, after, who.working_end))
    if report_at and report_at > due then
        again(report_at)
    elseif report_at and active >= first then
        happenings.employee_idle(who.organization_id, who.user_id, since, due)
    end
end

return {
    ["idle.check"] = function(due, args)
        db.transaction(function()
            look(due, args)
        end)
    end,
}
