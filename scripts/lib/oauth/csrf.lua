-- SPDX-License-Identifier: Apache-2.0
--
-- The form's token: signed, and tied to a cookie of the browser that the form was sent to, so that no other site can
-- fill in and send it. Each request carries the password, so there is no login to be misused; what is prevented is that
-- somebody is made to sign in with somebody else's account. A program that sends the fields of its own accord, without
-- anything that a browser adds, has no token and needs none.
local csrf = {}

local COOKIE, SECONDS, USE = "oauth_form", 3600, "oauth_form"

local function cookie_of(req)
    return (";" .. (req:header "Cookie" or "")):match("[;%s]" .. COOKIE .. "=(%w+)")
end

--- The token for a form, and the Set-Cookie header that goes with it.
function csrf.issue(req, path)
    local value = cookie_of(req)
    value = value and #value == 32 and value or crypto.random(32)
    local token = jwt.sign { use = USE, tie = crypto.sha256(value), exp = req.now + SECONDS }
    local secure = req.origin:find "^https:" and "; Secure" or ""
    return token, string.format("%s=%s; Path=%s; Max-Age=%d; HttpOnly; SameSite=Lax%s", COOKIE, value, path, SECONDS,
        secure)
end

local function from_browser(req)
    for _, name in ipairs { "Cookie", "Origin", "Referer", "Sec-Fetch-Site" } do
        if req:header(name) then
            return true
        end
    end
    return false
end

--- Whether the form may be taken.
function csrf.holds(req, token)
    local site = req:header "Sec-Fetch-Site"
    if site and site ~= "same-origin" then
        return false
    elseif not token then
        return not from_browser(req)
    end
    local claims, cookie = jwt.verify(token), cookie_of(req)
    if not claims or claims.use ~= USE or type(claims.tie) ~= "string" then
        return false
    end
    return cookie and crypto.equal(claims.tie, crypto.sha256(cookie)) or not cookie and not from_browser(req)
end

return csrf
