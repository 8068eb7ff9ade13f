-- SPDX-License-Identifier: Apache-2.0
describe("analytics", function()
    local noon = time.parse "2024-03-05T12:00:00Z"

    local function fact(fields)
        local f = { measure = "steps", kind = "user", id = 7, from = noon, to = noon + 600, value = 600 }
        for key, value in pairs(fields or {}) do
            f[key] = value
        end
        return f
    end

    local function report(fields)
        local q = { kind = "user", id = 7, measures = { "steps" }, zone = "UTC", first = "2024-03-04",
            last = "2024-03-06" }
        for key, value in pairs(fields or {}) do
            q[key] = value
        end
        return analytics.report(q)
    end

    before_each(function()
        db.transaction(function(tx) tx.run "DELETE FROM perigee_analytics" end)
    end)

    local function record(...)
        local facts = { ... }
        db.transaction(function()
            for _, f in ipairs(facts) do
                analytics.record(f)
            end
        end)
    end

    it("record and report: totals, days, details", function()
        record(fact(), fact { detail = 3, value = 100 }, fact { from = noon - 86400, to = noon - 86400, value = 5 },
            fact { id = 8 })
        local r = report()
        assert.same({ total = 705, days = { 5, 700, 0 } }, r.steps)
        assert.same({ { key = 0, steps = 605 }, { key = 3, steps = 100 } }, r.by)
        assert.equal(100, report { detail = 3 }.steps.total)
    end)

    it("report: days are those of the zone", function()
        record(fact { from = noon + 11 * 3600, to = noon + 13 * 3600, value = 7200 })
        assert.same({ 0, 3600, 3600 }, report().steps.days)
        assert.same({ 0, 0, 7200 }, report { zone = "Asia/Tokyo" }.steps.days)
    end)

    it("record: a negative value withdraws", function()
        record(fact(), fact { value = -600 })
        assert.equal(0, report().steps.total)
    end)

    it("record: an array of facts", function()
        db.transaction(function()
            analytics.record { fact(), fact { detail = 3, value = 100 }, fact { id = 8 } }
            analytics.record {}
        end)
        assert.same({ total = 700, days = { 0, 700, 0 } }, report().steps)
        local many = {}
        for i = 1, 100 do
            many[i] = fact { from = noon + i * 60, to = noon + i * 60, value = i }
        end
        db.transaction(function() analytics.record(many) end)
        assert.equal(700 + 5050, report().steps.total)
    end)

    it("record: an array in a savepoint that is undone", function()
        db.transaction(function(tx)
            analytics.record { fact() }
            local ok = pcall(tx.try, function()
                analytics.record { fact { value = 5 }, fact { value = 7 } }
                error "no"
            end)
            assert.is_false(ok)
            assert.equal(600, report().steps.total)
        end)
        assert.equal(600, report().steps.total)
    end)

    it("streak: runs of days", function()
        record(fact(), fact { from = noon - 86400, to = noon - 86400, value = 1 }, fact { from = noon - 3 * 86400,
            to = noon - 3 * 86400, value = 1 })
        local s = analytics.streak { kind = "user", id = 7, measure = "steps", zone = "UTC", today = "2024-03-05" }
        assert.same({ current = 2, longest = 2, active_days = 3, start = "2024-03-04" }, s)
        s = analytics.streak { kind = "user", id = 9, measure = "steps", zone = "UTC", today = "2024-03-05" }
        assert.same({ current = 0, longest = 0, active_days = 0 }, s)
        s = analytics.streak { kind = "user", id = 7, measure = "steps", zone = "UTC", today = "2024-03-06",
            current = true }
        assert.same({ current = 2, start = "2024-03-04" }, s)
    end)

    it("group: subjects, hours and keys side by side", function()
        record(fact { detail = (3 << 32) + 1 },
            fact { detail = (3 << 32) + 2, id = 8, from = noon, to = noon, value = 5 },
            fact { detail = 4 << 32, id = 8, from = noon - 86400, to = noon - 86400, value = 7 })
        local q = { kind = "user", ids = { 8, 9, 7 }, measures = { "steps" }, zone = "UTC", first = "2024-03-04",
            last = "2024-03-05", key_shift = 32 }
        local r = analytics.group(q)
        assert.equal(612, r.steps.total)
        assert.same({ 7, 605 }, r.steps.days)
        assert.same({ 12, 0, 600 }, r.steps.subjects)
        assert.same({ 612, 3 }, { r.steps.hours[13], r.steps.hour_days[13] })
        assert.same({ 24, 0, 0 }, { #r.steps.hours, r.steps.hours[12], r.steps.hour_days[14] })
        assert.same({ 2, 0, 1 }, r.details)
        assert.equal(3, r.detail_count)
        assert.same({ { key = 3, count = 2, steps = 605 }, { key = 4, count = 1, steps = 7 } }, r.by)
        q.details, q.key_shift = { 3 << 32, (4 << 32) - 1 }, nil
        r = analytics.group(q)
        assert.same({ 605, nil, 2 }, { r.steps.total, r.by, r.detail_count })
        q.ids = {}
        assert.same({ 0, 0 }, { analytics.group(q).steps.total, #analytics.group(q).details })
    end)

    it("checks what it is given", function()
        assert.error_matches(function() analytics.record(fact()) end, "analytics.record: only inside db.transaction")
        assert.error_matches(function() record(fact { to = noon - 1 }) end, "the fact ends before it begins")
        assert.error_matches(function() record(fact { id = "x" }) end, "id must be an integer")
        assert.error_matches(function() record(fact { measure = 7 }) end, "measure must be a text")
        assert.error_matches(function() record { fact(), 7 } end, "table expected, got number")
        assert.error_matches(function() record { value = 7 } end, "measure must be a text")
        assert.error_matches(function() report { zone = "Mars" } end, "unknown time zone 'Mars'")
        assert.error_matches(function() report { first = "x" } end, "first must be a date YYYY%-MM%-DD")
        assert.error_matches(function() report { last = "2024-03-03" } end, "the range must have 1 to 40000 days")
        assert.error_matches(function() report { measures = {} } end, "measures must have 1 to 16 names")
        assert.error_matches(function() report { measures = { 1 } } end, "measures must be a list of names")
        assert.error_matches(function() analytics.streak { kind = "user" } end, "measure must be a text")
        local function group(fields)
            fields.kind, fields.measures, fields.zone = "user", { "steps" }, "UTC"
            fields.first, fields.last = "2024-03-04", "2024-03-04"
            return function() analytics.group(fields) end
        end
        assert.error_matches(group {}, "ids must be a list of integers")
        assert.error_matches(group { ids = { "x" } }, "ids must be a list of integers")
        assert.error_matches(group { ids = 7 }, "ids must be a list of integers")
        assert.error_matches(group { ids = { 7 }, details = { 1 } }, "details must be the first and the last one")
        assert.error_matches(group { ids = { 7 }, key_shift = -1 }, "shifted by 0 to 62 bits")
    end)

    it("says in which phases it may be used", function()
        for _, name in ipairs { "record", "report", "group", "streak" } do
            assert.error_matches(function() host.phase("rule", analytics[name], {}) end,
                "analytics." .. name .. " is not allowed in a rule; usage: analytics." .. name .. "%(")
        end
    end)
end)
