-- SPDX-License-Identifier: Apache-2.0
describe("timer", function()
    before_each(function()
        db.transaction(function(tx) tx.run "DELETE FROM perigee_timers" end)
    end)

    local function rows()
        return db.all "SELECT key, name, args, due_at FROM perigee_timers ORDER BY key"
    end

    it("at: a row with the arguments as JSON; the same key replaces", function()
        db.transaction(function()
            timer.at("a", 1000, "ring")
            timer.at("b", 2000, "ring", { id = 7, list = json.array() })
            timer.at("a", 3000, "ring", { n = 1 })
        end)
        assert.same({
            { key = "a", name = "ring", args = '{"n":1}', due_at = 3000 },
            { key = "b", name = "ring", args = '{"id":7,"list":[]}', due_at = 2000 },
        }, rows())
    end)

    it("cancel: whether there was one", function()
        db.transaction(function()
            timer.at("a", 1000, "ring")
            assert.is_true(timer.cancel "a")
            assert.is_false(timer.cancel "a")
        end)
        assert.same({}, rows())
    end)

    it("is part of the transaction", function()
        pcall(db.transaction, function()
            timer.at("a", 1000, "ring")
            error "no"
        end)
        assert.same({}, rows())
    end)

    it("needs a transaction and arguments that JSON can hold", function()
        assert.error_matches(function() timer.at("a", 1, "ring") end, "timer.at: only inside db.transaction")
        assert.error_matches(function() timer.cancel "a" end, "timer.cancel: only inside db.transaction")
        db.transaction(function()
            assert.error_matches(function() timer.at("a", 1, "ring", { print }) end, "timer.at: args: ")
            assert.error_matches(function() timer.at("a", "soon", "ring") end, "number expected, got string")
        end)
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", timer.at) end, "timer.at is not allowed in a rule; usage: " ..
            "timer.at(key: string, due: integer, name: string, args?: table)")
        assert.has_error(function() host.phase("rule", timer.cancel) end,
            "timer.cancel is not allowed in a rule; usage: timer.cancel(key: string): boolean")
    end)
end)
