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

    it("give ratios with the decimals asked for (FF-50)", function()
        assert.equal(0.91, figures.ratio(32, 35, 2))
        assert.equal(53.2, figures.ratio(100 * 45.5, 85.5, 1))
        assert.equal(1, figures.ratio(3, 3, 2))
        assert.equal(0, figures.ratio(3, 0, 2))
    end)

    it("count the active days", function()
        assert.equal(2, figures.active { 0, 5, 0, 1 })
        assert.equal(0, figures.active {})
    end)

    local function day(sums)
        local hours = {}
        for hour = 0, 23 do
            hours[hour + 1] = sums[hour] or 0
        end
        return hours
    end

    it("rank the busiest hours, at most five (FF-50)", function()
        local counts = day { [9] = 84, [10] = 90, [8] = 10, [14] = 84, [22] = 1, [23] = 2, [0] = 3 }
        assert.same({
            { hour = "10:00", count = 90, average = 4.5 }, { hour = "09:00", count = 84, average = 4.2 },
            { hour = "14:00", count = 84, average = 4.2 }, { hour = "08:00", count = 10, average = 0.5 },
            { hour = "00:00", count = 3, average = 0.15 },
        }, figures.busiest_hours(counts, 20))
        assert.same({}, figures.busiest_hours(day {}, 20))
    end)

    it("find up to two ranges of two hours that do not overlap (FF-49)", function()
        assert.same({ "09:00-11:00", "14:00-16:00" },
            figures.peak_hours(day { [9] = 50, [10] = 60, [11] = 40, [14] = 30, [15] = 30 }))
        assert.same({ "14:00-16:00", "09:00-11:00" },
            figures.peak_hours(day { [9] = 5, [10] = 6, [14] = 30, [15] = 30, [16] = 10 }))
        -- what is left of a broad peak counts, too
        assert.same({ "10:00-12:00", "12:00-14:00" },
            figures.peak_hours(day { [9] = 10, [10] = 20, [11] = 20, [12] = 11 }))
        assert.same({ "09:00-11:00" }, figures.peak_hours(day { [9] = 1 }))
        assert.same({ "22:00-00:00", "00:00-02:00" }, figures.peak_hours(day { [23] = 9, [0] = 4 }))
        assert.same({}, figures.peak_hours(day {}))
    end)
end)
