# SPDX-License-Identifier: Apache-2.0
"""The console through the real command and through its socket."""
import contextlib
import json
import os
import socket
import stat

import pytest

from support.people import User
from support.saving import Folder, reload
from support.server import command
from support.sockets import Listener, Socket


SERVER = {"args": ["--demo", "on", "--workers", "2"]}


def run(server, code, *args):
    return server.command("console", "focusflow", "-e", code, *args)


def value(server, code, *args):
    r = run(server, code, *args)
    assert r.returncode == 0, r.stderr
    return r.stdout.rstrip("\n")


@contextlib.contextmanager
def started(start_server, **options):
    """A server of the test's own, with minutes for a statement."""
    server = start_server(args=["--demo", "on", "--workers", "1", "--statement-ms", "600000", "--script-ms", "600000"],
                          **options)
    yield server
    server.stop()


class Line:
    """A conversation, frame by frame; app=None: with whichever app comes first."""

    def __init__(self, server, app="focusflow", **first):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(20)
        folder = os.open(server.data, os.O_PATH)
        self.s.connect("/proc/self/fd/%d/perigee.sock" % folder)
        os.close(folder)
        self.s.sendall(("console %s\n" % json.dumps({"version": 1, **({"app": app} if app else {}), **first})).encode())
        self.f = self.s.makefile("r")
        self.first = self.next()

    def send(self, **frame):
        self.s.sendall((json.dumps(frame) + "\n").encode())

    def next(self):
        return json.loads(self.f.readline())

    def eval(self, code, id=1):
        self.send(type="eval", id=id, code=code)
        return self.next()

    def texts(self, code):
        r = self.eval(code)
        assert r["type"] == "result", r
        return [v["text"] for v in r["values"]]

    def close(self):
        self.f.close()
        self.s.close()


@pytest.fixture
def line(server):
    c = Line(server)
    yield c
    c.close()


def test_expressions_print_their_values(server):
    assert value(server, "1 + 1") == "2"
    assert value(server, "= 'a\\nb'") == '"a\\nb"'
    assert value(server, "x = 5") == ""
    assert value(server, "{ b = 1, a = { 1, 2 } }") == "{ a = { 1, 2 }, b = 1 }"
    assert value(server, "1, nil, 'x'").split("\n") == ["1", "nil", '"x"']


def test_queries_are_tables_without_secrets(server):
    text = value(server, "db.all('SELECT id, username, password_hash FROM users ORDER BY id LIMIT 2')")
    lines = text.split("\n")
    assert lines[0].split() == ["id", "password_hash", "username"]
    assert "(secret)" in lines[1] and "argon" not in text and lines[-1] == "(2 rows)"


def test_json_has_one_value_per_line_and_no_secret(server):
    text = value(server, "db.one('SELECT id, password_hash FROM users ORDER BY id')", "--json")
    assert json.loads(text) == {"id": 1, "password_hash": "(secret)"}


def test_an_error_is_on_standard_error_with_its_place(server):
    r = run(server, "local t = nil\nreturn t.x")
    assert r.returncode == 1 and r.stdout == "" and "console:2" in r.stderr
    r = run(server, "x = 1 +* 2")
    assert r.returncode == 1 and "near '*'" in r.stderr


def test_no_server_is_said(tmp_path):
    r = command("console", "-e", "1", "--data", tmp_path)
    assert r.returncode == 1 and "no server runs" in r.stderr


@pytest.mark.parametrize("code", [
    "db.transaction(function(tx) tx.run 'DELETE FROM tasks' end)",
    "cache.set('a', 'b', 10)",
    "limit.take('a', 'b', 1, 10)",
    "timer.at('a', 1, 'x')",
    "db.all 'DELETE FROM tasks RETURNING id'",
])
def test_reading_is_all_that_is_allowed_outside_write(server, code):
    before = value(server, "db.value 'SELECT count(*) FROM tasks'")
    r = run(server, code)
    assert r.returncode == 1 and r.stderr
    assert value(server, "db.value 'SELECT count(*) FROM tasks'") == before


RENAME = "write(function(tx) return tx.update('users', { timezone = '%s' }, 'id = ?', 1) end)"
ZONE = "db.value 'SELECT timezone FROM users WHERE id = 1'"


def test_write_without_confirmation_changes_nothing(server):
    before = value(server, ZONE)
    r = run(server, RENAME % "Asia/Tokyo")
    assert r.returncode == 1 and "nothing was" in r.stderr
    assert value(server, ZONE) == before


def test_write_keeps_with_the_option(server):
    assert value(server, RENAME % "Europe/Rome", "--write") == "1"
    assert value(server, ZONE) == '"Europe/Rome"'


def test_a_confirmed_write_shows_its_effect_and_holds_nobody_up(server, line):
    asked = line.eval(RENAME % "Europe/Oslo")
    assert asked["type"] == "confirm"
    assert [(e["rows"], e["times"]) for e in asked["effects"]] == [(1, 1)]
    assert value(server, RENAME % "Europe/Bonn", "--write") == "1"    # the turn is free while somebody thinks
    line.send(type="answer", id=1, yes=True)
    assert line.next()["values"][0]["text"] == "1"
    assert value(server, ZONE) == '"Europe/Oslo"'


def test_a_declined_write_is_refused(server, line):
    before = value(server, ZONE)
    assert line.eval(RENAME % "Asia/Seoul")["type"] == "confirm"
    line.send(type="answer", id=1, yes=False)
    r = line.next()
    assert (r["type"], r["kind"]) == ("error", "refused")
    assert value(server, ZONE) == before


def test_an_effect_that_has_changed_is_not_kept(server, line):
    code = "write(function(tx) return tx.run(\"UPDATE users SET timezone = 'Asia/Baku' WHERE timezone = 'Asia/Amman'\") end)"
    assert line.eval(code)["effects"][0]["rows"] == 0
    assert run(server, RENAME % "Asia/Amman", "--write").returncode == 0
    line.send(type="answer", id=1, yes=True)
    r = line.next()
    assert r["type"] == "error" and "something else by now" in r["message"]
    assert value(server, ZONE) == '"Asia/Amman"'


def test_variables_stay_and_consoles_do_not_see_each_other(server, line):
    assert line.eval("local x = 41")["type"] == "result"
    assert line.texts("x + 1") == ["42"]
    assert value(server, "x") == "nil"


def test_unfinished_code_asks_for_more(line):
    assert line.eval("for i = 1, 2 do")["type"] == "incomplete"
    assert line.eval("for i = 1, 2 do\nprint(i) end")["text"] == "1"
    assert (line.next()["text"], line.next()["type"]) == ("2", "result")


def test_an_interrupt_ends_the_line_and_nothing_else(server, line):
    line.send(type="eval", id=7, code="print 'on' while true do pcall(function() while true do end end) end")
    assert line.next()["type"] == "print"
    assert server.client.get("/healthz").status == 200      # no client waits for a console
    line.send(type="interrupt")
    r = line.next()
    assert (r["type"], r["kind"], r["id"]) == ("error", "interrupted", 7)
    assert line.texts("1") == ["1"]


def test_an_interrupt_answers_a_question(line):
    assert line.eval(RENAME % "Asia/Kabul")["type"] == "confirm"
    line.send(type="interrupt")
    assert line.next()["kind"] == "interrupted"
    assert line.texts("2") == ["2"]


def test_a_client_that_goes_ends_its_line(server):
    c = Line(server)
    c.send(type="eval", id=1, code="print 'on' while true do end")
    assert c.next()["type"] == "print"
    c.close()
    outcomes = []
    with open(server.data / "console.log") as f:
        for _ in range(10000):
            outcomes += [json.loads(x) for x in f]
            if [r for r in outcomes if r["event"] == "end" and r["session"] == outcomes[-1]["session"]]:
                break
            server.client.get("/healthz")
    assert outcomes[-1]["outcome"] in ("interrupted", "deadline")


def test_memory_is_capped(line):
    r = line.eval("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end")
    assert r["type"] == "error" and "memory" in r["message"]
    assert line.texts("1") == ["1"]


def test_help_rules_and_routes(server):
    assert "timer.at(key: string" in value(server, "help 'timer.at'")
    assert "write(fn" in value(server, "help()")
    assert "/api/v1/tasks/" in value(server, "routes 'POST /api/v1/tasks'")
    assert "rules/permissions.lua" in value(server, "rules()")


def test_explain_names_the_clause(server):
    denied = value(server, "explain('member.invite', 7, { organization = { role = 'employee' } })")
    assert "denied (This takes the role manager" in denied and '["member.invite"] = "manager"' in denied
    assert "member.invite: allowed" in value(server, "explain('member.invite', 7, { organization = { role = 'admin' } })")


def test_why_tells_of_a_request(server):
    r = server.client.get("/api/v1/tasks/", headers={"X-Request-Id": "console-why-1"})
    assert r.status == 401
    text = value(server, "why 'console-why-1'")
    assert "GET /api/v1/tasks/" in text and "status     401" in text and "release    1" in text
    assert run(server, "why 'nobody-knows-it'").returncode == 1


def test_watching_requests_until_interrupted(server, line):
    line.send(type="eval", id=4, code="print 'on' watch.requests { status = 404 }")
    assert line.next()["type"] == "print"
    while True:     # the watch begins after the print: requests are made until one is seen
        server.client.get("/api/v1/nowhere/")
        server.client.get("/healthz")
        line.s.settimeout(0.2)
        try:
            frame = line.next()
            break
        except OSError:
            line.f = line.s.makefile("r")
    line.s.settimeout(20)
    assert (frame["type"], frame["kind"], frame["record"]["status"]) == ("watch", "request", 404)
    line.send(type="interrupt")
    while (frame := line.next())["type"] == "watch":
        assert frame["record"]["status"] == 404
    assert frame["type"] == "result"
    assert line.texts("1") == ["1"]


def test_watching_the_log(server):
    with_log, other = Line(server), Line(server)
    with_log.send(type="eval", id=1, code="print 'on' watch.log()")
    assert with_log.next()["type"] == "print"
    # the line is parked when the next frame is taken: completions then have no items
    with_log.send(type="complete", id=2, text="db.", cursor=3)
    assert with_log.next()["items"] == []
    assert other.eval("log.warn('seen in the console')")["type"] == "result"
    frame = with_log.next()
    assert frame["kind"] == "log" and "seen in the console" in frame["text"]
    with_log.close()
    other.close()


def test_watching_the_events_of_a_room(server, line):
    user = User(server)
    room = "user:%d" % user.id
    line.send(type="eval", id=9, code="print 'on' watch.events '%s'" % room)
    assert line.next()["type"] == "print"
    frame = None
    while frame is None:        # the watch begins after the print: sessions begin until one is seen
        user.start(user.task())
        line.s.settimeout(0.3)
        try:
            frame = line.next()
        except OSError:
            line.f = line.s.makefile("r")
            user.stop()
    line.s.settimeout(20)
    assert (frame["type"], frame["kind"], frame["record"]["room"]) == ("watch", "event", room)
    assert value(server, "events.count '%s'" % room) == "0", "who only looks on is not counted"
    line.send(type="interrupt")
    while (frame := line.next())["type"] == "watch":
        pass
    assert frame["type"] == "result"
    assert line.texts("1") == ["1"]


@pytest.mark.parametrize("room", ["''", "('x'):rep(201)", "{}", "nil"])
def test_a_room_that_there_cannot_be_is_an_error(server, room):
    assert run(server, "watch.events(%s)" % room).returncode == 1


def test_sessions_and_releases_are_listed(server):
    user = User(server)
    with contextlib.closing(Listener(Socket(server.port, "/ws/pomodoro/?token=" + user.access))) as s:
        assert s.open()
        workers, sockets, consoles = value(server, "sessions()", "--json").split("\n")
        assert [w["worker"] for w in json.loads(workers)] == [0, 1] and "console" in json.loads(consoles)
        mine = [x for x in json.loads(sockets) if x["label"] == "user:%d" % user.id]
        assert len(mine) == 1 and mine[0]["path"] == "/ws/pomodoro/" and mine[0]["rooms"] >= 1
        assert (mine[0]["app"], mine[0]["release"]) == ("focusflow", 1)
    first, = json.loads(value(server, "releases()", "--json"))
    assert first["release"] == 1 and "focusflow" in first["apps"] and first["at"].endswith("Z")


FOR_EVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"


@pytest.mark.parametrize("code", ["db.value '%s'", "write(function(tx) tx.run('UPDATE users SET timezone = (%s)') end)"])
def test_an_interrupt_ends_a_statement(start_server, code):
    with started(start_server) as server:
        line = Line(server)
        line.send(type="eval", id=5, code="print 'on' " + code % FOR_EVER)
        assert line.next()["type"] == "print"
        line.send(type="interrupt")
        frame = line.next()
        assert (frame["type"], frame["kind"]) == ("error", "interrupted"), frame
        assert line.texts("1") == ["1"]
        assert User(server).task(), "the database takes writes"
        line.close()


def test_a_request_as_a_user_is_a_rehearsal(server):
    count = "db.value 'SELECT count(*) FROM tasks WHERE user_id = 1'"
    before = value(server, count)
    code = "local r = as(1).%s return r.status, r.kept, type(r.body.id or r.body.results)"
    assert value(server, code % "get '/api/v1/tasks/'").split("\n") == ["200", "false", '"table"']
    post = code % "post('/api/v1/tasks/', { title = 'from the console' })"
    assert value(server, post).split("\n") == ["201", "false", '"number"']
    assert value(server, count) == before
    assert value(server, post, "--write").split("\n")[:2] == ["201", "true"]
    assert int(value(server, count)) == int(before) + 1


def test_the_secret_of_as_cannot_be_made_up(server):
    for secret in ("0" * 32, "", "x"):
        r = server.client.get("/api/v1/tasks/", headers={"X-Perigee-Assume": secret})
        assert r.status == 401


def test_completion(line):
    line.send(type="complete", id=3, text="x = timer.c", cursor=11)
    r = line.next()
    assert r["id"] == 3 and r["from"] == 10 and [i["text"] for i in r["items"]] == ["cancel"]
    assert r["items"][0]["hint"].startswith("timer.cancel(")


@pytest.mark.parametrize("text, first", [
    ("use 'focusf", "focusflow"),
    ('as(1).get "/api/v1/pomodoro/act', "/api/v1/pomodoro/active/"),
    ("as(1).post('/api/v1/pomodoro/brea", "/api/v1/pomodoro/break/start/"),
    ('explain("member.inv', "member.invite"),
    ("help 'watch.ev", "watch.events"),
])
def test_arguments_are_completed(line, text, first):
    line.send(type="complete", id=3, text=text, cursor=len(text))
    r = line.next()
    assert r["items"][0]["text"] == first and first.startswith(text[r["from"]:]), r


def test_use_names_apps(line):
    assert line.eval("use 'nobody'")["type"] == "error"
    assert line.eval("use 'focusflow'")["app"] == "focusflow"
    assert line.texts("1") == ["1"]


def test_what_is_typed_is_recorded(server, line):
    line.eval("'remember me'")
    path = server.data / "console.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    record = [json.loads(x) for x in open(path) if "remember me" in x][-1]
    assert record["event"] == "line" and record["app"] == "focusflow" and record["uid"] == os.getuid()
    assert record["release"] >= 1 and record["at"].endswith("Z")


def test_the_record_is_kept_in_four_files(server, line):
    path, older = server.data / "console.log", server.data / "console.log.1"
    path.touch(mode=0o600)
    os.truncate(path, (16 << 20) + 1)
    line.eval("'in a new file'")
    assert older.stat().st_size == (16 << 20) + 1 and "in a new file" in path.read_text()
    for i in range(4):
        os.truncate(path, (16 << 20) + 2 + i)
        line.eval("'the next one'")
    assert sorted(f.name for f in server.data.glob("console.log*")) == ["console.log"] + ["console.log.%d" % i
                                                                                          for i in (1, 2, 3)]


def test_what_cannot_be_recorded_is_not_run(server, line):
    path, aside = server.data / "console.log", server.data / "aside"
    line.eval("x = 1")
    path.rename(aside)
    path.mkdir()
    frame = line.eval("x = 2")
    path.rmdir()
    aside.rename(path)
    assert (frame["type"], frame["kind"]) == ("error", "refused") and "recorded" in frame["message"]
    assert line.texts("x") == ["1"]


def test_use_goes_to_another_app_and_back(tmp_path, start_server):
    folder = Folder(tmp_path / "top", chat=False)
    server = start_server(**folder.options())
    nameless = Line(server, app=None)
    assert nameless.first["type"] == "end" and nameless.first["reason"].endswith("name one of them: one, two")
    nameless.close()
    line = Line(server, app="one")
    assert line.first["apps"] == ["one", "two"] and line.first["app"] == "one"
    line.eval("x = 'of the first'")
    assert line.eval("use 'two'")["app"] == "two"
    assert line.texts("x, #routes()") == ["nil", "4"]
    folder.say("9", "two")
    reload(server)
    assert line.texts("require('words').said") == ['"1"'], "a console stays on its release"
    line.eval("use()")
    assert line.texts("require('words').said") == ['"9"']
    assert line.eval("use 'one'")["app"] == "one"
    server.stop()


def test_the_server_ends_its_consoles_and_takes_no_seventeenth(start_server):
    s = start_server()
    lines = [Line(s) for _ in range(16)]
    assert Line(s).first["type"] == "end"
    lines[0].send(type="eval", id=1, code="print 'on' watch.requests()")
    lines[1].send(type="eval", id=1, code="print 'on' while true do end")
    lines[2].send(type="eval", id=1, code=RENAME % "Asia/Baku")
    assert (lines[0].next()["type"], lines[1].next()["type"], lines[2].next()["type"]) == ("print", "print", "confirm")
    lines[3].close()
    s.stop()
    for line in lines[4:]:
        assert line.next()["type"] == "end"


def test_another_version_and_another_app_are_refused(server):
    assert Line(server, version=9).first["type"] == "end"
    assert Line(server, app="nobody").first["type"] == "end"
