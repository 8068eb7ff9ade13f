-- SPDX-License-Identifier: Apache-2.0
describe("password", function()
    it("hash and verify: the call waits, other calls go on", function()
        local hash = password.hash "correct horse"
        assert.matches("^%$argon2id%$", hash)
        assert.is_true(password.verify("correct horse", hash))
        assert.is_false(password.verify("wrong horse", hash))
        assert.not_equal(hash, password.hash "correct horse")
    end)

    it("verify: without a hash, and with a broken one, false", function()
        assert.is_false(password.verify("anything", nil))
        assert.is_false(password.verify("anything", "not a hash"))
    end)

    it("waits inside a coroutine and inside pcall of a script", function()
        local run = assert(host.script [[
            local co = coroutine.wrap(function()
                local ok, hash = pcall(password.hash, "x")
                coroutine.yield(ok)
                return password.verify("x", hash)
            end)
            return co(), co()
        ]])
        assert.same({ true, true }, { run() })
    end)

    it("must be called before a transaction, not in it or after it", function()
        host.call(function()
            db.transaction(function()
                assert.error_matches(function() password.hash "x" end,
                    "password.hash waits and is not allowed inside db.transaction: call it before")
            end)
            assert.error_matches(function() password.verify("x", nil) end,
                "password.verify waits and is not allowed after db.transaction: call it before")
        end)
    end)

    it("refuses to wait where it cannot", function()
        local run = assert(host.script [[return table.sort({ 1, 2 }, function() return password.verify("x", nil) end)]])
        assert.error_matches(run, "password.verify waits and is not allowed inside a callback of sort or gsub")
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", password.hash, "x") end,
            "password.hash is not allowed in a rule; usage: password.hash(password: string): string")
        assert.has_error(function() host.phase("load", password.verify, "x") end,
            "password.verify is not allowed while " ..
            "files are loaded; usage: password.verify(password: string, hash: string | nil): boolean")
        assert.error_matches(function() password.hash() end, "string expected, got no value")
    end)
end)
