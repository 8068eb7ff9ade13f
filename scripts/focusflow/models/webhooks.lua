-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks and their deliveries.
local events = require "webhooks".events
local models = {}

local created_at = example(1737367200, datetime)
local delivery_id = text { example = "dlv_0f1e2d3c4b5a69788796a5b4c3d2e1f0" }

models.Webhook = object {
    { "id", id { example = 1 } },
    { "url", text { example = "https://your-server.com/webhooks/focusflow" } },
    { "events", list(one_of(events)) },
    { "is_active", doc("false: it has failed for too long.", boolean) },
    { "created_at", created_at },
}

models.Delivery = object {
    { "id", delivery_id },
    { "event", text { example = "task_completed" } },
    { "status", one_of { "pending", "succeeded", "failed" } },
    { "attempts", integer { example = 1 } },
    { "response_status", nullable(integer { example = 200 }) },
    { "latency_ms", nullable(integer { example = 31 }) },
    { "response_excerpt", doc("At most 1 KiB.", nullable(text { example = "ok" })) },
    { "created_at", created_at },
}

models.DeliveryStarted = object { { "id", doc("Of the delivery.", delivery_id) } }

return models
