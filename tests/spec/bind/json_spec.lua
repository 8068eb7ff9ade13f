-- SPDX-License-Identifier: Apache-2.0
describe("json", function()
    it("encode: arrays, objects with sorted keys, null, numbers", function()
        assert.equal('{"a":[1,2.5,"x"],"b":null,"c":true,"d":{}}',
            json.encode { d = {}, c = true, b = null, a = { 1, 2.5, "x" } })
        assert.equal("9007199254740992", json.encode(1 << 53))
        assert.equal("null", json.encode(nil))
        assert.equal([["\"\\\u0000é\n"]], json.encode '"\\\0é\n')
    end)

    it("encode: refuses what JSON cannot hold", function()
        assert.error_matches(function() json.encode(print) end, "json.encode: ")
        assert.equal("[null,null]", json.encode { 0 / 0, math.huge })
        local cycle = {}
        cycle.self = cycle
        assert.error_matches(function() json.encode(cycle) end, "json.encode: ")
        assert.error_matches(function() json.encode() end, "bad argument #1 .*value expected")
    end)

    it("decode: whole numbers are integers, null is null", function()
        local v = json.decode ' {"a": [1, 2.5, -0], "b": null, "c": 9007199254740992, "d": "\\u00e9"} '
        assert.equal("integer", math.type(v.a[1]))
        assert.equal("float", math.type(v.a[2]))
        assert.equal(null, v.b)
        assert.equal(1 << 53, v.c)
        assert.equal("é", v.d)
        assert.equal(7, json.decode "7")
    end)

    it("decode: nil and what is wrong", function()
        for _, text in ipairs { "", "{", "[1,]", "{'a':1}", "01", "nul", '"\1"', "[1] 2", "NaN", '"\\ud800"' } do
            local value, why = json.decode(text)
            assert.is_nil(value)
            assert.is_string(why)
        end
        assert.is_nil((json.decode(("["):rep(100) .. ("]"):rep(100))))
        assert.error_matches(function() json.decode {} end, "string expected, got table")
    end)

    it("array: an empty table is written as []", function()
        assert.equal("[]", json.encode(json.array()))
        assert.equal('{"a":[]}', json.encode { a = json.array {} })
        assert.equal("[1]", json.encode(json.array { 1 }))
        assert.error_matches(function() json.array "x" end, "table expected, got string")
    end)

    it("is pure: allowed in every phase", function()
        for _, phase in ipairs { "load", "rule", "request", "job", "console" } do
            assert.equal("[1]", host.phase(phase, json.encode, { 1 }))
            assert.equal(1, host.phase(phase, json.decode, "1"))
            assert.same({}, host.phase(phase, json.array))
        end
    end)
end)
