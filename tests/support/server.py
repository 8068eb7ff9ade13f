"""Starting, moving the clock of and stopping a perigee process."""
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from .client import Client

REPO = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("PERIGEE_BIN", str(REPO / "build" / "perigee"))
READY_SECONDS = 60
STOP_SECONDS = 30

PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)

live = []       # servers whose log belongs into the report of a failing test


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Log:
    """Reads a process's output as it comes. A pipe, not a file, so that limits on files do not touch it."""

    def __init__(self, pipe):
        self.lines, self.changed, self.ended = [], threading.Condition(), False
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe):
        for line in pipe:
            with self.changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                self.changed.notify_all()
        pipe.close()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def text(self):
        with self.changed:
            return "\n".join(self.lines)

    def count(self, part):
        with self.changed:
            return sum(part in x for x in self.lines)

    def wait_for(self, part, seconds=10, after=0):
        """The first line that contains `part`, after so many others that do; fails when none comes in time."""
        with self.changed:
            def found():
                return next(itertools.islice((x for x in self.lines if part in x), after, None), None)
            self.changed.wait_for(lambda: found() or self.ended, seconds)
            line = found()
        assert line is not None, "the log never said %r:\n%s" % (part, self.text()[-3000:])
        return line

    def wait_end(self, seconds=10):
        with self.changed:
            self.changed.wait_for(lambda: self.ended, seconds)
        return self.text()


def environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PERIGEE_")}
    if "PERIGEE_TEST_SHARE_US" in os.environ:   # all scripts are interrupted again and again
        env["PERIGEE_SCRIPT_SHARE_US"] = os.environ["PERIGEE_TEST_SHARE_US"]
    env.update(extra or {})
    return env


def command(*args, env=None, seconds=60, stdin=None):
    """Runs a perigee command to its end."""
    return subprocess.run([BINARY, *map(str, args)], env=environment(env), input=stdin, capture_output=True, text=True,
                          timeout=seconds)


class Server:
    """One data folder and the process that serves it."""

    def __init__(self, data, env=None, shift=0, args=(), scripts=None, db=None, mode="development", limits="off"):
        self.data, self.shift, self.args, self.mode = pathlib.Path(data), shift, list(args), mode
        self.scripts, self.db = scripts or REPO / "scripts", db or REPO / "db"
        self.env = dict(env or {})
        if limits is not None:
            self.env.setdefault("PERIGEE_RATE_LIMITS", limits)
        self.port, self.proc, self.log, self._client, self.logs = None, None, None, None, []

    # -- the process
    def spawn(self, **popen):
        """Starts the process without waiting for it."""
        if not os.access(BINARY, os.X_OK):
            raise FileNotFoundError("no server at %s: build it, or set PERIGEE_BIN" % BINARY)
        self.port = free_port()
        line = [BINARY, "serve", "--env", self.mode, "--port", str(self.port), "--data", str(self.data),
                "--scripts", str(self.scripts), "--db", str(self.db)]
        if self.mode == "development" and not any(a.startswith("--demo") for a in self.args):
            line += ["--demo", "off"]
        env = environment(self.env)
        if self.shift:
            env["PERIGEE_CLOCK_SHIFT"] = str(self.shift)
        more = popen.pop("preexec_fn", None)

        def before():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)      # ends with the test run, however that ends
            if more:
                more()
        self.proc = subprocess.Popen(line + self.args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, preexec_fn=before, **popen)
        self.log = Log(self.proc.stdout)
        self.logs.append(self.log)
        if self not in live:
            live.append(self)
        return self

    def start(self, **popen):
        self.spawn(**popen)
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            try:
                c = Client(self.port)
                if c.get("/readyz").status == 200:
                    c.close()
                    return self
                c.close()
            except Exception:
                pass
            try:        # ends the wait at once when the process dies
                status = self.proc.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            raise RuntimeError("the server ended with status %s:\n%s" % (status, self.log.wait_end()[-4000:]))
        self.kill()
        raise RuntimeError("not ready after %d s:\n%s" % (READY_SECONDS, self.log.text()[-4000:]))

    def running(self):
        return self.proc is not None and self.proc.poll() is None

    def stop(self):
        """SIGTERM; the exit status must be 0."""
        self.proc.send_signal(signal.SIGTERM)
        status = self.ended()
        assert status == 0, "exit status %s after SIGTERM:\n%s" % (status, self.log.text()[-4000:])

    def ended(self, seconds=STOP_SECONDS):
        """Waits for the end of the process; its exit status."""
        try:
            status = self.proc.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("still running after %d s:\n%s" % (seconds, self.log.text()[-4000:])) from None
        self.log.wait_end()
        self._drop()
        return status

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        self.log.wait_end()
        self._drop()

    def _drop(self):
        if self._client is not None:
            self._client.close()
        self._client = None

    def restart(self, later=0):
        """A stop and a start, `later` seconds of the server's clock apart."""
        self.stop()
        self.shift += later
        return self.start()

    # -- talking to it
    @property
    def client(self):
        if self._client is None:
            self._client = Client(self.port)
        return self._client

    def connect(self, **kw):
        return Client(self.port, **kw)

    def now(self):
        """The server's clock, Unix seconds."""
        return int(time.time()) + self.shift

    def advance(self, seconds):
        """Moves the server's clock forward and fires what became due."""
        if seconds > 0:
            r = self.client.post("/-/clock", {"advance_seconds": seconds})
            assert 200 <= r.status < 300, "the clock does not move: %s" % r
            self.shift += seconds

    def go_to(self, instant):
        """Moves the clock to a later instant (Unix seconds); nothing when it is past already."""
        self.advance(instant - self.now())

    def new_window(self, seconds=60):
        """Moves the clock to the beginning of the next rate-limit window."""
        self.advance(seconds - self.now() % seconds)

    # -- commands on the same data
    def command(self, *args, env=None, **kw):
        where = ["--data", self.data, "--scripts", self.scripts, "--db", self.db]
        return command(*args, *where, env={**self.env, **(env or {})}, **kw)

    def verify_analytics(self):
        """`perigee analytics verify` on the stopped server's data finds no difference."""
        r = self.command("analytics", "verify")
        assert r.returncode == 0, "analytics verify: status %d\n%s%s" % (r.returncode, r.stdout[-3000:], r.stderr[-3000:])
        return r.stdout

    def nothing_in_tmp(self, seconds=10):
        """Waits until no temporary file is left, neither with a name nor as an open descriptor."""
        end = time.monotonic() + seconds
        while True:
            left = os.listdir(self.data / "tmp")
            for f in pathlib.Path("/proc/%d/fd" % self.proc.pid).iterdir():
                with contextlib.suppress(FileNotFoundError):     # closed meanwhile
                    left += [x for x in [os.readlink(f)] if str(self.data / "tmp") in x]
            if not left:
                return
            assert time.monotonic() < end, "still there: %s" % left
            time.sleep(0.01)

    def metrics(self):
        """{'name{labels}': value} of /metrics."""
        out = {}
        for line in self.client.get("/metrics").text().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                out[name] = float(value)
        return out


def find(value, wanted):
    """All objects in a JSON value for which wanted(object) is true."""
    out = []
    if isinstance(value, dict):
        if wanted(value):
            out.append(value)
        for v in value.values():
            out += find(v, wanted)
    elif isinstance(value, list):
        for v in value:
            out += find(v, wanted)
    return out


def pretty(value):
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)
