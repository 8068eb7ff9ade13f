-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks of an organization (PF-15, X-15): what is this API's own about lib/webhooks.lua. What is sent: webhooks.lua.
local happenings = require "happenings"
local hooks = require "lib.webhooks"
local ids = require "ids"
local lists = require "lists"
local webhooks = require "webhooks"

local PREFIX = "webhook_"

return hooks.unit {
    summary = "Webhooks of an organization.",
    path = "/v1/webhooks",
    id = ids.type(PREFIX .. "1"),
    number = function(name)
        local digits = name:sub(1, #PREFIX) == PREFIX and name:match("^[1-9]%d*$", #PREFIX + 1)
        return digits and math.tointeger(digits)
    end,
    route = { who = "member", limit = "key", can = "webhook.manage" },
    owner = function(req)
        return happenings.owner(req.user)
    end,
    shown = function(hook)
        return {
            id = PREFIX .. hook.id,
            url = hook.url,
            events = hook.events,
            is_active = hook.active,
            created_at = hook.created_at,
            secret = hook.secret,
        }
    end,
    query = lists.query {},
    window = lists.window,
    answer = lists.answer,
    test = function()
        return { message = "This is a test of the webhook." }
    end,
    events = webhooks.events,
    example = "https://your-domain.com/webhook",
    created = "NewWebhook",
    secret = optional(nullable(text { 8, 255, trim = false, example = "webhook_secret" })),
    about_secret = "The secret signs what is sent. Without one the server makes one and shows it, this once.",
    missing = "The organization has no such webhook or delivery.",
    too_many = "An organization has at most " .. hooks.MOST .. " webhooks.",
}
