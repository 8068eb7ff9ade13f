-- SPDX-License-Identifier: Apache-2.0
--
-- What may become of a session (FS-7). Pure: the handler loads the row, asks here, and carries out the answer.
local rules = {}

-- Minutes that a session may be meant to take (FS-5).
rules.SHORTEST, rules.LONGEST = 1, 24 * 60

rules.STATUSES = { "active", "completed", "cancelled" }

-- status → what it may become.
rules.may_become = {
    active = { completed = true, cancelled = true },
    completed = {},
    cancelled = {},
}

--- The columns that change when a session { status, started_at } becomes `status` at `now`, or nil and why not.
function rules.change(session, status, now)
    if status == session.status then
        return {}       -- a repetition changes nothing
    elseif not rules.may_become[session.status][status] then
        return nil, "The session is already " .. session.status .. "."
    end
    return {
        status = status,
        completed_at = status == "completed" and math.max(now, session.started_at) or nil,      -- FS-8, X-17
    }
end

return rules
