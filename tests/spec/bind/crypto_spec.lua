-- SPDX-License-Identifier: Apache-2.0
describe("crypto", function()
    it("sha256 and hmac: known answers", function()
        assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", crypto.sha256 "abc")
        assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", crypto.sha256 "")
        assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            crypto.hmac("Jefe", "what do ya want for nothing?"))
    end)

    it("random: letters and digits, never twice the same", function()
        assert.matches("^%w+$", crypto.random(256))
        assert.equal(1, #crypto.random(1))
        assert.not_equal(crypto.random(20), crypto.random(20))
        for _, n in ipairs { 0, 257, -1 } do
            assert.error_matches(function() crypto.random(n) end, "1 to 256 expected")
        end
    end)

    it("uuid: version 4", function()
        assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", crypto.uuid())
        assert.not_equal(crypto.uuid(), crypto.uuid())
    end)

    it("equal", function()
        assert.is_true(crypto.equal("a\0b", "a\0b"))
        assert.is_false(crypto.equal("a\0b", "a\0c"))
        assert.is_false(crypto.equal("a", "aa"))
        assert.error_matches(function() crypto.equal("a", nil) end, "string expected, got nil")
        assert.error_matches(function() crypto.sha256(nil) end, "string expected, got nil")
        assert.error_matches(function() crypto.hmac "key" end, "string expected, got no value")
    end)

    it("what is random is not for rules and not for loading", function()
        assert.has_error(function() host.phase("load", crypto.random, 8) end,
            "crypto.random is not allowed while files are loaded; usage: crypto.random(n: integer): string")
        assert.has_error(function() host.phase("rule", crypto.uuid) end,
            "crypto.uuid is not allowed in a rule; usage: crypto.uuid(): string")
        assert.is_true(host.phase("rule", crypto.equal, "a", "a"))
    end)
end)
