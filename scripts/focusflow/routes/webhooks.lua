-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks of an organization (FF-57, X-15): what is this API's own about lib/webhooks.lua. What is sent: webhooks.lua.
local hooks = require "lib.webhooks"
local organizations = require "organizations"
local view = require "view"
local webhooks = require "webhooks"

return hooks.unit {
    summary = "Webhooks of an organization.",
    path = "/api/v2/organizations/{slug}/webhooks/",
    params = { slug = organizations.slug_param },
    id = id,
    number = function(number) return number end,
    route = { who = "user", within = "organization", limit = "organization", can = "webhook.manage" },
    owner = function(req)
        return "organization:" .. req.organization.id
    end,
    shown = function(hook)
        return {
            id = hook.id,
            url = hook.url,
            events = hook.events,
            is_active = hook.active,
            created_at = hook.created_at,
        }
    end,
    query = view.paging,
    window = view.window,
    answer = view.answer,
    test = function(req)
        return {
            organization = { id = req.organization.id, slug = req.organization.slug },
            data = { message = "This is a test of the webhook." },
            at = req.now,
        }
    end,
    events = webhooks.events,
    example = "https://your-server.com/webhooks/focusflow",
    secret = text { 8, 255, trim = false, example = "your-webhook-secret" },
    about_secret = "The secret signs what is sent and is never shown.",
    missing = "There is no such organization, webhook or delivery.",
    no_owner = "There is no such organization.",
    no_page = "There is no such organization or page.",
    too_many = "An organization has at most " .. hooks.MOST .. " webhooks.",
}
