-- SPDX-License-Identifier: Apache-2.0
describe("db", function()
    before_each(function()
        db.transaction(function(tx)
            tx.run "DELETE FROM things"
            tx.run "DELETE FROM owners"
            tx.insert("owners", { id = 1, name = "Ann" })
            tx.insert("things", { id = 1, name = "cup", owner_id = 1, size = 1.5, made_at = 0, extra = '{"a":[1]}' })
            tx.insert("things", { id = 2, name = "pen", active = false })
        end)
    end)

    local shaped = [[SELECT t.id, t.active AS "active:bool", t.made_at AS "made_at:time", t.extra AS "extra:json",
        o.id AS "owner.id", o.name AS "owner.name" FROM things t LEFT JOIN owners o ON o.id = t.owner_id]]

    it("one: the first row; :bool and nested names make Lua values, NULL is absent", function()
        local row = db.one(shaped .. " WHERE t.id = ?", 1)
        assert.same({ id = 1, active = true, made_at = 0, extra = '{"a":[1]}', owner = { id = 1, name = "Ann" } }, row)
        assert.same({ id = 2, active = false }, db.one(shaped .. " WHERE t.id = ?", 2))
        assert.is_nil(db.one("SELECT id FROM things WHERE id = ?", 99))
    end)

    it("value: the first column of the first row", function()
        assert.equal("cup", db.value("SELECT name FROM things WHERE id = ?", 1))
        assert.equal(1.5, db.value "SELECT size FROM things WHERE id = 1")
        assert.is_true(db.value 'SELECT active AS "x:bool" FROM things WHERE id = 1')
        assert.is_nil(db.value "SELECT size FROM things WHERE id = 2")
        assert.is_nil(db.value "SELECT id FROM things WHERE id = 99")
    end)

    it("all: every row in order", function()
        assert.same({ { name = "pen" }, { name = "cup" } }, db.all "SELECT name FROM things ORDER BY id DESC")
        assert.same({}, db.all "SELECT name FROM things WHERE id > 99")
    end)

    it("json: rows as text, shaped by their aliases, and their number", function()
        local rows, n = db.json(shaped .. " ORDER BY t.id")
        assert.equal(2, n)
        assert.equal('[{"id":1,"active":true,"made_at":"1970-01-01T00:00:00Z","extra":{"a":[1]},' ..
            '"owner":{"id":1,"name":"Ann"}},{"id":2,"active":false,"made_at":null,"extra":null,"owner":null}]',
            json.encode(rows))
        rows, n = db.json "SELECT id FROM things WHERE id > 99"
        assert.same({ "[]", 0 }, { json.encode(rows), n })
    end)

    it("object: one row as text; JSON made before fits into it", function()
        local rows = db.json "SELECT id FROM things ORDER BY id"
        assert.equal('{"name":"cup","all":[{"id":1},{"id":2}]}',
            json.encode(db.object('SELECT name, ? AS "all:json" FROM things WHERE id = ?', rows, 1)))
        assert.is_nil(db.object "SELECT id FROM things WHERE id = 99")
    end)

    it("page: the rows of some ids and how many there are", function()
        local row, pick = "SELECT id, name FROM things WHERE id = ?",
            "SELECT id FROM things WHERE id < ? ORDER BY id DESC"
        local rows, count = db.page(row, 1, 1, pick, 10)
        assert.same({ '[{"id":1,"name":"cup"}]', 2 }, { json.encode(rows), count })
        rows, count = db.page(row, 5, 2, pick, 10)
        assert.same({ "[]", 2 }, { json.encode(rows), count })
        assert.has_error(function() db.page(row, 0, 0, pick, 10) end, "bad argument #2 to 'page' (1 to 1000 expected)")
        assert.has_error(function() db.page(row, 1, -1, pick, 10) end, "bad argument #3 to 'page' (0 or more expected)")
    end)

    it("binds text, numbers, booleans and null; nothing else", function()
        assert.same({ a = "x\0y", b = 7, c = 0.5, d = 1 }, db.one("SELECT ? a, ? b, ? c, ? d, ? e, ? f", "x\0y", 7,
            0.5, true,
            null, nil))
        assert.error_matches(function() db.one("SELECT ?", {}) end, "parameter 1 is a table: bind text, numbers")
    end)

    it("counts placeholders", function()
        assert.error_matches(function() db.one "SELECT ?" end, "0 parameters for 1 placeholders in: SELECT %?")
        assert.error_matches(function() db.all("SELECT 1", 2) end, "1 parameters for 0 placeholders")
    end)

    it("refuses everything but reading outside a transaction", function()
        assert.error_matches(function() db.one "DELETE FROM things" end, "writing needs db.transaction")
        for _, sql in ipairs { "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "PRAGMA synchronous = OFF",
            "ATTACH 'x' AS y", "CREATE TABLE t (a)", "DROP TABLE things" } do
            assert.error_matches(function() db.one(sql) end, "only SELECT, INSERT, UPDATE, DELETE and WITH")
        end
        assert.error_matches(function() db.one "VACUUM" end, "writing needs db.transaction")
        assert.error_matches(function() db.one "SELECT 1; SELECT 2" end, "one statement at a time")
        assert.error_matches(function() db.one "" end, "an empty statement")
        assert.error_matches(function() db.one "SELECT wrong" end, "no such column: wrong, in: SELECT wrong")
    end)

    it("transaction: returns what the function returns; reads inside see its writes", function()
        local id, n = db.transaction(function(tx)
            local new = tx.insert("things", { name = "new" })
            return new, db.value("SELECT COUNT(*) FROM things WHERE id = ?", new)
        end)
        assert.equal(1, n)
        assert.equal("new", db.value("SELECT name FROM things WHERE id = ?", id))
    end)

    it("transaction: an error rolls back and goes on", function()
        local oops = { message = "oops" }
        local ok, why = pcall(db.transaction, function(tx)
            tx.run "DELETE FROM things"
            error(oops)
        end)
        assert.is_false(ok)
        assert.equal(oops, why)
        assert.equal(2, db.value "SELECT COUNT(*) FROM things")
    end)

    it("transaction: a later error of the call rolls it back; one that is caught inside undoes its part", function()
        local ok = pcall(host.call, function()
            db.transaction(function(tx) tx.run "DELETE FROM things" end)
            error "later"
        end)
        assert.is_false(ok)
        assert.equal(2, db.value "SELECT COUNT(*) FROM things")
        host.call(function()
            db.transaction(function(tx) tx.run "UPDATE things SET name = 'a' WHERE id = 1" end)
            pcall(db.transaction, function(tx)
                tx.run "UPDATE things SET name = 'b' WHERE id = 2"
                error "inside"
            end)
        end)
        assert.same({ { name = "a" }, { name = "pen" } }, db.all "SELECT name FROM things ORDER BY id")
    end)

    it("transaction: a violated deferred foreign key fails at the end and keeps nothing", function()
        local ok, why = pcall(host.call, function()
            db.transaction(function(tx) tx.insert("things", { name = "orphan", owner_id = 99 }) end)
        end)
        assert.is_false(ok)
        assert.matches("the commit failed", why)
        assert.is_nil(db.value "SELECT id FROM things WHERE name = 'orphan'")
    end)

    it("transaction: contended ones wait their turn and all are kept", function()
        for i = 1, 20 do
            host.call(function() db.transaction(function(tx) tx.insert("owners", { name = "n" .. i }) end) end)
        end
        assert.equal(21, db.value "SELECT COUNT(*) FROM owners")
    end)

    it("says in which phases it may be used", function()
        local misused = {
            { "one", "db.one(sql: string, ...): table | nil" }, { "all", "db.all(sql: string, ...): table[]" },
            { "value", "db.value(sql: string, ...): any" }, { "json", "db.json(sql: string, ...): json, integer" },
            { "object", "db.object(sql: string, ...): json | nil" },
            { "page", "db.page(row: string, limit: integer, offset: integer, pick: string, ...): json, integer" },
            { "transaction", "db.transaction(fn: fun(tx: tx): ...): ..." },
        }
        for _, case in ipairs(misused) do
            assert.has_error(function() host.phase("rule", db[case[1]], "SELECT 1") end,
                string.format("db.%s is not allowed in a rule; usage: %s", case[1], case[2]))
            assert.has_error(function() host.phase("load", db[case[1]], "SELECT 1") end,
                string.format("db.%s is not allowed while files are loaded; usage: %s", case[1], case[2]))
        end
    end)

    it("refuses arguments of a wrong type", function()
        assert.error_matches(function() db.one {} end, "bad argument #1 .*string expected, got table")
        assert.error_matches(function() db.transaction "x" end, "bad argument #1 .*function expected, got string")
    end)
end)
