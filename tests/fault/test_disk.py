"""A full disk: waiting requests get 500 or 503, reading goes on, nothing is half-written, and it works again after.

Two ways to a full disk: a limit on the size of files that is set on the running process (always), and a small
file system of its own (where one can be mounted).
"""
import contextlib
import ctypes
import errno
import os
import resource
import signal
import sqlite3

import pytest

from support.client import Client
from support.people import PASSWORD, V1, User, unique
from support.server import Server
from support.threads import together

FILLER = "x" * 9000
libc = ctypes.CDLL(None, use_errno=True)


class FileLimit:
    """RLIMIT_FSIZE on the live process: a write beyond it fails as on a full disk (EFBIG)."""

    def __init__(self, tmp_path):
        self.data = tmp_path / "data"

    def popen(self):
        # Python ignores SIGXFSZ; the child keeps that, as a server under a file limit would have it
        return {"restore_signals": False}

    def fill(self, server):
        largest = max(f.stat().st_size for f in self.data.rglob("*") if f.is_file())
        resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (largest + 400000, resource.RLIM_INFINITY))

    def lift(self, server):
        resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def close(self):
        pass


class SmallDisk:
    """A tmpfs of 8 MB; ballast fills it up."""

    def __init__(self, tmp_path):
        self.mount, self.data = tmp_path / "disk", tmp_path / "disk" / "data"
        self.mount.mkdir()
        if libc.mount(b"tmpfs", bytes(self.mount), b"tmpfs", 0, b"size=8m") != 0:
            raise OSError(ctypes.get_errno(), "no tmpfs can be mounted here")

    def popen(self):
        return {}

    def fill(self, server):
        with open(self.mount / "ballast", "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"x" * 65536)
            f.truncate(max(0, f.tell() - 500000))

    def lift(self, server):
        (self.mount / "ballast").unlink()

    def close(self):
        libc.umount2(bytes(self.mount), 2)


def mountable(tmp_path_factory):
    try:
        SmallDisk(tmp_path_factory.mktemp("probe")).close()
        return True
    except OSError as e:
        assert e.errno in (errno.EPERM, errno.EACCES, errno.ENODEV, errno.ENOSYS), e
        return False


@pytest.fixture(params=["file limit", "small disk"])
def disk(request, tmp_path, tmp_path_factory, figure):
    if request.param == "small disk" and not mountable(tmp_path_factory):
        figure("full disk: no file system can be mounted here; the file limit stands for it")
        yield FileLimit(tmp_path)
        return
    d = FileLimit(tmp_path) if request.param == "file limit" else SmallDisk(tmp_path)
    yield d
    d.close()


def write_until_refused(server, users, body):
    """All users create tasks at the same time until each was refused once; (acknowledged, refused) by key."""
    done, refused = {}, {}

    def run(u):
        c = Client(server.port)
        for _ in range(3000):
            key = "disk-" + unique()
            r = c.post(V1 + "/tasks/", {**body, "title": key}, headers={"Idempotency-Key": key}, token=u.access)
            if r.status == 201:
                done[key] = (u, r.json()["id"])
                continue
            assert r.status in (500, 503), str(r)
            r.error(r.status, r.json()["error"]["code"])
            for word in ("sqlite", "disk", "errno", "/"):
                assert word not in r.json()["error"]["message"].lower(), "internals in the message: %s" % r
            refused[key] = u
            break
        c.close()
    together(*[lambda u=u: run(u) for u in users])
    return done, refused


def test_full_disk(disk, figure):
    server = Server(disk.data)
    server.start(**disk.popen())
    try:
        users = [User(server) for _ in range(6)]
        working = User(server)
        t = working.task()
        session = working.start(t, 25)["pomodoro_session"]
        disk.fill(server)
        done, refused = write_until_refused(server, users, {"description": FILLER})
        assert done and len(refused) == len(users), "the disk never was full"

        assert server.running(), "the server died"
        assert server.client.get("/healthz").status == 200
        for u in users:      # reading goes on; what was refused is not there
            titles = {x["title"] for x in u.every("/tasks/")}
            assert titles == {k for k, (who, _) in done.items() if who is u}
        assert working.active()["id"] == session["id"]
        big = {"email": unique() + "@example.com", "username": "u" + unique(), "password": PASSWORD, "last_name": "x" * 150}
        assert server.client.post(V1 + "/auth/login/", {"email": users[0].email, "password": "wrong-Password"}).status in (401, 500, 503)

        disk.lift(server)
        again = {k: u.post("/tasks/", {"description": FILLER, "title": k}, headers={"Idempotency-Key": k}) for k, u in refused.items()}
        for k, r in again.items():      # a refusal was not kept: the retry does it
            assert r.expect(201)["title"] == k and r.header("idempotent-replayed") is None
        server.client.post(V1 + "/auth/register/", big).expect(201)
        server.advance(1500)
        assert working.show(t)["completed_pomodoros"] == 1, "timers work again"
        for u in users:
            titles = [x["title"] for x in u.every("/tasks/")]
            assert len(titles) == len(set(titles))
            assert set(titles) == {k for k, (who, _) in done.items() if who is u} | {k for k, who in refused.items() if who is u}
        server.stop()
        for name in disk.data.rglob("*.db"):
            with contextlib.closing(sqlite3.connect(name)) as db:
                assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)], name
                assert db.execute("PRAGMA foreign_key_check").fetchall() == [], name
        server.verify_analytics()
    finally:
        if server.running():
            server.kill()
    figure("full disk (%s): %d acknowledged and kept, %d refused, all done after space was made" % (
        type(disk).__name__, len(done), len(refused)))


def test_a_timer_on_a_full_disk(disk):
    """A session whose time is up while nothing can be written ends later, with the time at which it was due."""
    server = Server(disk.data)
    server.start(**disk.popen())
    try:
        writer, u = User(server), User(server)
        t = u.task()
        s = u.start(t, 25)["pomodoro_session"]
        disk.fill(server)
        _, refused = write_until_refused(server, [writer], {"description": FILLER})
        assert refused
        if server.client.post("/-/clock", {"advance_seconds": 1500}).status < 300:      # may well fail
            server.shift += 1500
        assert server.client.get("/healthz").status == 200
        disk.lift(server)
        server.advance(1600)
        ended = u.session(s["id"])
        assert (ended["ended_at"], ended["actual_duration_seconds"], ended["completed"]) == (s["ends_at"], 1500, True)
        assert u.show(t)["completed_pomodoros"] == 1
        server.stop()
        server.verify_analytics()
    finally:
        if server.running():
            server.kill()


def test_the_signal_of_the_limit_does_not_kill(tmp_path):
    """SIGXFSZ with its default action would end the process at the first write beyond the limit."""
    disk = FileLimit(tmp_path)
    server = Server(disk.data)
    server.start()      # Python gives the child the default action back
    try:
        u = User(server)
        disk.fill(server)
        _, refused = write_until_refused(server, [u], {"description": FILLER})
        assert refused and server.running(), "ended by signal %s" % signal.Signals.SIGXFSZ.name
        disk.lift(server)
        u.task()
        server.stop()
    finally:
        if server.running():
            server.kill()


def test_a_disk_that_is_full_at_the_start(tmp_path):
    """A clear message and a status, no half-made data folder that a later start would stumble over."""
    server = Server(tmp_path / "data")
    server.spawn(restore_signals=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY)))
    assert server.ended() not in (0, -signal.SIGSEGV, -signal.SIGABRT)
    assert server.log.text().strip()
    server.start()
    User(server).task()
    server.stop()
    assert os.path.exists(server.data)
