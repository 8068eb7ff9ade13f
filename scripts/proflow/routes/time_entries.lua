-- SPDX-License-Identifier: Apache-2.0
--
-- Recorded time (PF-14).
local changes = require "changes"
local conditions = require "lib.conditions"
local ids = require "ids"
local lists = require "lists"
local references = require "references"
local rules = require "rules.permissions"
local views = require "views"

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
    local body = req.body
    return changes.create(req, "time_entry", {
        task_id = body.task_id,
        user_id = body.user_id or req.user.user_id,
        duration = body.duration,
        description = body.description,
        started_at = body.started_at or req.now - body.duration,
    })
end

return {
    name = "time_entries",
    summary = "Recorded time.",
    GET "/v1/time-entries" {
        summary = "List time entries",
        who = "member",
        limit = "key",
        can = "time_entry.read",
        query = lists.query { task_id = "Task identifier", user_id = "User identifier" },
        returns = { [200] = "TimeEntryPage" },
        run = function(req)
            local where = conditions.new("organization = ?", req.user.organization)
            where:filter("task_id = ?", req.query.task_id):filter("user_id = ?", req.query.user_id)
            return lists.list(req, views.time_entry, where)
        end,
    },
    POST "/v1/time-entries" {
        summary = "Log time",
        who = "member",
        limit = "key",
        can = "time_entry.write",
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
    },
}
