-- SPDX-License-Identifier: Apache-2.0
--
-- The manifest's `webhooks`: which events go out, how one is built, and who is told when an endpoint is disabled. The
-- telling is a durable timer, set in the transaction that disables, so it happens once and survives a crash. Called
-- with the kit; returns check(ctx, manifest, out).
local kit = ...
local TIMER = "perigee.webhook_disabled"
local KEYS = kit.set "events build disabled"

local function tell(disabled)
    return function(_, args)
        local hook = webhook.get(args.owner, args.id)
        local messages = hook and disabled and disabled(hook) or {}
        if messages.to then
            messages = { messages }
        end
        db.transaction(function()
            for _, message in ipairs(messages) do
                local id, problem = mail.send(message)
                if not id then
                    log.warn("nobody was told that a webhook is disabled", { webhook = args.id, problem = problem })
                end
            end
        end)
    end
end

local function check_events(ctx, list)
    local names = {}
    for i, name in ipairs(type(list) == "table" and list or {}) do
        if type(name) ~= "string" or not name:find("^[%w_.:-]+$") or name == "webhook.test" then
            ctx.problem(nil, 'webhooks.events[%d] must be a word of letters, digits and "_.:-", not webhook.test', i)
        else
            names[name] = true
        end
    end
    if next(names) == nil then
        ctx.problem(nil, "webhooks.events must be a list of names")
    end
    return names
end

return function(ctx, m, out)
    local webhooks = m.webhooks
    if webhooks == nil then
        return
    end
    if type(webhooks) ~= "table" then
        ctx.problem(nil, "webhooks must be a table { events =, build =, disabled = }")
        return
    end
    ctx.keys(webhooks, KEYS, nil, "webhooks")
    if type(webhooks.build) ~= "function" then
        ctx.problem(nil, "webhooks.build must be a function")
    end
    if webhooks.disabled ~= nil and type(webhooks.disabled) ~= "function" then
        ctx.problem(nil, "webhooks.disabled must be a function")
    end
    out.webhooks = { events = check_events(ctx, webhooks.events), build = webhooks.build }
    out.timers[TIMER] = tell(webhooks.disabled)
end
