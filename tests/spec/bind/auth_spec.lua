-- SPDX-License-Identifier: Apache-2.0
describe("auth", function()
    it("revoke: part of a transaction", function()
        assert.has_error(function() auth.revoke() end, "auth.revoke: only inside db.transaction")
        db.transaction(function() assert.equal(0, select("#", auth.revoke())) end)
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", auth.revoke) end,
            "auth.revoke is not allowed in a rule; usage: auth.revoke()")
    end)
end)
