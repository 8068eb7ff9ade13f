-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks and their deliveries.
local events = require "webhooks".events
local models = require "lib.webhooks".models "task_completed"

models.Webhook = object {
    { "id", id { example = 1 } },
    { "url", text { example = "https://your-server.com/webhooks/focusflow" } },
    { "events", list(one_of(events)) },
    { "is_active", doc("false: it has failed for too long.", boolean) },
    { "created_at", example(1737367200, datetime) },
}

return models
