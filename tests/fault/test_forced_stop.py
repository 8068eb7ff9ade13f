"""The end of the drain comes while handlers still wait: for a sync that takes long, for the turn to write, for a hash.
The server ends in order all the same, and nothing of what nobody was told is half there."""
import os
import select
import signal
import socket
import subprocess
import time

import pytest
from support.people import V1, User, unique
from support.server import Server

SLOW_DISK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* While the file "slow" is there each sync says so, by a file beside it, and takes a second. */
static int slow(const char *name, int fd)
{
    const char *folder = getenv("SLOW_DISK");
    int (*real)(int) = dlsym(RTLD_NEXT, name), at = open(folder, O_PATH | O_DIRECTORY);
    if (at >= 0 && faccessat(at, "slow", F_OK, 0) == 0) {
        close(openat(at, "syncing", O_CREAT | O_WRONLY, 0600));
        sleep(1);
    }
    close(at);
    return real(fd);
}

int fsync(int fd) { return slow("fsync", fd); }
int fdatasync(int fd) { return slow("fdatasync", fd); }
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow_disk")
    (folder / "disk.c").write_text(SLOW_DISK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "disk.so", folder / "disk.c", "-ldl"], check=True)
    return folder / "disk.so"


@pytest.fixture
def server(tmp_path, shim):
    """Memory that was freed is overwritten, so that its use does not go unseen."""
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    s = Server(tmp_path / "data", args=["--drain-seconds", "0", "--workers", "2"],
               env={"LD_PRELOAD": str(shim), "SLOW_DISK": str(tmp_path), "MALLOC_PERTURB_": "165",
                    "ASAN_OPTIONS": asan})
    s.start()
    yield s
    if s.running():
        s.kill()


def wait_for_file(path):
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, "never there: %s" % path
        select.select([], [], [], 0.01)


def send(server, path, body, token=None):
    """A request whose answer nobody waits for."""
    s = socket.create_connection(("127.0.0.1", server.port))
    head = "POST %s%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" % (V1, path)
    if token:
        head += "Authorization: Bearer %s\r\n" % token
    s.sendall((head + "Content-Length: %d\r\n\r\n%s" % (len(body), body)).encode())
    return s


def ends(server):
    server.proc.send_signal(signal.SIGTERM)
    assert server.ended() == 0, server.log.text()[-4000:]
    assert "AddressSanitizer" not in server.log.text()


@pytest.mark.parametrize("waiting", [1, 40])
def test_while_a_commit_takes_long(server, tmp_path, waiting):
    u = User(server)
    (tmp_path / "slow").touch()
    first = send(server, "/tasks/", '{"title": "first"}', u.access)
    wait_for_file(tmp_path / "syncing")
    rest = [send(server, "/tasks/", '{"title": "later"}', u.access) for _ in range(waiting)]
    ends(server)
    (tmp_path / "slow").unlink()
    for s in [first, *rest]:
        s.close()
    server.start()
    assert {t["title"] for t in u.every("/tasks/")} <= {"first", "later"}
    server.stop()
    server.verify_analytics()


def test_while_passwords_are_hashed(server):
    body = '{"email": "%s@example.com", "username": "%s", "password": "LongEnough1!"}'
    names = [unique() for _ in range(8)]
    waiting = [send(server, "/auth/register/", body % (n, n)) for n in names]
    ends(server)
    for s in waiting:
        s.close()
