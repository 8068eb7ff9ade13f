-- SPDX-License-Identifier: Apache-2.0
local periods = require "rules.periods"

describe("periods", function()
    it("are written as people do", function()
        assert.equal("1–20 January 2025", periods.range("2025-01-01", "2025-01-20"))
        assert.equal("28 December 2024 – 3 January 2025", periods.range("2024-12-28", "2025-01-03"))
        assert.equal("3 March 2025 – 2 April 2025", periods.range("2025-03-03", "2025-04-02"))
        assert.equal("7 May 2025", periods.range("2025-05-07", "2025-05-07"))
    end)

    it("label the bars of a chart", function()
        assert.equal("7 May", periods.label("day", 2025, 5, 7))
        assert.equal("7 May", periods.label("week", 2025, 5, 7))
        assert.equal("May 2025", periods.label("month", 2025, 5, 7))
    end)
end)
