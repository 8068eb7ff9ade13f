-- SPDX-License-Identifier: Apache-2.0
--
-- The page that asks for login and consent, and the page for requests that must not be redirected. Plain HTML: no
-- script, nothing from elsewhere, one style that the policy knows by its digest.
local html = require "lib.html"
local uris = require "lib.oauth.uris"
local page = {}

local STYLE = [[
:root { color-scheme: light dark; --line: #8c8c8c; --accent: #1a56c4; --alarm: #b00020 }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; --alarm: #ff8a80 } }
* { box-sizing: border-box }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; background: Canvas; color: CanvasText }
main { max-width: 26rem; margin: 0 auto; padding: 2rem 1rem }
h1 { font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere }
label { display: block; margin-top: 1rem; font-weight: 600 }
input { width: 100%; margin-top: .25rem; padding: .6rem; font: inherit; border: 1px solid var(--line);
    border-radius: 6px }
button { width: 100%; margin-top: 1.25rem; padding: .7rem; font: inherit; font-weight: 600; cursor: pointer;
    border: 2px solid var(--accent); border-radius: 6px; background: Canvas; color: var(--accent) }
button[value=allow] { background: var(--accent); color: Canvas }
button + button { margin-top: .75rem }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
[role=alert] { padding: .6rem .8rem; border: 2px solid var(--alarm); border-radius: 6px; color: var(--alarm) }
.note { font-size: .9rem; overflow-wrap: anywhere }
]]

local HEAD = [[<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{heading}}</title>
<style>]] .. STYLE .. [[</style>
</head>
<body>
<main>
<h1>{{heading}}</h1>
]]
local FOOT = "</main>\n</body>\n</html>\n"

local form = html.template(HEAD .. [[
{{#message}}<p role="alert">{{message}}</p>
{{/message}}<p>{{client}} asks to use {{title}} in your name. With your permission it may:</p>
<ul>
{{#rights}}<li>{{right}}</li>
{{/rights}}</ul>
<form method="post" action="{{action}}">
{{#fields}}<input type="hidden" name="{{name}}" value="{{value}}">
{{/fields}}<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" required value="{{email}}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button name="decision" value="allow">Sign in and allow</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</form>
<p class="note">Afterwards you go back to {{goes_to}}. Sign in only if you came from there and trust {{client}}.</p>
]] .. FOOT)

local refusal = html.template(HEAD .. [[
<p role="alert">{{message}}</p>
<p>You were not sent back, because it is not certain who asked. Close this page and start again from the application; if
it happens again, tell whoever makes it.</p>
]] .. FOOT)

local digest        -- of the style, made once

local function headers(form_action)
    digest = digest or crypto.encode(crypto.decode(crypto.sha256(STYLE), "hex"), "base64")
    return {
        ["Content-Security-Policy"] = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action " ..
            form_action .. "; style-src 'sha256-" .. digest .. "'",
        ["X-Frame-Options"] = "DENY", ["X-Content-Type-Options"] = "nosniff",
        ["Referrer-Policy"] = "same-origin",    -- no-referrer would take the Origin off the form
    }
end

--- status, page and headers that ask for e-mail and password. `values`: title, client, action, fields, email, message,
--- rights; `redirect_uri` is where the answer goes, which the policy has to allow.
function page.ask(status, values, redirect_uri, cookie)
    values.heading = "Allow " .. values.client .. " to use " .. values.title .. "?"
    values.goes_to = uris.shown(redirect_uri)
    local out = headers("'self' " .. uris.source(redirect_uri))
    out["Set-Cookie"] = cookie
    if status == 401 then
        out["WWW-Authenticate"] = "Bearer"
    end
    return status, form(values), out
end

--- 400 and the page for what cannot be answered to the application.
function page.refuse(title, message)
    return 400, refusal { heading = title .. " cannot go on", message = message }, headers "'none'"
end

return page
