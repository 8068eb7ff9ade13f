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

    it("encode and decode: known answers, and back", function()
        for form, rows in pairs {
            hex = { [""] = "", ["\0\255"] = "00ff", fooba = "666f6f6261" },
            base64 = { [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", ["\251\255"] = "+/8=" },
            base64url = { [""] = "", f = "Zg", fo = "Zm8", foo = "Zm9v", ["\251\255"] = "-_8" },
        } do
            for bytes, text in pairs(rows) do
                assert.equal(text, crypto.encode(bytes, form))
                assert.equal(bytes, crypto.decode(text, form))
            end
        end
        assert.equal("\171\205", crypto.decode("ABcd", "hex"))
        assert.equal("f", crypto.decode("Zg", "base64"))
        -- RFC 7636, appendix B
        assert.equal("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", crypto.encode(
            crypto.decode(crypto.sha256 "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "hex"), "base64url"))
    end)

    it("decode: nil for what is not in that form", function()
        for form, texts in pairs {
            hex = { "0", "0g", "zz", " 00" }, base64 = { "Z", "Zg=", "Z g==", "-_8=", "Zg==\n" },
            base64url = { "Zg==", "+/8", "Z" },
        } do
            for _, text in ipairs(texts) do
                assert.is_nil(crypto.decode(text, form), form .. " " .. text)
            end
        end
        assert.error_matches(function() crypto.decode("00", "base32") end, "invalid option 'base32'")
        assert.error_matches(function() crypto.encode "00" end, "string expected, got no value")
    end)

    it("what is random is not for rules and not for loading", function()
        assert.has_error(function() host.phase("load", crypto.random, 8) end,
            "crypto.random is not allowed while files are loaded; usage: crypto.random(n: integer): string")
        assert.has_error(function() host.phase("rule", crypto.uuid) end,
            "crypto.uuid is not allowed in a rule; usage: crypto.uuid(): string")
        assert.is_true(host.phase("rule", crypto.equal, "a", "a"))
    end)
end)
