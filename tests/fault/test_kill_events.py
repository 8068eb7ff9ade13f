"""kill -9 while events are published: who comes back with the last number it has gets every committed event once, in
the order of the commits. The app is tests/support/chat."""
import random
import sqlite3
import threading

from support.client import Client, Closed
from support.server import REPO, Server
from support.sockets import Ended, Socket
from support.threads import Threads

CHAT = {"scripts": REPO / "tests/support/chat/scripts", "db": REPO / "tests/support/chat/db"}
ROUNDS, WRITERS, LISTENERS, ROOMS = 6, 4, 6, ("red", "blue")


class Listener:
    """Connects, resumes where it was, and listens until the connection breaks."""

    def __init__(self, room):
        self.room, self.seq, self.ids, self.joined = room, None, [], threading.Event()

    def run(self, port):
        try:
            s = Socket(port)
            s.do("join", room=self.room, **({"after": self.seq} if self.seq else {}))
            while True:
                self.take(s.json())
        except (Ended, OSError):
            pass
        finally:
            self.joined.set()

    def take(self, m):
        if "joined" in m:
            assert m["joined"] is True, "the log has a hole: %s" % m
            assert self.seq in (None, m["why"])
            self.seq = m["why"]
            self.joined.set()
            return
        assert m["seq"] == self.seq + 1, "number %d after %d" % (m["seq"], self.seq)
        self.seq += 1
        self.ids.append(m["id"])


class Load:
    """Writers that say lines in all rooms until the server is gone; counts what was acknowledged."""

    def __init__(self):
        self.acknowledged, self.changed = 0, threading.Condition()

    def run(self, port):
        c = Client(port)
        try:
            while True:
                for room in ROOMS:
                    c.post("/chat/%s/lines" % room, {"said": "x"}).expect(201)
                    with self.changed:
                        self.acknowledged += 1
                        self.changed.notify_all()
        except (Closed, OSError):
            pass
        finally:
            c.close()

    def wait_for(self, more):
        with self.changed:
            goal = self.acknowledged + more
            assert self.changed.wait_for(lambda: self.acknowledged >= goal, 60), "the load does not get on"


def committed(server, room):
    with sqlite3.connect("file:%s?mode=ro" % (server.data / "chat.db"), uri=True) as db:
        return [i for i, in db.execute("SELECT id FROM lines WHERE room = ? ORDER BY id", (room,))]


def test_kill_while_events_are_published(tmp_path, figure):
    chance = random.Random(11)
    server = Server(tmp_path / "data", args=["--workers", "3"], **CHAT)
    listeners, load = [Listener(ROOMS[i % 2]) for i in range(LISTENERS)], Load()
    try:
        for _ in range(ROUNDS):
            server.start()
            listening = Threads(lambda x=x: x.run(server.port) for x in listeners)
            assert all(x.joined.wait(60) for x in listeners)
            writing = Threads(lambda: load.run(server.port) for _ in range(WRITERS))
            load.wait_for(chance.randrange(50, 400))
            server.kill()
            writing.join()
            listening.join()
            for x in listeners:
                x.joined.clear()
        server.start()
        listening = Threads(lambda x=x: x.run(server.port) for x in listeners)
        assert all(x.joined.wait(60) for x in listeners)
        server.kill()
        listening.join()
    finally:
        if server.running():
            server.kill()
    total = 0
    for x in listeners:
        assert x.ids == committed(server, x.room), "events and lines differ in %s" % x.room
        total += len(x.ids)
    figure("kill -9 while publishing: %d kills, %d acknowledged lines, %d events received, none lost, none twice" % (
        ROUNDS, load.acknowledged, total))
