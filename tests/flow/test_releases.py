"""Releases: scripts that are saved while the server answers go live, or are refused and change nothing."""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import stat
import subprocess
import threading

import pytest

from support.client import Client
from support.saving import (SPEC, WORDS, Folder, Load, LogMark, app_status, descriptors, releases, reload, resident,
                            socket_of, status)
from support.server import BINARY, command, environment
from support.sockets import Socket
from support.threads import Threads

TOKEN = "an-admin-token-of-more-than-32-characters"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Folder(tmp_path_factory.mktemp("saved"))


@pytest.fixture(scope="module")
def server(start_server, folder):
    return start_server(**folder.options(args=["--workers", "2"], env={"PERIGEE_ADMIN_TOKEN": TOKEN}))


@pytest.fixture
def whole(server, folder):
    """All apps serve what lies in the folder when the test begins, and the folder is put back after it."""
    reload(server)
    kept = {p: p.read_text(encoding="utf-8") for p in folder.scripts.rglob("*") if p.is_file()}
    yield LogMark(server)
    folder.scripts.mkdir(exist_ok=True)
    for path in [p for p in folder.scripts.rglob("*") if p.is_file() and p not in kept]:
        path.unlink()
    for path, text in kept.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            folder.write(path.relative_to(folder.scripts), text)
    reload(server)
    assert status(server)["error"] is None


def said(server, app="one"):
    return server.client.get("/%s/said" % app).expect(200)["said"]


def admin(server, method="POST", path="/admin/reload", token=TOKEN):
    return server.connect(token=token).request(method, path)


# ---- saving ----------------------------------------------------------------------------------------------------------

def test_a_saved_file_goes_live(server, folder, whole):
    before = status(server)["release"]
    folder.say("saved")
    number = whole.number("one")
    assert number == before + 1 == status(server)["release"]
    assert said(server) == "saved" and said(server, "two") == "1"
    assert app_status(server, "one")["release"] == number and app_status(server, "two")["release"] < number


@pytest.mark.parametrize("how", ["in place", "renamed", "new folder", "removed", "many"])
def test_the_ways_to_save(server, folder, whole, how):
    if how == "in place":
        folder.path("one/words.lua").write_text(WORDS % how)
    elif how == "renamed":
        folder.say(how)
    elif how == "new folder":
        folder.write("one/new/deep/words.lua", WORDS % how)
        whole.number("one")
        mark = LogMark(server)
        folder.edit("one/app.lua", 'require "words"', 'require "new.deep.words"')
        mark.number("one")
        mark = LogMark(server)
        folder.write("one/new/deep/words.lua", WORDS % "deeper")     # the new folders are watched too
        mark.number("one")
        assert said(server) == "deeper"
        return
    elif how == "removed":
        folder.write("one/spare.lua", "return 1\n")
        whole.number("one")
        mark = LogMark(server)
        folder.path("one/spare.lua").unlink()
        mark.number("one")
        return
    else:
        for i in range(30):
            folder.write("one/many/m%d.lua" % i, "return %d\n" % i)
        folder.say(how)
        before = releases(server)[0]["number"]
        whole.number("one")
        assert reload(server) and releases(server)[0]["number"] - before < 10, "files saved together go live together"
        assert said(server) == how
        return
    whole.number("one")
    assert said(server) == how


def test_what_editors_leave_behind_is_nothing(server, folder, whole):
    before = status(server)["release"]
    for name in ("one/.words.lua.swp", "one/#words.lua#", "one/words.lua~"):
        folder.path(name).write_text("not Lua")
    folder.say("after them")
    whole.number("one")
    assert status(server)["release"] == before + 1 and not whole.log.text().count("not Lua")


def test_what_serves_already_is_no_release(server, folder, whole):
    before = status(server)["release"]
    folder.write("one/words.lua", folder.path("one/words.lua").read_text())
    assert "serves these scripts already" in reload(server)
    assert status(server)["release"] == before


def test_a_change_of_lib_reaches_all_apps(server, folder, whole):
    folder.write("lib/shared.lua", 'return "shared 2"\n')
    numbers = {whole.number(app) for app in ("one", "two", "chat")}
    assert len(numbers) == 1, "one release"
    assert {server.client.get("/%s/said" % app).expect(200)["shared"] for app in ("one", "two")} == {"shared 2"}


# ---- what is broken --------------------------------------------------------------------------------------------------

BROKEN = {
    "syntax": ("one/words.lua", "return {\n    said = = 1\n}\n", r"one/words\.lua:2: "),
    "at load": ("one/words.lua", "local x\nlocal function f() return x.y end\nreturn f()\n",
                r"one/words\.lua:2: [\s\S]*stack traceback"),
    "manifest": ("one/app.lua", 'return { name = "one", prefixes = { "/one" }, units = { 5 }, timers = { tick = print } }\n',
                 r"one/app\.lua|units"),
    "name": ("one/app.lua", 'return { name = "eins" }\n', r"eins|app\.lua"),
    "another's path": ("one/app.lua", None, r"two|prefix"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_changes_nothing(server, folder, whole, name):
    file, text, expected = BROKEN[name]
    before = status(server)["release"]
    if text is None:
        folder.edit(file, 'prefixes = { "/one" }', 'prefixes = { "/one", "/two" }')
    else:
        folder.write(file, text)
    assert re.search(expected, whole.refused("one")), "in the log"
    assert said(server) == "1"
    state = status(server)
    assert state["release"] == before and re.search(expected, state["error"]), "in the status"
    assert re.search(expected, app_status(server, "one")["error"]) and app_status(server, "two")["error"] is None
    text = server.command("status").stdout
    assert re.search(expected, text) and "refused at" in text, text
    assert re.search(expected, reload(server, 1)), "said by reload"
    e = admin(server).expect(409)
    assert re.search(expected, e["error"]["message"]) and e["error"]["code"] == "RELEASE_REFUSED" and e["release"] == before


def test_a_script_that_never_loads(server, folder, whole):
    folder.write("one/words.lua", "while true do end\n")
    assert re.search(r"ran longer[\s\S]*one/words\.lua:1", whole.refused("one")) and said(server) == "1"


def test_mending_it_clears_the_error(server, folder, whole):
    folder.write("one/words.lua", "nonsense\n")
    whole.refused("one")
    folder.say("mended")
    whole.number("one")
    assert status(server)["error"] is None and said(server) == "mended"


def test_taking_it_back_clears_the_error(server, folder, whole):
    text = folder.path("one/words.lua").read_text()
    folder.write("one/words.lua", "nonsense\n")
    whole.refused("one")
    folder.write("one/words.lua", text)
    assert "already" in reload(server)
    assert status(server)["error"] is None


def test_a_broken_app_does_not_stop_the_other(server, folder, whole):
    folder.write("one/words.lua", "nonsense\n")
    whole.refused("one")
    folder.say("two goes on", "two")
    whole.number("two")
    assert said(server) == "1" and said(server, "two") == "two goes on"
    assert app_status(server, "one")["error"] and not app_status(server, "two")["error"]


def test_both_at_once(server, folder, whole):
    """In one reading of the folder: what is good goes live."""
    folder.write("one/words.lua", "nonsense\n")
    folder.say("good", "two")
    text = reload(server, 1)
    assert said(server, "two") == "good" and said(server) == "1"
    assert "one/words.lua:2" in text and "one/words.lua:2" in whole.refused("one")


def test_an_app_that_is_gone_keeps_serving(server, folder, whole):
    text = folder.path("one/app.lua").read_text()
    folder.path("one/app.lua").unlink()
    error = whole.refused("one")
    assert "app" in error and said(server) == "1" and app_status(server, "one")["error"]
    folder.write("one/app.lua", text)


def test_a_scripts_folder_that_vanishes(server, folder, whole):
    away = folder.top / "away"
    folder.scripts.rename(away)
    assert "cannot read the folder" in whole.refused("one")
    assert said(server) == "1" and said(server, "two") == "1"
    (away / "one" / "words.lua").write_text(WORDS % "back again")
    mark = LogMark(server)
    away.rename(folder.scripts)
    mark.number("one")
    assert said(server) == "back again"
    mark = LogMark(server)
    folder.say("still watched")
    mark.number("one")


@pytest.mark.parametrize("what", ["link", "pipe", "large"])
def test_what_is_no_script(server, folder, whole, what):
    path = folder.path("one/odd.lua")
    if what == "link":
        path.symlink_to("/etc/passwd")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"-" * ((1 << 20) + 1))
    assert "one/odd.lua" in reload(server, 1) and said(server) == "1"
    path.unlink()


def test_a_file_that_is_saved_again_and_again(server, folder, whole):
    """The server waits for a pause, but not for ever."""
    with Saving(folder):
        whole.number("one")
    folder.say("at last")
    reload(server)
    assert said(server) == "at last"


class Saving:
    """Saves a file without pause."""

    def __init__(self, folder):
        self.folder, self.stop, self.thread = folder, threading.Event(), threading.Thread(target=self._run, daemon=True)

    def _run(self):
        n = 0
        while not self.stop.wait(0.01):
            n += 1
            self.folder.say("version %d" % n)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


# ---- specs -----------------------------------------------------------------------------------------------------------

def test_a_failing_spec_refuses_the_release(server, folder, whole):
    folder.write("one/spec/words_spec.lua", SPEC)
    assert whole.number("one")
    mark = LogMark(server)
    folder.say("forbidden")
    error = mark.refused("one")
    assert "specs failed" in error and "one/spec/words_spec.lua" in error and "are said" in error, error
    assert said(server) == "1"
    folder.say("allowed")
    mark.number("one")
    assert said(server) == "allowed"
    assert not list((server.data / "tmp").iterdir()), "nothing is left of the specs"


def test_much_output_of_a_spec(server, folder, whole):
    folder.write("one/spec/words_spec.lua", SPEC.replace(
        'assert.are', 'for i = 1, 20000 do print("line " .. i .. string.rep("x", 50)) end\n        assert.are'))
    whole.number("one")
    mark = LogMark(server)
    folder.say("forbidden")
    error = mark.refused("one")
    assert "specs failed" in error
    error = app_status(server, "one")["error"]
    assert "are said" in error and len(error) < 200000, "its end is kept: %r" % error[-300:]


def test_saving_again_ends_a_spec_that_never_ends(server, folder, whole):
    """Nobody has to wait for it: the next save begins anew."""
    folder.write("one/spec/words_spec.lua", 'it("waits", function() print("begun") io.popen("sleep 1000"):read("a") end)\n')
    wait_for_specs(server, folder)
    assert status(server)["making"] and said(server) == "1", "it is not waited for"
    folder.path("one/spec/words_spec.lua").unlink()
    folder.say("impatient")
    whole.number("one")
    assert said(server) == "impatient"
    assert not list((server.data / "tmp").iterdir())


def checkers(server):
    return [pid for pid in children(server) if b"\0--standing\0" in cmdline(pid)]


NAMED = """local names = require "names"
return { said = "named", set = function() timer.at("key", 1, names.timer) end }
"""


def test_a_file_that_the_check_knows_is_checked_again(server, folder, whole):
    """Its process stays and reads changed files only; what changes around a file may still break it."""
    folder.write("one/names.lua", 'return { timer = "tick" }\n')
    folder.write("one/words.lua", NAMED)
    whole.number("one")
    known = checkers(server)
    assert len(known) == 1
    for timer, good in (("gone", False), ("lost", False), ("tick", True)):
        mark = LogMark(server)
        folder.write("one/names.lua", 'return { timer = "%s" } -- again\n' % timer)
        if good:
            mark.number("one")
        else:
            assert 'one/words.lua:2:62: timer.at: there is no timer "%s"' % timer in mark.refused("one")
    mark = LogMark(server)
    folder.edit("one/app.lua", 'tick = function', 'tock = function')
    assert 'one/words.lua:2:62: timer.at: there is no timer "tick"' in mark.refused("one")
    assert checkers(server) == known


def test_the_process_of_the_check_may_end(server, folder, whole):
    folder.say("before")
    whole.number("one")
    known = checkers(server)
    os.kill(int(known[0]), signal.SIGKILL)
    mark = LogMark(server)
    folder.say("after")
    mark.number("one")
    assert said(server) == "after" and len(checkers(server)) == 1 and checkers(server) != known


def test_a_server_that_stops_leaves_no_check(start_server, tmp_path):
    folder = Folder(tmp_path / "top", chat=False)
    server = start_server(**folder.options())
    mark = LogMark(server)
    folder.say("live")
    mark.number("one")
    pids = checkers(server)
    server.stop()
    assert pids and not any(pathlib.Path("/proc/%s" % pid).exists() for pid in pids)


def wait_for_specs(server, folder):
    """Until the specs' process is there."""
    import select
    import time
    end = time.monotonic() + 30
    while not any(b"\0test\0" in cmdline(pid) for pid in children(server)):
        assert time.monotonic() < end
        select.select([], [], [], 0.01)


def cmdline(pid):
    try:
        return pathlib.Path("/proc/%s/cmdline" % pid).read_bytes()
    except OSError:     # it has ended
        return b""


def children(server):
    out = []
    for task in pathlib.Path("/proc/%d/task" % server.proc.pid).iterdir():
        try:
            out += (task / "children").read_text().split()
        except OSError:
            pass
    return out


def test_a_server_that_stops_does_not_wait_for_specs(start_server, tmp_path):
    folder = Folder(tmp_path / "top", chat=False)
    server = start_server(**folder.options(args=["--env", "development"]))
    folder.write("one/spec/words_spec.lua", 'it("waits", function() io.popen("sleep 1000"):read("a") end)\n')
    wait_for_specs(server, folder)
    pids = children(server)
    asked = subprocess.Popen([BINARY, "reload", "--data", str(server.data)], env=environment(), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    server.stop()
    assert not any(pathlib.Path("/proc/%s" % pid).exists() for pid in pids), "its specs are gone"
    out, err = asked.communicate(timeout=30)
    assert asked.returncode == 1 and ("stopping" in err or "no server" in err or "went away" in err), out + err
    assert not list((server.data / "tmp").iterdir())


def test_what_only_the_check_sees_is_refused(start_server, tmp_path):
    """Loading such a file works: the statement is prepared when somebody asks."""
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options(args=["--watch", "off"]))
    folder.edit("one/app.lua", "SELECT said FROM marks", "SELECT sad FROM marks")
    text = reload(server, 1)
    assert "the check found errors" in text and "one/app.lua:40:38" in text and "no such column: sad" in text, text
    assert status(server)["release"] == 1 and "no such column" in status(server)["error"]
    server.client.get("/one/marks").expect(200)


def test_the_check_can_be_left_out(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options(args=["--watch", "off", "--release-check", "off"]))
    folder.edit("one/app.lua", "SELECT said FROM marks", "SELECT sad FROM marks")
    reload(server)
    assert server.client.get("/one/marks").status == 500


def test_without_busted(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options(args=["--watch", "off"], env={"LUA_PATH_5_4": "/nowhere/?.lua"}))
    folder.write("one/spec/words_spec.lua", SPEC)
    assert "lua-busted" in reload(server, 1)


def test_specs_can_be_left_out(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options(args=["--watch", "off", "--release-specs", "off"]))
    folder.write("one/spec/words_spec.lua", SPEC)
    folder.say("forbidden")
    reload(server)
    assert said(server) == "forbidden"


# ---- history ---------------------------------------------------------------------------------------------------------

def test_the_list_of_releases(server, folder, whole):
    folder.say("listed")
    number = whole.number("one")
    newest = releases(server)[0]
    assert newest["number"] == number and newest["reason"] == "save" and newest["who"] == "watch"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", newest["at"])
    apps = {a["name"]: a for a in newest["apps"]}
    assert set(apps) == {"one", "two", "chat"} and apps["one"]["files_changed"] == 1 and apps["two"]["files_changed"] == 0
    assert apps["one"]["hash"] == app_status(server, "one")["hash"] and len(apps["one"]["hash"]) == 64
    numbers = [r["number"] for r in releases(server)]
    assert numbers == sorted(numbers, reverse=True)
    assert re.search(r"^ *%d +\S+ +watch +save +one \w{12} \(1 file\)$" % number, server.command("releases").stdout, re.M)


def test_diff_and_rollback(server, folder, whole):
    first = status(server)["release"]
    folder.say("worse")
    second = whole.number("one")
    text = server.command("diff", first, second)
    assert text.returncode == 0 and '-return { said = "1" }\n+return { said = "worse" }' in text.stdout
    assert text.stdout.count("+++") == 1, "nothing else differs"
    r = server.command("rollback", first)
    assert r.returncode == 0 and "one is live" in r.stdout and "scripts folder" in r.stdout, r.stdout + r.stderr
    assert said(server) == "1" and status(server)["release"] == second + 1
    newest = releases(server)[0]
    assert newest["reason"] == "rollback to %d" % first and newest["who"] == pwd.getpwuid(os.getuid()).pw_name
    assert server.command("diff", first, second + 1).stdout == ""
    assert '+return { said = "worse" }' in server.command("diff", second + 1).stdout, "what a reload would change"
    assert "already" in server.command("rollback", first).stdout
    reload(server)
    assert said(server) == "worse"


@pytest.mark.parametrize("args, code, words", [
    (("rollback", "99999"), 1, "there is no release 99999"), (("rollback", "x"), 2, "usage"), (("rollback",), 2, "usage"),
    (("diff", "1", "99999"), 1, "there is no release 99999"), (("diff", "x"), 1, "not the number"), (("diff",), 2, "usage"),
    (("reload", "now"), 2, "no arguments"),
])
def test_wrong_use(server, args, code, words):
    r = server.command(*args)
    assert r.returncode == code and words in r.stderr, r.stdout + r.stderr


def test_commands_without_a_server(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(wait=False, data=tmp_path / "data", **folder.options())
    for args in (("status",), ("reload",), ("rollback", "1")):
        r = server.command(*args)
        assert r.returncode == 1 and "data" in r.stderr, r.stderr
    for args in (("releases",), ("diff", "1")):
        r = server.command(*args)
        assert r.returncode == 1 and "no release was made" in r.stderr, r.stderr
    assert not (tmp_path / "data").exists(), "asking makes nothing"
    server.start()
    folder.say("later")
    LogMark(server).number("one")
    server.stop()
    assert [r["number"] for r in releases(server)] == [2, 1]
    assert "no server runs" in server.command("status").stderr
    server.start()
    assert status(server)["release"] == 2, "the same scripts keep their number"
    folder.say("while it is down")
    server.restart()
    assert status(server)["release"] > 2 and releases(server)[0]["number"] == status(server)["release"]


def test_the_history_is_in_the_backup(server, tmp_path):
    assert server.command("backup", tmp_path / "b.tar").returncode == 0
    where = ["--data", tmp_path / "new", "--scripts", server.scripts]
    r = command("restore", tmp_path / "b.tar", *where)
    assert r.returncode == 0, r.stderr
    there = json.loads(command("releases", "--json", *where).stdout)
    assert there and there == releases(server)


def test_a_full_disk_while_a_release_is_written(start_server, tmp_path):
    import resource
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(wait=False, data=tmp_path / "data", **folder.options(args=["--watch", "off"]))
    server.start(restore_signals=False)
    for i in range(10):
        folder.write("one/large_%d.lua" % i, "--" + str(i) * 90000 + "\nreturn 1\n")
    largest = max(f.stat().st_size for f in server.data.rglob("*") if f.is_file())
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (largest + 100000, resource.RLIM_INFINITY))
    text = reload(server, 1)
    assert "history" in text and said(server) == "1" and status(server)["release"] == 1, text
    assert "history" in status(server)["error"]
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    reload(server)
    assert status(server)["release"] == 2 and status(server)["error"] is None


# ---- other ways to ask -----------------------------------------------------------------------------------------------

def test_production_waits_to_be_asked(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options(mode="production"))
    folder.say("asked for")
    assert status(server)["watching"] is False and said(server) == "1"
    reload(server)
    assert said(server) == "asked for"
    folder.say("by signal")
    mark = LogMark(server)
    server.proc.send_signal(signal.SIGHUP)
    mark.number("one")
    assert said(server) == "by signal" and releases(server)[0]["who"] == "signal"
    for path in ("/admin/reload", "/admin/status"):
        for method in ("GET", "POST"):
            assert server.connect(token=TOKEN).request(method, path).status == 404, "without a token they are not there"


def test_the_admin_endpoints(server, folder, whole):
    for token in (None, "wrong", TOKEN[:-1], TOKEN + "x"):
        r = admin(server, token=token)
        assert r.status == 401 and r.header("www-authenticate") == "Bearer", r
        assert admin(server, "GET", "/admin/status", token).status == 401
    assert admin(server, "GET").status == 405 and admin(server, "POST", "/admin/status").header("allow") == "GET"
    assert admin(server, path="/admin/other").status == 404
    r = admin(server).expect(200)
    assert r["release"] == status(server)["release"] and "already" in r["message"]
    state = admin(server, "GET", "/admin/status").expect(200)
    assert {k: v for k, v in state.items() if k != "making"} == {k: v for k, v in status(server).items() if k != "making"}
    folder.say("over http")
    r = admin(server).expect(200)
    assert said(server) == "over http" and r["release"] == status(server)["release"]


def test_the_admin_token_is_a_secret(start_server, tmp_path, server):
    r = server.command("config", "--json")
    assert json.loads(r.stdout)["admin-token"]["value"] == "set" and TOKEN not in r.stdout
    assert TOKEN not in server.log.text()
    bad = server.command("config", env={"PERIGEE_ADMIN_TOKEN": "short"})
    assert bad.returncode == 2 and "32" in bad.stderr and "short" not in bad.stderr.replace("too short", ""), bad.stderr


def test_an_answer_says_its_release_when_asked(server, folder, whole):
    assert server.client.get("/one/said").header("x-perigee-release") is None
    folder.say("numbered")
    number = whole.number("one")
    ask = {"X-Perigee-Release": "?"}
    assert server.client.get("/one/said", headers=ask).header("x-perigee-release") == str(number)
    assert server.client.get("/two/said", headers=ask).header("x-perigee-release") == str(app_status(server, "two")["release"])
    assert server.client.get("/nowhere", headers=ask).header("x-perigee-release") == str(number)


def test_the_control_socket_is_its_owners(server):
    path = server.data / "perigee.sock"
    mode = path.stat()
    assert stat.S_ISSOCK(mode.st_mode) and stat.S_IMODE(mode.st_mode) == 0o600 and mode.st_uid == os.getuid()
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("another user can be tried by root with setpriv only")
    folder = server.data
    try:        # the folder itself keeps others out; opened, the socket still does
        for part in (folder, *folder.parents):
            if part.stat().st_uid == 0 and part != pathlib.Path("/"):
                os.chmod(part, stat.S_IMODE(part.stat().st_mode) | 0o011)
        r = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
                            "import socket; socket.socket(socket.AF_UNIX).connect(%r)" % str(path)],
                           capture_output=True, text=True, timeout=30)
        assert r.returncode != 0 and "PermissionError" in r.stderr, r.stderr
    finally:
        os.chmod(folder, 0o700)


def test_garbage_on_the_control_socket(server):
    import socket as sockets
    for said_ in (b"", b"dance\n", b"reload", b"x" * 200000 + b"\n", b"rollback 999999999999999999999\n"):
        with sockets.socket(sockets.AF_UNIX) as s:
            folder = os.open(server.data, os.O_RDONLY)
            s.connect("/proc/self/fd/%d/perigee.sock" % folder)
            os.close(folder)
            try:
                s.sendall(said_)
                s.shutdown(sockets.SHUT_WR)
                s.settimeout(30)
                got = s.recv(1000)
            except (BrokenPipeError, ConnectionResetError):
                got = b""
            assert got[:1] in (b"", b"1", b"2"), got
    assert status(server)["release"] > 0


# ---- what is in flight -----------------------------------------------------------------------------------------------

def test_a_request_ends_on_the_release_it_began_on(server, folder, whole):
    """It waits for a password's hash while the swap happens; many of them wait long enough."""
    conns = [Client(server.port) for _ in range(12)]
    for c in conns:
        c.get("/one/said").expect(200)
        c.conn.send(c.prepare("GET", "/one/slow", headers={"X-Perigee-Release": "?"}))
    folder.say("meanwhile")
    number = whole.number("one")
    assert said(server) == "meanwhile"
    answers = [c.conn.response() for c in conns]
    for r in answers:
        v = r.expect(200)
        assert v["before"] == v["after"], "half of it ran on another release"
        assert (v["after"] == "meanwhile") == (int(r.header("x-perigee-release")) == number)


def test_a_socket_stays_on_its_release(server, folder, whole):
    with socket_of(server) as s:
        s.do("count")
        assert s.json()["n"] == 1
        folder.edit("chat/events.lua", "(socket.data.n or 0) + 1", "(socket.data.n or 0) + 100")
        whole.number("chat")
        assert status(server)["retired"] == 1
        s.do("count")
        assert s.json()["n"] == 2, "the old rule, and its own data"
        with socket_of(server) as t:
            t.do("count")
            assert t.json()["n"] == 100
            server.client.post("/chat/room/lines", {"said": "to all"}).expect(201)
            assert t.close() == 1000
        assert s.close() == 1000
    wait_retired(server, 0)


def wait_retired(server, n):
    import select
    import time
    end = time.monotonic() + 30
    while status(server)["retired"] != n:
        assert time.monotonic() < end, status(server)
        select.select([], [], [], 0.01)


def test_events_reach_sockets_of_both_releases(server, folder, whole):
    with socket_of(server) as s:
        s.do("join", room="both")
        assert s.json()["joined"]
        folder.edit("chat/events.lua", '"Sockets."', '"Sockets, anew."')
        whole.number("chat")
        with socket_of(server) as t:
            t.do("join", room="both")
            assert t.json()["joined"]
            server.client.post("/chat/both/lines", {"said": "hear"}).expect(201)
            assert s.json()["said"] == t.json()["said"] == "hear"


def test_old_sockets_are_closed_when_there_are_too_many_releases(start_server, tmp_path):
    """Eight former releases stay for them on each worker; the sockets of older ones are asked to come again."""
    folder = Folder(tmp_path / "top", apps=())
    server = start_server(**folder.options(args=["--workers", "1"]))
    sockets = []
    try:
        for _ in range(12):
            sockets += [Socket(server.port, "/ws/room") for _ in range(2)]
            mark = LogMark(server)
            folder.edit("chat/events.lua", '"Listen to a room', '"Listen to a room.')
            mark.number("chat")
        for s in sockets[:8]:       # of the first four of twelve
            assert s.close_code() == 1012
        wait_retired(server, 8)
        for s in sockets[8:]:
            s.do("echo", value="here")
            assert s.json() == "here"
    finally:
        for s in sockets:
            s.sock.close()
    wait_retired(server, 0)


def test_timers_use_the_new_scripts(server, folder, whole):
    c = server.client
    before = c.get("/one/marks").expect(200)["marks"]
    c.post("/one/marks", {"key": "a", "due": server.now() + 60, "said": "!"}).expect(204)
    c.post("/one/marks", {"key": "b", "due": server.now() + 120, "said": "?"}).expect(204)
    server.advance(61)
    folder.say("new")
    whole.number("one")
    server.advance(60)
    assert c.get("/one/marks").expect(200)["marks"] == before + "1! new? "


def test_a_timer_that_waits_keeps_its_function(server, folder, whole):
    c = server.client
    c.post("/one/marks", {"key": "late", "due": server.now() + 600}).expect(204)
    folder.edit("one/app.lua", '"tick"', 'string.lower "TICK"')      # which no check can see
    whole.number("one")
    folder.edit("one/app.lua", "tick = function", "tock = function")
    error = whole.refused("one")
    assert "no timer 'tick'" in error and "1 that were set" in error, error
    server.advance(601)
    reload(server)      # none waits any more
    assert status(server)["error"] is None


def test_counters_do_not_go_back(server, folder, whole):
    name = 'perigee_requests_total{app="one",method="GET",route="/one/said",status="2xx"}'
    said(server)
    seen = server.metrics()[name]
    with socket_of(server):       # also while a former release is still used
        for i in range(5):
            said(server)
            mark = LogMark(server)
            folder.say("count %d" % i)
            if i % 2:
                folder.edit("chat/events.lua", '"Sockets', '"Sockets ')
                mark.number("chat")
            mark.number("one")
            now = server.metrics()
            assert now[name] == seen + 1, "neither lost nor counted twice"
            seen = now[name]
    assert now["perigee_release"] == status(server)["release"]


def test_fifty_saves_under_load(server, folder, whole):
    """No request fails, no answer is of anything but a release that was saved."""
    allowed = {"1"}
    with Load(server, ["/one/said", "/two/said"]) as load:
        for i in range(50):
            allowed.add("load %d" % i)
            mark = LogMark(server)
            folder.say("load %d" % i)
            mark.number("one")
    assert load.failed == [] and load.count > 50, load.failed[:3]
    assert said(server) == "load 49"


def test_reloads_at_once(server, folder, whole):
    """Commands, HTTP and saves come together: each gets its answer."""
    def command():
        return server.command("reload").returncode

    def http():
        return 0 if admin(server).status == 200 else 1

    def save():
        folder.say("together")
        return 0
    assert Threads([command, http, save, command, http]).join() == [0] * 5
    reload(server)
    assert said(server) == "together"


def test_a_stop_while_releases_are_made(start_server, tmp_path):
    """In the middle of saves and load the server ends with status 0, and the next start is whole."""
    folder = Folder(tmp_path / "top")
    server = start_server(**folder.options())
    for i in range(3):
        with Load(server, ["/one/said"], threads=2):
            folder.write("lib/shared.lua", 'return "stop %d"\n' % i)
            LogMark(server).wait_for("")
            server.stop()
        server.start()
        assert server.client.get("/one/said").expect(200)["shared"] == "stop %d" % i
    assert not list((server.data / "tmp").iterdir())


def test_a_kill_while_specs_run_leaves_nothing(start_server, tmp_path):
    folder = Folder(tmp_path / "top", apps=("one",), chat=False)
    server = start_server(**folder.options())
    folder.write("one/spec/words_spec.lua", 'it("waits", function() io.popen("sleep 1000"):read("a") end)\n')
    wait_for_specs(server, folder)
    pids = children(server)
    server.kill()
    for pid in pids:
        os.killpg(int(pid), signal.SIGKILL)
    folder.path("one/spec/words_spec.lua").unlink()
    server.start()
    assert not list((server.data / "tmp").iterdir())


# ---- nothing leaks ---------------------------------------------------------------------------------------------------

def test_many_reloads_do_not_grow(start_server, tmp_path, figure):
    """Thirty in the everyday run; PERIGEE_LONG=1 makes a thousand of them."""
    n = 1000 if os.environ.get("PERIGEE_LONG") else 30
    folder = Folder(tmp_path / "top", apps=("one",))
    server = start_server(**folder.options(args=["--workers", "2", "--watch", "off"]))

    def cycle(i):
        folder.say("cycle %d" % i)
        reload(server)
        assert said(server) == "cycle %d" % i
    for i in range(10):
        cycle(-i - 1)
    wait_retired(server, 0)
    before, files = resident(server), descriptors(server)
    for i in range(n):
        cycle(i)
    wait_retired(server, 0)
    after = resident(server)
    figure("releases: %d reloads, resident memory %.1f MB before, %.1f MB after" % (n, before / 1e6, after / 1e6))
    assert descriptors(server) <= files + 4
    if "asan" not in BINARY:        # which keeps what was freed for a while
        assert after < before + 30e6
    assert len(releases(server)) <= 200


def test_nothing_is_left_in_the_data_folder(server):
    allowed = {"perigee.key", "perigee.lock", "perigee.sock", "tmp"}
    names = {re.sub(r"\.db(-wal|-shm)?$", ".db", p.name) for p in server.data.iterdir()}
    assert names - allowed == {"one.db", "two.db", "chat.db", "releases.db"}
    assert not list((server.data / "tmp").iterdir())
    assert (server.data / "releases.db").stat().st_mode & 0o077 == 0
