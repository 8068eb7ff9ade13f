-- SPDX-License-Identifier: Apache-2.0
describe("limit", function()
    it("take: counts down to refusal, each subject for itself", function()
        local long = 1000000000    -- its window does not end while this runs
        local allowed, remaining, reset = limit.take("sign-in", "ann", 2, long)
        assert.same({ true, 1 }, { allowed, remaining })
        assert.is_true(reset > time.now() and reset <= time.now() + long)
        assert.same({ true, 0, reset }, { limit.take("sign-in", "ann", 2, long) })
        assert.is_false((limit.take("sign-in", "ann", 2, long)))
        assert.is_true((limit.take("sign-in", "bob", 2, long)))
        assert.is_true((limit.take("other", "ann", 2, long)))
    end)

    it("checks what it is given", function()
        assert.error_matches(function() limit.take("a", "b", 1, 0) end, "a positive number of seconds expected")
        assert.error_matches(function() limit.take("a", ("x"):rep(300), 1, 1) end, "too long")
        assert.error_matches(function() limit.take("a", "b") end, "number expected, got no value")
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", limit.take) end,
            "limit.take is not allowed in a rule; usage: " ..
            "limit.take(name: string, subject: string, count: integer, seconds: integer): boolean, integer, integer")
    end)
end)
