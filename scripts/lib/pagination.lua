-- SPDX-License-Identifier: Apache-2.0
--
-- Pages and orderings of lists. Pure: texts and numbers in, texts and numbers out.
local pagination = { DEFAULT_SIZE = 20, MAX_SIZE = 100 }

--- What page `page` of `count` items shows: { limit, offset, next, previous }, or nil if there is no such page.
--- Page 1 always exists; a size above the maximum counts as the maximum.
function pagination.window(page, size, count)
    local limit = math.min(size, pagination.MAX_SIZE)
    if page > 1 and page - 1 > (count - 1) // limit then
        return nil
    end
    local offset = (page - 1) * limit
    return {
        limit = limit,
        offset = offset,
        next = offset + limit < count and page + 1 or nil,
        previous = page > 1 and page - 1 or nil,
    }
end

--- "-created_at,title" → a list of { field, direction } that ends with the id, newest first, so that equal rows keep
--- their places from page to page. `allowed` is the set of fields; nil and the offending text for any other.
function pagination.ordering(text, allowed)
    local terms = {}
    for item in (text .. ","):gmatch("([^,]*),") do
        local sign, field = item:match("^%s*(%-?)([%w_]+)%s*$")
        if not allowed[field or false] then
            return nil, item
        end
        terms[#terms + 1] = { field, sign == "-" and "DESC" or "ASC" }
    end
    terms[#terms + 1] = { "id", "DESC" }
    return terms
end

--- The ORDER BY of an ordering; `alias` qualifies the columns.
function pagination.order_by(terms, alias)
    local prefix, columns = alias and alias .. "." or "", {}
    for i, term in ipairs(terms) do
        columns[i] = prefix .. term[1] .. " " .. term[2]
    end
    return "ORDER BY " .. table.concat(columns, ", ")
end

return pagination
