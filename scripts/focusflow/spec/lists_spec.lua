-- SPDX-License-Identifier: Apache-2.0
local conditions = require "lib.conditions"
local pagination = require "lib.pagination"

describe("a page", function()
    it("knows its neighbours", function()
        assert.same({ limit = 20, offset = 20, next = 3, previous = 1 }, pagination.window(2, 20, 50))
        assert.same({ limit = 20, offset = 40, previous = 2 }, pagination.window(3, 20, 50))
    end)

    it("is the last when it is exactly full", function()
        assert.is_nil(pagination.window(2, 20, 40).next)
        assert.is_nil(pagination.window(3, 20, 40))
    end)

    it("exists as page 1 of nothing, and not past the last (FF-12)", function()
        assert.same({ limit = 20, offset = 0 }, pagination.window(1, 20, 0))
        assert.is_nil(pagination.window(2, 20, 0))
        assert.is_nil(pagination.window(math.maxinteger, 100, 50))
    end)

    it("has at most 100 items (FF-12)", function()
        assert.equal(100, pagination.window(1, 1000, 500).limit)
    end)
end)

describe("an ordering", function()
    local allowed = { created_at = true, title = true }

    it("takes several fields and ends with the id, newest first (FF-13)", function()
        local terms = pagination.ordering("-created_at, title", allowed)
        assert.equal("ORDER BY created_at DESC, title ASC, id DESC", pagination.order_by(terms))
        assert.equal("ORDER BY t.created_at DESC, t.title ASC, t.id DESC", pagination.order_by(terms, "t"))
    end)

    it("refuses what is not allowed and names it", function()
        for text, offender in pairs { secret = "secret", ["title,-"] = "-", [""] = "", ["--title"] = "--title" } do
            local terms, unknown = pagination.ordering(text, allowed)
            assert.is_nil(terms)
            assert.equal(offender, unknown)
        end
        assert.is_nil((pagination.ordering("title; DROP TABLE tasks", allowed)))
    end)
end)

describe("conditions", function()
    it("grow with the filters that are given; false is a value", function()
        local where = conditions.new("user_id = ?", 7):filter("status = ?", nil):filter("is_active = ?", false)
        where:add("created_at >= ? AND created_at < ?", 10, 20)
        assert.equal("user_id = ? AND is_active = ? AND created_at >= ? AND created_at < ?", where:sql())
        assert.same({ 7, false, 10, 20 }, where.values)
    end)

    it("take wild cards in a search as they are", function()
        assert.equal([[%100\%\_a\\b%]], conditions.containing [[100%_a\b]])
    end)
end)
