-- SPDX-License-Identifier: Apache-2.0
--
-- An app that does nothing but send: its routes are the host's functions for webhooks and mail, so that the tests can
-- talk to them over HTTP. Events carry a signature in a header and, as their last member, one over the body without it.
local OWNER = "team:1"

local function build(event, data, hook)
    local unsigned = json.encode { at = hook.created_at, data = data or null, event = event }
    local body = unsigned:sub(1, -2) .. ',"signature":"sha256=' .. hook.sign(unsigned) .. '"}'
    return { body = body, headers = { ["X-Post-Signature"] = "sha256=" .. hook.sign(body), ["X-Post-Event"] = event } }
end

local function disabled(hook)
    return { to = "owner@example.com", subject = "Webhook " .. hook.id .. " is off", text = hook.disabled_why }
end

local function answer(value, problem)
    if value == nil then
        fail(problem == "not_found" and 404 or problem == "disabled" and 409 or 400, problem)
    end
    return value
end

local HOOK = { id = integer }

return {
    name = "post", title = "Post", prefixes = { "/post" },
    webhooks = { events = { "done", "begun" }, build = build, disabled = disabled },
    units = {
        {
            name = "post", summary = "Webhooks and mail.",
            POST "/post/hooks" {
                summary = "Register", who = "anyone", returns = { [201] = any },
                body = { url = text, events = optional(list(text)), secret = optional(text), owner = optional(text) },
                run = function(req)
                    return 201, answer(db.transaction(function()
                        return webhook.create { owner = req.body.owner or OWNER, url = req.body.url,
                            events = req.body.events or { "done" }, secret = req.body.secret }
                    end))
                end,
            },
            GET "/post/hooks" {
                summary = "List", who = "anyone", returns = { [200] = any },
                run = function() return 200, json.array(webhook.list(OWNER)) end,
            },
            DELETE "/post/hooks/{id}" {
                summary = "Delete", who = "anyone", params = HOOK, returns = { [200] = any },
                run = function(req)
                    return 200, { deleted = db.transaction(function() return webhook.delete(OWNER, req.params.id) end) }
                end,
            },
            GET "/post/hooks/{id}/log" {
                summary = "Log", who = "anyone", params = HOOK, returns = { [200] = any },
                run = function(req)
                    local entries, count = webhook.deliveries(OWNER, req.params.id)
                    return 200, { entries = json.array(entries or fail.not_found()), count = count }
                end,
            },
            POST "/post/hooks/{id}/test" {
                summary = "Test", who = "anyone", params = HOOK, returns = { [202] = any },
                run = function(req)
                    return 202, { id = db.transaction(function()
                        return answer(webhook.test(OWNER, req.params.id))
                    end) }
                end,
            },
            POST "/post/hooks/{id}/again/{delivery}" {
                summary = "Again", who = "anyone", params = { id = integer, delivery = text },
                returns = { [202] = any },
                run = function(req)
                    return 202, { again = db.transaction(function()
                        return answer(webhook.redeliver(OWNER, req.params.id, req.params.delivery))
                    end) }
                end,
            },
            POST "/post/events" {
                summary = "Send", who = "anyone", returns = { [200] = any },
                body = { event = optional(text), data = optional(any), owner = optional(text),
                    count = optional(integer { 1, 10000 }), fail = optional(boolean) },
                run = function(req)
                    return 200, { sent = db.transaction(function()
                        local sent = 0
                        for n = 1, req.body.count or 1 do
                            sent = sent + webhook.send(req.body.owner or OWNER, req.body.event or "done",
                                req.body.data or { n = n })
                        end
                        if req.body.fail then
                            fail.conflict "as asked for"
                        end
                        return sent
                    end) }
                end,
            },
            POST "/post/mail" {
                summary = "Mail", who = "anyone", returns = { [200] = any },
                body = { to = text, subject = text, text = any,
                    html = optional(text), fail = optional(boolean) },
                run = function(req)
                    return 200, { id = db.transaction(function()
                        local id = answer(mail.send { to = req.body.to, subject = req.body.subject,
                            text = req.body.text, html = req.body.html })
                        if req.body.fail then
                            fail.conflict "as asked for"
                        end
                        return id
                    end) }
                end,
            },
            GET "/post/mail" {
                summary = "Mailbox", who = "anyone", query = { to = optional(text) }, returns = { [200] = any },
                run = function(req) return 200, json.array(mail.list { to = req.query.to }) end,
            },
        },
    },
}
