-- SPDX-License-Identifier: Apache-2.0
--
-- Lists: { data, meta }, newest first (PF-5). A page past the end is empty.
local pagination = require "lib.pagination"
local view = require "lib.view"
local lists = {}

local NEWEST_FIRST = " ORDER BY seq DESC"

lists.paging = {
    page = doc("Page number.", integer { 1, default = 1 }),
    per_page = doc("Items per page.", integer { 1, 100, default = 10 }),
}

--- The query parameters of a list with these filters. A value that does not exist matches nothing.
function lists.query(filters)
    local fields = { page = lists.paging.page, per_page = lists.paging.per_page }
    for name, sentence in pairs(filters) do
        fields[name] = doc(sentence, optional(text { 0, 100 }))
    end
    return fields
end

--- What the requested page shows: how many at most and how many come before.
function lists.window(req)
    return pagination.window(req.query.page, req.query.per_page)
end

--- The answer that has these items, of `total` in all.
function lists.answer(req, data, total)
    return { data = data, meta = { total = total, page = req.query.page, per_page = req.query.per_page } }
end

--- The answer to a list request: of the view, what `where` (lib.conditions over the bare columns) says.
function lists.list(req, v, where)
    local limit, offset = lists.window(req)
    return 200, lists.answer(req, view.page(v, limit, offset, where, NEWEST_FIRST))
end

return lists
