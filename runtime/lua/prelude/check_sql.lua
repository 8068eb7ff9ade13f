-- SPDX-License-Identifier: Apache-2.0
--
-- The part of `perigee check` that prepares the SQL of scripts against the migrated schema, where the text is constant,
-- and counts its placeholders. Called with the kit and the tree module; returns check(app, file, report).
local kit, tree = ...

local READS = kit.set "db.one db.value db.all db.json db.object db.page tx.one tx.value tx.all"
local WRITES_ROW = kit.set "tx.insert tx.insert_new tx.update"

local function compare(at, node, name, wanted, given, open)
    if given > wanted or given < wanted and not open then
        at(node, string.format("%s: %d placeholder%s, but %d value%s", name, wanted, wanted == 1 and "" or "s", given,
            given == 1 and "" or "s"), "one value for each ?")
    end
end

-- The statement must prepare; `given` values follow it, or at least so many when `open`.
local function check_statement(app, at, node, name, sql, given, open)
    local params, second = app.prepare(sql)     -- second: whether it only reads, or what is wrong
    if not params then
        at(node, string.format("%s: %s", name, second), app.hint_for(second))
        return
    elseif READS[name] and not second then
        at(node, name .. " only reads", "write with tx.run in db.transaction")
    end
    if given then
        compare(at, node, name, params, given, open)
    end
end

local function check_page(app, at, node, first)
    local row, pick = tree.constant(node[first]), tree.constant(node[first + 3])
    if row then
        check_statement(app, at, node, "db.page", row, 1, false)
    end
    if pick then
        check_statement(app, at, node, "db.page", pick, tree.count(node, first + 4))
    end
end

local function check_columns(at, name, table_name, columns, values)
    for _, entry in ipairs(values or {}) do
        local column = entry.tag == "Pair" and entry[1].tag == "String" and entry[1][1]
        if column and not columns[column] then
            at(entry[1], string.format('%s: the table %s has no column "%s"', name, table_name, column),
                kit.near(column, columns))
        end
    end
end

-- tx.insert, tx.update: the table, its columns, and the condition of an update.
local function check_row(app, at, node, first, name)
    local table_name = tree.constant(node[first])
    if not table_name then
        return
    end
    local columns, any = app.columns(table_name)
    if not columns then
        at(node, string.format('%s: there is no table "%s"', name, table_name), kit.near(table_name, app.tables()))
        return
    end
    check_columns(at, name, table_name, columns, tree.constructor(node[first + 1]))
    local where = name == "tx.update" and tree.constant(node[first + 2])
    if where then
        local sql = string.format('UPDATE "%s" SET "%s" = "%s" WHERE %s', table_name, any, any, where)
        check_statement(app, at, node, name, sql, tree.count(node, first + 3))
    end
end

-- { sql = "…", values } in what a report is made of.
local function check_report(app, at, node)
    tree.walk(node, function(inner)
        local sql = inner.tag == "Table" and tree.constant(tree.field(inner, "sql"))
        if sql then
            local values = { tag = "List" }
            for _, entry in ipairs(inner) do
                values[#values + 1] = entry.tag ~= "Pair" and entry or nil
            end
            check_statement(app, at, inner, "report", sql, tree.count(values, 1))
        end
    end)
end

local function check_call(app, at, node, lib, field, first)
    local name = lib .. "." .. field
    if name == "db.page" then
        check_page(app, at, node, first)
    elseif READS[name] or name == "tx.run" then
        for _, sql in ipairs(tree.choices(node[first])) do
            check_statement(app, at, node, name, sql, tree.count(node, first + 1))
        end
    elseif WRITES_ROW[name] then
        check_row(app, at, node, first, name)
    elseif lib == "report" then
        check_report(app, at, node)
    end
end

-- "no such column: nmae" → the column of any table that is near.
local function hint_for(app, problem)
    local what, name = problem:match "no such (%a+): ([%w_.]+)"
    if what == "table" then
        return kit.near(name, app.tables())
    elseif what == "column" then
        local all = {}
        for table_name in pairs(app.tables()) do
            for column in pairs(app.columns(table_name) or {}) do
                all[column] = true
            end
        end
        return kit.near(name:match "[^.]+$", all)
    end
end

-- Gives the app what the checks ask of its schema.
local function open(app)
    local seen, tables = {}, nil
    function app.columns(name)
        if seen[name] == nil then
            local params, _, list = app.prepare('SELECT * FROM "' .. name:gsub('"', '""') .. '"')
            seen[name] = params and { names = kit.set(table.concat(list, " ")), any = list[1] } or false
        end
        return seen[name] and seen[name].names, seen[name] and seen[name].any
    end
    function app.tables()
        tables = tables or kit.set(table.concat(app.table_names(), " "))
        return tables
    end
    function app.hint_for(problem)
        return hint_for(app, problem)
    end
end

return function(app, file, report)
    if not app.columns then
        open(app)
    end
    local function at(node, message, hint)
        report { file = file.path, line = node.line, column = file.state:offset_to_column(node.line, node.offset),
            message = message, hint = hint, rule = "sql" }
    end
    for _, call in ipairs(tree.calls(file)) do
        local lib, field, first = tree.callee(call.node, app.libs)
        if lib then
            check_call(app, at, call.node, lib, field, first)
        end
    end
end
