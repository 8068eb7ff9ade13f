"""Rooms: what is published after a commit reaches every listener, in order, whatever worker has it; resuming; presence,
expulsion, closing. The app is tests/support/chat."""
import concurrent.futures
import json
import select
import signal
import time

import pytest

from support.server import REPO
from support.sockets import Ended, Socket

CHAT = {"scripts": REPO / "tests/support/chat/scripts", "db": REPO / "tests/support/chat/db"}
SERVER = {**CHAT, "args": ["--workers", "2"]}
names = iter("room%d" % i for i in range(1000))


@pytest.fixture
def room():
    return next(names)


def join(s, room, **options):
    got = s.do("join", room=room, **options).json()
    assert set(got) == {"joined", "why", "seq"} or set(got) == {"joined", "seq"} or "why" in got, got
    return got


def entered(s, room, **options):
    got = join(s, room, **options)
    assert got["joined"] is True, got
    return got["why"]       # the room's last number


def say(server, room, said, status=201, **more):
    return server.client.post("/chat/%s/lines" % room, {"said": said, **more}).expect(status)


def event(s, room, said):
    got = s.json()
    assert (got["type"], got["said"], got["room"]) == ("said", said, "room:" + room), got
    return got["seq"]


def quiet(s, mark="nothing came before this"):
    assert s.do("echo", value=mark).json() == mark


def test_an_event_reaches_everybody_in_the_room(server, opened, room):
    mine = [opened() for _ in range(20)]        # on both workers
    other = opened()
    for s in mine:
        entered(s, room)
    entered(other, room + "-other")
    say(server, room, "hello")
    assert len({event(s, room, "hello") for s in mine}) == 1
    quiet(other)


def test_the_text_ends_with_room_and_number(server, opened, room):
    s = opened()
    n = entered(s, room)
    i = say(server, room, "exactly")["id"]
    assert s.text() == '{"id":%d,"said":"exactly","type":"said","room":"room:%s","seq":%d}' % (i, room, n + 1)


def test_what_is_rolled_back_is_not_told(server, opened, room):
    s = opened()
    n = entered(s, room)
    assert server.client.post("/chat/%s/lines" % room, {"said": "never", "fail": True}).status == 500
    say(server, room, "after")
    assert event(s, room, "after") == n + 1


def test_order_is_that_of_the_commits(server, opened, room):
    """Many writers at once: everybody sees the same order, without a gap."""
    mine = [opened() for _ in range(6)]
    first = [entered(s, room) for s in mine][0]

    def write(k):
        c = server.connect()
        for i in range(50):
            c.post("/chat/%s/lines" % room, {"said": "%d/%d" % (k, i)}).expect(201)
        c.close()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    seen = [[s.json() for _ in range(400)] for s in mine]
    assert all(x == seen[0] for x in seen)
    assert [e["seq"] for e in seen[0]] == list(range(first + 1, first + 401))
    assert [e["id"] for e in seen[0]] == sorted(e["id"] for e in seen[0])


def test_a_socket_that_publishes_hears_itself_unless_excepted(server, opened, room):
    a, b = opened(), opened()
    for s, key in ((a, "user:1"), (b, "user:2")):
        assert s.do("label", key=key).json() == {"labelled": True}
        entered(s, room)
    a.do("say", room=room, said="to all")
    assert sorted(json.dumps(a.json()) for _ in range(2))[0].startswith('{"done"')
    event(b, room, "to all")
    a.do("say", room=room, said="to others", **{"except": "user:1"})
    assert a.json() == {"done": "to others"}
    event(b, room, "to others")
    quiet(a)


def test_leaving(server, opened, room):
    s = opened()
    entered(s, room)
    assert s.do("leave", room=room).json() == {"left": True}
    assert s.do("leave", room=room).json() == {"left": False}
    say(server, room, "unheard")
    quiet(s)


def test_a_room_can_be_full(server, opened, room):
    """Over all workers, atomically."""
    mine = [opened() for _ in range(12)]
    for s in mine:
        s.do("join", room=room, limit=5)
    got = [s.json() for s in mine]
    assert sum(g["joined"] is True for g in got) == 5
    assert all(g["why"] == "full" for g in got if g["joined"] is not True)
    next(s for s, g in zip(mine, got) if g["joined"] is True).close()
    again = next(s for s, g in zip(mine, got) if g["joined"] is not True)
    while join(again, room, limit=5)["joined"] is not True:
        pass        # until the worker of the one that left has noticed


def test_presence(server, opened, room):
    mine = [opened() for _ in range(3)]
    for s, who in zip(mine, ("ann", "ann", "bob")):
        entered(s, room, who=who)
    got = server.client.get("/chat/%s/presence" % room).expect(200)
    assert got["count"] == 3 and got["who"] == {"ann": 2, "bob": 1}
    mine[0].close()
    while server.client.get("/chat/%s/presence" % room).expect(200)["count"] != 2:
        pass
    mine[1].abort()
    while server.client.get("/chat/%s/presence" % room).expect(200)["who"] != {"bob": 1}:
        pass


def test_closing_by_label(server, opened, room):
    mine = [opened() for _ in range(6)]
    for i, s in enumerate(mine):
        s.do("label", key="login:%s:%d" % (room, i % 2)).json()
    server.client.post("/chat/close", {"label": "login:%s:0" % room, "code": 4401, "reason": "logged out"}).expect(204)
    for i, s in enumerate(mine):
        if i % 2 == 0:
            assert s.close_code() == 4401 and s.reason == "logged out"
        else:
            quiet(s)


def test_expelling_by_label(server, opened, room):
    mine = [opened() for _ in range(4)]
    for i, s in enumerate(mine):
        s.do("label", key="user:%s:%d" % (room, i)).json()
        entered(s, room)
    server.client.post("/chat/expel", {"label": "user:%s:1" % room, "room": room}).expect(204)
    say(server, room, "without you")
    for i, s in enumerate(mine):
        if i == 1:
            quiet(s)
        else:
            event(s, room, "without you")


def test_resuming(server, opened, room):
    s = opened()
    n = entered(s, room)
    for i in range(5):
        say(server, room, "line %d" % i)
        assert event(s, room, "line %d" % i) == n + 1 + i
    s.abort()
    for i in range(5, 10):
        say(server, room, "line %d" % i)
    s = opened()
    s.do("join", room=room, after=n + 3)
    for i in range(3, 10):      # what was missed first, then the answer
        assert event(s, room, "line %d" % i) == n + 1 + i
    assert s.json() == {"joined": True, "why": n + 10, "seq": None}
    say(server, room, "new")
    assert event(s, room, "new") == n + 11
    got = join(opened(), room, after=n - 1000000)
    assert (got["joined"], got["why"], got["seq"]) == (None, "resync", n + 11)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_resuming_after_the_server_ended(start_server, how):
    """No committed event is lost, none comes twice."""
    server = start_server(**CHAT, args=["--workers", "2"])
    s = Socket(server.port)
    last = entered(s, "r")
    acknowledged = []

    def write(k):
        try:
            c = server.connect()
            for i in range(1000):
                acknowledged.append(c.post("/chat/r/lines", {"said": "%d/%d" % (k, i)}).expect(201)["id"])
        except Exception:
            pass
    seen = []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for k in range(4):
            pool.submit(write, k)
        while len(seen) < 60:
            seen.append(s.json())
        server.proc.send_signal(how)
    try:
        while True:
            seen.append(s.json())
    except (Ended, OSError, AssertionError):        # the close frame of SIGTERM
        pass
    server.proc.wait()
    server._drop()
    server.start()
    s = Socket(server.port)
    s.do("join", room="r", after=seen[-1]["seq"] if seen else last)
    while "joined" not in (e := s.json()):
        seen.append(e)
    assert e["joined"] is True
    assert [x["seq"] for x in seen] == list(range(last + 1, last + 1 + len(seen)))
    assert set(acknowledged) <= {x["id"] for x in seen}
    assert len(seen) == server.client.get("/chat/lines").expect(200)["lines"]


def test_the_log_is_bounded_by_the_window(start_server):
    server = start_server(**CHAT, args=["--workers", "2", "--event-window", "1"])

    def figure(name):
        return server.metrics()['perigee_%s{app="chat"}' % name]

    def until(name, value):
        end = time.monotonic() + 20
        while figure(name) != value:
            assert time.monotonic() < end, "%s never became %d" % (name, value)
            select.select([], [], [], 0.02)
    s = Socket(server.port)
    n = entered(s, "w")
    for i in range(3):
        say(server, "w", "x")
        assert event(s, "w", "x") == n + 1 + i
    until("event_log_rows", 1)      # the last one stays while somebody listens
    t = Socket(server.port)
    assert join(t, "w", after=n + 1)["why"] == "resync"
    t.do("join", room="w", after=n + 2)
    assert event(t, "w", "x") == n + 3
    s.abort()
    t.abort()
    until("rooms_kept", 0)
    say(server, "w", "nobody hears this")
    assert figure("event_log_rows") == 0
    got = join(Socket(server.port), "w", after=n + 3)
    assert got["why"] == "resync" and got["seq"] > n + 3


def test_a_member_that_reads_slowly_is_dropped_and_the_others_hear_all(server, opened, room):
    slow, quick = opened(small=True), opened()
    entered(slow, room), entered(quick, room)
    text = "x" * 50000
    for i in range(30):
        say(server, room, text)
        event(quick, room, text)
    assert slow.close_code(skip=True) == 1008


def test_joining_while_others_publish(server, opened, room):
    """Everybody has every event after the number that joining gave, and none before."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        def write(k):
            c = server.connect()
            for i in range(150):
                c.post("/chat/%s/lines" % room, {"said": "%d/%d" % (k, i)}).expect(201)
        jobs = [pool.submit(write, k) for k in range(3)]
        joined = []
        while not all(j.done() for j in jobs):
            s = opened()
            joined.append((s, entered(s, room)))
    end = say(server, room, "the end")["id"]
    for s, n in joined:
        while True:
            e = s.json()
            n += 1
            assert e["seq"] == n
            if e["id"] == end:
                break
