-- SPDX-License-Identifier: Apache-2.0
--
-- The smallest app with a bit of everything that host functions look at.
local words = require "words"

return {
    name = "probe", title = "Probe", version = "1.0", summary = "For the specs of host functions.",
    hosts = { "probe.localhost" }, prefixes = { "/probe" }, trailing_slash = false,
    codes = {
        [400] = "BAD", [401] = "WHO", [403] = "NO", [404] = "NONE", [405] = "METHOD", [409] = "CONFLICT",
        [413] = "LARGE", [429] = "SLOW", [500] = "BROKEN", [503] = "BUSY",
    },
    envelope = function(e) return { error = e.code } end,
    principals = {},
    limits = {},
    models = { Thing = object { { "id", id }, { "name", text { 1, 20 } } } },
    rules = {},
    measures = { "steps" },
    timers = { ring = function() end },
    units = {
        {
            name = "words", summary = "Words.",
            GET "/probe/words" {
                summary = "All words", who = "anyone", returns = { [200] = list(text) },
                run = function() return 200, words.all() end,
            },
        },
    },
    docs = {},
    webhooks = {
        events = { "done", "begun" },
        build = function(event, data, hook)
            if data and data.built then
                return data.built
            end
            local body = json.encode { event = event, data = data or {}, id = hook.delivery_id }
            return { body = body, headers = { ["X-Probe"] = hook.sign(body) } }
        end,
        disabled = function() return { to = "owner@example.com", subject = "Disabled", text = "No more." } end,
    },
    config = { seconds = integer { 1, 100, default = 30, doc = "Seconds." } },
}
