"""Events over several workers: order, numbers, who gets them, resuming. The app is tests/support/chat."""
import json
import select
import time
from contextlib import closing

import pytest

from support.server import REPO
from support.sockets import Socket
from support.threads import together

CHAT = {"scripts": REPO / "tests/support/chat/scripts", "db": REPO / "tests/support/chat/db"}
SERVER = {**CHAT, "args": ["--workers", "4"]}
MANY = 16       # sockets, so that each worker has some


@pytest.fixture
def listener(server):
    """listener(room, labels, **join) -> a socket in the room; all are dropped in the end."""
    mine = []

    def make(room=None, *labels, on=None, **join):
        s = Socket((on or server).port)
        mine.append(s)
        for label in labels:
            assert s.do("label", key=label).json() == {"labelled": True}
        if room:
            s.joined = s.do("join", room=room, **join).json()
        return s
    yield make
    for s in mine:
        s.sock.close()


def say(client, room, said="x", **more):
    return client.post("/chat/%s/lines" % room, {"said": said, **more}).expect(201)["id"]


def nothing_waits(s):
    """Nothing but the answer to this comes."""
    assert s.do("echo", value="quiet").json() == "quiet"


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        select.select([], [], [], 0.01)


def test_all_members_get_all_events_in_the_order_of_the_commits(server, listener):
    writers, each = 6, 40
    sockets = [listener("busy") for _ in range(MANY)]
    first = sockets[0].joined["why"]
    assert all(s.joined == {"joined": True, "why": first, "seq": None} for s in sockets)

    def write(k):
        with closing(server.connect()) as c:
            return [say(c, "busy", "%d.%d" % (k, i)) for i in range(each)]
    ids = together(*(lambda k=k: write(k) for k in range(writers)))
    for s in sockets:
        got = [s.json() for _ in range(writers * each)]
        assert [g["seq"] for g in got] == list(range(first + 1, first + 1 + len(got)))
        assert [g["id"] for g in got] == sorted(sum(ids, [])), "not the order of the commits"
        assert all(list(g) == ["id", "said", "type", "room", "seq"] and g["room"] == "room:busy" for g in got)
        nothing_waits(s)


def test_a_request_that_fails_has_said_nothing(server, client, listener):
    s = listener("quiet")
    client.post("/chat/quiet/lines", {"said": "no", "fail": True}).error(500, "BROKEN")
    say(client, "quiet", "yes")
    got = s.json()
    assert (got["said"], got["seq"]) == ("yes", s.joined["why"] + 1)


def test_except_and_presence(server, client, listener):
    mine = [listener("p", "user:1") for _ in range(MANY // 2)]
    others = [listener("p", "user:2", who="two") for _ in range(MANY // 2)]
    nobody = listener("p")
    assert client.get("/chat/p/presence").expect(200) == {
        "count": MANY + 1, "who": {"user:1": MANY // 2, "two": MANY // 2}}
    say(client, "p", "one", **{"except": "user:1"})
    say(client, "p", "all")
    assert all(s.json()["said"] == "all" for s in mine)
    assert all([s.json()["said"], s.json()["said"]] == ["one", "all"] for s in [*others, nobody])
    for s in others:
        s.close()
    mine[0].do("leave", room="p")
    assert mine[0].json() == {"left": True}
    wait_until(lambda: client.get("/chat/p/presence").expect(200) == {
        "count": MANY // 2, "who": {"user:1": MANY // 2 - 1}})


def test_a_limit_holds_over_all_workers(server, client, listener):
    sockets = [listener() for _ in range(MANY)]
    answers = together(*(lambda s=s: s.do("join", room="small", limit=5).json() for s in sockets))
    assert sum(a["joined"] is True for a in answers) == 5
    assert all(a == {"joined": None, "why": "full", "seq": None} for a in answers if not a["joined"])
    assert client.get("/chat/small/presence").expect(200)["count"] == 5


def test_who_is_expelled_hears_no_more_and_stays_open(server, client, listener):
    out, stay = [[listener("club", "user:%d" % k) for _ in range(MANY // 2)] for k in (1, 2)]
    say(client, "club", "before")
    client.post("/chat/expel", {"label": "user:1", "room": "club"}).expect(204)
    say(client, "club", "after")
    assert all([s.json()["said"], s.json()["said"]] == ["before", "after"] for s in stay)
    for s in out:
        assert s.json()["said"] == "before"
        nothing_waits(s)
    assert client.get("/chat/club/presence").expect(200)["who"] == {"user:2": MANY // 2}


def test_closing_by_label_comes_after_what_was_said_before(server, client, listener):
    out, stay = [[listener("bar", "login:%d" % k) for _ in range(MANY // 2)] for k in (1, 2)]
    say(client, "bar", "before")
    client.post("/chat/close", {"label": "login:1", "code": 4001, "reason": "Logged out"}).expect(204)
    say(client, "bar", "after")
    for s in out:
        assert s.json()["said"] == "before"
        assert s.close_code() == 4001 and s.reason == "Logged out"
    assert all([s.json()["said"], s.json()["said"]] == ["before", "after"] for s in stay)


def test_resuming(server, client, listener):
    s = listener("story")
    for n in range(5):
        say(client, "story", str(n))
    seqs = [s.json()["seq"] for _ in range(5)]
    s.close()
    for n in range(5, 8):
        say(client, "story", str(n))
    again = listener()
    again.do("join", room="story", after=seqs[2])
    assert [again.json()["said"] for _ in range(5)] == ["3", "4", "5", "6", "7"]    # before the answer
    assert again.json() == {"joined": True, "why": seqs[-1] + 3, "seq": None}
    say(client, "story", "8")
    assert again.json()["said"] == "8"
    # Joining once more starts it anew from there.
    again.do("join", room="story", after=seqs[-1] + 2)
    assert [again.json()["said"] for _ in range(2)] == ["7", "8"]
    assert again.json()["joined"] is True
    nothing_waits(again)


def test_what_cannot_be_resumed_is_told(server, client, listener):
    first = listener("past")
    last = first.joined["why"]
    for after in (0, last - 1, last + 1):
        s = listener("past", after=after)
        assert s.joined == {"joined": None, "why": "resync", "seq": last}
    say(client, "past", "now")
    assert s.json()["seq"] == last + 1, "a member all the same"
    assert first.json()["seq"] == last + 1


def test_a_restart_loses_nothing(start_server, listener):
    server = start_server(**CHAT, args=["--workers", "2"])
    s = listener("w", on=server)
    with closing(server.connect()) as c:
        say(c, "w", "one")
        seq = s.json()["seq"]
        say(c, "w", "two")
    server.stop()
    server.start()
    with closing(server.connect()) as c:
        say(c, "w", "three")
    s = listener(on=server)
    s.do("join", room="w", after=seq)
    assert [s.json()["said"] for _ in range(2)] == ["two", "three"]
    assert s.json()["joined"] is True


def test_the_log_is_bounded_by_the_window(start_server, listener):
    server = start_server(**CHAT, args=["--workers", "2", "--event-window", "1"])

    def rows():
        return server.metrics()['perigee_event_log_rows{app="chat"}']
    with closing(server.connect()) as c:
        s = listener("w", on=server)
        for _ in range(3):
            say(c, "w")
            seq = s.json()["seq"]
        wait_until(lambda: rows() == 1)     # the last one stays while somebody listens
        assert listener("w", on=server, after=seq - 1).joined["seq"] == seq     # that one comes first
        assert listener("w", on=server, after=seq - 2).joined["why"] == "resync"
        server.stop()
        server.start()
    with closing(server.connect()) as c:
        wait_until(lambda: server.metrics()['perigee_rooms_kept{app="chat"}'] == 0)
        say(c, "w", "nobody hears this")
        assert rows() == 0
    assert listener("w", on=server, after=seq).joined["why"] == "resync"


def test_who_joins_while_others_publish_misses_nothing(server, listener):
    """From the number that the join names, every event comes once, whatever was being committed meanwhile."""
    done = []

    def write():
        with closing(server.connect()) as c:
            while not done:
                say(c, "rush")

    def hop():
        """Joins a room that others may be leaving, listens a little, resumes on another connection."""
        try:
            for _ in range(8):
                s = listener()
                s.do("join", room="rush")
                last = s.json()["why"]
                for _ in range(10):
                    last += 1
                    assert s.json()["seq"] == last
                s.sock.close()
                t = listener()
                t.do("join", room="rush", after=last)
                got = [t.json() for _ in range(20)]
                seqs = [g["seq"] for g in got if "joined" not in g]
                assert seqs == list(range(last + 1, last + 1 + len(seqs)))
                assert all(g["joined"] for g in got if "joined" in g)
                t.sock.close()
        finally:
            done.append(1)
    together(write, write, hop)


def test_a_message_is_json_with_two_more_members(server, client, listener):
    s = listener("öl \"1\"")
    say(client, "%C3%B6l%20%221%22", "ü")
    text = s.text()
    got = json.loads(text)
    assert got["room"] == 'room:öl "1"' and got["said"] == "ü"
    assert text.endswith(',"room":"room:öl \\"1\\"","seq":%d}' % (s.joined["why"] + 1))
