"""Apps whose scripts are edited while they serve."""
import contextlib
import json
import os
import pathlib
import shutil
import threading

from .client import Client
from .server import REPO

TICKER = """-- SPDX-License-Identifier: Apache-2.0
--
-- A small app for the tests of releases: its answers say which version of it was loaded.
local words, shared = require "words", require "lib.shared"

return {
    name = "%(name)s", title = "%(name)s", version = "1", summary = "For the tests of releases.",
    prefixes = { "/%(name)s" }, envelope = function(e) return { error = { code = e.code, message = e.message } } end,
    timers = {
        tick = function(_, args)
            db.transaction(function(tx) tx.insert("marks", { said = words.said .. (args.said or "") }) end)
        end,
    },
    units = { {
        name = "all", summary = "All of it.",
        GET "/%(name)s/said" {
            summary = "What this version says", who = "anyone", returns = { [200] = any },
            run = function() return 200, { said = words.said, shared = shared } end,
        },
        GET "/%(name)s/slow" {
            summary = "Waits for a password's hash", who = "anyone", returns = { [200] = any },
            run = function()
                local before = words.said
                password.hash("correct horse battery")
                return 200, { before = before, after = words.said }
            end,
        },
        POST "/%(name)s/marks" {
            summary = "Set a timer", who = "anyone", body = { key = text, due = integer, said = optional(text) },
            returns = { [204] = "none" },
            run = function(req)
                db.transaction(function() timer.at(req.body.key, req.body.due, "tick", { said = req.body.said }) end)
                return 204
            end,
        },
        GET "/%(name)s/marks" {
            summary = "What timers did", who = "anyone", returns = { [200] = any },
            run = function()
                local out = ""
                for _, row in ipairs(db.all("SELECT said FROM marks ORDER BY id")) do
                    out = out .. row.said .. " "
                end
                return 200, { marks = out }
            end,
        },
    } },
}
"""
WORDS = 'return { said = "%s" }\n'
SPEC = """describe("words", function()
    it("are said", function()
        assert.are_not.equal("forbidden", require("words").said)
    end)
end)
"""


class Folder:
    """A folder of scripts: apps `one` and `two` made for this, and the chat app for its sockets."""

    def __init__(self, top, apps=("one", "two"), chat=True):
        self.top, self.scripts, self.db = top, top / "scripts", top / "db"
        self.scripts.mkdir(parents=True)
        self.db.mkdir()
        (self.db / "runtime").symlink_to(REPO / "db" / "runtime")
        self.write("lib/shared.lua", 'return "shared 1"\n')
        for app in apps:
            self.write(app + "/app.lua", TICKER % {"name": app})
            self.say("1", app)
            (self.db / app).mkdir()
            (self.db / app / "0001_create_marks.sql").write_text("CREATE TABLE marks (id INTEGER PRIMARY KEY, said TEXT);\n")
        if chat:
            shutil.copytree(REPO / "tests/support/chat/scripts/chat", self.scripts / "chat")
            (self.db / "chat").symlink_to(REPO / "tests/support/chat/db/chat")

    def path(self, name):
        return self.scripts / name

    def write(self, name, text):
        """As an editor does it: a new file takes the old one's name."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("." + path.name + ".part")
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)

    def say(self, word, app="one"):
        self.write(app + "/words.lua", WORDS % word)

    def edit(self, name, old, new):
        text = self.path(name).read_text(encoding="utf-8")
        assert old in text, "%r in %s" % (old, name)
        self.write(name, text.replace(old, new))

    def options(self, **more):
        return {"scripts": self.scripts, "db": self.db, **more}


def status(server):
    r = server.command("status", "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def app_status(server, app):
    return next(a for a in status(server)["apps"] if a["name"] == app)


def releases(server):
    r = server.command("releases", "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def reload(server, expect=0):
    r = server.command("reload")
    assert r.returncode == expect, "status %d: %s%s" % (r.returncode, r.stdout, r.stderr)
    return r.stdout + r.stderr


class LogMark:
    """What the log says from here on."""

    def __init__(self, server):
        self.log, self.at = server.log, len(server.log.lines)

    def wait_for(self, *parts, seconds=60):
        """The first later line that has all of these."""
        with self.log.changed:
            def found():
                return next((x for x in self.log.lines[self.at:] if all(p in x for p in parts)), None)
            self.log.changed.wait_for(lambda: found() or self.log.ended, seconds)
            line = found()
        assert line is not None, "the log never said %s:\n%s" % (parts, "\n".join(self.log.lines[self.at:][-20:]))
        return line

    def number(self, app, seconds=60):
        """Waits for the app's next release; its number."""
        line = self.wait_for("a release is live", '"app":"%s"' % app, seconds=seconds)
        return int(json.loads(line)["release"])

    def refused(self, app, seconds=60):
        return json.loads(self.wait_for("a release was refused", '"app":"%s"' % app, seconds=seconds))["error"]


class Load:
    """Threads that ask without pause; what did not go well is in `failed`."""

    def __init__(self, server, paths, threads=4):
        self.server, self.paths, self.stop = server, paths, threading.Event()
        self.done, self.failed, self.said = [0] * threads, [], set()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(threads)]

    def _run(self, i):
        c = Client(self.server.port)
        while not self.stop.is_set():
            path = self.paths[self.done[i] % len(self.paths)]
            try:
                r = c.get(path)
                if r.status != 200:
                    self.failed.append(str(r))
            except Exception as e:     # every failure counts, of whatever kind
                self.failed.append(repr(e))
            self.done[i] += 1
        c.close()

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()

    @property
    def count(self):
        return sum(self.done)


def resident(server):
    """Resident memory in bytes."""
    with open("/proc/%d/statm" % server.proc.pid) as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors(server):
    return len(list(pathlib.Path("/proc/%d/fd" % server.proc.pid).iterdir()))


@contextlib.contextmanager
def socket_of(server, path="/ws/room"):
    from .sockets import Socket
    s = Socket(server.port, path)
    try:
        yield s
    finally:
        s.sock.close()
