"""Deliveries survive kills, stops and a full disk: at least once, with the same id and the same bytes, none invented."""
import random
import resource
import threading

import pytest

from support.client import Client, Closed
from support.receiver import Receiver, answer, hang
from support.server import REPO, Server
from support.threads import Threads

APPS = REPO / "tests" / "support" / "apps"


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def server(tmp_path):
    s = Server(tmp_path / "data", scripts=APPS, env={"PERIGEE_APPS": "post", "PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32",
                                                        "PERIGEE_SCRIPT_MS": "10000"})
    yield s
    if s.running():
        s.kill()


def hook(server, url, **more):
    return server.client.post("/post/hooks", {"url": url, **more}).expect(201)


def entries(server, h):
    return server.client.get("/post/hooks/%d/log" % h["id"]).expect(200)["entries"]


def settled(server, receiver, h, wanted):
    """The log when all its entries have ended; each delivery that ends makes the receiver's condition look again."""
    for _ in range(3000):
        found = entries(server, h)
        if len(found) >= wanted and all(e["status"] == "succeeded" for e in found):
            return found
        with receiver.changed:
            receiver.changed.wait(0.02)
    raise AssertionError([e for e in found if e["status"] != "succeeded"][:5])


def test_killed_before_the_outcome_is_known(server, receiver):
    """The receiver has the request and the server dies: it is sent again at the start."""
    server.start()
    receiver.answers["/"] = [hang, 200]
    h = hook(server, receiver.url())
    server.client.post("/post/events", {"data": {"n": "once"}}).expect(200)
    receiver.wait("/")
    server.kill()
    server.start()
    first, second = receiver.wait("/", 2)
    assert first.id == second.id and first.body == second.body
    entry = settled(server, receiver, h, 1)[0]
    assert entry["id"] == first.id and entry["attempts"] == 1, "an attempt without an outcome does not count"
    server.stop()


def test_killed_before_anything_was_sent(server, receiver):
    """Events committed while their receiver is down; what is due while the server is down is sent at its start."""
    server.start()
    receiver.answers["/"] = [503] * 10 + [200]
    h = hook(server, receiver.url())
    for n in range(10):
        server.client.post("/post/events", {"data": {"n": n}}).expect(200)
    receiver.wait("/", 10)
    server.kill()
    server.shift += 60
    server.start()
    settled(server, receiver, h, 10)
    by_id = {}
    for r in receiver.of("/"):
        by_id.setdefault(r.id, set()).add(r.body)
    assert len(by_id) == 10 and all(len(bodies) == 1 for bodies in by_id.values())
    server.stop()


class Sender:
    """Sends events one after the other and knows which were acknowledged and which were never answered."""

    def __init__(self, k, sent):
        self.k, self.n, self.sent, self.acknowledged, self.doubtful, self.refused = k, 0, sent, set(), set(), set()

    def run(self, port):
        c = Client(port)
        try:
            while True:
                self.n += 1
                name = "%d-%d" % (self.k, self.n)
                bad = self.n % 5 == 0
                (self.refused if bad else self.doubtful).add(name)
                r = c.post("/post/events", {"data": {"n": name}, "fail": bad})
                assert r.status == (409 if bad else 200), str(r)
                if not bad:
                    self.doubtful.discard(name)
                    self.acknowledged.add(name)
                self.sent()
        except (Closed, OSError):
            pass
        finally:
            c.close()


def name_in(r):
    return r.body.partition(b'"n":"')[2].partition(b'"')[0].decode()


def test_kill_under_load(server, receiver, figure):
    """Every acknowledged event arrives, no rolled-back one does, and a repeated one has its id and bytes."""
    chance, count, changed = random.Random(5), [0], threading.Condition()

    def sent():
        with changed:
            count[0] += 1
            changed.notify_all()
    server.start()
    h = hook(server, receiver.url())
    senders = [Sender(k, sent) for k in range(4)]
    for _ in range(5):
        load = Threads(lambda s=s: s.run(server.port) for s in senders)
        with changed:
            goal = count[0] + chance.randrange(50, 300)
            assert changed.wait_for(lambda: count[0] >= goal, 60)
        server.kill()
        load.join()
        server.start()
    total = server.client.get("/post/hooks/%d/log" % h["id"]).expect(200)["count"]
    with receiver.changed:
        assert receiver.changed.wait_for(lambda: len({r.id for r in receiver.received}) >= total, 60)
    acknowledged, doubtful, refused = (set().union(*(getattr(s, x) for s in senders))
                                       for x in ("acknowledged", "doubtful", "refused"))
    received, by_id = receiver.of("/"), {}
    for r in received:
        by_id.setdefault(r.id, set()).add(r.body)
    names = {name_in(r) for r in received}
    assert acknowledged <= names, "lost: %s" % sorted(acknowledged - names)[:5]
    assert not names & refused and names <= acknowledged | doubtful
    assert all(len(bodies) == 1 for bodies in by_id.values()) and len(by_id) == len(names) == total
    server.stop()
    figure("kill -9 under webhooks: 5 kills, %d events acknowledged, all delivered, %d of them twice" % (
        len(acknowledged), len(received) - len(by_id)))


def test_a_stop_waits_for_what_is_on_its_way(server, receiver):
    """SIGTERM: what is on its way ends and counts, the rest waits for the next start. It is more than can be begun between
    the log's word and the drain."""
    release, count = threading.Event(), 50

    def slow(s, _):
        release.wait(30)
        s.sendall(answer(200))
    server.start()
    receiver.answers["/"] = [slow, 200]
    h = hook(server, receiver.url())
    server.client.post("/post/events", {"count": count}).expect(200)
    receiver.wait("/")
    stopping = Threads([server.stop])
    server.log.wait_for("stopping")
    release.set()
    stopping.join()
    before = len(receiver.of("/"))
    assert 1 <= before < count, "what waited was not begun any more"
    server.start()
    found = settled(server, receiver, h, count)
    assert [e["attempts"] for e in found] == [1] * count and len(receiver.of("/")) == count
    server.stop()


def test_a_stop_does_not_wait_for_ever(server, receiver):
    server.args += ["--drain-seconds", "1"]
    server.start()
    receiver.answers["/"] = [hang, 200]
    h = hook(server, receiver.url())
    server.client.post("/post/events", {}).expect(200)
    receiver.wait("/")
    server.stop()
    server.start()
    assert settled(server, receiver, h, 1)[0]["attempts"] == 1 and len(receiver.of("/")) == 2
    server.stop()


def test_outcomes_that_cannot_be_stored_are_not_sent_again(server, receiver):
    """The disk is full when the answers come: they are kept until there is room, and nothing is sent twice."""
    release = threading.Event()

    def slow(s, _):
        release.wait(30)
        s.sendall(answer(200, body=b"x" * 60000))
    server.start(restore_signals=False)
    receiver.answers["/"] = [slow]
    hooks = [hook(server, receiver.url("/"), owner="team:1") for _ in range(8)]
    server.client.post("/post/events", {}).expect(200)
    receiver.wait_open(8)
    largest = max(f.stat().st_size for f in server.data.rglob("*") if f.is_file())
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    release.set()
    server.log.wait_for("outcomes of deliveries cannot be recorded")
    server.log.wait_for("outcomes of deliveries cannot be recorded")
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for h in hooks:
        assert settled(server, receiver, h, 1)[0]["attempts"] == 1
    assert len(receiver.of("/")) == 8
    server.stop()
