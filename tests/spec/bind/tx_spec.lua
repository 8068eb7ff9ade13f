-- SPDX-License-Identifier: Apache-2.0
describe("tx", function()
    before_each(function()
        db.transaction(function(tx)
            tx.run "DELETE FROM things"
            tx.run("INSERT INTO things(id, name) VALUES (1, 'cup'), (2, 'pen')")
        end)
    end)

    local function in_tx(fn, ...)
        return db.transaction(fn, ...)
    end

    it("run: returns how many rows changed", function()
        in_tx(function(tx)
            assert.equal(2, tx.run("UPDATE things SET size = ? WHERE id < ?", 2, 9))
            assert.equal(0, tx.run "DELETE FROM things WHERE id = 99")
        end)
    end)

    it("takes no more statements when the database has given the transaction up", function()
        pcall(in_tx, function(tx)
            assert.has_error(function() tx.run "INSERT OR ROLLBACK INTO things(id, name) VALUES (1, 'again')" end)
            assert.error_matches(function() tx.insert("things", { id = 3, name = "stray" }) end, "was rolled back")
            error "done"
        end)
        assert.is_nil(db.one "SELECT id FROM things WHERE name = 'stray'")
    end)

    it("insert: returns the id; null, booleans and missing columns", function()
        in_tx(function(tx)
            local id = tx.insert("things", { name = "new", active = false, size = null })
            assert.same({ name = "new", active = 0 }, tx.one("SELECT name, active, size FROM things WHERE id = ?", id))
        end)
    end)

    it("insert_new: nil and a message where the row is there already, and nothing is lost", function()
        in_tx(function(tx)
            local id = tx.insert_new("things", { id = 7, name = "lamp" })
            assert.equal(7, id)
            local again, message = tx.insert_new("things", { id = 7, name = "other" })
            assert.is_nil(again)
            assert.matches("UNIQUE constraint failed", message)
            assert.equal("lamp", tx.value "SELECT name FROM things WHERE id = 7")
            assert.error_matches(function() tx.insert_new("no_such_table", { a = 1 }) end, "no such table")
        end)
        assert.equal(3, db.value "SELECT COUNT(*) FROM things")
    end)

    it("insert: checks its names and needs a column", function()
        in_tx(function(tx)
            assert.error_matches(function() tx.insert("things; --", { a = 1 }) end,
                "'things; %-%-' is not the name of a table or column")
            assert.error_matches(function() tx.insert("things", { ["a b"] = 1 }) end, "'a b' is not the name")
            assert.error_matches(function() tx.insert("things", {}) end, "tx.insert needs at least one column")
            assert.error_matches(function() tx.insert("things", { 1 }) end, "the columns must be at most 64 names")
            assert.error_matches(function() tx.insert("wrong", { a = 1 }) end, "no such table: wrong")
        end)
    end)

    it("update: changes the rows that match", function()
        in_tx(function(tx)
            assert.equal(1, tx.update("things", { name = "mug", size = 3 }, "id = ? AND name = ?", 1, "cup"))
            assert.equal(0, tx.update("things", { name = "mug" }, "id = ?", 99))
            assert.equal(0, tx.update("things", {}, "id = 1"))
            assert.same({ name = "mug", size = 3.0 }, tx.one "SELECT name, size FROM things WHERE id = 1")
        end)
    end)

    it("reads its own writes: one, all, value", function()
        in_tx(function(tx)
            tx.run "DELETE FROM things WHERE id = 1"
            assert.same({ id = 2 }, tx.one "SELECT id FROM things")
            assert.same({ { id = 2 } }, tx.all "SELECT id FROM things")
            assert.equal(1, tx.value "SELECT COUNT(*) FROM things")
        end)
    end)

    it("raises a violated constraint as a table", function()
        local ok, why = pcall(in_tx, function(tx) tx.insert("things", { name = "pen" }) end)
        assert.is_false(ok)
        assert.is_true(why.constraint)
        assert.matches("UNIQUE constraint failed: things.name", why.message)
        assert.equal(2, db.value "SELECT COUNT(*) FROM things")
    end)

    it("try: results, or the violated constraint with its part undone", function()
        in_tx(function(tx)
            assert.same({ true, 1, "b" }, { tx.try(function() return 1, "b" end) })
            local ok, why = tx.try(function()
                tx.run "DELETE FROM things WHERE id = 1"
                tx.insert("things", { name = "pen" })
            end)
            assert.is_false(ok)
            assert.matches("UNIQUE constraint failed", why)
            assert.equal(2, tx.value "SELECT COUNT(*) FROM things")
            tx.insert("things", { name = "third" })
        end)
        assert.equal(3, db.value "SELECT COUNT(*) FROM things")
    end)

    it("try: nested, and other errors go on", function()
        in_tx(function(tx)
            assert.is_true((tx.try(function()
                tx.insert("things", { name = "outer" })
                assert.is_false((tx.try(function() tx.insert("things", { name = "outer" }) end)))
            end)))
            local mine = {}
            local ok, why = pcall(tx.try, function() error(mine) end)
            assert.same({ false, true }, { ok, rawequal(why, mine) })
        end)
        assert.equal(3, db.value "SELECT COUNT(*) FROM things")
    end)

    it("OR ROLLBACK destroys the transaction, which cannot be kept", function()
        local ok = pcall(host.call, function()
            in_tx(function(tx)
                tx.run "DELETE FROM things WHERE id = 1"
                pcall(tx.run, "INSERT OR ROLLBACK INTO things(id, name) VALUES (9, 'pen')")
            end)
        end)
        assert.is_false(ok)
        assert.equal(2, db.value "SELECT COUNT(*) FROM things")
    end)

    it("cannot be ended by its own statements", function()
        in_tx(function(tx)
            for _, sql in ipairs { "COMMIT", "ROLLBACK", "RELEASE turn", "END", "SAVEPOINT x",
                "PRAGMA foreign_keys = OFF" } do
                assert.error_matches(function() tx.run(sql) end, "only SELECT, INSERT, UPDATE, DELETE and WITH")
            end
        end)
    end)

    it("is over when its function is", function()
        local kept
        in_tx(function(tx) kept = tx end)
        assert.error_matches(function() kept.run "DELETE FROM things" end, "tx is used after its transaction has ended")
        assert.error_matches(function() kept.insert("things", { name = "x" }) end, "after its transaction has ended")
        assert.error_matches(function() kept.update("things", { name = "x" }, "1") end,
            "after its transaction has ended")
        assert.error_matches(function() kept.try(function() end) end, "after its transaction has ended")
        assert.equal(2, db.value "SELECT COUNT(*) FROM things")
    end)

    it("says in which phases it may be used", function()
        for name, usage in pairs {
            run = "tx.run(sql: string, ...): integer",
            insert = "tx.insert(table: string, values: table): integer",
            update = "tx.update(table: string, values: table, where: string, ...): integer",
            try = "tx.try(fn: fun(): ...): boolean, ...",
        } do
            assert.has_error(function() host.phase("rule", host.sandbox.tx[name], "x") end,
                string.format("tx.%s is not allowed in a rule; usage: %s", name, usage))
        end
    end)
end)
