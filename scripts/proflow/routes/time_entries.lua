-- SPDX-License-Identifier: Apache-2.0
--
-- Recorded time (PF-14).
local changes = require "changes"
local ids = require "ids"
local references = require "references"
local resource = require "resource"
local rules = require "rules.permissions"

local ENTRY = { name = "time_entry", many = "time entries", model = "TimeEntry", path = "/v1/time-entries" }

-- Who may not record for others learns nothing about which others there are.
local function check(req)
    local user = req.body.user_id
    if user and user ~= req.user.user_id then
        local allowed, refusal = rules["time_entry.write_for_others"](req.user)
        if not allowed then
            fail.forbidden("Time of another user: " .. refusal)
        end
    end
    local violations = references.check(req) or {}
    if req.body.started_at and req.body.started_at > req.now then
        violations.started_at = "This lies in the future."
    end
    return next(violations) and violations
end

local function create(req)
    local entry = req.body
    entry.user_id = entry.user_id or req.user.user_id
    entry.started_at = entry.started_at or req.now - entry.duration
    return changes.create(req, "time_entry", entry)
end

return {
    name = "time_entries",
    summary = "Recorded time.",
    resource.list(ENTRY, { task_id = "Task identifier", user_id = "User identifier" }),
    resource.route(POST, ENTRY.path, "time_entry.write", {
        summary = "Log time",
        body = {
            task_id = ids.type "task_7QhT2vYxN4mKpR8sWc3f",
            user_id = doc("Your own when left out; another user's takes the role manager or admin.",
                optional(ids.type "user_7QhT2vYxN4mKpR8sWc3f")),
            duration = doc("Seconds.", integer { 1, 86400, example = 3600 }),
            description = optional(nullable(text { 0, 5000, example = "Work description" })),
            started_at = doc("Now without the duration when left out; not in the future.", optional(datetime)),
        },
        check = check,
        returns = { [201] = "TimeEntry" },
        errors = { [403] = "The role is too low, or too low for another user's time." },
        run = create,
    }),
}
