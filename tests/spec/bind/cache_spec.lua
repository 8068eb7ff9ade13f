-- SPDX-License-Identifier: Apache-2.0
describe("cache", function()
    it("set and get: any bytes, for a while", function()
        assert.is_nil(cache.get "absent")
        cache.set("k", "a\0b", 60)
        assert.equal("a\0b", cache.get "k")
        cache.set("k", "", 60)
        assert.equal("", cache.get "k")
        cache.set("k", "old", -1)
        assert.is_nil(cache.get "k")
    end)

    it("refuses arguments of a wrong type", function()
        assert.error_matches(function() cache.set("k", {}, 1) end, "string expected, got table")
        assert.error_matches(function() cache.set("k", "v") end, "number expected, got no value")
        assert.error_matches(function() cache.get() end, "string expected, got no value")
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", cache.get, "k") end,
            "cache.get is not allowed in a rule; usage: cache.get(key: string): string | nil")
        assert.has_error(function() host.phase("load", cache.set, "k", "v", 1) end,
            "cache.set is not allowed while files " ..
            "are loaded; usage: cache.set(key: string, value: string, seconds: integer)")
    end)
end)
