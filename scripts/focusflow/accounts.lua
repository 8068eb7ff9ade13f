-- SPDX-License-Identifier: Apache-2.0
--
-- Accounts: the fields people fill in, and making one. E-mail and username are unique without regard to case (FF-8).
local accounts = {}

accounts.username = text {
    3, 150,
    pattern = "^[%w_.+@-]+$",
    regex = "^[A-Za-z0-9_.+@-]+$",
    message = "Use 3 to 150 letters, digits and _ . + - @ only.",
    example = "johndoe",
}
accounts.password = text { 8, 128, trim = false, message = { min_length = "Password must be at least {n} characters" } }
accounts.first_name = text { 0, 150, example = "John" }
accounts.last_name = text { 0, 150, example = "Doe" }

--- Violations for an e-mail or a username that another user has, or nil. Either may be nil.
function accounts.taken(email, username, except)
    local function used(column, value)
        local sql = "SELECT 1 FROM users WHERE " .. column .. " = ? AND id <> ?"
        return value and db.value(sql, value:lower(), except or 0)
    end
    local violations = {
        email = used("email_key", email) and "This email is already registered" or nil,
        username = used("username_key", username) and "This username is already taken" or nil,
    }
    return next(violations) and violations
end

--- Inserts a user and returns the id; 400 when e-mail or username are taken (FF-7).
function accounts.create(tx, user, now)
    local id = tx.insert_new("users", {
        email = user.email,
        email_key = user.email:lower(),
        username = user.username,
        username_key = user.username:lower(),
        password_hash = user.password_hash,
        first_name = user.first_name,
        last_name = user.last_name,
        timezone = user.timezone,
        created_at = now,
    })
    if not id then
        fail.validation(accounts.taken(user.email, user.username) or { email = "This email cannot be registered" })
    end
    return id
end

return accounts
