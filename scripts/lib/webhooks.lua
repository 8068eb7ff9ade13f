-- SPDX-License-Identifier: Apache-2.0
--
-- The routes by which users manage webhooks: list, register, delete, delivery log, test event, redelivery (X-15). What
-- is sent, and when, is each app's own. Every webhook is one more row in the transactions of what it listens to, so an
-- owner has a most of them.
local webhooks = { MOST = 100 }

local DISABLED = "The webhook is disabled."

--- Models that both ends of a delivery's log need, for the app's list of models.
function webhooks.models(event)
    local delivery_id = text { example = "dlv_0f1e2d3c4b5a69788796a5b4c3d2e1f0" }
    return {
        Delivery = object {
            { "id", delivery_id },
            { "event", text { example = event } },
            { "status", one_of { "pending", "succeeded", "failed" } },
            { "attempts", integer { example = 1 } },
            { "response_status", nullable(integer { example = 200 }) },
            { "latency_ms", nullable(integer { example = 31 }) },
            { "response_excerpt", doc("At most 1 KiB.", nullable(text { example = "ok" })) },
            { "created_at", example(1737367200, datetime) },
        },
        DeliveryStarted = object { { "id", doc("Of the delivery.", delivery_id) } },
    }
end

local TEXT = [[
Hello,

the webhook of %s at

    %s

has failed for five days and gets no more events. When the receiver works again, register the address anew.
]]

--- The mail that says so. A name comes from users: in a subject it has no line ends.
function webhooks.disabled_mail(to, organization, url)
    local name = organization:gsub("%c+", " ")
    return { to = to, subject = "A webhook of " .. name .. " is disabled", text = TEXT:format(name, url) }
end

--- The manifest's webhooks.disabled of an app whose owners end in the number of an organization: mails to those that
--- the query finds for it, each { email, name of the organization }.
function webhooks.tell(query)
    return function(hook)
        local messages = {}
        for i, person in ipairs(db.all(query, math.tointeger(hook.owner:match "%d+$"))) do
            messages[i] = webhooks.disabled_mail(person.email, person.name, hook.url)
        end
        return messages
    end
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

local function refuse(reason)
    if reason == "disabled" then
        fail.conflict(DISABLED)
    end
    fail.not_found()
end

-- run(req, owner, webhook's number or nil) of each route.
local function handlers(app)
    local run = {}

    -- Newest first.
    function run.list(req, owner)
        local all, results = webhook.list(owner), {}
        local limit, offset = app.window(req)
        for i = #all - offset, math.max(1, #all - offset - limit + 1), -1 do
            results[#results + 1] = app.shown(all[i])
        end
        return 200, app.answer(req, json.array(results), #all)
    end

    function run.create(req, owner)
        local body = req.body
        return 201, db.transaction(function()
            if #webhook.list(owner) >= webhooks.MOST then
                fail.conflict(app.too_many)
            end
            local hook, problem = webhook.create {
                owner = owner,
                url = body.url,
                events = without_repetition(body.events),
                secret = body.secret ~= null and body.secret or nil,
            }
            return app.shown(hook or fail.validation { url = problem })
        end)
    end

    function run.delete(_, owner, number)
        return db.transaction(function()
            if not webhook.delete(owner, number) then
                fail.not_found()
            end
            return 204
        end)
    end

    function run.deliveries(req, owner, number)
        local rows, count = webhook.deliveries(owner, number, app.window(req))
        return 200, app.answer(req, json.array(rows or fail.not_found()), count)
    end

    function run.test(req, owner, number)
        return 202, db.transaction(function()
            local delivery, reason = webhook.test(owner, number, app.test(req))
            return { id = delivery or refuse(reason) }
        end)
    end

    function run.redeliver(req, owner, number)
        return 202, db.transaction(function()
            local found, reason = webhook.redeliver(owner, number, req.params.delivery_id)
            return { id = found and req.params.delivery_id or refuse(reason) }
        end)
    end
    return run
end

local function joined(...)
    local all = {}
    for _, fields in ipairs { ... } do
        for name, value in pairs(fields) do
            all[name] = value
        end
    end
    return all
end

-- `base` has what the app says of all its routes: who, within, limit, can. Nothing is answered for a webhook whose
-- name cannot be one.
local function route_maker(app)
    local run, slash = handlers(app), app.path:sub(-1) == "/" and "/" or ""
    local base, where = app.path:gsub("/$", ""), app.params or {}
    local of_one = joined(where, { id = app.id })
    return function(word, path, handler, route)
        local one = path ~= ""
        local fields = joined(app.route, route, { params = one and joined(of_one, route.params or {}) or where })
        function fields.run(req)
            return run[handler](req, app.owner(req), one and (app.number(req.params.id) or fail.not_found()) or nil)
        end
        if next(fields.params) == nil then
            fields.params = nil
        end
        return word(base .. path .. slash)(fields)
    end
end

--- A unit with all routes. `app`:
---   path, params            where the list is, and the types of the parameters in that path
---   id, number(id)          the type of a webhook's name, and the host's number of it, or nil
---   route                   fields of all routes: who, within, limit, can
---   owner(req)              whose webhooks these are, as for webhook.create
---   shown(hook), secret     what an answer has of one; the type of a secret in the body
---   query, window(req), answer(req, results, count)   how lists are paged
---   test(req)               the data of a test event
---   events, example         the events to choose from, an address
---   missing, too_many       sentences; no_page when a page that does not exist is a 404
function webhooks.unit(app)
    local route = route_maker(app)
    local missing = { [404] = app.missing }
    local missing_or_off = { [404] = app.missing, [409] = DISABLED }
    return {
        name = "webhooks",
        summary = app.summary,
        route(GET, "", "list", {
            summary = "List webhooks",
            query = app.query,
            returns = { [200] = "WebhookPage" },
            errors = { [404] = app.no_page },
        }),
        route(POST, "", "create", {
            summary = "Register a webhook",
            description = app.about_secret,
            body = {
                url = text {
                    1, 2000,
                    pattern = "^[hH][tT][tT][pP][sS]?://.",
                    regex = "^https?://",
                    message = { pattern = "Enter an http or https address." },
                    example = app.example,
                },
                events = list(one_of(app.events), { min = 1, max = 50 }),
                secret = app.secret,
            },
            returns = { [201] = app.created or "Webhook" },
            errors = { [404] = app.no_owner, [409] = app.too_many },
            secret = true,
        }),
        route(DELETE, "/{id}", "delete", {
            summary = "Delete a webhook",
            returns = { [204] = "none" },
            errors = missing,
        }),
        route(GET, "/{id}/deliveries", "deliveries", {
            summary = "List deliveries of a webhook",
            query = app.query,
            returns = { [200] = "DeliveryPage" },
            errors = missing,
        }),
        route(POST, "/{id}/test", "test", {
            summary = "Send a test event",
            returns = { [202] = "DeliveryStarted" },
            errors = missing_or_off,
        }),
        route(POST, "/{id}/deliveries/{delivery_id}/redeliver", "redeliver", {
            summary = "Send a delivery again",
            description = "With the same id and body.",
            params = { delivery_id = text { 1, 100 } },
            returns = { [202] = "DeliveryStarted" },
            errors = missing_or_off,
        }),
    }
end

return webhooks
