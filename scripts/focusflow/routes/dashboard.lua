-- SPDX-License-Identifier: Apache-2.0
--
-- 10.2 and 10.3: what a manager looks at during the day. The feed is in routes/organization_tasks.lua.
local organizations = require "organizations"
local range = require "range"
local team_reports = require "team_reports"

return {
    name = "dashboard",
    summary = "The manager's dashboard.",
    GET "/api/v2/organizations/{slug}/dashboard/overview/" {
        summary = "Team overview",
        description = "Today, in the caller's time zone, and what everybody is doing now.",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "dashboard.see",
        params = { slug = organizations.slug_param },
        returns = { [200] = "TeamOverview" },
        errors = { [404] = "There is no such organization." },
        run = function(req)
            return 200, team_reports.overview(req.organization, req.user, req.now)
        end,
    },
    GET "/api/v2/organizations/{slug}/employees/{user_id}/" {
        summary = "Employee detail view",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "employee.see",
        params = { slug = organizations.slug_param, user_id = id },
        query = range.query,
        returns = { [200] = "EmployeeDetails" },
        errors = {
            [400] = "Invalid dates, or a start after the end.",
            [404] = "There is no such organization, or the user is no active member of it.",
        },
        run = function(req)
            local first, last = range.of(req)
            local user_id = req.params.user_id
            return 200, team_reports.employee(req.organization, req.user, user_id, first, last, req.now)
        end,
    },
}
