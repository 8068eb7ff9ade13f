-- SPDX-License-Identifier: Apache-2.0
--
-- The declaration words and the manifest check. Runs without the host:
-- busted --lua=/usr/bin/lua5.4 tests/spec/declare_spec.lua
local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
local null = setmetatable({}, { __name = "null" })
local host = { null = null }

function host.load(name)
    return assert(loadfile(here .. "/../../runtime/lua/prelude/" .. name .. ".lua"))
end

function host.where(level)
    local info = debug.getinfo(level + 1, "Sl")
    return info and info.currentline > 0 and info.short_src .. ":" .. info.currentline or nil
end

local declare = host.load "declare" (host)
local w = declare.words
local text, integer, id, object, list = w.text, w.integer, w.id, w.object, w.list
local optional, nullable, ref, GET, POST = w.optional, w.nullable, w.ref, w.GET, w.POST

local function line()
    return debug.getinfo(2, "l").currentline
end

-- The message of what `fn` raises, after checking that it points at `at` in this file.
local function raised(fn, at)
    local ok, message = pcall(fn)
    assert.is_false(ok)
    assert.is_string(message)
    assert.is_truthy(message:find("declare_spec.lua:" .. at .. ": ", 1, true), message)
    return message:gsub("^.-:%d+: ", "")
end

describe("leaf types", function()
    it("are usable bare and with options", function()
        assert.equal("text", text.kind)
        assert.is_true(text.required)
        local t = text { 1, 255 }
        assert.same({ kind = "text", required = true, min = 1, max = 255 }, t)
        assert.same({ kind = "integer", required = false, min = 1, max = 100, default = 1 },
            integer { 1, 100, default = 1 })
        assert.same({ kind = "boolean", required = false, default = false }, w.boolean { default = false })
        assert.same({ kind = "one_of", required = false, values = { "a", "b" }, default = "b" },
            w.one_of { "a", "b", default = "b" })
        assert.equal(1, id.min)
        assert.equal(1 << 53, id.max)
        assert.is_false(text { trim = false }.trim)
    end)

    it("take the value of JSON null as a default and are nullable then", function()
        local t = id { default = null }
        assert.is_true(t.nullable)
        assert.is_false(t.required)
    end)

    it("say what is wrong, at the script's line", function()
        local at, function_
        local function case(expected)
            assert.equal(expected, (raised(function_, at)))
        end
        at, function_ = line() + 1, function()
            local _ = text { 1, 10, dflt = "x" }
        end
        case('text has no option "dflt"')
        at, function_ = line() + 1, function()
            local _ = text { defalt = "x" }
        end
        case('text has no option "defalt" (did you mean "default"?)')
        at, function_ = line() + 1, function()
            local _ = integer { 10, 1 }
        end
        case("min of integer is greater than max")
        at, function_ = line() + 1, function()
            local _ = integer { 1, 10, default = 11 }
        end
        case("the default of integer is outside min and max")
        at, function_ = line() + 1, function()
            local _ = integer { default = 1.5 }
        end
        case("the default of integer is not an integer")
        at, function_ = line() + 1, function()
            local _ = text { 1, 2, default = "äöü" }
        end
        case("the default of text has a length outside min and max")
        at, function_ = line() + 1, function()
            local _ = text { pattern = "[a" }
        end
        case('the pattern "[a" of text is not a Lua pattern')
        at, function_ = line() + 1, function()
            local _ = text { 1, 2, 3 }
        end
        case("text does not take a value number 3")
        at, function_ = line() + 1, function()
            local _ = w.one_of { "a", "a" }
        end
        case('one_of has the value "a" twice')
        at, function_ = line() + 1, function()
            local _ = w.one_of { "a", "b", default = "c" }
        end
        case("the default of one_of is not one of the values")
        at, function_ = line() + 1, function()
            local _ = text "x"
        end
        case("text takes a table of options, as in text{ 1, 10 }")
        at, function_ = line() + 1, function()
            local _ = w.date { default = "tomorrow" }
        end
        case("the default of date does not fit")
        at, function_ = line() + 1, function()
            local _ = text { min = -1 }
        end
        case("min of text must not be negative")
        at, function_ = line() + 1, function()
            local _ = text { 1.5 }
        end
        case("min of text must be an integer")
    end)
end)

describe("composite types", function()
    local function names(t)
        local result = {}
        for i, field in ipairs(t.fields) do
            result[i] = field.name
        end
        return table.concat(result, " ")
    end

    it("sort the map form and keep the order of the list form", function()
        assert.equal("a b c", names(object { c = text, a = id, b = text }))
        assert.equal("c a b", names(object { { "c", text }, { "a", id }, { "b", text } }))
        assert.equal("", names(object {}))
    end)

    it("read a plain table as an object", function()
        local t = object { a = { { "z", text }, { "b", { c = id } } } }
        assert.equal("z b", names(t.fields[1].type))
        assert.equal("c", names(t.fields[1].type.fields[2].type))
        assert.equal("kind", names(object { kind = text }))
    end)

    it("derive copies and leave the words alone", function()
        local t = optional(nullable(id))
        assert.is_false(t.required)
        assert.is_true(t.nullable)
        assert.is_true(id.required)
        assert.is_nil(id.nullable)
        assert.is_nil(getmetatable(t))
        assert.is_true(w.omit(text).omit)
        assert.equal("Seconds.", w.doc("Seconds.", integer).doc)
        assert.equal(5, w.example(5, integer).example)
        assert.same({ kind = "list", required = true, of = text, max = 3 }, list(text, { max = 3 }))
        assert.equal("any", w.map(w.any).of.kind)
    end)

    it("say what is wrong, at the script's line", function()
        local at = line() + 2
        assert.equal('field "a" must be a type such as text or integer{ 1, 10 }, got a number', (raised(function()
            local _ = object { a = 5 }
        end, at)))
        at = line() + 2
        assert.equal('the object has the field "a" twice', (raised(function()
            local _ = object { { "a", text }, { "a", text } }
        end, at)))
        at = line() + 2
        assert.equal('field 2 of the object must be { "name", type }', (raised(function()
            local _ = object { { "a", text }, { "b" } }
        end, at)))
        at = line() + 2
        assert.equal('the object mixes the list form with the name "b"', (raised(function()
            local _ = object { { "a", text }, b = text }
        end, at)))
        at = line() + 2
        assert.is_truthy(raised(function()
            local _ = list "Task"
        end, at):find('(a model is written ref "Task")', 1, true))
        at = line() + 2
        assert.equal('ref takes the name of a model, as in ref "Task"', (raised(function()
            local _ = ref {}
        end, at)))
    end)
end)

describe("a route", function()
    it("is a table with method, path and line", function()
        local run = function() end
        local at = line() + 1
        local r = GET "/tasks/{id}/" { summary = "One.", run = run }
        assert.equal("GET", r.method)
        assert.equal("/tasks/{id}/", r.path)
        assert.equal(run, r.run)
        assert.is_truthy(r.line:find("declare_spec.lua:" .. at .. "$"))
    end)

    it("refuses malformed paths", function()
        for _, path in ipairs { "tasks", "/a//b", "/a{id}", "/{id}/{id}", "/a?b", "/{1}", "/a b" } do
            local at = line() + 2
            raised(function()
                local _ = GET(path)
            end, at)
        end
        local at = line() + 2
        raised(function()
            local _ = GET "/a" "b"
        end, at)
    end)
end)

describe("normalise", function()
    local function nothing() end

    local function route(changes)
        local r = { summary = "One.", who = "user", limit = "standard", can = "task.read", params = { id = id },
            returns = { [200] = "Task" }, run = nothing }
        for key, value in pairs(changes or {}) do
            r[key] = value or nil
        end
        return r
    end

    local function manifest(...)
        return {
            name = "demo", version = "2", hosts = { "api.demo.test" }, prefixes = { "/api" }, trailing_slash = true,
            principals = { user = nothing }, rules = { ["task.read"] = nothing },
            limits = { standard = { count = 100, seconds = 60, per = "user" } },
            models = { Task = object { { "id", id }, { "project", nullable(ref "Project") } }, Project = { id = id } },
            units = { { name = "tasks", summary = "Tasks.", ... } },
        }
    end

    -- The problems of a manifest, without the headline.
    local function problems(m)
        local ok, message = pcall(declare.normalise, m)
        assert.is_false(ok)
        local result = {}
        for problem in message:gmatch("\n  ([^\n]*)") do
            result[#result + 1] = problem
        end
        assert.is_truthy(message:find(#result .. " problem", 1, true), message)
        return result
    end

    local function only(m)
        local found = problems(m)
        assert.equal(1, #found, table.concat(found, "\n"))
        return (found[1]:gsub("^.-declare_spec.lua:%d+: ", "<here> "))
    end

    it("makes the host's table", function()
        local out = declare.normalise(manifest(
            GET "/api/tasks/{id}/" (route()),
            POST "/api/tasks/" (route { params = false, body = { title = text { 1, 5 } }, returns = { [201] = "none" },
                secret = true })))
        assert.equal("demo", out.name)
        assert.equal("demo", out.title)
        assert.equal("unix", out.limit_reset)
        assert.same({ "api.demo.test" }, out.hosts)
        assert.equal("object", out.models.Project.kind)
        assert.same({ count = 100, seconds = 60, per = "user" }, out.limits.standard)
        assert.same({}, out.docs)
        assert.same({}, out.pages)
        assert.equal(2, #out.routes)
        local first, second = out.routes[1], out.routes[2]
        assert.equal(1, first.index)
        assert.equal("tasks", first.unit)
        assert.equal("object", first.params.kind)
        assert.equal("Task", first.returns[200])
        assert.is_false(first.secret)
        assert.equal(nothing, first.run)
        assert.equal("title", second.body.fields[1].name)
        assert.is_true(second.secret)
        assert.is_nil(second.query)
    end)

    it("reports one problem with its place", function()
        local function one(changes, path)
            return only(manifest(GET(path or "/a/{id}") (route(changes))))
        end
        assert.equal('<here> GET /a/{id}: unknown key "sumary" (did you mean "summary"?)', one { sumary = "x" })
        assert.equal('<here> GET /a/{id}: limit = "standart" is not in limits (did you mean "standard"?)',
            one { limit = "standart" })
        assert.equal('<here> GET /a/{id}: can = "x" is not in rules', one { can = "x" })
        assert.equal('<here> GET /a/{id}: who = "usr" is not in principals (did you mean "user"?)', one { who = "usr" })
        assert.equal('<here> GET /a/{id}: returns[200]: there is no model "Tsk" (did you mean "Task"?)',
            one { returns = { [200] = "Tsk" } })
        assert.equal("<here> GET /a/{id}: returns[99] is not a status", one { returns = { [99] = "Task" } })
        assert.equal("<here> GET /a/{id}/{b}: the path's {b} needs a type in params", one({}, "/a/{id}/{b}"))
        assert.equal("<here> GET /a: params.id is not in the path", one({}, "/a"))
        assert.equal("<here> GET /a/{id}: run must be a function", one { run = 5 })
        assert.equal("<here> GET /a/{id}: summary is missing", one { summary = "" })
        assert.equal("<here> GET /a/{id}: a GET has no body", one { body = {} })
        assert.equal("<here> GET /a/{id}: query.q: a text of a URL or a form cannot hold the type object",
            one { query = { q = {} } })
        assert.equal("<here> GET /a/{id}: query must be an object", one { query = text })
    end)

    it("knows scopes: routes within them, limits that count for them", function()
        local m = manifest(GET "/a/{id}" (route { within = "club" }))
        m.scopes = { club = nothing }
        m.limits.standard.per = "club"
        local out = declare.normalise(m)
        assert.equal("club", out.routes[1].within)
        assert.same({ count = 100, seconds = 60, per = "club", of_scope = true }, out.limits.standard)
    end)

    it("refuses scopes that cannot be", function()
        local function one(changes, path, scope)
            local m = manifest(GET(path or "/a/{id}") (route(changes)))
            m.scopes = { [scope or "club"] = nothing }
            return only(m)
        end
        assert.equal('<here> GET /a/{id}: within = "clubs" is not in scopes (did you mean "club"?)',
            one { within = "clubs" })
        assert.equal("<here> GET /a: within needs params: the path says which club",
            one({ within = "club", params = false }, "/a"))
        assert.equal('scopes: "user" is no name that req could have beside its own', one({}, nil, "user"))
    end)

    it("finds refs to models that do not exist, where they are written", function()
        local m = manifest(GET "/a/{id}" (route()))
        local at = line() + 1
        m.models.Task = object { { "tags", list(ref "Tga") } }
        local found = problems(m)
        assert.equal(1, #found)
        assert.is_truthy(found[1]:find(":" .. at .. ': model Task.tags: there is no model "Tga"', 1, true))
    end)

    it("refuses one method and path twice, in the form with or without a slash", function()
        local second = GET "/a/{key}/" (route { params = { key = text } })
        local found = only(manifest(GET "/a/{id}" (route()), second))
        assert.is_truthy(found:find("^<here> GET /a/{key}/: already declared at .*declare_spec.lua:%d+$"))
    end)

    it("collects everything", function()
        local m = manifest(GET "/a/{id}" (route { limit = "x", can = "y" }), "not a route")
        m.unts, m.name, m.hosts, m.measures = {}, "Demo", { "API.demo" }, { "a", "a" }
        m.limits.standard.per, m.codes, m.messages = "nobody", { [200] = "X" }, { requird = "x" }
        m.config = { seconds = integer { 1, 2 } }
        m.units[2] = { name = "tasks", summary = "Again." }
        assert.same({
            'manifest: unknown key "unts" (did you mean "units"?)',
            'the manifest needs name, a word of lower-case letters, digits and "_"',
            "hosts[1] must be a host name in lower case without a port",
            'measures has "a" twice',
            'messages: unknown key "requird" (did you mean "required"?)',
            "codes[200] must be a text under a status from 400 to 599",
            'limits["standard"]: per must be "user", "token", "address", a principal or a scope',
            "config.seconds needs a default",
        }, { table.unpack(problems(m), 1, 8) })
        assert.equal(12, #problems(m))
    end)

    it("takes pages: a file or a folder", function()
        local m = manifest()
        m.pages = { { path = "/", file = "a.html", development = true }, { path = "/b/", folder = "b" } }
        assert.same(m.pages, declare.normalise(m).pages)
        m.pages = {
            5, { file = "a.html" }, { path = "/" }, { path = "/", file = "a", folder = "b" }, { path = "/", file = 5 },
            { path = "/", file = "a", development = 1 }, { path = "/", folder = "b", fold = 1 },
        }
        assert.same({
            "pages[1] must be a table { path =, file = or folder = }",
            "pages[1]: path is missing",
            "pages[2]: path is missing",
            "pages[3]: either file or folder says what is served",
            "pages[4]: either file or folder says what is served",
            "pages[5]: either file or folder says what is served",
            "pages[6]: development must be a boolean",
            'pages[7]: unknown key "fold"',
        }, problems(m))
    end)

    it("survives nonsense", function()
        assert.has_error(function() declare.normalise(nil) end)
        assert.equal("units must list the app's units", only { name = "x" })
        for _, key in ipairs { "models", "rules", "limits", "units", "docs", "pages", "config", "codes", "hosts" } do
            local m = manifest()
            m[key] = 5
            assert.equal(key .. " must be a table", problems(m)[1])
        end
        local m = manifest()
        m.units = { 5, { 1, 2 }, {} }
        m.docs = { 5 }
        m.limits = { [1] = {}, a = 3 }
        m.models = { ["a b"] = 5 }
        assert.is_true(#problems(m) > 8)
    end)
end)
