-- SPDX-License-Identifier: Apache-2.0
--
-- Webhooks of organizations: which events go out, and what they contain (FF-57, FF-58). The host delivers them (X-15)
-- and adds the headers of Standard Webhooks.
local hooks = require "lib.webhooks"
local webhooks = {}

webhooks.events = {
    "task_started", "task_paused", "task_resumed", "task_completed", "task_assigned", "pomodoro_completed",
    "break_started", "employee_idle",
}

--- { organization = { id, slug }, data =, at = } becomes the documented payload. Its last member is the signature of
--- everything before it: whoever verifies cuts `,"signature"` off, puts the closing brace back and signs that.
function webhooks.build(event, happening, hook)
    local body = string.format('{"event":%s,"organization":%s,"data":%s,"timestamp":%s', json.encode(event),
        json.encode(happening.organization), json.encode(happening.data), json.encode(time.iso(happening.at)))
    local signature = "sha256=" .. hook.sign(body .. "}")
    body = body .. ',"signature":' .. json.encode(signature) .. "}"
    return {
        body = body,
        headers = {
            ["Content-Type"] = "application/json",
            ["X-FocusFlow-Signature"] = "sha256=" .. hook.sign(body),
        },
    }
end

local ADMINS = [[
SELECT u.email, o.name
  FROM memberships m JOIN users u ON u.id = m.user_id JOIN organizations o ON o.id = m.organization_id
 WHERE m.organization_id = ? AND m.role = 'admin' AND m.is_active = 1 ORDER BY m.id]]

-- Admins alone can do something about it.
webhooks.disabled = hooks.tell(ADMINS)

return webhooks
