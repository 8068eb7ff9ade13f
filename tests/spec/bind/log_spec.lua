-- SPDX-License-Identifier: Apache-2.0
describe("log", function()
    it("takes a text and fields, in every phase", function()
        for _, level in ipairs { "debug", "info" } do
            for _, phase in ipairs { "load", "rule", "request", "job", "console" } do
                assert.equal(0, select("#", host.phase(phase, log[level], "a line", { n = 1 })))
            end
        end
    end)

    -- What is written goes to standard error; the log's own tests look at it (tests/unit/log_test.c).
    it("debug, info, warn and error need a text", function()
        for _, fn in ipairs { log.debug, log.info, log.warn, log.error } do
            assert.error_matches(function() fn() end, "string expected, got no value")
            assert.error_matches(function() fn {} end, "string expected, got table")
        end
    end)

    it("refuses fields that JSON cannot hold", function()
        assert.error_matches(function() log.error("spec", { print }) end, "json.encode: ")
    end)
end)
