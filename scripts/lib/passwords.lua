-- SPDX-License-Identifier: Apache-2.0
--
-- Logging in with an e-mail and a password.
local passwords = { WRONG = "The e-mail or the password is wrong." }

--- The body of a login.
passwords.login = {
    email = text { example = "user@example.com" },
    password = text { trim = false, example = "SecurePass123!" },
}

--- The user, a row with password_hash or nil, if that is their password; else a 401. Without a user the check takes as
--- long, so the time does not tell which addresses exist.
function passwords.verified(user, given)
    if not password.verify(given, user and user.password_hash) then
        fail.unauthorized(passwords.WRONG)
    end
    return user
end

return passwords
