-- SPDX-License-Identifier: Apache-2.0
--
-- The console's own functions and what happens to a line: compiled as an expression, else as a statement.
return function(h)
    local env, app = h.env, h.app
    local show = h.show(h)
    local commands, signatures = {}, {}
    local G = h.globals

    setmetatable(env, { __index = function(_, name)
        local own = commands[name]
        if own ~= nil then
            return own
        end
        return G[name]
    end })

    local function text(s) return { console_text = s } end

    for _, f in ipairs(h.functions()) do
        signatures[f.signature:match "^[^(]+"] = f
    end
    local function command(signature, doc, fn)
        local name = signature:match "^[^(]+"
        signatures[name] = { signature = signature, doc = doc, console = true }
        commands[name] = fn
    end

    command("help(name?: string)", 'What there is; with a name what it does: help("timer.at").', function(name)
        local lines = {}
        if name ~= nil and signatures[name] then
            return text(signatures[name].signature .. "\n  " .. signatures[name].doc)
        end
        for key, f in pairs(signatures) do
            if (name == nil and f.console) or (name ~= nil and key:sub(1, #tostring(name)) == tostring(name)) then
                lines[#lines + 1] = f.signature .. "\n  " .. f.doc
            end
        end
        if #lines == 0 then
            error(string.format("there is no '%s'; help() lists what the console has", tostring(name)), 0)
        end
        table.sort(lines)
        return text(table.concat(lines, "\n"))
    end)

    command("tutorial(step?: integer)", "A walk through the console.", function(step)
        local one = h.tutorial[step or 1] or error("the tutorial has the steps 1 to " .. #h.tutorial, 0)
        local lines = { string.format("%d of %d: %s", step or 1, #h.tutorial, one[1]), "  " .. one[2] }
        for i = 3, #one do
            lines[#lines + 1] = "    " .. one[i]
        end
        local following = (step or 1) + 1
        lines[#lines + 1] = h.tutorial[following] and "  Then: tutorial(" .. following .. ")" or "  That is all."
        return text(table.concat(lines, "\n"))
    end)

    command("routes(pattern?: string)", "The app's routes whose method and path contain the text.", function(part)
        local list = {}
        for _, r in ipairs(app.routes) do
            if part == nil or (r.method .. " " .. r.path):find(part, 1, true) then
                list[#list + 1] = { method = r.method, path = r.path, who = r.who, can = r.can, summary = r.summary }
            end
        end
        return list
    end)

    command("rules()", "The app's rules and where they are.", function()
        local list = {}
        for name, fn in pairs(h.real(app.rules)) do
            local file, line = h.where(fn)
            list[#list + 1] = { rule = name, defined = file .. ":" .. line }
        end
        table.sort(list, function(a, b) return a.rule < b.rule end)
        return list
    end)

    -- Where the rule's name is written in its file: the clause of a table of rules.
    local function clause(file, name)
        local number = 0
        for line in ((h.source(file) or "") .. "\n"):gmatch "([^\n]*)\n" do
            number = number + 1
            if line:find('["' .. name .. '"]', 1, true) or line:match("^%s*([%w_]+)%s*=") == name then
                return string.format("%s:%d: %s", file, number, line:match "^%s*(.-),?%s*$")
            end
        end
    end

    command("explain(rule: string, who: table | integer, what?: table)",
        "Whether it is allowed and which clause says so. who: the principal or its id; what: the parts of req that "
        .. 'the rule looks at, as in explain("member.list", 7, { organization = { role = "employee" } }).',
        function(rule, who, what)
            local fn = h.real(app.rules)[rule]
            if not fn then
                error(string.format("there is no rule '%s'; rules() lists them", tostring(rule)), 0)
            end
            local allowed, why = h.rule(fn, type(who) == "table" and who or { id = who }, what or {})
            local file, line = h.where(fn)
            return text(string.format("%s: %s%s\n  clause    %s\n  function  %s:%d", rule,
                allowed and "allowed" or "denied", not allowed and why and " (" .. tostring(why) .. ")" or "",
                clause(file, rule) or "-", file, line))
        end)

    local function told(effects)
        local list, at = json.array(), {}
        for _, e in ipairs(effects) do
            local known = at[e.statement]
            if not known then
                known = { statement = e.statement, times = 0, rows = 0 }
                at[e.statement] = known
                list[#list + 1] = known
            end
            known.times, known.rows = known.times + 1, known.rows + e.rows
        end
        local lines = {}
        for i, e in ipairs(list) do
            lines[i] = string.format("%6d %s  %s%s", e.rows, e.rows == 1 and "row " or "rows", e.statement,
                e.times > 1 and string.format("  (%d times)", e.times) or "")
        end
        return list, #lines == 0 and "  nothing" or table.concat(lines, "\n")
    end

    command("write(fn: fun(tx: tx): ...): ...", "Runs fn in a transaction. It is tried and undone; what it changed "
        .. "is shown, and it is run again and kept when you say yes.", function(fn)
        if type(fn) ~= "function" then
            error("write takes a function: write(function(tx) … end)", 0)
        end
        if h.keep then
            return h.transaction(fn, true)
        end
        h.transaction(fn, false)
        local effects, shown = told(h.effects())
        if not h.confirm("This would change:\n" .. shown .. "\nKeep it?", json.encode(effects)) then
            error({ refused = true, message = "nothing was changed" }, 0)
        end
        return h.transaction(function(tx)
            local results = table.pack(fn(tx))
            local _, now = told(h.effects())
            if now ~= shown then
                error("it would change something else by now, so nothing was changed:\n" .. now, 0)
            end
            return table.unpack(results, 1, results.n)
        end, true)
    end)

    command("use(app?: string)", "Goes to another app from the next line on; without a name, or with the same one, to "
        .. "its newest release. Variables stay with the app and release that they were made in.", function(name)
        if not h.use(name) then
            error(string.format("there is no app '%s'", tostring(name)), 0)
        end
    end)
    command("status()", "What the server serves, as `perigee status` says it.", function() return text(h.status()) end)
    command("sessions()", "Requests in flight by worker, open sockets, and how many consoles there are.", function()
        local all = json.decode(h.sessions())
        return all.workers, all.sockets, all.more > 0 and string.format("and %d more sockets", all.more)
            or string.format("%d console%s", all.consoles, all.consoles == 1 and "" or "s")
    end)
    command("releases()", "The latest releases: number, time, who and why; `perigee rollback N` goes back to one.",
        function() return json.decode(h.releases()) end)
    command("print(...)", "Shows values while the line still runs.", function(...)
        local words = table.pack(...)
        for i = 1, words.n do
            words[i] = type(words[i]) == "string" and words[i] or show.word(words[i])
        end
        h.print(table.concat(words, "\t"))
    end)

    command("why(id: string)", "A recent request by its id: route, user, rule, times, error.", function(id)
        local record = h.why(tostring(id))
        if not record then
            error("no such request among the latest 512 of each worker", 0)
        end
        local r, lines = json.decode(record), {}
        for _, key in ipairs { "id", "at", "method", "path", "route", "app", "release", "address", "user", "rule",
            "status", "ms", "waited_ms", "error" } do
            lines[#lines + 1] = r[key] ~= nil and string.format("%-10s %s", key, tostring(r[key])) or nil
        end
        return text(table.concat(lines, "\n"))
    end)
    signatures["watch.requests"] = { signature = "watch.requests(t?: { app?, status? })", console = true,
        doc = "Requests as they are answered, until Ctrl-C: of an app, with a status (5: any of 500 to 599)." }
    signatures["watch.events"] = { signature = "watch.events(room: string)", console = true,
        doc = "Events of the app's room as they are published, until Ctrl-C. Watching is not being in the room." }
    commands.watch = { requests = function(t)
        t = t or {}
        h.watch(t.app or "", math.max(t.status or 0, 0))
    end, log = function() h.watch("", -1) end, events = h.watch_room }
    signatures["watch.log"] = { signature = "watch.log()", doc = "Entries of the server's log, until Ctrl-C.",
        console = true }

    command("as(user: integer | table): { get, post, put, patch, delete }", "Requests as that user: "
        .. 'as(7).get "/api/v1/tasks/". user: its id or a principal with the fields that the app gives it. What they '
        .. "write is rolled back, unless the console was started with --write.", h.as(h))

    local M = {}

    -- `local` at the beginning is dropped, so that the variable is there in the next line.
    local function compile(code)
        local short = code:match "^%s*=(.*)$"
        local fn = h.load("return " .. (short or code))
        if fn then
            return fn
        end
        local kept = code:gsub("^%s*local%s+(function%s)", "%1"):gsub("^%s*local%s+([%a_][%w_%s,]*=)", "%1")
        return h.load(short and "return " .. short or kept)
    end

    --- Runs a line: "result" and the values as JSON, "incomplete", or "syntax" and what is wrong.
    function M.eval(code)
        if code:find "^%s*$" then
            return "result", "[]"
        end
        local fn, why, more = compile(code)
        if not fn then
            return more and "incomplete" or "syntax", why
        end
        local values, out = table.pack(fn()), json.array()
        for i = 1, values.n do
            out[i] = show.value(values[i])
        end
        return "result", json.encode(out)
    end

    local function table_at(path)
        local at = env
        for name in path:gmatch "[%w_]+" do
            at = type(at) == "table" and (at == env and env[name] or h.real(at)[name]) or nil
        end
        return type(at) == "table" and h.real(at) or nil
    end

    -- What a text stands for, by the call that it is an argument of: patterns that end at the open quote.
    local arguments = {
        { "[%.:](%l+)%s*%(?%s*", function(add, method)
            for _, r in ipairs(app.routes) do
                if r.method == method:upper() then
                    add(r.path, r.summary)
                end
            end
        end },
        { "%f[%w_]use%s*%(?%s*", function(add)
            for _, name in ipairs(json.decode(h.apps())) do
                add(name)
            end
        end },
        { "%f[%w_]explain%s*%(?%s*", function(add)
            for name in pairs(h.real(app.rules)) do
                add(name)
            end
        end },
        { "%f[%w_]help%s*%(?%s*", function(add)
            for name, f in pairs(signatures) do
                add(name, f.signature)
            end
        end },
    }

    local function complete_argument(line)
        local word = line:match "[\"']([^\"'%s]*)$"
        local before = word and line:sub(1, #line - #word - 1)
        local found, names, items = {}, {}, json.array()
        for _, one in ipairs(word and arguments or {}) do
            local capture = before:match(one[1] .. "$")
            if capture then
                one[2](function(name, hint)
                    if name:sub(1, #word) == word and not found[name] then
                        found[name] = { text = name, kind = "text", hint = hint }
                        names[#names + 1] = name
                    end
                end, capture)
            end
        end
        table.sort(names)
        for i, name in ipairs(names) do
            items[i] = found[name]
        end
        return #names > 0 and string.format('"from":%d,"items":%s', #line - #word, json.encode(items)) or nil
    end

    --- What may stand at the end of the text.
    function M.complete(line)
        local argument = complete_argument(line)
        if argument then
            return argument
        end
        local path, word = line:match "([%a_][%w_.]*%.)([%a_]?[%w_]*)$"
        word = word or line:match "([%a_][%w_]*)$" or ""
        path = path or ""
        local found, items = {}, json.array()
        local function add(from, kind)
            for name, value in next, from or {} do
                if type(name) == "string" and name:sub(1, #word) == word and not found[name] then
                    local f = signatures[path .. name]
                    found[name] = { text = name, kind = type(value) == "function" and "function" or kind,
                        hint = f and f.signature, doc = f and f.doc }
                end
            end
        end
        if path ~= "" then
            add(table_at(path), "field")
        elseif word ~= "" then
            add(env, "variable")
            add(commands, "function")
            add(h.real(G), "global")
        end
        local names = {}
        for name in pairs(found) do
            names[#names + 1] = name
        end
        table.sort(names)
        for i, name in ipairs(names) do
            items[i] = found[name]
        end
        return string.format('"from":%d,"items":%s', #line - #word, json.encode(items))
    end

    return M
end
