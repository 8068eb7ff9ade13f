-- SPDX-License-Identifier: Apache-2.0
--
-- FocusFlow: projects, tasks and pomodoro sessions of single users (V1) and of organizations (V2). Start reading with
-- rules/sessions.lua and rules/permissions.lua.
local analytics_facts = require "analytics"

return {
    name = "focusflow",
    title = "FocusFlow API",
    version = "1.0",
    summary = "Tasks, pomodoro sessions and focus analytics.",
    hosts = { "api.focusflow.com", "staging-api.focusflow.com", "focusflow.localhost" },
    prefixes = { "/api/v1", "/api/v2", "/ws/pomodoro" },
    trailing_slash = true,

    codes = {
        [400] = "VALIDATION_ERROR",
        [401] = "AUTHENTICATION_FAILED",
        [403] = "PERMISSION_DENIED",
        [404] = "NOT_FOUND",
        [405] = "METHOD_NOT_ALLOWED",
        [409] = "CONFLICT",
        [413] = "PAYLOAD_TOO_LARGE",
        [429] = "RATE_LIMIT_EXCEEDED",
        [500] = "INTERNAL_ERROR",
        [503] = "SERVICE_UNAVAILABLE",
    },
    envelope = function(e)
        return { error = { code = e.code, message = e.message, details = e.details or {} } }
    end,

    principals = { user = require "auth".authenticate },
    scopes = { organization = require "organizations".scope },
    rules = require "rules.permissions",
    -- Fixed windows (FF-56). What no organization is in the path of counts per user, also under "organization".
    limits = {
        standard = { count = 100, seconds = 60, per = "user" },
        auth = { count = 10, seconds = 60, per = "address" },
        analytics = { count = 30, seconds = 60, per = "user" },
        organization = { count = 300, seconds = 60, per = "organization" },
        dashboard = { count = 60, seconds = 60, per = "user" },
    },
    limit_reset = "unix",

    models = require "models",
    units = {
        require "routes.auth",
        require "routes.profile",
        require "routes.api_keys",
        require "routes.projects",
        require "routes.tasks",
        require "routes.pomodoro",
        require "routes.analytics",
        require "routes.export",
        require "routes.organizations",
        require "routes.members",
        require "routes.invites",
        require "routes.organization_tasks",
        require "routes.webhooks",
        require "routes.dashboard",
        require "routes.team_analytics",
        (require "events"),
    },
    docs = {
        { path = "/api/v1/docs/", title = "FocusFlow API", version = "1.0", prefix = "/api/v1/" },
        { path = "/api/v2/docs/", title = "FocusFlow API", version = "2.0", prefix = "/api/v2/" },
    },

    -- The live board for managers, a client of this API like any other.
    pages = {
        { path = "/", file = "board/index.html", development = true },
        { path = "/board/", folder = "board", development = true },
    },

    timers = require "jobs.all",
    webhooks = require "webhooks",
    measures = { "focus_seconds", "pomodoros", "tasks_completed", "tasks_touched" },
    recount = analytics_facts.recount,

    config = {
        access_seconds = integer { 60, 86400, default = 3600, doc = "How long an access token is good." },
        refresh_seconds = integer { 3600, 31536000, default = 604800, doc = "How long a refresh token is good." },
        idle_minutes = integer { 1, 1440, default = 30, doc = "After how long an employee counts as idle." },
    },
    demo = require "demo",
    demo_login = "demo@focusflow.com / DemoPass123!",
}
