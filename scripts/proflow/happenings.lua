-- SPDX-License-Identifier: Apache-2.0
--
-- What others learn of a change, in its transaction: so far the organization's webhooks.
local happenings = {}

--- Whose webhooks those of the member's organization are.
function happenings.owner(member)
    return "organization:" .. member.organization
end

--- Tells what has happened to an object and gives it back.
function happenings.tell(member, event, object)
    webhook.send(happenings.owner(member), event, object)
    return object
end

return happenings
