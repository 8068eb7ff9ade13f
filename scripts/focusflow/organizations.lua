-- SPDX-License-Identifier: Apache-2.0
--
-- The organization that new work is to belong to (FF-39). Nobody is in one yet, so that all work is personal.
local organizations = {}

organizations.field = doc("Slug of an organization of the user; null for personal work.",
    optional(nullable(text { 1, 50, example = "acme-startup" })))

--- A violation for an organization that the user does not belong to, or nil.
function organizations.unknown(slug)
    if slug ~= nil and slug ~= null then
        return { organization = "There is no such organization." }
    end
end

return organizations
