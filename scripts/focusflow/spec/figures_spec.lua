-- SPDX-License-Identifier: Apache-2.0
local figures = require "rules.figures"

describe("figures", function()
    it("round hours to two decimals (FF-29)", function()
        assert.equal(1.5, figures.hours(5400))
        assert.equal(12.5, figures.hours(45000))
        assert.equal(0.01, figures.hours(18))
        assert.equal(0, figures.hours(17))
    end)

    it("average over all days of a week or month (FF-30, FF-31)", function()
        assert.equal(1.79, figures.daily_hours(45000, 7))
        assert.equal(1.47, figures.daily_hours(45.5 * 3600, 31))
    end)

    it("give whole percentages", function()
        assert.equal(68, figures.percentage(30600, 45000))
        assert.equal(0, figures.percentage(0, 0))
    end)

    it("cut averages to integers, as the examples do (FF-33)", function()
        assert.equal(5625, figures.average(45000, 8))
        assert.equal(48, figures.average(102600, 35 * 60))
        assert.equal(0, figures.average(100, 0))
    end)

    it("find the first of the best days, and none without focus (FF-31)", function()
        assert.equal(2, figures.best { 10, 30, 30, 5 })
        assert.is_nil(figures.best { 0, 0, 0 })
    end)
end)
