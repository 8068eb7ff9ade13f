-- SPDX-License-Identifier: Apache-2.0
local idle = require "rules.idle"

local HOUR = 3600

describe("a time of the day", function()
    it("is so many hours after its begin", function()
        assert.equal(1000 + 9 * HOUR + 30 * 60, idle.instant(1000, 1000 + 24 * HOUR, "09:30"))
    end)

    it("is right on days on which the clock is changed in the night", function()
        assert.equal(8 * HOUR, idle.instant(0, 23 * HOUR, "09:00"))
        assert.equal(10 * HOUR, idle.instant(0, 25 * HOUR, "09:00"))
    end)
end)

describe("an idle employee is reported", function()
    local NINE, FIVE = 9 * HOUR, 17 * HOUR

    it("so long after the last activity", function()
        assert.equal(10 * HOUR + 1800, idle.due(10 * HOUR, 1800, NINE, FIVE))
    end)

    it("not before the working hours begin", function()
        assert.equal(NINE, idle.due(7 * HOUR, 1800, NINE, FIVE))
        assert.equal(NINE + 600, idle.due(8 * HOUR + 2400, 1800, NINE, FIVE))
    end)

    it("not after they end", function()
        assert.equal(FIVE - 1, idle.due(FIVE - 1801, 1800, NINE, FIVE))
        assert.is_nil(idle.due(FIVE - 1800, 1800, NINE, FIVE))
        assert.is_nil(idle.due(20 * HOUR, 1800, NINE, FIVE))
    end)
end)
