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

--- The view with its SQL, to be made once at load.
function view.new(v)
    local function fill(sql)
        return (sql:gsub("{(%w+)}", { columns = v.columns, table = v.table, alias = v.alias, joins = v.joins or "" }))
    end
    v.select = fill "SELECT {columns} FROM {table} {alias} {joins} WHERE "
    v.count = fill "SELECT COUNT(*) FROM {table} WHERE "
    -- A page picks its ids from an index first; only the rows it shows are joined.
    v.page = fill [[SELECT {columns} FROM (SELECT id FROM {table} WHERE %s %s LIMIT ? OFFSET ?) picked
        JOIN {table} {alias} ON {alias}.id = picked.id {joins} %s]]
    return v
end

--- One object as a table, or nil.
function view.one(v, condition, ...)
    return db.one(v.select .. condition, ...)
end

--- All objects, as JSON. The condition may go on with ORDER BY.
function view.all(v, condition, ...)
    return (db.json(v.select .. condition, ...))
end

--- The answer to a list request. `where` is a lib.conditions over the bare columns, `terms` an ordering.
function view.list(req, v, where, terms)
    local condition, values = where:sql(), where.values
    local count = db.value(v.count .. condition, table.unpack(values))
    local window = pagination.window(req.query.page, req.query.page_size, count)
    if not window then
        fail.not_found("There is no such page.")
    end
    local n = #values
    values[n + 1], values[n + 2] = window.limit, window.offset
    local sql = v.page:format(condition, pagination.order_by(terms), pagination.order_by(terms, v.alias))
    return {
        count = count,
        next = window.next and req:link { page = window.next },
        previous = window.previous and req:link { page = window.previous },
        results = db.json(sql, table.unpack(values)),
    }
end

--- The ordering a request asks for; 400 for a field that is not in `allowed` (FF-13).
function view.ordering(req, allowed)
    local terms, unknown = pagination.ordering(req.query.ordering, allowed)
    if not terms then
        fail.validation { ordering = string.format('"%s" is not a valid choice.', unknown) }
    end
    return terms
end

return view
