-- SPDX-License-Identifier: Apache-2.0
--
-- Addresses and settings of organizations. Pure.
local organizations = { SLUG_LENGTH = 50, INVITE_SECONDS = 7 * 86400 }

--- Whether the text can be the address of an organization: words of a-z and 0-9 between single hyphens (FF-36).
function organizations.is_slug(slug)
    return #slug <= organizations.SLUG_LENGTH and slug:find "^[a-z0-9][a-z0-9-]*$" ~= nil
        and not slug:find("--", 1, true) and slug:sub(-1) ~= "-"
end

--- A slug made from a name, or nil when nothing of the name can be in one.
function organizations.slug_of(name)
    local slug = name:lower():gsub("[^a-z0-9]+", "-"):gsub("^%-", ""):sub(1, organizations.SLUG_LENGTH):gsub("%-$", "")
    return slug ~= "" and slug or nil
end

return organizations
