-- SPDX-License-Identifier: Apache-2.0
--
-- A view says which columns make up an object of an API: { table =, alias =, columns =, joins =, key = }. The aliases
-- of the columns give the object its shape, so a list goes from the rows to JSON without a Lua table per row. `key` is
-- the integer that names a row ("id" without it).
local view = {}

--- The view with its SQL, to be made once at load.
function view.new(v)
    local key = v.key or "id"
    local function fill(sql)
        local names = { columns = v.columns, table = v.table, alias = v.alias, joins = v.joins or "", key = key }
        return (sql:gsub("{(%w+)}", names))
    end
    v.select = fill "SELECT {columns} FROM {table} {alias} {joins} WHERE "
    v.row = v.select .. fill "{alias}.{key} = ?"
    v.pick = fill "SELECT {key} FROM {table} WHERE "
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

--- One page as JSON and how many objects there are in all. `where` is a lib.conditions over the bare columns. The keys
--- are picked and counted in one pass over an index; only the page's rows are read in full.
function view.page(v, limit, offset, where, order_by)
    return db.page(v.row, limit, offset, v.pick .. where:sql() .. order_by, table.unpack(where.values))
end

return view
