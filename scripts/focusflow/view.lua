-- SPDX-License-Identifier: Apache-2.0
--
-- A view says which columns make up an object of the API: { table =, alias =, columns =, joins = }. The aliases of the
-- columns give the object its shape, so a list goes from the rows to JSON without a Lua table per row.
local pagination = require "lib.pagination"
local view = {}

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

--- The view with its SQL, to be made once at load.
function view.new(v)
    local function fill(sql)
        return (sql:gsub("{(%w+)}", { columns = v.columns, table = v.table, alias = v.alias, joins = v.joins or "" }))
    end
    v.select = fill "SELECT {columns} FROM {table} {alias} {joins} WHERE "
    v.row = v.select .. v.alias .. ".id = ?"
    v.pick = fill "SELECT id FROM {table} WHERE "
    return v
end

--- One object as a table, or nil.
function view.one(v, condition, ...)
    return db.one(v.select .. condition, ...)
end

--- One object as JSON, or nil. Parameters of the view's own columns come first.
function view.object(v, condition, ...)
    return db.object(v.select .. condition, ...)
end

--- All objects, as JSON. The condition may go on with ORDER BY.
function view.all(v, condition, ...)
    return (db.json(v.select .. condition, ...))
end

--- The answer to a list request. `where` is a lib.conditions over the bare columns; `ordering` as in the request, which
--- it defaults to. The ids are picked and counted in one pass over an index; only the page's rows are read in full.
function view.list(req, v, where, ordering)
    local page = req.query.page
    local limit, offset = pagination.window(page, req.query.page_size)
    local pick = v.pick .. where:sql() .. pagination.order_by(ordering or req.query.ordering)
    local results, count = db.page(v.row, limit, offset, pick, table.unpack(where.values))
    local exists, next_page, previous = pagination.neighbours(page, limit, count)
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

return view
