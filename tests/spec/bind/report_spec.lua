-- SPDX-License-Identifier: Apache-2.0
describe("report", function()
    local function rows_of(list)
        local i = 0
        return function()
            i = i + 1
            return list[i]
        end
    end

    local function refuses(what, fn, t, message)
        it("refuses " .. what, function()
            assert.error_matches(function() fn(t) end, message, 1, true)
        end)
    end

    local function sheet(t)
        return { name = "x", sheets = { t } }
    end

    it("csv: a file value made of rows", function()
        local calls = 0
        local next_row = rows_of { { "a", 1 }, { "=1+1", 2.5 }, { true } }
        local file = report.csv { name = "x.csv", columns = { "name", "n" }, rows = function()
            calls = calls + 1
            return next_row()
        end }
        assert.equal("userdata", type(file))
        assert.equal(4, calls)
    end)

    it("csv: raises what rows raises", function()
        assert.error_matches(function()
            report.csv { name = "x", columns = {}, rows = function() error "no more" end }
        end, "no more")
        assert.error_matches(function() report.csv { name = "x", columns = {}, rows = function() return 7 end } end,
            "table expected, got number")
    end)

    it("csv: a list of rows and queries; the call waits", function()
        assert.equal("userdata", type(report.csv { name = "x.csv", columns = { "a", "b" }, rows = {
            { 1, null }, { sql = "SELECT ?, ?", "x", null }, { sql = "SELECT 2 AS b", by_name = true }, {},
        } }))
        assert.equal("userdata", type(report.csv { name = "x.csv", columns = { "a" }, rows = { sql = "SELECT 1" } }))
    end)

    it("csv: a function works inside a transaction, what waits does not", function()
        db.transaction(function()
            assert.equal("userdata", type(report.csv { name = "x", columns = {}, rows = rows_of {} }))
            assert.error_matches(function() report.csv { name = "x", columns = {}, rows = {} } end,
                "report.csv waits and is not allowed inside db.transaction: call it before")
        end)
    end)

    it("xlsx: sheets with typed columns", function()
        assert.equal("userdata", type(report.xlsx {
            name = "x.xlsx", title = "All", zone = "Asia/Kathmandu",
            sheets = {
                {
                    name = "People",
                    columns = {
                        "Name", { "Age", type = "integer" }, { "Worked", type = "hours", width = 12 },
                        { "Share", type = "percent" }, { "Born", type = "date" }, { "Seen", type = "time" },
                    },
                    rows = { { "=1", 40, 5400, 0.5, "1985-01-01", 1737363600 }, { "none" } },
                },
                { name = "People", columns = { "n" }, rows = { sql = "SELECT 1 UNION ALL SELECT ?", 2 } },
            },
        }))
    end)

    it("pdf: everything a page can have, and almost nothing", function()
        assert.equal("userdata", type(report.pdf {
            name = "x.pdf", title = "Team", subtitle = "Acme", period = "January", footer = "Confidential",
            facts = { { "Focus", "12 h" }, { "Tasks", 3 } },
            chart = { kind = "bars", title = "Per day", labels = { "Mon", "Tue" }, values = { 1, -2.5 }, unit = "h" },
            tables = { { title = "T", columns = { "a", { "n", type = "number" } }, rows = { { "x", 1.5 } } } },
        }))
        assert.equal("userdata", type(report.pdf { name = "x.pdf", title = "Team" }))
    end)

    it("waits inside pcall and coroutines of a script", function()
        local run = assert(host.script [[
            local co = coroutine.wrap(function()
                local ok, file = pcall(report.pdf, { name = "x", title = "T" })
                coroutine.yield(ok and type(file))
                return type(report.csv { name = "x", columns = {}, rows = {} })
            end)
            return co(), co()
        ]])
        assert.same({ "userdata", "userdata" }, { run() })
    end)

    it("a query that is wrong raises what is wrong with it", function()
        local function query(q)
            return function() report.csv { name = "x", columns = { "a" }, rows = q } end
        end
        assert.error_matches(query { sql = "SELECT 1, 2" }, "a query with 2 columns for a table with 1")
        assert.error_matches(query { sql = "SELECT ?" }, "0 values for 1 placeholders")
        assert.error_matches(query { sql = "SELECT missing" }, "no such column: missing")
        assert.error_matches(query { sql = "DELETE FROM perigee_timers" }, "report.csv: a report only reads")
        assert.error_matches(query { sql = "SELECT 1 AS b", by_name = true }, "has the column b, the table does not")
    end)

    it("too many rows are a failure that a client may see", function()
        local many = {
            sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10001) SELECT i FROM n",
        }
        local tables = { { columns = { "i" }, rows = many } }
        local ok, failure = pcall(report.pdf, { name = "x", title = "T", tables = tables })
        assert.is_false(ok)
        assert.same({ 400, "The file would be too large: a PDF has at most 10000 rows" },
            { failure.status, failure.message })
    end)

    refuses("no table", report.csv, nil, "table expected, got nil")
    refuses("no name", report.csv, { columns = {}, rows = {} }, "name: string expected, got nil")
    refuses("no columns", report.csv, { name = "x", rows = print }, "columns: table expected, got nil")
    refuses("no rows", report.csv, { name = "x", columns = {} }, "rows: a list of rows or a query expected, got nil")
    refuses("a row that is none", report.csv, { name = "x", columns = {}, rows = { 1 } },
        "rows[1]: table expected, got number")
    refuses("a value that is none", report.csv, { name = "x", columns = { "a", "b" }, rows = { { 1, {} } } },
        "rows[1].value[2]: text, number, boolean or nil expected, got table")
    refuses("no sheets", report.xlsx, { name = "x", sheets = {} }, "sheets: at least one")
    refuses("a sheet without a name", report.xlsx, sheet { columns = { "a" }, rows = {} },
        "sheets[1].name: string expected, got nil")
    refuses("a sheet without columns", report.xlsx, sheet { name = "s", columns = {}, rows = {} },
        "sheets[1].columns: at least one")
    refuses("an unknown type", report.xlsx, sheet { name = "s", columns = { { "a", type = "money" } }, rows = {} },
        "sheets[1].columns[1].type: text, integer, number, hours, percent, date or time expected, got string")
    refuses("a width of nothing", report.xlsx, sheet { name = "s", columns = { { "a", width = 0 } }, rows = {} },
        "sheets[1].columns[1].width: more than 0, at most 255")
    refuses("an unknown zone", report.xlsx, { name = "x", zone = "Mars/Base", sheets = {} },
        "zone: no time zone Mars/Base")
    refuses("a PDF without a title", report.pdf, { name = "x" }, "title: string expected, got nil")
    refuses("an unknown chart", report.pdf,
        { name = "x", title = "T", chart = { kind = "pie", labels = {}, values = {} } },
        "chart.kind: bars expected, got pie")
    refuses("a chart with more labels than values", report.pdf,
        { name = "x", title = "T", chart = { labels = { "a" }, values = {} } }, "chart: as many values as labels")
    refuses("too many figures", report.pdf, { name = "x", title = "T", facts = { {}, {}, {}, {}, {}, {}, {} } },
        "facts: at most 6, got 7")

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", report.pdf, {}) end,
            "report.pdf is not allowed in a rule; usage: report.pdf(t: report_paper): file")
        assert.error_matches(function() host.phase("load", report.xlsx, {}) end, "report.xlsx is not allowed", 1, true)
    end)
end)
