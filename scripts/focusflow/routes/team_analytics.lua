-- SPDX-License-Identifier: Apache-2.0
--
-- 11.1 to 11.3: what a team and a project have done in a range of days, as figures and as files.
local organizations = require "organizations"
local range = require "range"
local team_figures = require "team_figures"
local team_files = require "team_files"
local team_reports = require "team_reports"

local slug = organizations.slug_param
local BAD_RANGE = "Invalid dates, or a start after the end."

local function team(req)
    local first, last = range.of(req)
    local project_id = req.query.project
    if project_id then
        team_figures.project(req.organization.id, project_id)
    end
    return 200, team_reports.team(req.organization, req.user, first, last, project_id)
end

local function project(req)
    local found = team_figures.project(req.organization.id, req.params.project_id)
    return 200, team_reports.project(req.organization, req.user, found, range.of(req))
end

local function employee(req)
    for _, member in ipairs(team_figures.members(req.organization.id)) do
        if member.user_id == req.query.employee and member.is_active then
            return member
        end
    end
    fail.not_found "There is no such employee."
end

local function export(req)
    local query = req.query
    local first, last = range.of(req)
    return 200, team_files.make {
        organization = req.organization,
        zone = req.user.timezone,
        first = first,
        last = last,
        format = query.format,
        kind = query.report_type,
        project = query.project and team_figures.project(req.organization.id, query.project),
        employee = query.employee and employee(req),
    }
end

return {
    name = "team_analytics",
    summary = "Reports on an organization, by the days of the caller's time zone.",
    GET "/api/v2/organizations/{slug}/analytics/team/" {
        summary = "Team performance",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "analytics.see",
        params = { slug = slug },
        query = range.query_with { project = doc("Only work on this project.", optional(integer)) },
        returns = { [200] = "TeamReport" },
        errors = { [400] = BAD_RANGE, [404] = "There is no such organization, or no such project in it." },
        run = team,
    },
    GET "/api/v2/organizations/{slug}/analytics/projects/{project_id}/" {
        summary = "Project analytics",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "analytics.see",
        params = { slug = slug, project_id = id },
        query = range.query,
        returns = { [200] = "TeamProjectReport" },
        errors = { [400] = BAD_RANGE, [404] = "There is no such organization, or no such project in it." },
        run = project,
    },
    GET "/api/v2/organizations/{slug}/analytics/export/" {
        summary = "Export team reports",
        description = "A report on the team, its projects or its members, as a file. The CSV holds its main table.",
        who = "user",
        within = "organization",
        limit = "dashboard",
        can = "analytics.export",
        params = { slug = slug },
        query = range.query_with {
            format = one_of { "csv", "pdf", "excel", default = "csv" },
            report_type = one_of { "team", "project", "individual", default = "team" },
            project = doc("Only work on this project.", optional(integer)),
            employee = doc("Only this member, by user ID.", optional(integer)),
        },
        returns = { [200] = "file" },
        errors = {
            [400] = BAD_RANGE,
            [404] = "There is no such organization, or no such project or employee in it.",
        },
        run = export,
    },
}
