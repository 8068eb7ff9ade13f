-- SPDX-License-Identifier: Apache-2.0
--
-- Focus Sessions: stretches of deep work, each perhaps for a quest. The smallest complete app: read rules/sessions.lua,
-- then routes/sessions.lua.
return {
    name = "focus_sessions",
    title = "Focus Sessions API",
    version = "1.0",
    summary = "Stretches of deep work, each perhaps for a quest.",
    hosts = { "focus-sessions.localhost" },
    prefixes = { "/focus-sessions", "/auth", "/quests" },
    trailing_slash = true,

    codes = {
        [400] = "validation_error",
        [401] = "unauthorized",
        [404] = "not_found",
        [405] = "method_not_allowed",
        [409] = "conflict",
        [413] = "payload_too_large",
        [500] = "internal_error",
        [503] = "service_unavailable",
    },
    envelope = function(e)
        local details = e.status == 400 and e.details or nil
        return { error = { code = e.code, message = e.message, details = details } }
    end,

    principals = { user = require "tokens".authenticate },
    models = require "models",
    units = {
        require "routes.auth",
        require "routes.quests",
        (require "routes.sessions"),
    },
    docs = { { path = "/focus-sessions/docs" } },
    config = {
        token_seconds = integer { 60, 31536000, default = 604800, doc = "How long a token is good." },
    },
}
