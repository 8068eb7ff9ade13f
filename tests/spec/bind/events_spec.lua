-- SPDX-License-Identifier: Apache-2.0
describe("events", function()
    before_each(function()
        db.transaction(function(tx) tx.run "DELETE FROM perigee_events WHERE room = 'kept' AND seq > 1000" end)
    end)

    local function rows()
        return db.all "SELECT seq, skip, body FROM perigee_events WHERE room = 'kept' AND seq > 1000 ORDER BY seq"
    end

    it("emit: a row in the transaction when the room is kept, and its number", function()
        db.transaction(function()
            assert.equal(1001, events.emit("kept", { type = "a", n = 1 }))
            assert.equal(1002, events.emit("kept", { id = 7, name = "cup", other = 1 }, "Thing"))
            assert.equal(1003, events.emit("kept", { id = 8 }, { model = "Thing", except = "user:7" }))
        end)
        assert.same({
            { seq = 1001, body = '{"n":1,"type":"a"}' },
            { seq = 1002, body = '{"id":7,"name":"cup"}' },
            { seq = 1003, body = '{"id":8,"name":null}', skip = "user:7" },
        }, rows())
    end)

    it("emit: nothing when nobody listens", function()
        db.transaction(function() assert.is_nil(events.emit("nobody", { a = 1 })) end)
        assert.equal(0, db.value "SELECT COUNT(*) FROM perigee_events WHERE room = 'nobody'")
    end)

    it("emit: undone with its part of the transaction, and the next number has no gap", function()
        db.transaction(function(tx)
            events.emit("kept", { n = 1 })
            local ok = tx.try(function()
                events.emit("kept", { n = 2 })
                tx.run "INSERT INTO things(id, name) VALUES (1, NULL)"
            end)
            assert.is_false(ok)
            pcall(db.transaction, function()
                events.emit("kept", { n = 3 })
                error "no"
            end)
            assert.equal(1002, events.emit("kept", { n = 4 }))
        end)
        pcall(db.transaction, function()
            assert.equal(1003, events.emit("kept", { n = 5 }))
            error "no"
        end)
        assert.same({ { seq = 1001, body = '{"n":1}' }, { seq = 1002, body = '{"n":4}' } }, rows())
    end)

    it("emit: the event must be what it says it is, listened to or not", function()
        db.transaction(function()
            for _, room in ipairs { "kept", "nobody" } do
                assert.error_matches(function() events.emit(room, { 1, 2 }) end, "an event is a table with names")
                assert.error_matches(function() events.emit(room, "text") end, "an event is a table with names")
                assert.error_matches(function() events.emit(room, { id = {} }, "Thing") end, "events.emit: .*id")
                assert.error_matches(function() events.emit(room, {}, "Nothing") end, "there is no model 'Nothing'")
                assert.error_matches(function() events.emit(room, {}, { except = "" }) end, "a name of 1 to 200 bytes")
            end
            assert.error_matches(function() events.emit("", {}) end, "a name of 1 to 200 bytes expected")
            assert.error_matches(function() events.emit(("x"):rep(201), {}) end, "a name of 1 to 200 bytes expected")
        end)
        assert.same({}, rows())
    end)

    it("close, expel: names, codes and reasons are checked", function()
        db.transaction(function()
            events.close("user:7", 4001, "Logged out")
            events.expel("user:7", "kept")
            assert.error_matches(function() events.close("user:7", 99) end, "1000 to 4999 expected")
            assert.error_matches(function() events.close("user:7", 4000, ("x"):rep(124)) end, "at most 123 bytes")
            assert.error_matches(function() events.close("", 4000) end, "a name of 1 to 200 bytes expected")
            assert.error_matches(function() events.expel("user:7", "") end, "a name of 1 to 200 bytes expected")
        end)
    end)

    it("count, presence: nobody", function()
        assert.equal(0, events.count "kept")
        assert.same({}, events.presence "kept")
        assert.equal("[]", json.encode(events.presence "kept"))
    end)

    it("needs a transaction for what others see", function()
        assert.error_matches(function() events.emit("kept", {}) end, "events.emit: only inside db.transaction")
        assert.error_matches(function() events.close("a", 4000) end, "events.close: only inside db.transaction")
        assert.error_matches(function() events.expel("a", "b") end, "events.expel: only inside db.transaction")
    end)

    it("says in which phases it may be used", function()
        for _, name in ipairs { "emit", "close", "expel", "count", "presence" } do
            assert.error_matches(function() host.phase("rule", events[name]) end,
                "events." .. name .. " is not allowed in a rule; usage: events." .. name)
        end
    end)
end)
