-- SPDX-License-Identifier: Apache-2.0
--
-- Redirect URIs: which may be registered, how an answer is put into one, and what a browser's policy calls it. They
-- are compared as they are written (RFC 9700, 2.1); so nothing here changes a registered one but by appending.
local uris = { LONGEST = 2000, LONGEST_ANSWER = 8000 }

local LOOPBACK = { ["127.0.0.1"] = true, ["[::1]"] = true, ["localhost"] = true }

local function authority_of(uri)
    local scheme, authority = uri:match "^(%a[%w+.-]*)://([^/?]*)"
    local host, port = (authority or ""):match "^([%w.-]+)(.*)$"
    if not host then
        host, port = (authority or ""):match "^(%[[%x:.]+%])(.*)$"
    end
    if host and (port == "" or port:find "^:%d+$") then
        return scheme:lower(), host:lower(), authority
    end
end

--- Why a URI cannot be registered, or nil. `plain_http` also allows http to other hosts than this machine.
function uris.problem(uri, plain_http)
    local scheme = (uri:match "^(%a[%w+.-]*):" or ""):lower()
    local broken = uri:gsub("%%%x%x", ""):find("%", 1, true)
    if #uri > uris.LONGEST or uri:find "[^!-~]" or uri:find "[<>\"{}|\\^`]" or broken then
        return "must be a URI: visible ASCII characters, everything else percent-encoded"
    elseif scheme == "" then
        return "must be absolute, as in https://app.example.com/callback"
    elseif uri:find("#", 1, true) then
        return "must not have a fragment"
    elseif scheme ~= "https" and scheme ~= "http" then
        local owned = scheme:find(".", 1, true)      -- RFC 8252, 7.1
        return not owned and "must be https, or a scheme of your own domain such as com.example.app:/" or nil
    end
    local known, host = authority_of(uri)
    if not known then
        return "must have a host, and no user name"
    elseif scheme == "http" and not LOOPBACK[host] and not plain_http then
        return "must be https; http is for this machine (127.0.0.1, [::1], localhost)"
    end
end

--- The address with parameters appended: a list of { name, value }, of which nil values are left out.
function uris.with(uri, parameters)
    local out = { uri }
    for _, pair in ipairs(parameters) do
        if pair[2] ~= nil then
            local first = #out == 1 and not uri:find("?", 1, true)
            local glue = first and "?" or #out == 1 and uri:find "[?&]$" and "" or "&"
            out[#out + 1] = glue .. url.encode(pair[1]) .. "=" .. url.encode(pair[2])
        end
    end
    return table.concat(out)
end

--- The URI as a source of a Content-Security-Policy, which knows neither paths of redirects nor IPv6.
function uris.source(uri)
    local scheme, host, authority = authority_of(uri)
    if scheme and (scheme == "https" or scheme == "http") and host:sub(1, 1) ~= "[" then
        return scheme .. "://" .. authority:lower()
    end
    return uri:match("^(%a[%w+.-]*):"):lower() .. ":"
end

--- What a person recognises it by.
function uris.shown(uri)
    local _, host = authority_of(uri)
    return host or uri:match "^[^:]*:"
end

return uris
