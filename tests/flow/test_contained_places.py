"""The kinds of traps in all places from where the host calls scripts, and what /metrics says of who spent the time."""
import contextlib

import pytest

from support.saving import reload
from support.sockets import Socket
from support.traps import KINDS, key_of, write_placed

LOOP, BOMB, RAISES = ("endless", "loop in nested pcalls"), ("memory", "string"), ("odd", "error in a message handler")
# where → (kind, script) of the place in /metrics
SCRIPTS = {
    "rule": ("rule", "trap.enter"), "scope": ("scope", "place"), "principal": ("principal", "token"),
    "check": ("route", "GET /placed/check/{trap}/"), "timer": ("timer", "bad"), "webhook": ("webhook", "build"),
    "envelope": ("envelope", "envelope"), "socket": ("socket", "/ws/placed message"), "closing": ("socket", "/ws/placed closed"),
}
NOTHING = "nothing"     # names no trap


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("placed")
    write_placed(folder)
    s = start_server(scripts=folder / "scripts", db=folder / "db", args=["--workers", "2", "--release-check", "off"],
                     env={"PERIGEE_SCRIPT_MS": "300", "PERIGEE_SCRIPT_MB": "32"})
    s.client.post("/placed/hook/", {}).expect(201)
    s.folder = folder
    return s


def ask(server, place, trap):
    with contextlib.closing(server.connect()) as c:
        if place == "principal":
            return c.request("GET", "/placed/principal/", headers={"Authorization": "Bearer " + trap})
        if place == "scope":
            return c.request("GET", "/placed/scope/%s/" % trap, headers={"Authorization": "Bearer " + NOTHING})
        return c.request("POST" if place in ("timer", "webhook", "caught") else "GET", "/placed/%s/%s/" % (place, trap),
                         json={} if place in ("timer", "webhook", "caught") else None)


def notes(server):
    return {n["text"]: n["n"] for n in server.client.get("/placed/notes/").expect(200)["notes"]}


def spring(server, place, trap):
    """Runs it there and says how that ended must look from outside."""
    if place == "timer":
        before = notes(server).get("fired " + trap, 0)
        ask(server, "timer", trap).expect(204)
        server.advance(30)
        after = notes(server)
        assert after["fired " + trap] == before + 1 and "timer" not in after
    elif place in ("socket", "closing"):
        s = Socket(server.port, "/ws/placed")
        assert s.json() == {"open": True}
        errors = server.log.count("script error")
        s.send({"trap": trap} if place == "socket" else {"closing": trap})
        if place == "closing":
            assert s.json() == {"heard": True}
            s.close()
            server.log.wait_for("script error", after=errors)
        else:
            assert s.close_code() == 1011
    elif place == "envelope":
        r = ask(server, place, trap)
        assert r.status == 418 and r.json()["error"]["message"] == trap, str(r)
    else:
        r = ask(server, place, trap)
        assert r.status in (500, 503) and "lua" not in r.text() and r.json()["error"]["code"], str(r)


def series(server, name, kind, script, **more):
    labels = {"app": "placed", "kind": kind, "script": script, **more}
    key = "perigee_script_%s_total{%s}" % (name, ",".join('%s="%s"' % x for x in labels.items()))
    return server.metrics().get(key, 0)


@pytest.mark.parametrize("place", ["rule", "scope", "principal", "check", "timer", "socket", "closing", "webhook", "envelope"])
def test_a_trap_in_each_place(server, place):
    """It ends as an error of whoever came there; the same place serves the next one."""
    for case in KINDS:
        spring(server, place, key_of(*case))
        assert server.running(), case
    if place == "socket":
        s = Socket(server.port, "/ws/placed")
        assert s.json() == {"open": True}
        s.send({})
        assert s.json() == {"heard": True} and s.close() == 1000
    elif place not in ("timer", "closing"):
        assert ask(server, place, NOTHING).status == (418 if place == "envelope" else 200)
    if place == "webhook":
        assert notes(server)["webhook"] == 1


@pytest.mark.parametrize("place", list(SCRIPTS))
def test_whose_failure_it_was(server, place):
    kind, script = SCRIPTS[place]
    for case, reason in ((LOOP, "deadline"), (BOMB, "memory"), (RAISES, "error")):
        server.advance(11)      # former deadlines are forgiven: it has time to meet the cap of memory
        before = {r: series(server, "failures", kind, script, reason=r) for r in ("deadline", "memory", "error")}
        calls = series(server, "calls", kind, script)
        spring(server, place, key_of(*case))
        after = {r: series(server, "failures", kind, script, reason=r) for r in before}
        if place == "timer":        # earlier ones that failed may have been tried again when the clock was moved
            assert after[reason] > before[reason], case
        else:
            assert after == {**before, reason: before[reason] + 1}, case
        assert series(server, "calls", kind, script) >= calls + 1


def test_whose_time_it_was(server):
    """The rule's, not that of the route that it guards; and nobody's when a request waits."""
    route = ("route", "GET /placed/rule/{trap}/")
    before = [series(server, "seconds", *x) for x in (("rule", "trap.enter"), route)]
    spring(server, "rule", key_of(*LOOP))
    after = [series(server, "seconds", *x) for x in (("rule", "trap.enter"), route)]
    assert after[0] - before[0] > after[1] - before[1] >= 0


def test_what_follows_a_build_that_raised_is_the_handlers(server):
    """The script went on: the failure that ended it is its own."""
    handler = ("route", "POST /placed/caught/{trap}/")
    build, own = (series(server, "failures", *x, reason="error") for x in (SCRIPTS["webhook"], handler))
    assert ask(server, "caught", key_of(*RAISES)).expect(200)["sent"] is False
    assert server.client.post("/placed/caught/%s/?again=true" % key_of(*RAISES), {}).status == 500
    assert series(server, "failures", *SCRIPTS["webhook"], reason="error") == build
    assert series(server, "failures", *handler, reason="error") == own + 1


def test_a_principal_that_a_socket_asks_for(server):
    principal, handler = SCRIPTS["principal"], SCRIPTS["socket"]
    before = [series(server, "failures", *x, reason="error") for x in (principal, handler)]
    s = Socket(server.port, "/ws/placed")
    assert s.json() == {"open": True}
    s.send({"token": key_of(*RAISES)})
    assert s.close_code() == 1011
    after = [series(server, "failures", *x, reason="error") for x in (principal, handler)]
    assert after == [before[0] + 1, before[1]]


def test_a_refusal_is_no_failure(server):
    kind, script = SCRIPTS["rule"]
    before = server.metrics()
    assert ask(server, "rule", "no").status == 403
    after = server.metrics()
    assert {k: v for k, v in after.items() if "script_failures" in k} == \
        {k: v for k, v in before.items() if "script_failures" in k}
    assert series(server, "calls", kind, script) > 0


def test_series_are_as_many_as_scripts(server):
    for i in range(20):
        ask(server, "rule", "any-%d" % i).expect(200)
    names = [k for k in server.metrics() if k.startswith("perigee_script_calls_total")]
    assert len([k for k in names if "/placed/rule/" in k]) == 1
    assert not any("any-" in k for k in server.metrics())


def test_they_go_on_over_a_release(server):
    calls, seconds = (series(server, name, "rule", "trap.enter") for name in ("calls", "seconds"))
    app = server.folder / "scripts" / "placed" / "app.lua"
    app.write_text(app.read_text() + "\n-- saved\n")
    reload(server)
    ask(server, "rule", NOTHING).expect(200)
    assert series(server, "calls", "rule", "trap.enter") == calls + 1
    assert series(server, "seconds", "rule", "trap.enter") > seconds
