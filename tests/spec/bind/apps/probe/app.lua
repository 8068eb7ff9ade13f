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
    config = { seconds = integer { 1, 100, default = 30, doc = "Seconds." } },
}
