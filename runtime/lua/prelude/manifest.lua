-- SPDX-License-Identifier: Apache-2.0
--
-- Checks a whole app manifest and makes the plain table that the host reads. Problems are collected and raised
-- together, one line each, with file:line where it is known: whoever edits scripts repairs them in one go. Called with
-- the kit, the declaration words and the host's table; returns normalise(manifest).
local kit, declare, host = ...
local check_units = host.load "routes" (kit, declare, host)
local check_webhooks = host.load "webhooks" (kit)
local check_limits = host.load "limits" (kit)
local sorted, hint, set = kit.sorted, kit.hint, kit.set

local MANIFEST = set [[name title version summary description hosts prefixes trailing_slash codes envelope messages
    principals scopes limits limit_reset invalid models rules measures recount timers units docs pages config demo
    demo_login webhooks]]
local MESSAGES = kit.MESSAGES
local SPECIAL = set "none file html"
local FIELDS = {   -- the plain fields of a manifest
    title = "string", version = "string", summary = "string", description = "string", trailing_slash = "boolean",
    envelope = "function", recount = "function", demo = "function", demo_login = "string",
    limit_reset = "string",
}
local MAPS = {     -- name → value of one type
    messages = "string", principals = "function", rules = "function", scopes = "function",
    timers = "function",
}
local COMPOSITE = set "object map ref any"

local function identifier(name)
    return type(name) == "string" and name:find("^[%a_][%w_]*$") ~= nil
end

local function check_keys(ctx, t, known, line, what)
    for _, key in ipairs(sorted(t)) do
        if type(key) ~= "string" or (not known[key] and key:sub(1, 1) ~= "_") then
            ctx.problem(line, '%s: unknown key "%s"%s', what, tostring(key), hint(key, known))
        end
    end
end

-- Every model that a type mentions must exist.
local function check_refs(ctx, node, line, what)
    if node.kind == "ref" and not ctx.models[node.ref] then
        ctx.problem(node.line or line, '%s: there is no model "%s"%s', what, node.ref, hint(node.ref, ctx.models))
    elseif node.of then
        check_refs(ctx, node.of, line, what)
    end
    for _, field in ipairs(node.fields or {}) do
        check_refs(ctx, field.type, line, what .. "." .. field.name)
    end
end

local function as_type(ctx, value, line, what)
    local ok, node = pcall(declare.as_type, value, what)
    if not ok then
        ctx.problem(line, "%s", node)
        return nil
    end
    check_refs(ctx, node, line, what)
    return node
end

local function check_fields(ctx, m, out)
    if not identifier(m.name) or m.name:find("%u") then
        ctx.problem(nil, 'the manifest needs name, a word of lower-case letters, digits and "_"')
    end
    out.name = tostring(m.name)
    for _, key in ipairs(sorted(FIELDS)) do
        if m[key] ~= nil and type(m[key]) ~= FIELDS[key] then
            ctx.problem(nil, "%s must be a %s", key, FIELDS[key])
        end
        out[key] = m[key]
    end
    if m.limit_reset ~= nil and m.limit_reset ~= "unix" and m.limit_reset ~= "iso" then
        ctx.problem(nil, 'limit_reset must be "unix" or "iso"')
    end
    if m.invalid ~= nil and m.invalid ~= 400 and m.invalid ~= 422 then
        ctx.problem(nil, "invalid, the status of invalid input, must be 400 or 422")
    end
    out.invalid = m.invalid or 400
    out.title, out.limit_reset = m.title or out.name, m.limit_reset or "unix"
    out.version, out.trailing_slash = m.version or "1", m.trailing_slash == true
end

local function table_of(ctx, m, key)
    if m[key] ~= nil and type(m[key]) ~= "table" then
        ctx.problem(nil, "%s must be a table", key)
        return {}
    end
    return m[key] or {}
end

local function check_texts(ctx, m, out, key, pattern, what)
    out[key] = {}
    local seen = {}
    for i, value in ipairs(table_of(ctx, m, key)) do
        if type(value) ~= "string" or not value:find(pattern) then
            ctx.problem(nil, "%s[%d] must be %s", key, i, what)
        elseif seen[value] then
            ctx.problem(nil, '%s has "%s" twice', key, value)
        else
            seen[value], out[key][#out[key] + 1] = true, value
        end
    end
end

local function check_maps(ctx, m, out)
    for _, key in ipairs(sorted(MAPS)) do
        out[key] = {}
        for _, name in ipairs(sorted(table_of(ctx, m, key))) do
            local value = m[key][name]
            if type(name) ~= "string" or type(value) ~= MAPS[key] then
                ctx.problem(nil, '%s["%s"] must be a %s under a name', key, tostring(name), MAPS[key])
            end
            out[key][name] = value
        end
    end
    for _, name in ipairs(sorted(out.messages)) do
        if not MESSAGES[name] then
            ctx.problem(nil, 'messages: unknown key "%s"%s', tostring(name), hint(name, MESSAGES))
        end
    end
    if out.principals.anyone then
        ctx.problem(nil, 'principals: "anyone" is the word for requests without a principal')
    end
    out.codes = {}
    for _, status in ipairs(sorted(table_of(ctx, m, "codes"))) do
        if math.type(status) ~= "integer" or status < 400 or status > 599 or type(m.codes[status]) ~= "string" then
            ctx.problem(nil, "codes[%s] must be a text under a status from 400 to 599", tostring(status))
        end
        out.codes[status] = m.codes[status]
    end
end

local function check_types(ctx, m, out)
    for _, name in ipairs(sorted(table_of(ctx, m, "models"))) do
        if not identifier(name) or SPECIAL[name] then
            ctx.problem(nil, 'models: "%s" cannot be the name of a model', tostring(name))
        end
        ctx.models[name] = true
    end
    out.models, out.config = {}, {}
    for _, name in ipairs(sorted(ctx.models)) do
        out.models[name] = as_type(ctx, m.models[name], nil, string.format("model %s", tostring(name)))
    end
    for _, name in ipairs(sorted(table_of(ctx, m, "config"))) do
        local node = as_type(ctx, m.config[name], nil, string.format("config.%s", tostring(name)))
        if not identifier(name) or name:find("%u") then
            ctx.problem(nil, 'config: "%s" must be a word in lower case', tostring(name))
        elseif node and (COMPOSITE[node.kind] or node.kind == "list") then
            ctx.problem(nil, "config.%s must be a single value", name)
        elseif node and node.default == nil then
            ctx.problem(nil, "config.%s needs a default", name)
        end
        out.config[name] = node
    end
end

local function check_docs(ctx, m, out)
    out.docs = {}
    for i, page in ipairs(table_of(ctx, m, "docs")) do
        local what = string.format("docs[%d]", i)
        if type(page) ~= "table" then
            ctx.problem(nil, "%s must be a table { path =, title =, version =, prefix = }", what)
            page = {}
        end
        check_keys(ctx, page, set "path title version prefix", nil, what)
        if page.path == nil then
            ctx.problem(nil, "%s: path is missing", what)
        end
        local default = { title = out.title, version = out.version, prefix = "/" }
        out.docs[i] = {}
        for _, key in ipairs { "path", "title", "version", "prefix" } do
            if page[key] ~= nil and type(page[key]) ~= "string" then
                ctx.problem(nil, "%s: %s must be a string", what, key)
            end
            out.docs[i][key] = page[key] or default[key]
        end
    end
end

-- What the files are is the host's to check when it reads them.
local function check_pages(ctx, m, out)
    out.pages = {}
    for i, page in ipairs(table_of(ctx, m, "pages")) do
        local what = string.format("pages[%d]", i)
        if type(page) ~= "table" then
            ctx.problem(nil, "%s must be a table { path =, file = or folder = }", what)
            page = {}
        end
        check_keys(ctx, page, set "path file folder development", nil, what)
        if type(page.path) ~= "string" then
            ctx.problem(nil, "%s: path is missing", what)
        elseif type(page.file or page.folder) ~= "string" or (page.file ~= nil and page.folder ~= nil) then
            ctx.problem(nil, "%s: either file or folder says what is served", what)
        elseif page.development ~= nil and type(page.development) ~= "boolean" then
            ctx.problem(nil, "%s: development must be a boolean", what)
        end
        out.pages[i] = { path = page.path, file = page.file, folder = page.folder, development = page.development }
    end
end

local function new_context()
    local ctx = { problems = {}, models = {}, units = {}, seen = {} }
    function ctx.problem(line, ...)
        ctx.problems[#ctx.problems + 1] = (line and line .. ": " or "") .. string.format(...)
    end
    function ctx.keys(...)
        return check_keys(ctx, ...)
    end
    function ctx.type(...)
        return as_type(ctx, ...)
    end
    return ctx
end

-- The host's view of a manifest. Raises one text with every problem.
local function normalise(m)
    if type(m) ~= "table" then
        error("the manifest must be a table; does app.lua return one?", 0)
    end
    local ctx, out = new_context(), {}
    check_keys(ctx, m, MANIFEST, nil, "manifest")
    check_fields(ctx, m, out)
    check_texts(ctx, m, out, "hosts", "^[%l%d.-]+$", "a host name in lower case without a port")
    check_texts(ctx, m, out, "prefixes", "^/[^%s?#]*$", "a path")
    check_texts(ctx, m, out, "measures", "^[%a_][%w_]*$", "a word")
    check_maps(ctx, m, out)
    check_limits(ctx, table_of(ctx, m, "limits"), out)
    check_types(ctx, m, out)
    check_docs(ctx, m, out)
    check_pages(ctx, m, out)
    check_webhooks(ctx, m, out)
    check_units(ctx, table_of(ctx, m, "units"), out)
    if #ctx.problems > 0 then
        local count = #ctx.problems == 1 and "1 problem" or #ctx.problems .. " problems"
        error(string.format("app %s: %s\n  %s", out.name, count, table.concat(ctx.problems, "\n  ")), 0)
    end
    return out
end

return normalise
