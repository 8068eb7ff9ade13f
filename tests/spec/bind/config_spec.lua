-- SPDX-License-Identifier: Apache-2.0
describe("config", function()
    it("get: the declared default", function()
        assert.equal(30, config.get "seconds")
    end)

    it("get: only what the manifest declares", function()
        assert.has_error(function() config.get "minutes" end, "config.get: the manifest declares no setting 'minutes'")
        assert.error_matches(function() config.get() end, "string expected, got no value")
    end)

    it("is allowed in rules but not while files are loaded", function()
        assert.equal(30, host.phase("rule", config.get, "seconds"))
        assert.has_error(function() host.phase("load", config.get, "seconds") end,
            "config.get is not allowed while files are loaded; usage: config.get(name: string): any")
    end)
end)
