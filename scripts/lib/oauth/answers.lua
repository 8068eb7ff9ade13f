-- SPDX-License-Identifier: Apache-2.0
--
-- Answers as RFC 6749, 5 writes them. Errors are returned rather than raised: what was written before, such as a
-- revocation, has to stay.
local answers = {}

answers.ERROR = object {
    { "error", text { example = "invalid_grant" } }, { "error_description", omit(text) },
}

--- 401 tells how to authenticate (5.2), all others are 400.
function answers.refuse(code, description, scheme)
    local headers = { Pragma = "no-cache" }
    if code == "invalid_client" then
        headers["WWW-Authenticate"] = (scheme or "Basic") .. ' realm="oauth"'
        return 401, { error = code, error_description = description }, headers
    end
    return 400, { error = code, error_description = description }, headers
end

-- "code: This field …"; the fields in order, so that the same mistake has the same text.
local function describe(details)
    local names, parts = {}, {}
    for name in pairs(details or {}) do
        names[#names + 1] = name
    end
    table.sort(names)
    for i, name in ipairs(names) do
        local messages = type(details[name]) == "table" and table.concat(details[name], " ") or tostring(details[name])
        parts[i] = name == "non_field_errors" and messages or name .. ": " .. messages
    end
    return parts[1] and table.concat(parts, " ") or nil
end

--- What the host refuses (a body that cannot be read, say), in the same form; limits and failures look as everywhere.
function answers.envelope(e)
    if e.status == 429 or e.status >= 500 then
        return nil
    end
    return { error = "invalid_request", error_description = describe(e.details) or e.message }
end

--- A parameter without a value counts as left out (3.1, 3.2).
function answers.given(value)
    return value ~= "" and value or nil
end

return answers
