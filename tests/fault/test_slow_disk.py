"""While a sync runs the next transactions already do, but nobody hears of a change before it is on disk."""
import os
import select
import subprocess
import threading
import time

import pytest
from support.client import Closed
from support.people import User
from support.server import Server

HELD_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* While the file "hold" is there a sync says so, by a file beside it, and waits for the end of that. */
static int held(const char *name, int fd)
{
    int (*real)(int) = dlsym(RTLD_NEXT, name), at = open(getenv("HELD_DISK"), O_PATH | O_DIRECTORY);
    while (at >= 0 && faccessat(at, "hold", F_OK, 0) == 0) {
        close(openat(at, "syncing", O_CREAT | O_WRONLY, 0600));
        poll(NULL, 0, 5);
    }
    close(at);
    return real(fd);
}

int fsync(int fd) { return held("fsync", fd); }
int fdatasync(int fd) { return held("fdatasync", fd); }
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("held_disk")
    (folder / "disk.c").write_text(HELD_DISK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "disk.so", folder / "disk.c", "-ldl"], check=True)
    return folder / "disk.so"


@pytest.fixture(params=[1, 2])
def server(request, tmp_path, shim):
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    s = Server(tmp_path / "data", args=["--workers", str(request.param)],
               env={"LD_PRELOAD": str(shim), "HELD_DISK": str(tmp_path), "ASAN_OPTIONS": asan}).start()
    yield s
    (tmp_path / "hold").unlink(missing_ok=True)
    s.stop()


class Later:
    """A call on a thread of its own."""

    def __init__(self, fn, *args):
        self.answer = None
        self.thread = threading.Thread(target=self._run, args=(fn, args), daemon=True)
        self.thread.start()

    def _run(self, fn, args):
        try:
            self.answer = fn(*args)
        except (OSError, Closed):
            pass    # the server was killed

    def early(self):
        """The answer that came although the disk is held, or None."""
        self.thread.join(0.5)
        return self.answer

    def get(self):
        self.thread.join(30)
        assert self.answer is not None, "no answer"
        return self.answer


def wait_for_file(path):
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, "never there: %s" % path
        select.select([], [], [], 0.01)


def titles(answer):
    return {t["title"] for t in answer.json()["results"]}


def test_nobody_hears_of_what_is_not_on_disk(server, tmp_path):
    user, other = User(server), User(server)
    user.post("/tasks/", {"title": "before"})
    (tmp_path / "hold").touch()
    first = Later(user.another().post, "/tasks/", {"title": "held"})
    wait_for_file(tmp_path / "syncing")
    reads = [Later(user.another().get, "/tasks/") for _ in range(4)]
    second = Later(other.post, "/tasks/", {"title": "behind"})
    for read in reads:
        answer = read.early()
        assert answer is None or "held" not in titles(answer)
    assert first.early() is None and second.early() is None
    assert server.client.get("/healthz").status == 200         # the workers wait for nothing
    (tmp_path / "hold").unlink()
    assert first.get().status == 201 and second.get().status == 201
    for read in reads:
        assert read.get().status == 200
    assert titles(user.get("/tasks/")) == {"before", "held"}
    assert titles(other.get("/tasks/")) == {"behind"}


def test_a_kill_during_a_sync_leaves_what_was_acknowledged(server, tmp_path):
    user = User(server)
    for i in range(20):
        assert user.post("/tasks/", {"title": "kept %d" % i}).status == 201
    (tmp_path / "hold").touch()
    waiting = [Later(user.another().post, "/tasks/", {"title": "open %d" % i}) for i in range(5)]
    wait_for_file(tmp_path / "syncing")
    server.kill()
    (tmp_path / "hold").unlink()
    server.start()
    kept = titles(user.get("/tasks/?page_size=100"))
    assert {"kept %d" % i for i in range(20)} <= kept
    assert kept <= {"kept %d" % i for i in range(20)} | {"open %d" % i for i in range(5)}
    assert all(w.early() is None for w in waiting)
