# SPDX-License-Identifier: Apache-2.0
"""A script that takes long makes room for others on its worker, wherever it runs, and goes on as if nothing had been.

There is one worker and hours of time: who waits for a script that only another request can end would wait for ever if
that one were not let in.
"""
import contextlib
import threading

import pytest

from support.client import Client, Connection
from support.server import REPO, Server
from support.sockets import Socket

APP = """
-- Ends when another request has set the flag of that name.
local function wait_for(key)
    log.info("begun " .. key)
    while cache.get(key) ~= "set" do
    end
end

-- The same in a rule, which may ask the host for nothing. There is one state.
local flags = {}
local function wait_alone(key)
    log.info("begun " .. key)
    while not flags[key] do
    end
end

local kept = {}
local forms = {}
function forms.plain(key) wait_for(key) end
function forms.pcall(key) assert(pcall(wait_for, key)) end
function forms.xpcall(key) assert(xpcall(wait_for, error, key)) end
function forms.coroutine(key) coroutine.wrap(wait_for)(key) end
function forms.coroutines(key)
    local function deep(n)
        if n == 0 then
            wait_for(key)
            return key
        end
        local co = coroutine.create(deep)
        local ok, got = coroutine.resume(co, n - 1)
        assert(ok and got == key and coroutine.status(co) == "dead", got)
        return got
    end
    deep(5)
end
function forms.generator(key)
    local n = 0
    for i in coroutine.wrap(function()
        coroutine.yield(1)
        wait_for(key)
        coroutine.yield(2)
    end) do
        n = n + i
    end
    assert(n == 3)
end
function forms.metamethod(key)
    local t = setmetatable({}, { __index = function(_, k) wait_for(k) return k end, __add = function(a, k) wait_for(k) return 1 end })
    assert(t[key] == key and t + key == 1)
end
function forms.iterator(key)
    for _ in function(_, last) if not last then wait_for(key) return 1 end end do
    end
end
function forms.closing(key)
    local x <close> = setmetatable({}, { __close = function() wait_for(key) end })
end
function forms.handler(key)
    local ok, why = pcall(function() wait_for(key) error("after") end)
    assert(not ok and why:find "after")
end

-- Works that are known by their results.
local works = {}
function works.sieve(n)
    local composite, count = {}, 0
    for i = 2, n do
        if not composite[i] then
            count = count + 1
            for k = i * i, n, i do
                composite[k] = true
            end
        end
    end
    return count
end
function works.coroutines(n)
    local function numbers(from, to)
        return coroutine.wrap(function()
            for i = from, to do
                coroutine.yield(i)
            end
        end)
    end
    local sum = 0
    for i in numbers(1, n) do
        for k in numbers(i, i + 2) do
            sum = sum + k
        end
    end
    return sum
end
function works.sort(n)
    local t = {}
    for i = 1, n do
        t[i] = i * 7919 % n
    end
    table.sort(t, function(a, b) return a > b end)
    return table.concat(t, ",")
end
function works.text(n)
    local s = ("abc"):rep(n):gsub("%w", function(c) return c:byte() .. " " end)
    local sum = 0
    for word in s:gmatch("%d+") do
        sum = sum + tonumber(word)
    end
    return sum .. " " .. #s
end
function works.errors(n)
    local closed, caught = 0, 0
    for i = 1, n do
        local ok, why = pcall(function()
            local x <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
            if i % 3 == 0 then
                error({ i = i })
            end
        end)
        caught = caught + (ok and 0 or why.i)
    end
    return closed .. " " .. caught
end
function works.objects(n)
    local point = {}
    point.__index = point
    point.__add = function(a, b) return setmetatable({ x = a.x + b.x }, point) end
    point.__eq = function(a, b) return a.x == b.x end
    function point:double() return self + self end
    local p = setmetatable({ x = 1 }, point)
    for i = 1, n do
        p = p:double() + setmetatable({ x = i }, point)
        p.x = p.x % 1000003
        assert(p == setmetatable({ x = p.x }, point))
    end
    return p.x
end
function works.varargs(n)
    local function pick(i, ...) return (select(i, ...)) end
    local sum = 0
    for i = 1, n do
        sum = sum + pick(i % 5 + 1, 1, 2, 3, 4, 5) + select("#", table.unpack({}, 1, i % 7))
    end
    return sum
end

local function id_of(text) return { id = #text } end

return {
    name = "busy", title = "Busy", summary = "Takes long", prefixes = { "/busy" },
    codes = { [403] = "NO", [418] = "TEAPOT", [500] = "INTERNAL_ERROR", [503] = "SERVICE_UNAVAILABLE" },
    principals = { token = function(token) forms.plain(token) return id_of(token), 1 << 40 end },
    rules = { ["busy.may"] = function(user, req) wait_alone(req.params.key) return req.params.key ~= "rule-no", "not this" end },
    scopes = { place = function(user, params) forms.plain(params.key) return id_of(params.key) end },
    timers = { late = function(due, args)
        if args.key == "work" then
            log.info("begun work")
            works.sieve(1000000)
        else
            forms.plain(args.key)
        end
        db.transaction(function(tx) tx.insert("notes", { text = args.key }) end)
    end },
    units = { {
        name = "busy", summary = "Busy",
        POST "/busy/flag/{key}/" { summary = "Flag", who = "anyone", params = { key = text }, returns = { [204] = "none" },
            run = function(req) flags[req.params.key] = true cache.set(req.params.key, "set", 1000) return 204 end },
        GET "/busy/form/{form}/{key}/" { summary = "Form", who = "anyone", params = { form = text, key = text },
            returns = { [200] = any }, run = function(req) forms[req.params.form](req.params.key) return 200, { key = req.params.key } end },
        GET "/busy/principal/{key}/" { summary = "Principal", who = "token", params = { key = text }, returns = { [200] = any },
            run = function(req) return 200, { key = req.params.key, id = req.user.id } end },
        GET "/busy/rule/{key}/" { summary = "Rule", who = "anyone", can = "busy.may", params = { key = text }, returns = { [200] = any },
            run = function(req) return 200, { key = req.params.key } end },
        GET "/busy/scope/{key}/" { summary = "Scope", who = "token", within = "place", params = { key = text }, returns = { [200] = any },
            run = function(req) return 200, { key = req.params.key, id = req.place.id } end },
        GET "/busy/check/{key}/" { summary = "Check", who = "anyone", params = { key = text },
            check = function(req) forms.plain(req.params.key) return req.params.key == "check-no" and { key = "not this" } or nil end,
            returns = { [200] = any }, run = function(req) return 200, { key = req.params.key } end },
        GET "/busy/report/{key}/" { summary = "Report", who = "anyone", params = { key = text }, returns = { [200] = "file" },
            run = function(req)
                local n = 0
                return 200, report.csv { name = "x.csv", columns = { "n" }, rows = function()
                    n = n + 1
                    if n == 2 then
                        wait_for(req.params.key)
                    end
                    return n <= 3 and { n } or nil
                end }
            end },
        POST "/busy/transaction/{key}/" { summary = "Transaction", who = "anyone", params = { key = text },
            query = { fail = boolean { default = false }, after = boolean { default = false } }, returns = { [201] = any },
            run = function(req)
                local key = req.params.key
                local id = db.transaction(function(tx)
                    local id = tx.insert("notes", { text = key })
                    tx.try(function() if not req.query.after then wait_for(key) end end)
                    tx.insert("notes", { text = key })
                    if req.query.fail then
                        error("not kept")
                    end
                    return id
                end)
                if req.query.after then
                    wait_for(key)
                end
                return 201, { id = id }
            end },
        POST "/busy/timer/{key}/" { summary = "Timer", who = "anyone", params = { key = text }, returns = { [204] = "none" },
            run = function(req)
                db.transaction(function() timer.at("late", req.now + 10, "late", { key = req.params.key }) end)
                return 204
            end },
        POST "/busy/notes/{key}/" { summary = "Note", who = "anyone", params = { key = text }, returns = { [201] = any },
            run = function(req)
                return 201, { id = db.transaction(function(tx) return tx.insert("notes", { text = req.params.key }) end) }
            end },
        GET "/busy/notes/{key}/" { summary = "Notes", who = "anyone", params = { key = text }, returns = { [200] = any },
            run = function(req) return 200, { n = db.value("SELECT COUNT(*) FROM notes WHERE text = ?", req.params.key) } end },
        GET "/busy/fill/{key}/" { summary = "Fill", who = "anyone", params = { key = text }, returns = { [200] = any },
            run = function(req)
                local t = {}
                pcall(function() while true do t[#t + 1] = string.rep("x", 100000) .. #t end end)
                wait_for(req.params.key)
                return 200, { n = #t }
            end },
        GET "/busy/large/" { summary = "Large", who = "anyone", returns = { [200] = any },
            run = function() return 200, { n = #string.rep("x", 2000000) } end },
        GET "/busy/wait/{key}/" { summary = "Logs after waiting", who = "anyone", params = { key = text }, returns = { [200] = any },
            run = function(req)
                password.hash("secret")
                log.info("waited " .. req.params.key)
                return 200, {}
            end },
        GET "/busy/work/{work}/" { summary = "Work", who = "anyone", params = { work = text }, query = { n = integer { default = 1000 } },
            returns = { [200] = any }, run = function(req) return 200, { result = works[req.params.work](req.query.n) } end },
        POST "/busy/count/{key}/" { summary = "Count", who = "anyone", params = { key = text },
            query = { n = integer { default = 300 } }, returns = { [200] = any },
            run = function(req)
                return 200, db.transaction(function(tx)
                    tx.try(function() tx.insert("notes", { id = 1000000, text = "0" }) end)
                    local n = tonumber(tx.value("SELECT text FROM notes WHERE id = 1000000"))
                    works.sieve(req.query.n)
                    tx.update("notes", { text = tostring(n + 1) }, "id = 1000000")
                    if works.sieve(100) == 25 and req.params.key == "no" then
                        fail(418, "TEAPOT", "not counted")
                    end
                    return { n = n + 1 }
                end)
            end },
        GET "/busy/keep/{key}/" { summary = "Shows its own coroutine", who = "anyone", params = { key = text }, returns = { [200] = any },
            run = function(req)
                kept[req.params.key] = coroutine.running()
                wait_for(req.params.key)
                return 200, { key = req.params.key }
            end },
        GET "/busy/steal/{key}/" { summary = "Takes another one's", who = "anyone", params = { key = text }, returns = { [200] = any },
            run = function(req)
                local co = kept[req.params.key]
                local closed, why = pcall(coroutine.close, co)
                return 200, { status = coroutine.status(co), resumed = coroutine.resume(co), wrapped = pcall(coroutine.wrap(coroutine.resume), co),
                    closed = closed, why = why }
            end },
        SOCKET "/ws/busy" {
            summary = "Socket", who = "anyone",
            open = function(socket) socket:send { open = true } end,
            message = function(socket, m) forms.plain(m.key) socket:send { key = m.key } end,
        },
    } },
}
"""
FORMS = ("plain", "pcall", "xpcall", "coroutine", "coroutines", "generator", "metamethod", "iterator", "closing", "handler")
PLACES = ("principal", "scope", "rule", "check", "report")


def write_app(folder):
    (folder / "scripts" / "busy").mkdir(parents=True)
    (folder / "scripts" / "busy" / "app.lua").write_text(APP)
    (folder / "db" / "busy").mkdir(parents=True)
    (folder / "db" / "busy" / "0001_create_notes.sql").write_text(
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n")
    (folder / "db" / "runtime").symlink_to(REPO / "db" / "runtime")


ARGS = ["--workers", "1", "--release-check", "off", "--script-ms", "600000"]


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("busy")
    write_app(folder)
    s = start_server(scripts=folder / "scripts", db=folder / "db", args=ARGS)
    s.folder = folder
    return s


class Busy(threading.Thread):
    """A request whose script is running when this is entered, and runs until its flag is set."""

    def __init__(self, server, key, method, path, **more):
        super().__init__(daemon=True)
        self.server, self.key, self.ask, self.answer = server, key, (method, path, more), None

    def run(self):
        method, path, more = self.ask
        with contextlib.closing(self.server.connect()) as c:
            self.answer = c.request(method, path, **more)

    def __enter__(self):
        self.start()
        self.server.log.wait_for("begun " + self.key)
        return self

    def finish(self):
        set_flag(self.server, self.key)
        self.join(30)
        return self.answer

    def __exit__(self, *_):
        self.finish()


def set_flag(server, key):
    with contextlib.closing(server.connect()) as c:
        c.post("/busy/flag/%s/" % key, {}).expect(204)


def notes(server, key):
    with contextlib.closing(server.connect()) as c:
        return c.get("/busy/notes/%s/" % key).expect(200)["n"]


@pytest.mark.parametrize("form", FORMS)
def test_whatever_runs(server, form):
    key = "form-" + form
    with Busy(server, key, "GET", "/busy/form/%s/%s/" % (form, key)) as busy:
        assert notes(server, key) == 0 and busy.answer is None
        assert busy.finish().expect(200)["key"] == key


@pytest.mark.parametrize("place", PLACES)
def test_wherever_it_runs(server, place):
    key = place + "-yes"
    token = {"headers": {"Authorization": "Bearer " + key}} if place in ("principal", "scope") else {}
    if place == "scope":        # its principal asks for the flag of its own
        set_flag(server, "the-scopes-token")
        token = {"headers": {"Authorization": "Bearer the-scopes-token"}}
    with Busy(server, key, "GET", "/busy/%s/%s/" % (place, key), **token) as busy:
        assert notes(server, key) == 0 and busy.answer is None
        answer = busy.finish()
    if place == "report":
        assert answer.status == 200 and answer.text() == "n\r\n1\r\n2\r\n3\r\n"
    else:
        body = answer.expect(200)
        assert body["key"] == key and body.get("id", len(key)) == len(key)


@pytest.mark.parametrize("place, status", [("rule", 403), ("check", 400)])
def test_its_verdict_stands(server, place, status):
    key = place + "-no"
    with Busy(server, key, "GET", "/busy/%s/%s/" % (place, key)) as busy:
        assert busy.finish().status == status


def test_a_sockets_handler(server):
    s = Socket(server.port, "/ws/busy")
    assert s.json() == {"open": True}
    s.send({"key": "socket"})
    server.log.wait_for("begun socket")
    other = Socket(server.port, "/ws/busy")
    assert other.json() == {"open": True}
    set_flag(server, "socket")
    assert s.json() == {"key": "socket"} and s.close() == other.close() == 1000


def test_a_timers_function(server):
    server.client.post("/busy/timer/timer/", {}).expect(204)
    with Busy(server, "timer", "POST", "/-/clock", json={"advance_seconds": 20}) as moving:
        assert notes(server, "timer") == 0
        assert moving.finish().status < 300
    assert notes(server, "timer") == 1


@pytest.mark.parametrize("query", ["", "?after=true"])
def test_a_transaction(server, query):
    """Others read meanwhile, and do not see it; they write when it is done."""
    key = "transaction" + ("-after" if query else "")
    with Busy(server, key, "POST", "/busy/transaction/%s/%s" % (key, query), json={}) as busy:
        assert notes(server, key) == 0
        writing = Busy(server, key, "POST", "/busy/notes/%s/" % key, json={})
        writing.start()
        assert notes(server, key) == 0 and writing.answer is None
        first = busy.finish().expect(201)["id"]
    writing.join(30)
    assert writing.answer.expect(201)["id"] == first + 2 and notes(server, key) == 3


def test_a_transaction_that_fails(server):
    with Busy(server, "failing", "POST", "/busy/transaction/failing/?fail=true", json={}) as busy:
        assert busy.finish().status == 500
    assert notes(server, "failing") == 0
    server.client.post("/busy/notes/failing/", {}).expect(201)


def test_memory_is_left_for_others(server):
    """One that fills the state's memory and stays gets all but a part of it."""
    with Busy(server, "fill", "GET", "/busy/fill/fill/") as busy:
        for _ in range(20):
            with contextlib.closing(server.connect()) as c:
                assert c.get("/busy/large/").expect(200)["n"] == 2000000
        assert busy.finish().expect(200)["n"] > 100


WORKS = {"sieve": 2000, "coroutines": 300, "sort": 500, "text": 500, "errors": 500, "objects": 500, "varargs": 1000}


def together(server, n, ask):
    """Asks over n connections at once; all answers."""
    answers = []

    def work(i):
        with contextlib.closing(server.connect()) as c:
            answers.append(ask(c, i))
    threads = [threading.Thread(target=work, args=(i,)) for i in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == n
    return answers


@pytest.fixture(scope="module")
def hasty(start_server, server):
    """Interrupts what runs for more than some thousand instructions."""
    return start_server(scripts=server.folder / "scripts", db=server.folder / "db",
                        args=ARGS + ["--script-share-us", "50"])


@pytest.mark.parametrize("work", list(WORKS))
def test_results_are_the_same(server, hasty, work):
    path = "/busy/work/%s/?n=%d" % (work, WORKS[work])
    expected = server.client.get(path).expect(200)
    for answer in together(hasty, 8, lambda c, i: c.get(path)):
        assert answer.expect(200) == expected
    assert hasty.metrics()['perigee_script_interruptions_total{app="busy",kind="route",script="GET /busy/work/{work}/"}'] > 0


def test_transactions_do_not_mix(hasty):
    """Each reads, computes and writes; every third is undone."""
    answers = together(hasty, 12, lambda c, i: [c.post("/busy/count/%s/" % ("no" if i % 3 == 0 else "yes"), {})
                                                for _ in range(5)])
    counted = sorted(r.json()["n"] for some in answers for r in some if r.status == 200)
    assert counted == list(range(1, 41)) and all(r.status in (200, 418) for some in answers for r in some)


def test_log_lines_keep_their_request(server):
    """After an interruption, and after waiting, when others have had their turn."""
    with Busy(server, "logged", "GET", "/busy/form/plain/logged/") as busy:
        with contextlib.closing(server.connect()) as c:
            waited = c.get("/busy/wait/logged/")
        assert waited.status == 200
        busy.finish()
    for answer, line in ((busy.answer, "begun logged"), (waited, "waited logged")):
        assert answer.header("X-Request-Id") in server.log.wait_for(line)


def test_a_release_meanwhile(server):
    """What runs ends on its own release."""
    path = server.folder / "scripts" / "busy" / "app.lua"
    with Busy(server, "release", "GET", "/busy/form/plain/release/") as busy:
        path.write_text(path.read_text().replace("{ key = req.params.key }", "{ key = 'new' }"))
        assert server.command("reload").returncode == 0
        with contextlib.closing(server.connect()) as c:
            c.post("/busy/flag/anything/", {}).expect(204)
            assert c.get("/busy/form/plain/anything/").expect(200)["key"] == "new"
        assert busy.finish().expect(200)["key"] == "release"
    path.write_text(APP)
    assert server.command("reload").returncode == 0


def test_nobody_takes_anothers_coroutine(server):
    """What coroutine.running() gives may be kept; a call of another request stays its own."""
    with Busy(server, "kept", "GET", "/busy/keep/kept/") as busy:
        with contextlib.closing(server.connect()) as c:
            stolen = c.get("/busy/steal/kept/").expect(200)
        assert stolen["status"] == "suspended" and not stolen["resumed"] and not stolen["closed"], stolen
        assert "waits" in stolen["why"]
        assert busy.finish().expect(200)["key"] == "kept"
    with contextlib.closing(server.connect()) as c:     # over by now
        assert not c.get("/busy/steal/kept/").expect(200)["resumed"]


def flood(server, until, ask):
    """Asks in four threads until that is set; how many answers there were."""
    count = [0]

    def work():
        with contextlib.closing(server.connect()) as c:
            while not until.is_set():
                ask(c)
                count[0] += 1
    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for t in threads:
        t.start()
    return count, threads


@pytest.mark.parametrize("crowd", ["reads", "transactions"])
def test_who_takes_long_is_not_starved(server, crowd):
    """By many whose work is short, or by those who have a transaction open."""
    path = {"reads": "/busy/work/sieve/?n=20000", "transactions": "/busy/count/long/?n=200000"}[crowd]
    over = threading.Event()
    with contextlib.closing(server.connect()) as c:
        count, threads = flood(server, over, lambda d: d.request("GET" if crowd == "reads" else "POST", path))
        while count[0] < 4:     # they are at it
            c.get("/busy/notes/x/").expect(200)
        before = count[0]
        c.get("/busy/work/sieve/?n=200000").expect(200)
        meanwhile = count[0] - before
        over.set()
    for t in threads:
        t.join()
    assert meanwhile < (200 if crowd == "reads" else 20)


@pytest.mark.parametrize("paths", [["/busy/form/coroutines/end/"], ["/busy/transaction/end/"],
                                   ["timer", "/busy/form/plain/end-2/"]])
def test_the_servers_end(tmp_path, paths):
    """A drain that is cut short leaves nobody behind."""
    write_app(tmp_path)
    s = Server(tmp_path / "data", scripts=tmp_path / "scripts", db=tmp_path / "db", args=ARGS + ["--drain-seconds", "0"])
    s.start()
    open_ones = []
    for path in paths:
        c, ask = Connection(s.port), Client(s.port)
        if path == "timer":
            s.client.post("/busy/timer/end/", {}).expect(204)
            c.send(ask.prepare("POST", "/-/clock", json={"advance_seconds": 20}))
        else:
            c.send(ask.prepare("POST" if "transaction" in path else "GET", path))
        s.log.wait_for("begun end-2" if "end-2" in path else "begun end")
        open_ones.append(c)
    s.stop()
    for c in open_ones:
        c.close()


def test_a_timer_that_runs_is_waited_for(tmp_path):
    """The server's end does not come in between, when it has time."""
    write_app(tmp_path)
    s = Server(tmp_path / "data", scripts=tmp_path / "scripts", db=tmp_path / "db", args=ARGS)
    s.start()
    s.client.post("/busy/timer/work/", {}).expect(204)
    c = Connection(s.port)
    c.send(Client(s.port).prepare("POST", "/-/clock", json={"advance_seconds": 20}))
    s.log.wait_for("begun work")
    s.stop()
    c.close()
    s.start()
    assert notes(s, "work") == 1
    s.stop()
