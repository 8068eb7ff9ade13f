-- SPDX-License-Identifier: Apache-2.0
describe("time", function()
    local berlin = "Europe/Berlin"

    it("now: the present in whole seconds", function()
        local before = os.time()
        local now = time.now()
        assert.equal("integer", math.type(now))
        assert.is_true(now >= before - 1 and now <= os.time() + 1)
    end)

    it("iso and parse", function()
        assert.equal("2024-02-29T12:30:00Z", time.iso(1709209800))
        assert.equal("1969-12-31T23:59:59Z", time.iso(-1))
        assert.equal(1709209800, time.parse "2024-02-29T12:30:00Z")
        assert.equal(1709209800, time.parse "2024-02-29T13:30:00+01:00")
        assert.equal(1709209800, time.parse "2024-02-29T12:30:00")
        for _, text in ipairs { "", "2024-02-30T00:00:00Z", "2024-02-29", "yesterday", "2024-02-29T25:00:00Z" } do
            assert.is_nil(time.parse(text))
        end
        assert.error_matches(function() time.iso "x" end, "number expected, got string")
        assert.error_matches(function() time.parse {} end, "string expected, got table")
    end)

    it("zone: the name when it is known", function()
        assert.equal(berlin, time.zone(berlin))
        assert.equal("US/Pacific", time.zone "US/Pacific")
        for _, name in ipairs { "", "Mars/Base", "../../etc/passwd", "europe/berlin " } do
            assert.is_nil(time.zone(name))
        end
        assert.error_matches(function() time.zone() end, "string expected, got no value")
    end)

    it("today: the local date of an instant", function()
        local t = time.parse "2024-03-30T23:30:00Z"
        assert.equal("2024-03-31", time.today(berlin, t))
        assert.equal("2024-03-30", time.today("UTC", t))
        assert.matches("^%d%d%d%d%-%d%d%-%d%d$", time.today "UTC")
        assert.error_matches(function() time.today "Mars/Base" end, "unknown time zone 'Mars/Base'")
    end)

    it("day: 23 hours in spring, 25 in autumn", function()
        local start, finish = time.day(berlin, "2024-03-31")
        assert.same({ time.parse "2024-03-30T23:00:00Z", 23 * 3600 }, { start, finish - start })
        start, finish = time.day(berlin, "2024-10-27")
        assert.equal(25 * 3600, finish - start)
        assert.error_matches(function() time.day(berlin, "31.3.2024") end, "a date YYYY%-MM%-DD expected")
    end)

    it("hour: what a clock on the wall shows", function()
        assert.equal(3, time.hour(berlin, time.parse "2024-03-31T01:00:00Z"))
        assert.equal(1, time.hour(berlin, time.parse "2024-03-31T00:59:59Z"))
        assert.error_matches(function() time.hour(1, 1) end, "unknown time zone '1'")
    end)

    it("add_days and days_between", function()
        assert.equal("2024-03-01", time.add_days("2024-02-28", 2))
        assert.equal("2023-12-31", time.add_days("2024-01-01", -1))
        assert.equal(366, time.days_between("2024-01-01", "2025-01-01"))
        assert.equal(-1, time.days_between("2024-01-02", "2024-01-01"))
        assert.error_matches(function() time.add_days("2024-02-30", 1) end, "a date YYYY%-MM%-DD expected")
        assert.error_matches(function() time.days_between("2024-01-01", "x") end, "a date YYYY%-MM%-DD expected")
    end)

    it("iso_week and week_start", function()
        assert.same({ 2020, 53, 5 }, { time.iso_week "2021-01-01" })
        assert.same({ 2025, 1, 1 }, { time.iso_week "2024-12-30" })
        assert.equal("2024-12-30", time.week_start(2025, 1))
        assert.equal("2020-12-28", time.week_start(2020, 53))
        assert.is_nil(time.week_start(2021, 53))
        assert.is_nil(time.week_start(0, 1))
        assert.error_matches(function() time.iso_week "x" end, "a date YYYY%-MM%-DD expected")
    end)

    it("civil, date and month_days", function()
        assert.same({ 2024, 2, 29 }, { time.civil "2024-02-29" })
        assert.equal("2024-02-29", time.date(2024, 2, 29))
        assert.is_nil(time.date(2023, 2, 29))
        assert.is_nil(time.date(2023, 13, 1))
        assert.same({ 29, 28, 31 }, { time.month_days(2024, 2), time.month_days(2100, 2), time.month_days(2024, 12) })
        assert.error_matches(function() time.month_days(2024, 13) end, "a month from 1 to 12 expected")
        assert.error_matches(function() time.civil "x" end, "a date YYYY%-MM%-DD expected")
    end)

    it("while files are loaded there is no present", function()
        assert.has_error(function() host.phase("load", time.now) end,
            "time.now is not allowed while files are loaded; usage: time.now(): integer")
        assert.has_error(function() host.phase("load", time.today, "UTC") end,
            "time.today is not allowed while files are loaded; usage: time.today(zone: string, t?: integer): string")
        assert.equal("1970-01-01T00:00:00Z", host.phase("load", time.iso, 0))
        assert.equal("1970-01-01", host.phase("rule", time.today, "UTC", 0))
    end)
end)
