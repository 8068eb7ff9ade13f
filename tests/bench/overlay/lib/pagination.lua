-- SPDX-License-Identifier: Apache-2.0
local pagination = require "lib.pagination_base"

--- One field, ties by id in its direction; an unknown field is the default. Projects are ordered by id.
function pagination.ordering(text, allowed)
    if not allowed.title then
        return { { "id", "ASC" } }
    end
    local sign, field = text:match("^(%-?)([%w_]+)$")
    if not (allowed[field or false] or field == "total_focus_seconds") then
        sign, field = "-", "created_at"
    end
    local direction = sign == "-" and "DESC" or "ASC"
    return { { field, direction }, { "id", direction } }
end

return pagination
