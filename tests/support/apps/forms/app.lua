-- SPDX-License-Identifier: Apache-2.0
--
-- An app that answers with what it was sent: forms, redirects, pages with headers of their own, errors of another form.
local function user(token)
    if token == "good" then
        return { id = 1 }, time.now() + 60
    end
    return nil, "WHO", "Nobody is known by this token."
end

-- Its own errors look different, but for those of the host's limits.
local function plain(e)
    if e.status == 429 then
        return nil
    end
    return { error = e.code, fields = e.details }
end

return {
    name = "forms", title = "Forms", prefixes = { "/forms" },
    codes = { [400] = "BAD", [401] = "WHO", [409] = "CONFLICT", [413] = "LARGE", [422] = "INVALID", [429] = "SLOW" },
    envelope = function(e) return { app = e.code, details = e.details } end,
    principals = { user = user },
    limits = { few = { count = 1, seconds = 3600, per = "address" } },
    units = {
        {
            name = "forms", summary = "Forms.",
            POST "/forms/echo" {
                summary = "Echo", who = "anyone", form = true, returns = { [200] = any },
                body = { name = text { 1, 20 }, count = optional(integer { 1, 9 }), done = optional(boolean),
                    raw = optional(text { trim = false }) },
                run = function(req) return 200, req.body end,
            },
            POST "/forms/json" {
                summary = "No form", who = "anyone", invalid = 422, body = { name = text }, returns = { [200] = any },
                run = function(req) return 200, req.body end,
            },
            POST "/forms/own" {
                summary = "Own errors", who = "anyone", form = true, envelope = plain, returns = { [200] = any },
                body = { name = text, conflict = optional(boolean) },
                run = function(req)
                    if req.body.conflict then
                        fail.conflict()
                    end
                    return 200, req.body
                end,
            },
            POST "/forms/own/broken" {
                summary = "A broken envelope", who = "anyone", body = { name = text }, returns = { [200] = any },
                envelope = function(e) return e.no.such.field end,
                run = function(req) return 200, req.body end,
            },
            POST "/forms/own/limited" {
                summary = "Own errors but the limit's", who = "anyone", limit = "few", envelope = plain,
                returns = { [200] = any }, run = function() return 200, {} end,
            },
            GET "/forms/away" {
                summary = "Redirect", who = "anyone", query = { to = text { 1, 4000 } }, returns = { [302] = "none" },
                run = function(req) return 302, nil, { Location = req.query.to } end,
            },
            GET "/forms/page" {
                summary = "Page", who = "anyone", secret = true, returns = { [200] = "html" },
                run = function()
                    return 200, "<!doctype html><p>Hello", {
                        ["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'",
                        ["X-Frame-Options"] = "DENY", ["Set-Cookie"] = "form=1; HttpOnly; SameSite=Lax",
                    }
                end,
            },
            GET "/forms/me" {
                summary = "Me", who = "user", returns = { [200] = any }, run = function() return 200, {} end,
            },
        },
    },
}
