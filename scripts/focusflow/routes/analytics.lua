-- SPDX-License-Identifier: Apache-2.0
--
-- 5.1 to 5.5: what to report on. The reports themselves: reports.lua.
local range = require "range"
local reports = require "reports"

local year_number = integer { 1, 9998, example = 2025 }

local function today(req)
    return time.today(req.user.timezone, req.now)
end

local function weekly(req)
    local this_year, this_week = time.iso_week(today(req))
    local year, week = req.query.year or this_year, req.query.week or this_week
    local monday = time.week_start(year, week)
    if not monday then
        fail.validation { week = string.format("%d has no week %d.", year, week) }
    end
    return 200, reports.weekly(req.user, year, week, monday)
end

local function monthly(req)
    local this_year, this_month = time.civil(today(req))
    return 200, reports.monthly(req.user, req.query.year or this_year, req.query.month or this_month)
end

local function project(req)
    local sql = "SELECT id, name FROM projects WHERE id = ? AND user_id = ?"
    local found = db.one(sql, req.params.project_id, req.user.id) or fail.not_found()
    return 200, reports.project(req.user, found, range.of(req))
end

return {
    name = "analytics",
    summary = "Reports on focus time and tasks, by the days of the user's time zone.",
    GET "/api/v1/analytics/daily/" {
        summary = "Daily summary",
        who = "user",
        limit = "analytics",
        query = { date = doc("Specific date (default: today).", optional(date)) },
        returns = { [200] = "DailySummary" },
        run = function(req)
            return 200, reports.daily(req.user, req.query.date or today(req))
        end,
    },
    GET "/api/v1/analytics/weekly/" {
        summary = "Weekly report",
        who = "user",
        limit = "analytics",
        query = {
            week = doc("ISO week (default: current week).", optional(integer { 1, 53, example = 3 })),
            year = doc("ISO year (default: current year).", optional(year_number)),
        },
        returns = { [200] = "WeeklyReport" },
        errors = { [400] = "Invalid parameters, or a week that the year does not have." },
        run = weekly,
    },
    GET "/api/v1/analytics/monthly/" {
        summary = "Monthly report",
        who = "user",
        limit = "analytics",
        query = {
            month = doc("1 to 12 (default: current month).", optional(integer { 1, 12, example = 1 })),
            year = doc("Year (default: current year).", optional(year_number)),
        },
        returns = { [200] = "MonthlyReport" },
        run = monthly,
    },
    GET "/api/v1/analytics/streaks/" {
        summary = "Focus streaks",
        who = "user",
        limit = "analytics",
        returns = { [200] = "Streaks" },
        run = function(req)
            return 200, reports.streaks(req.user, today(req))
        end,
    },
    GET "/api/v1/analytics/projects/{project_id}/" {
        summary = "Project time breakdown",
        who = "user",
        limit = "analytics",
        params = { project_id = id },
        query = range.query,
        returns = { [200] = "ProjectReport" },
        errors = { [400] = "Invalid dates, or a start after the end.", [404] = "The user has no such project." },
        run = project,
    },
}
