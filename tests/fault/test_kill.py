"""kill -9 under load: what was acknowledged is there exactly once, nothing else is there twice, the sums hold."""
import random
import threading

from support.client import Client, Closed
from support.people import V1, User, unique
from support.server import Server
from support.threads import Threads

ROUNDS, WRITERS = 6, 8


class Writer:
    """Creates and works on tasks with idempotency keys, one after the other, and knows what was acknowledged."""

    def __init__(self, server, meter):
        self.u, self.meter = User(server), meter
        self.done = {}            # title -> id, acknowledged
        self.cycles = {}          # id -> answer of its complete, acknowledged
        self.doubtful = []        # (path, body, key) that were sent and never answered

    def ask(self, c, path, body):
        key = "k-" + unique()
        try:
            r = c.post(V1 + path, body, headers={"Idempotency-Key": key}, token=self.u.access)
        except (Closed, OSError):
            self.doubtful.append((path, body, key))
            raise
        assert r.status in (200, 201), str(r)
        self.meter.acknowledged()
        return r.json()

    def run(self, port):
        c = Client(port)
        try:
            while True:
                title = "kill " + unique()
                t = self.ask(c, "/tasks/", {"title": title})
                self.done[title] = t["id"]
                if len(self.done) % 3 == 0:
                    self.ask(c, "/tasks/%d/start/" % t["id"], {})
                    self.cycles[t["id"]] = self.ask(c, "/tasks/%d/complete/" % t["id"], {})
        except (Closed, OSError):
            pass
        finally:
            c.close()

    def settle(self):
        """After the restart: repeats what got no answer, with the same key, twice."""
        replayed = 0
        for path, body, key in self.doubtful:
            first, second = (self.u.post(path, body, headers={"Idempotency-Key": key}) for _ in range(2))
            assert first.status in (200, 201), str(first)
            assert (second.status, second.body) == (first.status, first.body) and second.header("idempotent-replayed") == "true"
            replayed += first.header("idempotent-replayed") == "true"
            if path == "/tasks/":
                self.done[body["title"]] = first.json()["id"]
            elif path.endswith("/complete/"):
                self.cycles[first.json()["id"]] = first.json()
        self.doubtful.clear()
        active = self.u.active()
        if active is not None:      # the kill came between start and complete
            self.u.complete(active["task"])
        return replayed

    def check(self):
        tasks = self.u.every("/tasks/")
        titles = [t["title"] for t in tasks]
        assert len(titles) == len(set(titles)), "something is there twice"
        there = {t["title"]: t["id"] for t in tasks}
        lost = {title for title, i in self.done.items() if there.get(title) != i}
        assert not lost, "%d acknowledged tasks are gone: %s" % (len(lost), sorted(lost)[:5])
        assert set(there) == set(self.done), "tasks that nobody made"
        by_id = {t["id"]: t for t in tasks}
        for i, answer in self.cycles.items():
            assert by_id[i]["status"] == "completed" and by_id[i]["ended_at"] == answer["ended_at"]
        per_task = [s["task"]["id"] for s in self.u.every("/pomodoro/sessions/")]
        assert len(per_task) == len(set(per_task)), "a task was started twice"
        assert set(self.cycles) <= set(per_task)


class Meter:
    """Counts acknowledged writes and tells when so many more have come."""

    def __init__(self):
        self.count, self.changed = 0, threading.Condition()

    def acknowledged(self):
        with self.changed:
            self.count += 1
            self.changed.notify_all()

    def wait_for(self, more):
        with self.changed:
            goal = self.count + more
            assert self.changed.wait_for(lambda: self.count >= goal, 60), "the load does not get on"


def test_kill_under_load(tmp_path, figure):
    chance = random.Random(9)
    server, meter = Server(tmp_path / "data"), Meter()
    server.start()
    writers = [Writer(server, meter) for _ in range(WRITERS)]
    kills = doubtful = replayed = 0
    try:
        for _ in range(ROUNDS):
            load = Threads(lambda w=w: w.run(server.port) for w in writers)
            meter.wait_for(chance.randrange(100, 700))
            server.kill()
            kills += 1
            load.join()
            server.start()
            doubtful += sum(len(w.doubtful) for w in writers)
            replayed += sum(w.settle() for w in writers)
            for w in writers:
                w.check()
        server.stop()
        server.verify_analytics()
    finally:
        if server.running():
            server.kill()
    figure("kill -9: %d kills, %d acknowledged writes, 0 lost, 0 twice; %d without an answer, of which %d had been committed" % (
        kills, meter.count, doubtful, replayed))


def test_kill_between_restarts(tmp_path):
    """Killed while it starts, again and again: it starts in the end and has everything."""
    server = Server(tmp_path / "data")
    server.start()
    u = User(server)
    ids = {u.task()["id"] for _ in range(20)}
    for n in range(6):
        server.kill()
        server.spawn()
        if n % 2:
            server.log.wait_for("")      # its first word
    server.kill()
    server.start()
    assert {t["id"] for t in u.every("/tasks/")} == ids
    server.stop()
    server.verify_analytics()
