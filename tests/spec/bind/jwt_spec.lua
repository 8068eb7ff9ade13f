-- SPDX-License-Identifier: Apache-2.0
describe("jwt", function()
    local function claims(seconds)
        local now = time.now()
        return { sub = "7", iat = now, exp = now + seconds }
    end

    it("sign and verify: the claims come back", function()
        local given = claims(60)
        local token = jwt.sign(given)
        assert.matches("^[%w_-]+%.[%w_-]+%.[%w_-]+$", token)
        local got = jwt.verify(token)
        assert.same(given, got)
        assert.equal("integer", math.type(got.exp))
    end)

    it("verify: nil and why", function()
        assert.same({ nil, "expired" }, { jwt.verify(jwt.sign(claims(-60))) })
        local token = jwt.sign(claims(60))
        local head, body, mark = token:match "^(.-)%.(.-)%.(.-)$"
        local other = (mark:sub(1, 1) == "A" and "B" or "A") .. mark:sub(2)
        local none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." .. body .. "."
        for _, text in ipairs { "", "x", "a.b.c", head .. "." .. body .. "." .. other, head .. "." .. body .. ".",
            none } do
            assert.same({ nil, "invalid" }, { jwt.verify(text) })
        end
    end)

    it("refuses arguments of a wrong type", function()
        assert.error_matches(function() jwt.sign "x" end, "table expected, got string")
        assert.error_matches(function() jwt.verify(nil) end, "string expected, got nil")
    end)

    it("says in which phases it may be used", function()
        assert.has_error(function() host.phase("rule", jwt.sign, {}) end,
            "jwt.sign is not allowed in a rule; usage: jwt.sign(claims: table): string")
        assert.has_error(function() host.phase("load", jwt.verify, "") end,
            "jwt.verify is not allowed while files are loaded; usage: jwt.verify(token: string): table | nil, string")
    end)
end)
