-- SPDX-License-Identifier: Apache-2.0
--
-- What bodies refer to must exist in the member's own organization (PF-9). It is looked for twice: by a route's check,
-- so that all that is wrong with a body is said at once, and in the transaction, as it may have gone since.
local references = {}

local FIELDS = {
    team_id = { "SELECT 1 FROM teams WHERE id = ? AND organization = ?", "There is no such team." },
    project_id = { "SELECT 1 FROM projects WHERE id = ? AND organization = ?", "There is no such project." },
    task_id = { "SELECT 1 FROM tasks WHERE id = ? AND organization = ?", "There is no such task." },
    assignee_id = { "SELECT 1 FROM users WHERE id = ? AND organization = ?", "There is no such user." },
    user_id = { "SELECT 1 FROM users WHERE id = ? AND organization = ?", "There is no such user." },
}

--- A route's check: violations of the body, or nil.
function references.check(req)
    local violations = {}
    for field, about in pairs(FIELDS) do
        local value = req.body[field]
        if value and value ~= null and not db.value(about[1], value, req.user.organization) then
            violations[field] = about[2]
        end
    end
    return next(violations) and violations
end

--- Ends the request unless all still exist.
function references.require(req)
    local violations = references.check(req)
    if violations then
        fail.validation(violations)
    end
end

return references
