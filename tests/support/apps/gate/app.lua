-- SPDX-License-Identifier: Apache-2.0
--
-- An app for what a manifest says about callers and input: limits per token and for strangers, routes for guests, 422
-- for invalid input. A token "good-…" is that of user 1, whatever comes after it.
local function caller(token)
    if token:sub(1, 5) == "good-" then
        return { id = 1 }, time.now() + 3600
    end
    return nil, nil, "Nobody knows this token."
end

local function answer(req)
    return 200, { user = req.user and req.user.id }
end

local WHO = { [200] = object { user = nullable(integer) } }

return {
    name = "gate", title = "Gate", prefixes = { "/gate" }, trailing_slash = true,
    invalid = 422,
    codes = {
        [400] = "bad", [401] = "unknown", [404] = "missing", [409] = "twice", [422] = "invalid", [429] = "slower",
    },
    envelope = function(e)
        return { error = { code = e.code, message = e.message, details = e.details } }
    end,
    principals = { user = caller },
    limits = {
        callers = { count = 5, seconds = 3600, per = "token", strangers = "strangers" },
        plain = { count = 4, seconds = 3600, per = "token" },
        strangers = { count = 3, seconds = 3600, per = "address" },
    },
    units = { {
        name = "gate", summary = "Doors.",
        GET "/gate/in" { summary = "For users", who = "user", limit = "callers", returns = WHO, run = answer },
        GET "/gate/open" {
            summary = "For guests, too", who = "user", guests = true, limit = "callers", returns = WHO, run = answer,
        },
        GET "/gate/plain" {
            summary = "For guests, without a limit for strangers", who = "user", guests = true, limit = "plain",
            returns = WHO, run = answer,
        },
        GET "/gate/anyone" { summary = "For all", who = "anyone", limit = "strangers", returns = WHO, run = answer },
        POST "/gate/notes" {
            summary = "Write", who = "user",
            body = { text = text { 1, 10 }, at = optional(datetime) },
            query = { n = integer { 1, 9, default = 1 } },
            check = function(req)
                return req.body.text == "checked" and { text = "Not this one." } or nil
            end,
            returns = { [201] = object { text = text } },
            run = function(req)
                if req.body.text == "late" then
                    fail.validation { text = "Too late." }
                end
                return 201, { text = req.body.text }
            end,
        },
    } },
}
