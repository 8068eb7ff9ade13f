-- SPDX-License-Identifier: Apache-2.0
--
-- Who may do what: name → function(user, request) → true, or false and a reason. Routes name a rule with `can`; a
-- refusal is 403. What belongs to another user is not refused but unknown (404, FF-15): there the queries carry the
-- user's id.
return {
    -- A key that leaked must not be able to make itself successors that outlive its revocation.
    ["api_key.manage"] = function(user)
        if user.login then
            return true
        end
        return false, "API keys are managed with an access token, not with an API key."
    end,
}
