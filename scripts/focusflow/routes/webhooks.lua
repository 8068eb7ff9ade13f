-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks of an organization: registering, the delivery log, test and redelivery (FF-57, X-15). What is sent:
-- webhooks.lua.
local organizations = require "organizations"
local pagination = require "lib.pagination"
local view = require "view"
local webhooks = require "webhooks"

local NOT_FOUND = "There is no such organization or webhook."
local DISABLED = "The webhook is disabled."
local WEBHOOKS = 100
local TOO_MANY = "An organization has at most " .. WEBHOOKS .. " webhooks."
local slug = organizations.slug_param
local one = { slug = slug, id = id }

local function owner(req)
    return "organization:" .. req.organization.id
end

local function shown(hook)
    return { id = hook.id, url = hook.url, events = hook.events, is_active = hook.active, created_at = hook.created_at }
end

local function page_of(req, results, count)
    local page, limit = req.query.page, (pagination.window(1, req.query.page_size))
    local exists, next_page, previous = pagination.neighbours(page, limit, count)
    if not exists then
        fail.not_found "There is no such page."
    end
    return 200, {
        count = count,
        next = next_page and req:link { page = next_page },
        previous = previous and req:link { page = previous },
        results = results,
    }
end

-- Newest first, as everywhere.
local function list_all(req)
    local all = webhook.list(owner(req))
    local limit, offset = pagination.window(req.query.page, req.query.page_size)
    local results = {}
    for i = #all - offset, math.max(1, #all - offset - limit + 1), -1 do
        results[#results + 1] = shown(all[i])
    end
    return page_of(req, results, #all)
end

local function without_repetition(events)
    local seen, out = {}, {}
    for _, event in ipairs(events) do
        if not seen[event] then
            seen[event] = true
            out[#out + 1] = event
        end
    end
    return out
end

-- Each webhook is one more row in the transactions of all members' work, so there is a most of them.
local function create(req)
    local body = req.body
    return 201, db.transaction(function()
        if #webhook.list(owner(req)) >= WEBHOOKS then
            fail.conflict(TOO_MANY)
        end
        local hook, problem = webhook.create {
            owner = owner(req),
            url = body.url,
            events = without_repetition(body.events),
            secret = body.secret,
        }
        if not hook then
            fail.validation { url = problem }
        end
        return shown(hook)
    end)
end

local function delete(req)
    return db.transaction(function()
        if not webhook.delete(owner(req), req.params.id) then
            fail.not_found()
        end
        return 204
    end)
end

local function deliveries(req)
    local limit, offset = pagination.window(req.query.page, req.query.page_size)
    local rows, count = webhook.deliveries(owner(req), req.params.id, limit, offset)
    return page_of(req, rows or fail.not_found(), count)
end

local function refuse(reason)
    if reason == "disabled" then
        fail.conflict(DISABLED)
    end
    fail.not_found()
end

local function test(req)
    return 202, db.transaction(function()
        local delivery, reason = webhook.test(owner(req), req.params.id, {
            organization = { id = req.organization.id, slug = req.organization.slug },
            data = { message = "This is a test of the webhook." },
            at = req.now,
        })
        return { id = delivery or refuse(reason) }
    end)
end

local function redeliver(req)
    return 202, db.transaction(function()
        local found, reason = webhook.redeliver(owner(req), req.params.id, req.params.delivery_id)
        return { id = found and req.params.delivery_id or refuse(reason) }
    end)
end

local function route(r)
    r.who, r.within, r.limit, r.can = "user", "organization", "organization", "webhook.manage"
    return r
end

return {
    name = "webhooks",
    summary = "Webhooks of an organization.",
    GET "/api/v2/organizations/{slug}/webhooks/" (route {
        summary = "List webhooks",
        params = { slug = slug },
        query = view.paging,
        returns = { [200] = "WebhookPage" },
        errors = { [404] = "There is no such organization or page." },
        run = list_all,
    }),
    POST "/api/v2/organizations/{slug}/webhooks/" (route {
        summary = "Register a webhook",
        description = "The secret signs what is sent and is never shown.",
        params = { slug = slug },
        body = {
            url = text {
                1, 2000,
                pattern = "^[hH][tT][tT][pP][sS]?://.",
                regex = "^https?://",
                message = { pattern = "Enter an http or https address." },
                example = "https://your-server.com/webhooks/focusflow",
            },
            events = list(one_of(webhooks.events), { min = 1, max = 50 }),
            secret = text { 8, 255, trim = false, example = "your-webhook-secret" },
        },
        returns = { [201] = "Webhook" },
        errors = { [404] = "There is no such organization.", [409] = TOO_MANY },
        run = create,
    }),
    DELETE "/api/v2/organizations/{slug}/webhooks/{id}/" (route {
        summary = "Delete a webhook",
        params = one,
        returns = { [204] = "none" },
        errors = { [404] = NOT_FOUND },
        run = delete,
    }),
    GET "/api/v2/organizations/{slug}/webhooks/{id}/deliveries/" (route {
        summary = "List deliveries of a webhook",
        params = one,
        query = view.paging,
        returns = { [200] = "DeliveryPage" },
        errors = { [404] = NOT_FOUND },
        run = deliveries,
    }),
    POST "/api/v2/organizations/{slug}/webhooks/{id}/test/" (route {
        summary = "Send a test event",
        params = one,
        returns = { [202] = "DeliveryStarted" },
        errors = { [404] = NOT_FOUND, [409] = DISABLED },
        run = test,
    }),
    POST "/api/v2/organizations/{slug}/webhooks/{id}/deliveries/{delivery_id}/redeliver/" (route {
        summary = "Send a delivery again",
        description = "With the same id and body.",
        params = { slug = slug, id = id, delivery_id = text { 1, 100 } },
        returns = { [202] = "DeliveryStarted" },
        errors = { [404] = "There is no such organization, webhook or delivery.", [409] = DISABLED },
        run = redeliver,
    }),
}
