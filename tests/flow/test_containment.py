"""An app that does its worst: every handler below must end, as an error of its own request, and nothing must stay behind.

The app lives in a scripts folder of its own; its database has one table.
"""
import contextlib
import re
import select
import threading
import time

import pytest

from support.saving import resident
from support.server import BINARY, Server, command
from support.sockets import Socket
from support.traps import ALL, MAY_SUCCEED, path_of, write_app

SCRIPT_MS = 300


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trap")
    write_app(folder)
    return start_server(scripts=folder / "scripts", db=folder / "db", args=["--workers", "2"],
                        env={"PERIGEE_SCRIPT_MS": str(SCRIPT_MS), "PERIGEE_STATEMENT_MS": "300"})


@pytest.fixture(scope="module")
def patient(start_server, tmp_path_factory):
    """For what ends by a cap: its deadline is far away, however slow the build and the machine are."""
    folder = tmp_path_factory.mktemp("patient")
    write_app(folder)
    return start_server(scripts=folder / "scripts", db=folder / "db", args=["--workers", "1"],
                        env={"PERIGEE_SCRIPT_MS": "60000"})


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


def test_garbage_goes_when_it_is_quiet(start_server, tmp_path):
    """Also what is too little to be collected for want of room."""
    write_app(tmp_path)
    s = start_server(scripts=tmp_path / "scripts", db=tmp_path / "db", args=["--workers", "1"],
                     env={"PERIGEE_SCRIPT_MB": "256"})
    s.client.get("/trap/large/").expect(200)        # 32 MB of it
    deadline = time.monotonic() + 20
    while s.metrics()['perigee_lua_memory_bytes{app="trap",worker="0"}'] > 8e6:
        assert time.monotonic() < deadline
        select.select([], [], [], 0.05)


def test_memory_goes_back_to_the_system(start_server, tmp_path):
    """What a bomb took is not kept for the next one."""
    write_app(tmp_path)
    s = start_server(scripts=tmp_path / "scripts", db=tmp_path / "db", args=["--workers", "1"],
                     env={"PERIGEE_SCRIPT_MB": "128", "PERIGEE_SCRIPT_MS": "60000"})     # the cap ends them, not the deadline
    s.client.post("/trap/good/", {}).expect(201)
    before = resident(s)
    for name in ("table", "closures", "string"):
        assert s.client.post(path_of("memory", name), {}).status == 500
        s.client.post("/trap/good/", {}).expect(201)
    assert s.metrics()['perigee_lua_memory_bytes{app="trap",worker="0"}'] < 20e6
    if "asan" not in BINARY:        # which keeps what was freed for a while
        assert resident(s) < before + 40e6


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


def why(server, name, request):
    r = server.client.request("POST", path_of("flood", name), json={}, headers={"X-Request-Id": request})
    assert r.status == 500
    # Not just the id: what the script itself writes to the log carries it, too.
    return server.log.wait_for('"script error","request_id":"%s"' % request)


@pytest.mark.parametrize("name", ["events", "closings", "expulsions"])
def test_what_waits_for_the_commit_has_a_cap(patient, name):
    """It is kept outside of the script's memory."""
    listener = Socket(patient.port, "/ws/trap")
    assert listener.json() == {"open": True}
    assert "more than 16777216 bytes" in why(patient, name, "contained-" + name)
    assert listener.close() == 1000


def test_what_a_socket_holds_back_has_a_cap(patient):
    s = Socket(patient.port, "/ws/trap")
    assert s.json() == {"open": True}
    s.send({})
    assert s.close_code() == 1011
    patient.log.wait_for("socket:send: more than 16777216 bytes")


@pytest.mark.parametrize("name", ["log lines", "long log lines"])
def test_a_script_does_not_fill_the_log(server, name):
    before = len(server.log.text())
    assert "longer than" in why(server, name, "contained-" + name.replace(" ", "-"))
    new = [x for x in server.log.text()[before:].splitlines() if '"flood' in x]
    assert len(new) == 200 and max(map(len, new)) < 5000
    server.log.wait_for("the script writes too much to the log")


def test_who_overran_gets_less_until_it_has_behaved(start_server, server, tmp_path):
    """So a loop that somebody asks for again and again does not keep the worker from others."""
    write_app(tmp_path)
    s = start_server(scripts=tmp_path / "scripts", db=tmp_path / "db", args=["--workers", "1"], env={"PERIGEE_SCRIPT_MS": "160"})

    def loop(i):
        r = s.client.request("POST", "/trap/heavy/", json={"loop": True}, headers={"X-Request-Id": "contained-heavy-%d" % i})
        assert r.status == 500
        line = s.log.wait_for('"contained-heavy-%d","app"' % i)
        return int(re.search(r"longer than (\d+) ms", line).group(1))

    assert [loop(i) for i in range(6)] == [160, 80, 40, 20, 10, 10]
    s.client.post("/trap/heavy/", {"loop": False}).expect(204)
    s.client.post("/trap/good/", {}).expect(201)
    s.advance(11)
    assert loop(6) == 160


def test_nobody_waits_for_ever(patient):
    """Each turn is short; the call as a whole ends too."""
    assert "has waited 100 times" in why(patient, "waiting for ever", "contained-waiting")


def test_a_timer_that_is_always_due(start_server, server, tmp_path):
    """It would be the earliest for ever: the others' turn would not come, and a server would never open its doors."""
    write_app(tmp_path)
    s = start_server(scripts=tmp_path / "scripts", db=tmp_path / "db", data=tmp_path / "data")
    s.client.post("/trap/again/", {}).expect(204)
    s.log.wait_for("timer failed")
    assert "sets itself again" in next(x for x in s.log.lines if "timer failed" in x)
    s.restart(later=7200)
    assert notes(s.client)["fired 7"] == 1


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
