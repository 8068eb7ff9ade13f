-- SPDX-License-Identifier: Apache-2.0
describe("url", function()
    it("encode: all but letters, digits and -._~", function()
        assert.equal("Az09-._~", url.encode "Az09-._~")
        assert.equal("a%20b%26c%3Dd%2Be%2F%3F%23%25", url.encode "a b&c=d+e/?#%")
        assert.equal("%C3%BC%F0%9F%8E%89%0D%0A%00", url.encode "ü🎉\r\n\0")
        assert.equal("", url.encode "")
    end)

    it("decode: what encode made, and a form's blanks", function()
        assert.equal("a b&c=d+e/?#%", url.decode "a%20b%26c%3Dd%2Be%2F%3F%23%25")
        assert.equal("a b", url.decode "a+b")
        assert.equal("ü", url.decode(url.encode "ü"))
        assert.equal("", url.decode "")
    end)

    it("decode: nil for broken escapes, NULs and what is not UTF-8", function()
        for _, broken in ipairs { "%", "%4", "%zz", "a%00b", "%ff", "%C3", "\xff", "%ED%A0%80" } do
            assert.is_nil(url.decode(broken))
        end
    end)

    it("fields: names and values, and which came twice", function()
        local fields, repeated = url.fields "a=1&b=x+y%26&c&d=&=e&a=2&%61=3"
        assert.same({ a = "3", b = "x y&", c = "", d = "", [""] = "e" }, fields)
        assert.same({ a = true }, repeated)
        assert.same({ {}, {} }, { url.fields "" })
        assert.same({ {}, {} }, { url.fields "&&" })
    end)

    it("fields: nil when a part cannot be decoded", function()
        assert.is_nil(url.fields "a=1&b=%")
        assert.is_nil(url.fields "%ff=1")
    end)

    it("takes texts, in every phase", function()
        assert.error_matches(function() url.encode(nil) end, "string expected, got nil")
        assert.error_matches(function() url.decode {} end, "string expected, got table")
        assert.error_matches(function() url.fields() end, "string expected, got no value")
        assert.equal("%20", host.phase("rule", url.encode, " "))
        assert.equal(" ", host.phase("load", url.decode, "+"))
    end)
end)
