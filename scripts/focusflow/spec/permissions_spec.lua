-- SPDX-License-Identifier: Apache-2.0
local permissions = require "rules.permissions"

describe("api_key.manage", function()
    it("is for those who logged in", function()
        assert.is_true(permissions["api_key.manage"] { id = 1, login = 7 })
    end)

    it("is refused to an API key, with a reason", function()
        local allowed, reason = permissions["api_key.manage"] { id = 1 }
        assert.is_false(allowed)
        assert.is_string(reason)
    end)
end)
