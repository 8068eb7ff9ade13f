-- SPDX-License-Identifier: Apache-2.0
--
-- The part of the manifest check that looks at what only SOCKET routes have. The handshake of a socket is a GET like
-- any other, so routes.lua checks the rest. Called with the kit; returns check(ctx, route, what) → what the host reads.
local kit = ...

local HANDLERS = { "open", "message", "closed", "timeout" }

-- Models that go over the socket in one direction, for the documentation: names, or types.
local function check_models(ctx, r, key, what)
    local list = {}
    if r[key] ~= nil and type(r[key]) ~= "table" then
        ctx.problem(r.line, "%s: %s must list models", what, key)
        return list
    end
    for i, value in ipairs(r[key] or {}) do
        local place = string.format("%s: %s[%d]", what, key, i)
        if type(value) == "string" then
            if not ctx.models[value] then
                ctx.problem(r.line, '%s: there is no model "%s"%s', place, value, kit.hint(value, ctx.models))
            end
            list[i] = { kind = "ref", required = true, ref = value }
        else
            list[i] = ctx.type(value, r.line, place)
        end
    end
    return list
end

return function(ctx, r, what)
    local socket = {}
    for _, name in ipairs(HANDLERS) do
        if r[name] ~= nil and type(r[name]) ~= "function" then
            ctx.problem(r.line, "%s: %s must be a function", what, name)
        end
        socket[name] = r[name]
    end
    if not socket.open and not socket.message then
        ctx.problem(r.line, "%s: a socket needs a function open or message", what)
    end
    if r.token_query ~= nil and (type(r.token_query) ~= "string" or not r.token_query:find("^[%w_.-]+$")) then
        ctx.problem(r.line, "%s: token_query must be the name of a query parameter", what)
    elseif r.token_query and r.who == "anyone" then
        ctx.problem(r.line, '%s: token_query needs a principal in who; "anyone" has no token', what)
    end
    socket.token_query = r.token_query
    socket.receives, socket.sends = check_models(ctx, r, "receives", what), check_models(ctx, r, "sends", what)
    return socket
end
