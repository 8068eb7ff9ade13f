-- SPDX-License-Identifier: Apache-2.0
--
-- The shapes of all answers. Every member is always there, null where nothing is set (FS-6).
local rules = require "rules.sessions"
local uuid = require "uuid"

local models = {}

models.Session = object {
    { "id", uuid },
    { "quest_id", nullable(uuid) },
    { "description", nullable(text { example = "Writing Chapter 1" }) },
    { "duration_minutes", doc("The target.", integer { example = 25 }) },
    { "status", example("completed", one_of(rules.STATUSES)) },
    { "started_at", example(1698400800, datetime) },
    { "completed_at", doc("null unless completed.", nullable(example(1698402300, datetime))) },
}

models.Quest = object {
    { "id", uuid },
    { "title", text { example = "Write a novel" } },
    { "description", nullable(text { example = "Fifty thousand words" }) },
    { "created_at", example(1698400800, datetime) },
}

models.LoggedIn = object {
    { "token", doc("Good for seven days.", text { example = "eyJ0eXAiOiJKV1QiLCJhbG..." }) },
    { "user", object {
        { "id", uuid },
        { "email", email { example = "user@example.com" } },
        { "name", nullable(text { example = "Ada" }) },
    } },
}

return models
