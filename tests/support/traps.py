"""Scripts that do their worst, and apps that contain them: one with a route for each, one that runs them in all places.

Used by tests/flow/test_containment.py, which says what must become of them, and by tests/bench/containment, which
measures what others notice.
"""
from .server import REPO

# name → the body of a handler. Each is expected to become a 500.
ENDLESS = {
    "loop": "while true do end",
    "loop in pcall": "while true do pcall(function() while true do end end) end",
    "loop in nested pcalls": "local function f() pcall(f) while true do end end while true do pcall(f) end",
    "loop in xpcall's handler": "xpcall(function() while true do end end, function() while true do end end) while true do end",
    "loop in a coroutine": "local c = coroutine.wrap(function() while true do end end) while true do pcall(c) end",
    "loop of coroutines": "while true do local c = coroutine.create(function() while true do end end) coroutine.resume(c) end",
    "coroutine in coroutine": """local function deep(n) if n == 0 then while true do end end
        local c = coroutine.wrap(deep) while true do pcall(c, n - 1) end end deep(5)""",
    "loop in __index": "local t = setmetatable({}, { __index = function() while true do end end }) return 200, { n = t.x }",
    "loop in __close": """local ok = pcall(function() local x <close> = setmetatable({}, { __close = function() while true do end end })
        error('out') end) while true do end""",
    "loop in __close of the dead": "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('out')",
    "loop in __close of the overdue": "local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end",
    "loop in __close of a coroutine": """local c = coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end })
        coroutine.yield() end) c() while true do end""",
    "loop in __close of what is closed": """local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while true do end end })
        coroutine.yield() end) coroutine.resume(c) coroutine.close(c)""",
    "loop in __close of a failed coroutine": """coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while true do end end })
        error('out') end)()""",
    "loop in __tostring": "return 200, { n = tostring(setmetatable({}, { __tostring = function() while true do end end })) }",
    "loop in sort": "local t = {} for i = 1, 100 do t[i] = i end table.sort(t, function(a, b) while true do end end)",
    "loop in gsub": "return 200, { n = (string.gsub('abc', '.', function() while true do end end)) }",
    "loop in pairs": "for _ in function() return 1 end do end",
    "loop in a transaction": "db.transaction(function(tx) tx.insert('notes', { text = 'loop' }) while true do end end)",
    "loop after a transaction": "db.transaction(function(tx) tx.insert('notes', { text = 'loop' }) end) while true do end",
    "loop in tx.try": "db.transaction(function(tx) while true do tx.try(function() while true do end end) end end)",
    "loop in a report": "return 200, report.csv{ name = 'x.csv', columns = { 'a' }, rows = function() return { 'x' } end }",
    "goto": "::again:: goto again",
}
# Loops in C, which no hook interrupts: they have to be refused before they begin, or be bounded.
IN_C = {
    "empty rep": "return 200, { n = #string.rep('', 1 << 60) }",
    "insert into what says it is long": "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 'x')",
    "remove from what says it is long": "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
    "concat of what says it is long": """return 200, { n = table.concat(setmetatable({}, { __len = function() return 1 << 60 end,
        __index = function() return '' end })) }""",
    "sort of what says it is long": "table.sort(setmetatable({}, { __len = function() return (1 << 31) - 2 end, __index = function() return 1 end }))",
    "unpack of what says it is long": "return 200, { n = select('#', table.unpack(setmetatable({}, { __len = function() return 1 << 60 end }))) }",
    "move": "table.move({}, 1, 1 << 60, 2) return 200, {}",
    "move to itself": "local t = {} table.move(t, 1, 1 << 40, 1) return 200, {}",
    "concat far": "return 200, { n = #table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60) }",
    # With C functions as metamethods no instruction of Lua runs, so no hook ever does, and nothing grows.
    "concat through C": "return 200, { n = #table.concat(setmetatable({}, { __index = getmetatable, __metatable = '' }), '', 1, 1 << 60) }",
    "sort through C": """table.sort(setmetatable({}, { __len = function() return (1 << 31) - 2 end,
        __index = rawlen, __newindex = rawequal }))""",
    "pattern of repetitions": "return 200, { n = string.find(string.rep('a', 100000), string.rep('a*', 30) .. 'b') }",
    "pattern of lazy repetitions": "return 200, { n = string.match(string.rep('a', 20000), '.-.-.-.-b') }",
    "pattern of optionals": "return 200, { n = string.find(string.rep('a', 40), string.rep('a?', 40) .. string.rep('a', 40) .. 'b') }",
    "pattern in gmatch": "for _ in string.gmatch(string.rep('a', 5000), '.-.-.-b') do end return 200, {}",
    "pattern in gsub": "return 200, { n = #string.gsub(string.rep('x', 5000), '.-.-.-b', '') }",
    "balance": "return 200, { n = string.find(string.rep('(', 200000), '%b()') }",
    "sum of a sequence in SQL": """return 200, { n = db.value("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT SUM(x) FROM c") }""",
    "sequence in SQL in a transaction": """db.transaction(function(tx) tx.insert('notes', { text = 'long' })
        tx.value("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT SUM(x) FROM c") end)""",
    "writing a sequence": """db.transaction(function(tx)
        tx.run("INSERT INTO notes (text) SELECT x FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)") end)""",
    "a huge text in SQL": "return 200, { n = db.value(\"SELECT LENGTH(zeroblob(2000000000))\") > 0 and #db.value(\"SELECT hex(zeroblob(900000000))\") }",
}
MEMORY = {
    "table": "local t = {} while true do t[#t + 1] = { #t } end",
    "table in pcall": "while true do pcall(function() local t = {} while true do t[#t + 1] = { #t } end end) end",
    "string": "local s = 'x' while true do s = s .. s end",
    "strings": "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
    "concat": "local t = {} for i = 1, 100 do t[i] = string.rep('x', 8000000) end return 200, { n = #table.concat(t) }",
    "format": "local s = string.rep('%s', 200) local x = string.rep('x', 8000000) local t = {} for i = 1, 200 do t[i] = x end return 200, { n = #s:format(table.unpack(t)) }",
    "gsub": "return 200, { n = #string.gsub(string.rep('x', 1000000), 'x', string.rep('y', 1000000)) }",
    "recursion": "local function f(n) return 1 + f(n + 1) end return 200, { n = f(1) }",
    "recursion in C": "local function f() return string.gsub('x', 'x', f) end return 200, { n = f() }",
    "recursion in pcall": "local function f() return pcall(f) end f() local function g() return pcall(g), 1 end g() error('survived')",
    "recursion in __index": "local t = {} setmetatable(t, { __index = function(x, k) return x[k .. 'x'] end }) return 200, { n = t.x }",
    "chain of __index": "local t = {} setmetatable(t, { __index = t }) return 200, { n = t.x }",
    "recursion of coroutines": "local function f() return coroutine.wrap(f)() end f()",
    "coroutines": "local t = {} while true do local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) t[#t + 1] = c end",
    "coroutines in a full state": """local cos, keep, n = {}, {}, 0
        for i = 1, 260 do
            cos[i] = coroutine.create(function() while true do coroutine.yield() if cos[i + 1] then coroutine.resume(cos[i + 1]) end end end)
            coroutine.resume(cos[i])
        end
        for i = 259, 1, -1 do coroutine.resume(cos[i]) if i < 257 then break end end
        for i = 1, 300000 do keep[i] = false end
        for _, size in ipairs { 1000000, 100000, 10000, 1000, 300, 100, 60, 41, 30, 20, 10, 1 } do
            pcall(function() while true do n = n + 1 keep[n] = string.rep('x', size) .. n end end)
        end
        pcall(function() while true do n = n + 1 keep[n] = {} end end)
        coroutine.resume(cos[1]) error('survived')""",
    "closures": "local t = {} while true do t[#t + 1] = function() return t end end",
    "varargs": "local function f(...) return f(1, ...) end f()",
    "answer": "local t = {} for i = 1, 300000 do t[i] = string.rep('x', 100) .. i end local u = {} for i = 1, 20 do u[i] = t end return 200, { n = u }",
    "cycle in an answer": "local t = {} t.t = t return 200, t",
    "deep answer": "local t = {} for i = 1, 100000 do t = { t } end return 200, t",
    "cycle in json": "local t = {} t.t = t return 200, { n = json.encode(t) }",
    "deep json": "return 200, { n = assert(json.decode(string.rep('[', 100000) .. string.rep(']', 100000))) }",
    "deep error": "local t = {} for i = 1, 100000 do t = { message = t } end error(t)",
    "deep details": "local t = {} for i = 1, 100000 do t = { t } end fail(418, 'X', 'deep', t)",
    "rows": "return 200, { n = db.all(\"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 10000000) SELECT x FROM c\") }",
    "a long error": "error(string.rep('x', 8000000))",
    "a long header": "return 200, {}, { ['X-Long'] = string.rep('x', 8000000) }",
}
ODD = {
    "error of nil": "error(nil)",
    "error of a table": "error({})",
    "error of a function": "error(print or function() end)",
    "error of a coroutine": "error(coroutine.create(function() end))",
    "error of a number": "error(42)",
    "error with a wrong status": "error({ status = 99 })",
    "error with a huge status": "error({ status = 1 << 40 })",
    "error with a text as status": "error({ status = '404' })",
    "error whose __index raises": "error(setmetatable({}, { __index = function() error('again') end }))",
    "error whose __index loops": "error(setmetatable({}, { __index = function() while true do end end }))",
    "error whose __tostring raises": "error(setmetatable({}, { __tostring = function() error('again') end }))",
    "error in a message handler": "xpcall(error, function() error('again') end) error('after')",
    "yield": "coroutine.yield(1)",
    "yield in pcall": "pcall(coroutine.yield) error('after')",
    "yield in a rule of sort": "table.sort({ 3, 2, 1 }, function() coroutine.yield() end)",
    "yield in gsub": "string.gsub('x', 'x', coroutine.yield)",
    "yield in a transaction": "db.transaction(function(tx) tx.insert('notes', { text = 'odd' }) coroutine.yield() end)",
    "yield out of a nested transaction": """db.transaction(function(tx) local c = coroutine.wrap(function()
        db.transaction(function() tx.insert('notes', { text = 'odd' }) coroutine.yield() end) end) c() end)""",
    "yield out of a transaction": """local c = coroutine.wrap(function() db.transaction(function(tx) tx.insert('notes', { text = 'odd' }) coroutine.yield() end) end)
        c() error('left it open')""",
    "transaction never entered again": """local c = coroutine.create(function() db.transaction(function(tx)
        tx.insert('notes', { text = 'odd' }) error('inside') end) end) coroutine.resume(c) coroutine.close(c) error('outside')""",
    "wait in a transaction": "db.transaction(function(tx) password.hash('x') end)",
    "wait after a transaction": "db.transaction(function(tx) end) password.hash('x')",
    "wait in sort": "table.sort({ 3, 2, 1 }, function() password.hash('x') end)",
    "wait in a coroutine in sort": """table.sort({ 3, 2, 1 }, function() pcall(coroutine.wrap(function() password.hash('x') end)) end)
        error('after')""",
    "wait in a closing value": "local x <close> = setmetatable({}, { __close = function() password.hash('x') end }) error('closing')",
    "tx after its end": "local kept db.transaction(function(tx) kept = tx end) kept.insert('notes', { text = 'odd' })",
    "resume itself": "local c c = coroutine.create(function() return coroutine.resume(c) end) assert(coroutine.resume(c)) assert(coroutine.resume(coroutine.running()))",
    "close the running one": "coroutine.close(coroutine.running())",
    "wrapping what runs": "local c c = coroutine.wrap(function() c() end) c()",
    "metatable of strings": "getmetatable('').__index = nil error('x')",
    "global": "undeclared = 1",
    "globals changed": "rawset(_G, 'string', nil) string.rep('x', 2) error('x')",
    "library changed": "string.rep = nil",
    "require": "require 'other'",
    "load": "load('while true do end')()",
    "a finaliser": "setmetatable({}, { __gc = function() while true do end end }) error('accepted')",
    "a finaliser added later": "local m = {} setmetatable({}, m) m.__gc = function() while true do end end error('x')",
    "the host's null": "null()",
    "no status": "return {}",
    "status as text": "return '200', {}",
    "status not declared": "return 418, {}",
    "nan": "return 200, { n = 0 / 0 }",
    "invalid text": "return 200, { n = '\\xff\\xfe' }",
    "a header with a line end": "return 200, {}, { ['X-Y'] = 'a\\r\\nSet-Cookie: x' }",
    "a header without a name": "return 200, {}, { [''] = 'x' }",
    "nothing": "return",
    "wrong arguments": "time.iso('x')",
    "huge numbers": "return 200, { n = time.iso(1 << 62) .. time.add_days('2025-01-01', 1 << 62) }",
    "arguments of the wrong kind": "db.one(db, db, db)",
    "an object as parameter": "db.one('SELECT ?', {})",
    "statements": "db.one('SELECT 1; DELETE FROM notes')",
    "pragma": "db.one('PRAGMA journal_mode=DELETE')",
    "attach": "db.transaction(function(tx) tx.run(\"ATTACH '/tmp/x.db' AS x\") end)",
    "commit": "db.transaction(function(tx) tx.insert('notes', { text = 'odd' }) tx.run('COMMIT') end)",
    "rollback on conflict": """db.transaction(function(tx) tx.insert('notes', { id = 1, text = 'odd' })
        tx.run("INSERT OR ROLLBACK INTO notes (id, text) VALUES (1, 'odd')") end)""",
}
# What a loop could pile up outside of the state's memory, in the log or in time that no turn ends.
FLOOD = {
    "events": "db.transaction(function() while true do events.emit('room', { s = string.rep('x', 1000000) }) end end)",
    "closings": "db.transaction(function() while true do events.close('nobody', 4001, 'x') end end)",
    "expulsions": "db.transaction(function() while true do events.expel('nobody', 'room') end end)",
    "log lines": "while true do log.info('flood', { a = 1 }) end",
    "long log lines": "local s = 'flood' .. string.rep('x', 8000000) while true do log.info(s) end",
    "waiting for ever": "while true do report.xlsx{ name = 'x.xlsx', sheets = { { name = 'a', columns = { 'a' }, rows = {} } } } end",
    "mails": "db.transaction(function() while true do mail.send{ to = 'a@b.example', subject = 'x', text = string.rep('x', 100000) } end end)",
    "timers": "db.transaction(function() local i = 0 while true do i = i + 1 timer.at('flood ' .. i, 1 << 40, 'good', { n = i }) end end)",
    "rows": "db.transaction(function(tx) while true do tx.insert('notes', { text = string.rep('x', 1000000) }) end end)",
    "rows of a file": "return 200, report.csv{ name = 'x.csv', columns = { 'a' }, rows = function() return { string.rep('x', 1000000) } end }",
    "limits": "local i = 0 while true do i = i + 1 limit.take('flood', 's' .. i, 5, 1000) end",
    "cache": "local i = 0 while true do i = i + 1 cache.set('flood ' .. i, '', 1000) end",
    "facts": """db.transaction(function() local i = 0 while true do i = i + 1
        analytics.record{ measure = 'm', kind = 'user', id = i, from = 0, to = 60, value = 1 } end end)""",
}
HANDLERS = {"flood": FLOOD, "endless": ENDLESS, "in c": IN_C, "memory": MEMORY, "odd": ODD}
ALL = [(group, name) for group, members in HANDLERS.items() for name in members]
# What may also succeed: it is bounded, and its effect harmless.
MAY_SUCCEED = {"empty rep": 200, "huge numbers": 200, "nan": 200, "invalid text": 200, "deep details": 418}

NOTES = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n"

APP = """
local function note(text)
    return db.transaction(function(tx)
        return tx.insert("notes", { text = text })
    end)
end

return {
    name = "trap", title = "Traps", summary = "Made to go wrong", prefixes = { "/trap" },
    codes = { [500] = "INTERNAL_ERROR", [503] = "SERVICE_UNAVAILABLE" },
    timers = {
        bad = function(due, args) db.transaction(function(tx) tx.insert("notes", { text = "timer" }) end) while true do end end,
        good = function(due, args) note("fired " .. args.n) end,
        again = function(due, args) db.transaction(function() timer.at("again", due, "again", args) end) end,
    },
    units = { {
        name = "traps", summary = "Traps",
%s
        POST "/trap/good/" { summary = "Good", who = "anyone", returns = { [201] = any },
            run = function(req) return 201, { id = note("good") } end },
        GET "/trap/notes/" { summary = "Notes", who = "anyone", returns = { [200] = any },
            run = function(req) return 200, { notes = db.all("SELECT text, COUNT(*) AS n FROM notes GROUP BY text") } end },
        GET "/trap/large/" { summary = "Large", who = "anyone", returns = { [200] = any },
            run = function(req)
                local t = {}
                for i = 1, 4 do t[i] = string.rep(string.rep(tostring(i), 1000), 8000) end
                return 200, { n = #t }
            end },
        POST "/trap/timers/" { summary = "Timers", who = "anyone", returns = { [204] = "none" },
            run = function(req)
                db.transaction(function()
                    timer.at("bad", req.now + 10, "bad", { n = 1 })
                    timer.at("good", req.now + 20, "good", { n = 2 })
                end)
                return 204
            end },
        POST "/trap/heavy/" { summary = "Loops when told", who = "anyone", body = { loop = boolean },
            returns = { [204] = "none" },
            run = function(req)
                while req.body.loop do end
                return 204
            end },
        POST "/trap/again/" { summary = "A timer for ever", who = "anyone", returns = { [204] = "none" },
            run = function(req)
                db.transaction(function()
                    timer.at("again", 1, "again")
                    timer.at("good", req.now, "good", { n = 7 })
                end)
                return 204
            end },
        SOCKET "/ws/trap" {
            summary = "Socket", who = "anyone",
            open = function(socket) socket:join("room") socket:send { open = true } end,
            message = function(socket)
                db.transaction(function() while true do socket:send { s = string.rep("x", 1000000) } end end)
            end,
        },
    } },
}
"""
ROUTE = """        POST "/trap/%s/" { summary = "Trap", who = "anyone", returns = { [200] = any },
            run = function(req) %s end },
"""


def path_of(group, name):
    return "/trap/%s/" % key_of(group, name)


def write_tables(folder, app):
    (folder / "db" / app).mkdir(parents=True)
    (folder / "db" / app / "0001_create_notes.sql").write_text(NOTES)
    if not (folder / "db" / "runtime").exists():
        (folder / "db" / "runtime").symlink_to(REPO / "db" / "runtime")


def write_app(folder):
    routes = "".join(ROUTE % (path_of(group, name)[6:-1], HANDLERS[group][name]) for group, name in ALL)
    (folder / "scripts" / "trap").mkdir(parents=True)
    (folder / "scripts" / "trap" / "app.lua").write_text(APP % routes)
    write_tables(folder, "trap")

# ---- the same in all places from where the host calls scripts --------------------------------------------------------

PLACES = ("rule", "scope", "principal", "check", "timer", "socket", "closing", "webhook", "envelope")
# These stand for their kinds.
KINDS = [("endless", "loop in nested pcalls"), ("endless", "coroutine in coroutine"), ("endless", "loop in xpcall's handler"),
         ("endless", "loop in __close of the dead"), ("endless", "loop in sort"), ("in c", "pattern of lazy repetitions"),
         ("in c", "sort through C"), ("memory", "table in pcall"), ("memory", "string"), ("memory", "recursion in C"),
         ("memory", "coroutines"), ("memory", "deep error"), ("odd", "error whose __index loops"),
         ("odd", "error in a message handler"), ("odd", "yield"), ("odd", "globals changed")]

PLACED = """
local traps = require "traps"

local function spring(name)
    if traps[name] then
        traps[name]()
    end
end

return {
    name = "placed", title = "Places", summary = "Goes wrong everywhere", prefixes = { "/placed" },
    codes = { [401] = "NOBODY", [403] = "NO", [418] = "TEAPOT", [500] = "INTERNAL_ERROR", [503] = "SERVICE_UNAVAILABLE" },
    envelope = function(e)
        if e.code == "TRAP" then
            spring(e.message)
        end
        return { error = { code = e.code, message = e.message } }
    end,
    principals = { token = function(token) spring(token) return { id = 1 } end },
    rules = { ["trap.enter"] = function(user, req) spring(req.params.trap) return req.params.trap ~= "no" end },
    scopes = { place = function(user, params) spring(params.trap) return { id = 7 } end },
    timers = {
        bad = function(due, args)
            if due == args.due then -- not when it is tried again
                db.transaction(function(tx) tx.insert("notes", { text = "timer" }) end)
                spring(args.trap)
            end
        end,
        good = function(due, args)
            db.transaction(function(tx) tx.insert("notes", { text = "fired " .. args.trap }) end)
        end,
    },
    webhooks = {
        events = { "sprung" },
        build = function(event, data, hook) spring(data.trap) return { body = json.encode(data) } end,
        disabled = function(hook) return nil end,
    },
    units = { {
        name = "places", summary = "Places",
        GET "/placed/rule/{trap}/" { summary = "Rule", who = "anyone", can = "trap.enter", params = { trap = text },
            returns = { [200] = any }, run = function(req) return 200, {} end },
        GET "/placed/scope/{trap}/" { summary = "Scope", who = "token", within = "place", params = { trap = text },
            returns = { [200] = any }, run = function(req) return 200, {} end },
        GET "/placed/principal/" { summary = "Principal", who = "token", returns = { [200] = any },
            run = function(req) return 200, {} end },
        GET "/placed/check/{trap}/" { summary = "Check", who = "anyone", params = { trap = text },
            check = function(req) spring(req.params.trap) end, returns = { [200] = any },
            run = function(req) return 200, {} end },
        GET "/placed/envelope/{trap}/" { summary = "Envelope", who = "anyone", params = { trap = text },
            returns = { [200] = any }, run = function(req) fail(418, "TRAP", req.params.trap) end },
        POST "/placed/timer/{trap}/" { summary = "Timer", who = "anyone", params = { trap = text },
            returns = { [204] = "none" },
            run = function(req)
                db.transaction(function()
                    timer.at("bad", req.now + 10, "bad", { trap = req.params.trap, due = req.now + 10 })
                    timer.at("good", req.now + 20, "good", { trap = req.params.trap })
                end)
                return 204
            end },
        POST "/placed/hook/" { summary = "Endpoint", who = "anyone", returns = { [201] = any },
            run = function(req)
                return 201, db.transaction(function(tx)
                    return { id = assert(webhook.create { owner = "a", url = "https://hooks.placed.example/in",
                        events = { "sprung" } }).id }
                end)
            end },
        POST "/placed/webhook/{trap}/" { summary = "Webhook", who = "anyone", params = { trap = text },
            returns = { [200] = any },
            run = function(req)
                return 200, db.transaction(function(tx)
                    tx.insert("notes", { text = "webhook" })
                    return { sent = webhook.send("a", "sprung", { trap = req.params.trap }) }
                end)
            end },
        POST "/placed/caught/{trap}/" { summary = "Webhook in pcall", who = "anyone", params = { trap = text },
            query = { again = boolean { default = false } },
            returns = { [200] = any },
            run = function(req)
                return 200, db.transaction(function(tx)
                    local sent = pcall(webhook.send, "a", "sprung", { trap = req.params.trap })
                    if req.query.again then
                        error("after that")
                    end
                    return { sent = sent }
                end)
            end },
        GET "/placed/notes/" { summary = "Notes", who = "anyone", returns = { [200] = any },
            run = function(req)
                return 200, { notes = db.all("SELECT text, COUNT(*) AS n FROM notes GROUP BY text") }
            end },
        SOCKET "/ws/placed" {
            summary = "Socket", who = "anyone",
            open = function(socket, req) socket:send { open = true } end,
            message = function(socket, m)
                socket.data.last = m.closing
                spring(m.trap)
                if m.token then
                    socket:authenticate(m.token, "token")
                end
                socket:send { heard = true }
            end,
            closed = function(socket) spring(socket.data.last) end,
        },
    } },
}
"""


def key_of(group, name):
    return "%s-%d" % (group.replace(" ", "-"), list(HANDLERS[group]).index(name))


def write_placed(folder, cases=KINDS):
    app = folder / "scripts" / "placed"
    app.mkdir(parents=True)
    (app / "app.lua").write_text(PLACED)
    (app / "traps.lua").write_text("return {\n%s}\n" % "".join(
        '    ["%s"] = function() %s end,\n' % (key_of(*case), HANDLERS[case[0]][case[1]]) for case in cases))
    write_tables(folder, "placed")
