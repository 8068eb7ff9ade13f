-- SPDX-License-Identifier: Apache-2.0
describe("report", function()
    local function rows_of(list)
        local i = 0
        return function()
            i = i + 1
            return list[i]
        end
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

    it("csv: waits for nothing, raises what rows raises", function()
        assert.error_matches(function()
            report.csv { name = "x", columns = {}, rows = function() error "no more" end }
        end, "no more")
        assert.error_matches(function() report.csv { name = "x", columns = {}, rows = function() return 7 end } end,
            "table expected, got number")
    end)

    it("csv: checks its fields", function()
        assert.error_matches(function() report.csv() end, "table expected, got no value")
        assert.error_matches(function() report.csv { columns = {}, rows = print } end, "string expected, got nil")
        assert.error_matches(function() report.csv { name = "x", rows = print } end, "table expected, got nil")
        assert.error_matches(function() report.csv { name = "x", columns = {} } end, "function expected, got nil")
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", report.csv, {}) end,
            "report.csv is not allowed in a rule; usage: " ..
            "report.csv(t: { name: string, columns: string[], rows: fun(): any[]? }): file")
    end)
end)
