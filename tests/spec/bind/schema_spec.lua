-- SPDX-License-Identifier: Apache-2.0
describe("schema", function()
    local Thing = object { name = text { 1, 5 }, n = integer { 1, 9, default = 3 }, tags = optional(list(text)) }

    it("check: the cleaned value", function()
        assert.same({ name = "cup", n = 3 }, schema.check(Thing, { name = " cup ", other = 1 }))
        assert.same({ name = "cup", n = 9, tags = { "a" } }, schema.check(Thing, { name = "cup", n = 9,
            tags = { "a" } }))
        assert.equal(5, schema.check(integer { 1, 9 }, 5))
    end)

    it("check: nil and every message by field", function()
        local value, messages = schema.check(Thing, { n = 10, tags = { "a", 7 } })
        assert.is_nil(value)
        assert.same({
            name = { "This field is required." }, n = { "Ensure this value is less than or equal to 9." },
            ["tags.1"] = { "Not a valid string." },
        }, messages)
    end)

    it("check: knows the app's models", function()
        assert.same({ id = 1, name = "cup" }, schema.check(ref "Thing", { id = 1, name = "cup" }))
        assert.error_matches(function() schema.check(ref "Nothing", {}) end, "the model Nothing does not exist")
    end)

    it("check: the same type many times, and new types each time", function()
        for i = 1, 300 do
            assert.equal("cup", schema.check(Thing, { name = "cup" }).name)
            assert.equal(i, schema.check(integer { i, i }, i))
        end
        collectgarbage()
    end)

    it("says in which phases it may be used, and needs a type", function()
        assert.has_error(function() host.phase("rule", schema.check, Thing, {}) end,
            "schema.check is not allowed in a rule; usage: schema.check(type: type, value: any): any | nil, table")
        assert.error_matches(function() schema.check("text", "x") end, "table expected, got string")
        assert.error_matches(function() schema.check({}, "x") end, "schema.check: ")
    end)
end)
