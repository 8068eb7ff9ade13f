-- SPDX-License-Identifier: Apache-2.0
--
-- The texts of mails. Names and messages come from users: they stand in plain text only, and never in a subject with
-- line ends.
local mails = {}

local function one_line(text)
    return (text:gsub("%c+", " "))
end

local INVITE = [[
Hello,

%s invites you to join %s on FocusFlow as %s.
%s
To accept, log in or register with this e-mail address and open

    %s

The invitation ends on %s. It works only for this address; if you did not expect it, ignore this mail.
]]

local ROLES = { employee = "an employee", manager = "a manager", admin = "an admin" }

--- Somebody is invited (8.2).
function mails.invite(invite)
    local message = invite.message ~= "" and "\n" .. invite.message:gsub("[^\n]+", "    %0") .. "\n" or ""
    return {
        to = invite.email,
        subject = "Join " .. one_line(invite.organization) .. " on FocusFlow",
        text = INVITE:format(one_line(invite.invited_by), one_line(invite.organization), ROLES[invite.role], message,
            invite.url, invite.expires_at:sub(1, 10)),
    }
end

return mails
