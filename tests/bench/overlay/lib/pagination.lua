-- SPDX-License-Identifier: Apache-2.0
local pagination = require "lib.pagination_base"
local base = pagination.order_by

--- A request's ordering is a text here (view.lua): one field, ties by id in its direction.
function pagination.order_by(ordering)
    if type(ordering) == "table" then
        return base(ordering)
    end
    local sign, field = ordering:match("^(%-?)(.*)$")
    local direction = sign == "-" and "DESC" or "ASC"
    return string.format(" ORDER BY %s %s, id %s", field, direction, direction)
end

return pagination
