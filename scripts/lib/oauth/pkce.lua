-- SPDX-License-Identifier: Apache-2.0
--
-- RFC 7636: who exchanges a code is who asked for it.
local pkce = { METHODS = { "S256", "plain" } }

local function well_formed(text)
    return #text >= 43 and #text <= 128 and not text:find "[^%w._~-]"
end

--- What is wrong with the challenge of a request, or nil. Public clients must use S256: their codes are bound to
--- nothing else, and plain shows the verifier to whoever sees the request.
function pkce.problem(public, challenge, method)
    if not challenge then
        return public and "code_challenge is required for public clients" or
            method and "code_challenge_method without code_challenge" or nil
    end
    method = method or "plain"
    if method ~= "S256" and (method ~= "plain" or public) then
        return "code_challenge_method must be S256" .. (public and "" or " or plain")
    elseif not well_formed(challenge) or method == "S256" and #challenge ~= 43 then
        return "code_challenge is not one of that method"
    end
end

local function transformed(method, verifier)
    if method ~= "S256" then
        return verifier
    end
    return crypto.encode(crypto.decode(crypto.sha256(verifier), "hex"), "base64url")
end

--- Whether the verifier fits. One that nothing was bound to is refused too: somebody may have taken the challenge out
--- of the request (RFC 9700, 4.8.2).
function pkce.fits(challenge, method, verifier)
    if not challenge or not verifier then
        return challenge == verifier
    end
    return well_formed(verifier) and crypto.equal(challenge, transformed(method, verifier))
end

return pkce
