-- SPDX-License-Identifier: Apache-2.0
local conditions = require "lib.conditions"
local pagination = require "lib.pagination"

describe("a page", function()
    it("knows how many items it shows and how many come before", function()
        assert.same({ 20, 40 }, { pagination.window(3, 20) })
    end)

    it("knows its neighbours", function()
        assert.same({ true, 3, 1 }, { pagination.neighbours(2, 20, 50) })
        assert.same({ true, nil, 2 }, { pagination.neighbours(3, 20, 50) })
    end)

    it("is the last when it is exactly full", function()
        assert.same({ true, nil, 1 }, { pagination.neighbours(2, 20, 40) })
        assert.is_false((pagination.neighbours(3, 20, 40)))
    end)

    it("exists as page 1 of nothing, and not past the last (FF-12)", function()
        assert.same({ true, nil, nil }, { pagination.neighbours(1, 20, 0) })
        assert.is_false((pagination.neighbours(2, 20, 0)))
    end)

    it("has at most 100 items (FF-12)", function()
        assert.equal(100, (pagination.window(1, 1000)))
    end)
end)

describe("an ordering", function()
    it("takes several fields and ends with the id, newest first (FF-13)", function()
        assert.equal(" ORDER BY created_at DESC, title ASC, id DESC", pagination.order_by { "-created_at", "title" })
        assert.equal(" ORDER BY title ASC, id DESC", pagination.order_by { "title" })
    end)

    it("is chosen from each field in both directions", function()
        assert.same({ "created_at", "-created_at", "title", "-title" }, pagination.orderings { "created_at", "title" })
    end)
end)

describe("conditions", function()
    it("grow with the filters that are given; false is a value", function()
        local where = conditions.new("user_id = ?", 7):filter("status = ?", nil):filter("is_active = ?", false)
        where:add("created_at >= ? AND created_at < ?", 10, 20)
        assert.equal("user_id = ? AND is_active = ? AND created_at >= ? AND created_at < ?", where:sql())
        assert.same({ 7, false, 10, 20 }, where.values)
    end)

    it("give their values in order, and then those of what follows", function()
        local where = conditions.new("user_id = ?", 7)
        assert.same({ 7, 20, 40 }, { where:bound(20, 40) })
        assert.same({ 7 }, where.values)
    end)
end)
