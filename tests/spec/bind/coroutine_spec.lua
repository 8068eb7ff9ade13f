-- SPDX-License-Identifier: Apache-2.0
-- The coroutine library of scripts, which knows about waiting.
local coroutine = host.sandbox.coroutine

describe("coroutine", function()
    it("create, resume, yield, status: values go both ways", function()
        local co = coroutine.create(function(a)
            local b = coroutine.yield(a + 1)
            return b * 2, "end"
        end)
        assert.same({ true, 2 }, { coroutine.resume(co, 1) })
        assert.equal("suspended", coroutine.status(co))
        assert.same({ true, 10, "end" }, { coroutine.resume(co, 5) })
        assert.equal("dead", coroutine.status(co))
        assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
    end)

    it("wrap: raises what the function raises", function()
        local oops = {}
        local f = coroutine.wrap(function() error(oops) end)
        local ok, why = pcall(f)
        assert.same({ false, true }, { ok, rawequal(why, oops) })
        assert.error_matches(f, "cannot resume")
    end)

    it("resume: an error is a value", function()
        local co = coroutine.create(function() error("x", 0) end)
        assert.same({ false, "x" }, { coroutine.resume(co) })
    end)

    it("nests: who resumes gets the values, not the host", function()
        local inner = coroutine.wrap(function()
            for i = 1, 3 do
                coroutine.yield(i)
            end
        end)
        local outer = coroutine.wrap(function()
            coroutine.yield(inner() + inner())
            coroutine.yield(inner())
        end)
        assert.same({ 3, 3 }, { outer(), outer() })
    end)

    it("cannot resume itself, nor what is running", function()
        local co
        co = coroutine.create(function() return coroutine.resume(co) end)
        assert.same({ true, false, "cannot resume this coroutine" }, { coroutine.resume(co) })
    end)

    it("yield outside a coroutine of one's own is an error", function()
        assert.has_error(function() host.call(coroutine.yield, 1) end,
            "coroutine.yield outside a coroutine of the script's own")
    end)

    it("a transaction inside a coroutine belongs to the call", function()
        host.call(function()
            coroutine.wrap(function()
                db.transaction(function(tx) tx.insert("owners", { id = 70, name = "co" }) end)
            end)()
        end)
        assert.equal("co", db.value "SELECT name FROM owners WHERE id = 70")
    end)

    it("close, isyieldable, running are Lua's own", function()
        local co = coroutine.create(function() coroutine.yield() end)
        coroutine.resume(co)
        assert.is_true(coroutine.close(co))
        assert.equal("dead", coroutine.status(co))
        assert.is_true(coroutine.wrap(coroutine.isyieldable)())
        assert.equal("thread", type((coroutine.running())))
    end)
end)
