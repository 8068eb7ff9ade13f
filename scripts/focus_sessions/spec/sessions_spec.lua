-- SPDX-License-Identifier: Apache-2.0
local rules = require "rules.sessions"

describe("the status of a session", function()
    local function change(from, to, now)
        return rules.change({ status = from, started_at = 1000 }, to, now or 2500)
    end

    it("becomes completed, with the time (FS-7)", function()
        assert.same({ status = "completed", completed_at = 2500 }, change("active", "completed"))
    end)

    it("becomes cancelled, without one (FS-8)", function()
        assert.same({ status = "cancelled" }, change("active", "cancelled"))
    end)

    it("may be repeated", function()
        for _, status in ipairs(rules.STATUSES) do
            assert.same({}, change(status, status))
        end
    end)

    it("changes only once", function()
        for _, from in ipairs { "completed", "cancelled" } do
            for _, to in ipairs(rules.STATUSES) do
                if from ~= to then
                    local changes, refusal = change(from, to)
                    assert.is_nil(changes)
                    assert.equal("The session is already " .. from .. ".", refusal)
                end
            end
        end
    end)

    it("is never completed before the session began (X-17)", function()
        assert.equal(1000, change("active", "completed", 900).completed_at)
    end)
end)
