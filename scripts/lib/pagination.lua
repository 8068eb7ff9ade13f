-- SPDX-License-Identifier: Apache-2.0
--
-- Pages and orderings of lists. Pure: texts and numbers in, texts and numbers out.
local pagination = { DEFAULT_SIZE = 20, MAX_SIZE = 100 }

--- The items that page `page` shows: how many at most and how many come before; a size above the maximum counts as it.
function pagination.window(page, size)
    local limit = math.min(size, pagination.MAX_SIZE)
    return limit, (page - 1) * limit
end

--- Whether there is such a page of `count` items, and the numbers of the next and the previous one, or nil. Page 1
--- always exists.
function pagination.neighbours(page, limit, count)
    local exists = page == 1 or (page - 1) * limit < count
    return exists, page * limit < count and page + 1 or nil, page > 1 and page - 1 or nil
end

--- What a request may order by: each field, and with "-" for descending.
function pagination.orderings(fields)
    local values = {}
    for _, field in ipairs(fields) do
        values[#values + 1], values[#values + 2] = field, "-" .. field
    end
    return values
end

local function order_by(items)
    local columns = {}
    for i, item in ipairs(items) do
        local sign, field = item:match("^(%-?)(.*)$")
        columns[i] = field .. (sign == "-" and " DESC" or " ASC")
    end
    columns[#columns + 1] = "id DESC"
    return " ORDER BY " .. table.concat(columns, ", ")
end

local single = {}   -- almost every request orders by one field

--- { "-created_at", "title" } → an ORDER BY that ends with the id, newest first, so that equal rows keep their places
--- from page to page.
function pagination.order_by(items)
    if items[2] then
        return order_by(items)
    end
    local field = items[1]
    single[field] = single[field] or order_by(items)
    return single[field]
end

return pagination
