-- SPDX-License-Identifier: Apache-2.0
--
-- ProFlow: projects, tasks, teams and recorded time of organizations, for programs that come with an API key. Start
-- reading with rules/permissions.lua.
return {
    name = "proflow",
    title = "ProFlow API",
    version = "1.0",
    summary = "Projects, tasks, teams and time tracking.",
    hosts = { "api.proflow.com", "proflow.localhost" },
    prefixes = { "/v1", "/.well-known/oauth-authorization-server/v1" },
    trailing_slash = true,

    invalid = 422,
    codes = {
        [400] = "bad_request",
        [401] = "unauthorized",
        [403] = "forbidden",
        [404] = "not_found",
        [405] = "method_not_allowed",
        [409] = "conflict",
        [413] = "payload_too_large",
        [422] = "validation_error",
        [429] = "rate_limit_exceeded",
        [500] = "internal_server_error",
        [503] = "service_unavailable",
    },
    envelope = function(e)
        local violations = e.status == 422 and next(e.details or {}) ~= nil
        return {
            error = {
                code = e.code,
                message = violations and "The given data was invalid" or e.message,
                details = e.details or {},
            },
        }
    end,

    principals = { member = require "auth".authenticate },
    rules = require "rules.permissions",
    -- Fixed windows of an hour (PF-16). Each key counts for itself, who has none or a bad one for the address.
    limits = {
        key = { count = 1000, seconds = 3600, per = "token", strangers = "address" },
        address = { count = 100, seconds = 3600, per = "address" },
    },
    limit_reset = "unix",

    models = require "models",
    units = {
        require "routes.auth",
        require "routes.api_keys",
        require "oauth".unit,
        require "routes.projects",
        require "routes.tasks",
        require "routes.teams",
        require "routes.users",
        require "routes.time_entries",
        (require "routes.webhooks"),
    },
    docs = { { path = "/v1/docs" } },

    webhooks = require "webhooks",

    config = {
        key_seconds = integer { 1, 86400, default = 3600, doc = "How long an API key is good before it is looked up." },
    },
    demo = require "demo",
    demo_login = "demo@proflow.com / DemoPass123!",
}
