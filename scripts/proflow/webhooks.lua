-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks of organizations: which events go out, and what they contain (PF-15). The host delivers them (X-15) and adds
-- the headers of Standard Webhooks.
local hooks = require "lib.webhooks"
local webhooks = {}

webhooks.events = {
    "project.created", "project.updated", "project.deleted", "task.created", "task.updated", "task.deleted",
    "time_entry.created",
}

--- `data` is the object as the API returns it.
function webhooks.build(event, data, hook)
    local body = string.format('{"id":%s,"event":%s,"created_at":%s,"data":%s}', json.encode(hook.delivery_id),
        json.encode(event), json.encode(time.iso(hook.created_at)), json.encode(data))
    return {
        body = body,
        headers = {
            ["Content-Type"] = "application/json",
            ["X-ProFlow-Event"] = event,
            ["X-ProFlow-Delivery"] = hook.delivery_id,
            ["X-ProFlow-Signature"] = "sha256=" .. hook.sign(body),
        },
    }
end

local ADMINS = [[
SELECT u.email, o.name FROM users u JOIN organizations o ON o.seq = u.organization
 WHERE u.organization = ? AND u.role = 'admin' AND u.status = 'active' ORDER BY u.seq]]

-- Admins alone can do something about it.
webhooks.disabled = hooks.tell(ADMINS)

return webhooks
