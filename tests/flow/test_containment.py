"""An app that does its worst: every handler below must end, as an error of its own request, and nothing must stay behind.

The app lives in a scripts folder of its own; its database has one table.
"""
import contextlib
import threading

import pytest

from support.server import REPO, Server, command

SCRIPT_MS = 300

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
    "yield out of a transaction": """local c = coroutine.wrap(function() db.transaction(function(tx) tx.insert('notes', { text = 'odd' }) coroutine.yield() end) end)
        c() error('left it open')""",
    "transaction never entered again": """local c = coroutine.create(function() db.transaction(function(tx)
        tx.insert('notes', { text = 'odd' }) error('inside') end) end) coroutine.resume(c) coroutine.close(c) error('outside')""",
    "wait in a transaction": "db.transaction(function(tx) password.hash('x') end)",
    "wait after a transaction": "db.transaction(function(tx) end) password.hash('x')",
    "wait in sort": "table.sort({ 3, 2, 1 }, function() password.hash('x') end)",
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
HANDLERS = {"endless": ENDLESS, "in c": IN_C, "memory": MEMORY, "odd": ODD}
ALL = [(group, name) for group, members in HANDLERS.items() for name in members]
# What may also succeed: it is bounded, and its effect harmless.
MAY_SUCCEED = {"empty rep": 200, "huge numbers": 200, "nan": 200, "invalid text": 200, "deep details": 418}

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
    } },
}
"""
ROUTE = """        POST "/trap/%s/" { summary = "Trap", who = "anyone", returns = { [200] = any },
            run = function(req) %s end },
"""


def path_of(group, name):
    return "/trap/%s-%d/" % (group.replace(" ", "-"), list(HANDLERS[group]).index(name))


def write_app(folder):
    routes = "".join(ROUTE % (path_of(group, name)[6:-1], HANDLERS[group][name]) for group, name in ALL)
    (folder / "scripts" / "trap").mkdir(parents=True)
    (folder / "scripts" / "trap" / "app.lua").write_text(APP % routes)
    (folder / "db" / "trap").mkdir(parents=True)
    (folder / "db" / "trap" / "0001_create_notes.sql").write_text("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n")
    (folder / "db" / "runtime").symlink_to(REPO / "db" / "runtime")


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trap")
    write_app(folder)
    return start_server(scripts=folder / "scripts", db=folder / "db", args=["--workers", "2"],
                        env={"PERIGEE_SCRIPT_MS": str(SCRIPT_MS), "PERIGEE_STATEMENT_MS": "300"})


def notes(client):
    return {n["text"]: n["n"] for n in client.get("/trap/notes/").expect(200)["notes"]}


@pytest.mark.parametrize("group,name", ALL, ids=["%s: %s" % x for x in ALL])
def test_a_trap(server, group, name):
    """An error of this request alone: in the envelope, without internals; nothing of it is stored."""
    with contextlib.closing(server.connect()) as client:
        before = notes(client)
        r = client.post(path_of(group, name), {})
        if r.status != MAY_SUCCEED.get(name):
            assert r.status in (500, 503), str(r)
            assert set(r.json()["error"]) >= {"code", "message"} and "lua" not in r.text(), str(r)
        after = notes(client)
        assert {k: v for k, v in after.items() if k != "good"} == {k: v for k, v in before.items() if k != "good"}
        assert client.post("/trap/good/", {}).status == 201
    assert server.running()


def test_others_are_served_meanwhile(server):
    """Loops on many connections; whoever else asks gets an answer, and every write counts once."""
    stop, bad, good = threading.Event(), [], []

    def loop():
        with contextlib.closing(server.connect()) as c:
            for name in ("loop", "loop in pcall", "loop in a transaction", "loop in a coroutine"):
                bad.append(c.post(path_of("endless", name), {}).status)

    def work():
        with contextlib.closing(server.connect()) as c:
            while not stop.is_set():
                good.append(c.post("/trap/good/", {}).status)

    before = notes(server.client).get("good", 0)
    workers = [threading.Thread(target=work) for _ in range(4)]
    loops = [threading.Thread(target=loop) for _ in range(3)]
    for t in workers + loops:
        t.start()
    for t in loops:
        t.join()
    stop.set()
    for t in workers:
        t.join()
    assert bad == [500] * 12
    assert set(good) == {201}
    assert notes(server.client)["good"] == before + len(good)


def test_memory_comes_back(server):
    """After every bomb there is room for what a handler may need, on every worker."""
    for _ in range(3):
        for name in ("table", "strings", "recursion", "coroutines"):
            with contextlib.closing(server.connect()) as c:
                assert c.post(path_of("memory", name), {}).status == 500
    for _ in range(8):
        with contextlib.closing(server.connect()) as c:
            c.get("/trap/large/").expect(200)


def test_a_timer_that_fails(server):
    """It is tried again later and does not hold up the others; what it wrote is undone."""
    c = server.client
    c.post("/trap/timers/", {}).expect(204)
    server.advance(30)
    assert "timer" not in notes(c)
    assert notes(c)["fired 2"] == 1
    server.log.wait_for("timer failed")
    server.advance(3600)
    assert "timer" not in notes(c) and notes(c)["fired 2"] == 1


def test_errors_are_counted_and_logged(server):
    before = server.metrics()['perigee_lua_errors_total{app="trap"}']
    r = server.client.request("POST", path_of("odd", "error of a number"), json={}, headers={"X-Request-Id": "contained-0001"})
    assert r.status == 500
    assert server.metrics()['perigee_lua_errors_total{app="trap"}'] == before + 1
    line = server.log.wait_for("contained-0001")
    assert "trap/app.lua" in line and "traceback" in line


@pytest.mark.parametrize("where", ["at load", "in require", "memory at load"])
def test_a_trap_at_load(tmp_path, where):
    """`check` and `serve` end with what is wrong."""
    write_app(tmp_path)
    code = {"at load": "while true do pcall(function() while true do end end) end\n",
            "in require": "local x = require 'missing.part'\n",
            "memory at load": "local t = {} while true do t[#t + 1] = { #t } end\n"}[where]
    app = tmp_path / "scripts" / "trap" / "app.lua"
    app.write_text(code + app.read_text())
    r = command("check", "--scripts", tmp_path / "scripts", "--db", tmp_path / "db", env={"PERIGEE_SCRIPT_MB": "32"})
    assert r.returncode == 1 and ("trap/app.lua:1" in r.stderr or "memory" in r.stderr), r.stderr
    s = Server(tmp_path / "data", scripts=tmp_path / "scripts", db=tmp_path / "db", env={"PERIGEE_SCRIPT_MB": "32"}).spawn()
    assert s.ended() == 1
