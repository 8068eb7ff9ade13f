-- SPDX-License-Identifier: Apache-2.0
--
-- Views (lib/view.lua) and how this API pages and orders their lists.
local pagination = require "lib.pagination"
local views = require "lib.view"
local view = { new = views.new, one = views.one, object = views.object, all = views.all }

--- Query parameters of every list (FF-12).
view.paging = {
    page = doc("Page number.", integer { 1, default = 1 }),
    page_size = doc("Items per page; above 100 counts as 100.", integer { 1, default = pagination.DEFAULT_SIZE }),
}

--- The query parameter `ordering` of a list (FF-13).
function view.ordering(fields)
    local sentence = table.concat(fields, ", ") .. "; several with commas, - for descending."
    return doc(sentence, list(one_of(pagination.orderings(fields)), {
        min = 1,
        max = #fields,
        default = { "-created_at" },
    }))
end

--- What the requested page shows: how many at most and how many come before.
function view.window(req)
    return pagination.window(req.query.page, req.query.page_size)
end

--- The answer that has these results, of `count` in all.
function view.answer(req, results, count)
    local page = req.query.page
    local exists, next_page, previous = pagination.neighbours(page, (view.window(req)), count)
    if not exists then
        fail.not_found("There is no such page.")
    end
    return {
        count = count,
        next = next_page and req:link { page = next_page },
        previous = previous and req:link { page = previous },
        results = results,
    }
end

--- The answer to a list request. `where` is a lib.conditions over the bare columns; `ordering` as in the request, which
--- it defaults to.
function view.list(req, v, where, ordering)
    local limit, offset = view.window(req)
    local order_by = pagination.order_by(ordering or req.query.ordering)
    return view.answer(req, views.page(v, limit, offset, where, order_by))
end

return view
