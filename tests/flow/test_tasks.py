"""Projects, tasks and the state machine of tasks and sessions (FF-16 to FF-22)."""
import contextlib
import re
import selectors
import socket
import sqlite3

import pytest

from support.people import unique

SERVER, VERIFY = {}, True
TASK_KEYS = {"id", "title", "description", "status", "project", "estimated_pomodoros", "completed_pomodoros",
             "total_focus_seconds", "created_at", "started_at", "ended_at", "priority", "organization"}


# -- the state machine: every state, every action, what happens

class World:
    """One user with a task in a state."""

    def __init__(self, u, state):
        self.u, self.task, self.session = u, u.task(), None
        STATES[state](self)

    def begin(self, minutes=25):
        self.session = self.u.start(self.task, minutes)["pomodoro_session"]["id"]

    def pass_time(self, seconds):
        self.u.server.advance(seconds)

    def do(self, action):
        return self.u.post("/tasks/%d/%s/" % (self.task["id"], action))

    def end_session(self):
        self.u.finish(self.session)

    def snapshot(self):
        return self.u.show(self.task), self.u.active() is not None


def in_state(*steps):
    def make(w):
        for step in steps:
            step(w)
    return make


def begin(w):
    w.begin()


def later(w):
    w.pass_time(60)


def pause(w):
    w.u.pause(w.task)


def resume(w):
    w.u.resume(w.task)


def end(w):
    w.end_session()


def run_out(w):
    w.pass_time(25 * 60)


def complete(w):
    w.u.complete(w.task)


def rest(w):
    w.u.rest()


STATES = {
    "pending": in_state(),
    "running": in_state(begin, later),
    "resumed": in_state(begin, later, pause, later, resume),
    "ended by hand": in_state(begin, later, end),
    "ran out": in_state(begin, run_out),
    "paused": in_state(begin, later, pause),
    "paused, session ended": in_state(begin, later, pause, end),
    "in progress, on a break": in_state(begin, run_out, rest),
    "completed": in_state(begin, later, complete),
    "completed without start": in_state(complete),
    "completed while paused": in_state(begin, pause, complete),
}
YES, NO = 200, 409
TABLE = {                          # start, pause, resume, complete
    "pending":                    (YES, NO, NO, YES),
    "running":                    (NO, YES, NO, YES),
    "resumed":                    (NO, YES, NO, YES),
    "ended by hand":              (YES, None, NO, YES),
    "ran out":                    (YES, None, NO, YES),
    "paused":                     (NO, NO, YES, YES),
    "paused, session ended":      (YES, NO, None, YES),
    "in progress, on a break":    (YES, None, NO, YES),
    "completed":                  (NO, NO, NO, NO),
    "completed without start":    (NO, NO, NO, NO),
    "completed while paused":     (NO, NO, NO, NO),
}      # None: FF-20 allows the transition but there is no session to pause or resume; anything but a failure
AFTER = {"start": "in_progress", "pause": "paused", "resume": "in_progress", "complete": "completed"}
CELLS = [(state, action, TABLE[state][i]) for state in TABLE for i, action in enumerate(AFTER)]


def test_the_table_is_complete():
    assert set(TABLE) == set(STATES)


@pytest.mark.parametrize("state,action,status", CELLS, ids=["%s: %s" % c[:2] for c in CELLS])
def test_transition(user, state, action, status):
    w = World(user(), state)
    before = w.snapshot()
    r = w.do(action)
    task, open_session = w.snapshot()
    if status is None:
        assert r.status in (200, 409), str(r)
        return
    if status == NO:
        r.error(409, "CONFLICT")
        assert (task, open_session) == before, "a refused transition changed something"
        return
    r.expect(200)
    assert task["status"] == AFTER[action]
    assert open_session == (action != "complete" or state == "in progress, on a break")
    if before[0]["started_at"] is not None:
        assert task["started_at"] == before[0]["started_at"], "started_at is the first start"
    else:
        assert (task["started_at"] is not None) == (action == "start")
    assert (task["ended_at"] is not None) == (action == "complete")
    if action == "start":
        assert len(task["pomodoro_sessions"]) == len(before[0]["pomodoro_sessions"]) + 1
        assert task["pomodoro_sessions"][-1]["ended_at"] is None


def test_answers_of_a_life(server, user):
    """The documented story: start, pause after 900 s, resume, complete."""
    u = user()
    t = u.task(estimated_pomodoros=3)
    v = u.start(t, 25)
    assert v["task"]["status"] == "in_progress" and v["task"]["id"] == t["id"] and v["task"]["title"] == t["title"]
    s = v["pomodoro_session"]
    assert s["duration_minutes"] == 25 and s["started_at"] == v["task"]["started_at"]
    server.advance(900)
    v = u.pause(t)
    assert v["status"] == "paused" and v["active_session"]["id"] == s["id"]
    assert 900 <= v["active_session"]["paused_duration"] <= 905
    focused = v["active_session"]["paused_duration"]
    server.advance(300)
    v = u.resume(t)
    assert v["status"] == "in_progress" and v["active_session"] == {**v["active_session"], "id": s["id"],
                                                                    "remaining_seconds": 1500 - focused}
    server.advance(100)
    v = u.complete(t)
    assert v["status"] == "completed" and v["estimated_pomodoros"] == 3 and v["completed_pomodoros"] == 0
    assert focused + 100 <= v["total_focus_seconds"] <= focused + 105
    shown = u.show(t)
    assert {k: shown[k] for k in v} == v
    (session,) = shown["pomodoro_sessions"]
    assert session["completed"] is False and session["ended_at"] == v["ended_at"]
    assert session["actual_duration_seconds"] == v["total_focus_seconds"]


@pytest.mark.parametrize("state", ["running", "paused"])
def test_one_open_session_per_user(user, state):
    w = World(user(), state)
    other = w.u.task()
    w.u.post("/tasks/%d/start/" % other["id"]).error(409, "CONFLICT")
    assert w.u.show(other)["status"] == "pending"
    assert w.u.active()["id"] == w.session


def test_a_task_waits_in_progress_while_another_runs(user):
    w = World(user(), "ended by hand")
    other = w.u.task()
    w.u.start(other)
    w.do("start").error(409, "CONFLICT")
    w.u.complete(other)
    w.do("start").expect(200)


def test_starting_ends_a_break(server, user):
    u = user()
    rest = u.rest()
    server.advance(60)
    s = u.start(u.task())["pomodoro_session"]
    ended = u.session(rest["id"])
    assert ended["completed"] is False and ended["ended_at"] == s["started_at"]
    assert 60 <= ended["actual_duration_seconds"] <= 65
    assert u.active()["id"] == s["id"]


def test_starting_after_a_break_ran_out(server, user):
    u = user()
    rest = u.rest()
    server.advance(3600)
    u.start(u.task())
    ended = u.session(rest["id"])
    assert ended["completed"] is True and ended["ended_at"] == rest["ends_at"]
    assert ended["actual_duration_seconds"] == 300


def test_completing_without_a_start(user):
    u = user()
    v = u.complete(u.task())
    assert v["started_at"] is None and v["ended_at"] is not None and v["total_focus_seconds"] == 0


def test_completing_counts_the_pomodoro_only_if_its_time_was_up(server, user):
    u = user()
    early, late = u.task(), u.task()
    u.start(early, 10)
    server.advance(300)
    assert u.complete(early)["completed_pomodoros"] == 0
    u.start(late, 10)
    server.advance(600)
    assert u.complete(late)["completed_pomodoros"] == 1


def test_pomodoros_add_up(server, user):
    u = user()
    t = u.task()
    for minutes in (5, 10, 15):
        u.pomodoro(t, minutes)
    v = u.show(t)
    assert (v["completed_pomodoros"], v["total_focus_seconds"], v["status"]) == (3, 1800, "in_progress")
    assert [s["duration_minutes"] for s in v["pomodoro_sessions"]] == [5, 10, 15], "oldest first"
    assert all(s["completed"] for s in v["pomodoro_sessions"])


# -- which duration (FF-22)

@pytest.mark.parametrize("minutes", [1, 25, 180])
def test_duration_of_the_request(user, minutes):
    u = user()
    s = u.start(u.task(), minutes)["pomodoro_session"]
    assert s["duration_minutes"] == minutes and u.active()["duration_minutes"] == minutes


@pytest.mark.parametrize("value", [0, -1, 181, 10 ** 18, 1.5, "25", True, None, [25], {}], ids=repr)
def test_wrong_durations(user, value):
    u = user()
    t = u.task()
    r = u.post("/tasks/%d/start/" % t["id"], {"pomodoro_duration": value})
    r.error(400, "VALIDATION_ERROR", "pomodoro_duration")
    assert u.show(t)["status"] == "pending" and u.active() is None


def test_duration_of_the_settings(user):
    u = user()
    assert u.start(u.task())["pomodoro_session"]["duration_minutes"] == 25
    u.finish(u.active())
    u.patch("/auth/profile/", {"pomodoro_settings": {"focus_duration": 40}}).expect(200)
    assert u.start(u.task())["pomodoro_session"]["duration_minutes"] == 40


# -- projects

def test_project_representation(user):
    u = user()
    p = u.post("/projects/", {"name": "Freelance Work"}).expect(201)
    assert p == {**p, "name": "Freelance Work", "description": "", "color_code": "#3498db", "is_active": True, "task_count": 0,
                 "total_focus_time": 0, "owner": {"id": u.id, "username": u.username}}
    assert p["statistics"] == {"total_tasks": 0, "completed_tasks": 0, "total_focus_hours": 0, "avg_task_duration": 0}
    assert u.get("/projects/%d/" % p["id"]).expect(200) == p
    item, = u.get("/projects/").expect(200)["results"]
    assert {k: p[k] for k in item if k in p} == {k: v for k, v in item.items() if k in p}


def test_project_change(user):
    u = user()
    p = u.project(description="old")
    v = u.patch("/projects/%d/" % p["id"], {"name": "  Personal Growth ", "color_code": "#E74c3C", "is_active": False}).expect(200)
    assert v == {**p, "name": "Personal Growth", "color_code": v["color_code"], "is_active": False}
    assert v["color_code"].lower() == "#e74c3c"
    assert u.patch("/projects/%d/" % p["id"], {}).expect(200) == v
    u.project(name="Personal Growth")      # duplicates are allowed


def test_project_ignores_read_only_fields(user):
    u = user()
    p = u.project()
    v = u.patch("/projects/%d/" % p["id"], {"id": 5, "owner": 1, "task_count": 9, "created_at": "x", "statistics": 1}).expect(200)
    assert v == p


@pytest.mark.parametrize("body,field", [
    ({"name": ""}, "name"), ({"name": "  "}, "name"), ({"name": "x" * 101}, "name"), ({"name": 5}, "name"),
    ({"name": None}, "name"), ({"color_code": "red"}, "color_code"), ({"color_code": "#12345"}, "color_code"),
    ({"color_code": "#1234567"}, "color_code"), ({"color_code": "#12345G"}, "color_code"), ({"color_code": "123456"}, "color_code"),
    ({"description": 5}, "description"), ({"description": "x" * 5001}, "description"), ({"is_active": "yes"}, "is_active"),
    ({"is_active": 1}, "is_active"),
], ids=lambda v: repr(v)[:30])
def test_project_input(user, body, field):
    u = user()
    u.post("/projects/", {"name": "ok", **body}).error(400, "VALIDATION_ERROR", field)
    p = u.project()
    u.patch("/projects/%d/" % p["id"], body).error(400, "VALIDATION_ERROR", field)
    assert u.get("/projects/%d/" % p["id"]).expect(200) == p


def test_project_statistics(server, user):
    u = user()
    p = u.project()
    for minutes in (30, 60):
        t = u.task(project=p["id"])
        u.pomodoro(t, minutes)
        u.complete(t)
    u.pomodoro(u.task(project=p["id"]), 15)
    u.task(project=p["id"])
    v = u.get("/projects/%d/" % p["id"]).expect(200)
    assert v["statistics"] == {"total_tasks": 4, "completed_tasks": 2, "total_focus_hours": 1.75, "avg_task_duration": 3150}
    assert (v["task_count"], v["total_focus_time"]) == (4, 6300)
    item, = u.get("/projects/").expect(200)["results"]
    assert (item["task_count"], item["total_focus_time"]) == (4, 6300)


def test_deleting_a_project_keeps_its_tasks(server, user):
    u = user()
    p = u.project()
    idle, done, running = (u.task(project=p["id"]) for _ in range(3))
    u.pomodoro(done)
    u.start(running)
    r = u.delete("/projects/%d/" % p["id"])
    assert r.status == 204 and r.body == b""
    u.get("/projects/%d/" % p["id"]).error(404, "NOT_FOUND")
    for t in (idle, done, running):
        assert u.show(t)["project"] is None
    assert u.show(done)["total_focus_seconds"] == 1500
    assert u.active()["task"]["id"] == running["id"]
    u.delete("/projects/%d/" % p["id"]).error(404, "NOT_FOUND")
    assert u.project()["id"] > p["id"], "ids are never reused"


# -- tasks

def test_task_representation(user):
    u = user()
    p = u.project(color_code="#ff5733")
    t = u.post("/tasks/", {"title": "Review", "project": p["id"], "estimated_pomodoros": 2, "priority": "urgent"}).expect(201)
    assert TASK_KEYS <= set(t)
    assert t == {**t, "title": "Review", "description": "", "status": "pending", "estimated_pomodoros": 2, "priority": "urgent",
                 "completed_pomodoros": 0, "total_focus_seconds": 0, "started_at": None, "ended_at": None, "organization": None}
    assert t["project"] == {"id": p["id"], "name": p["name"], "color_code": p["color_code"]}
    shown = u.show(t)
    assert {k: shown[k] for k in TASK_KEYS} == {k: t[k] for k in TASK_KEYS} and shown["pomodoro_sessions"] == []
    item, = u.get("/tasks/").expect(200)["results"]
    assert {k: item[k] for k in TASK_KEYS} == {k: t[k] for k in TASK_KEYS}
    changed = u.patch("/tasks/%d/" % t["id"], {"title": "Write"}).expect(200)
    assert changed == {**shown, "title": "Write"}


def test_task_defaults(user):
    t = user().post("/tasks/", {"title": "x"}).expect(201)
    assert (t["description"], t["project"], t["estimated_pomodoros"], t["priority"]) == ("", None, 1, "medium")


def test_task_change(user):
    u = user()
    p, q = u.project(), u.project()
    t = u.task(project=p["id"], estimated_pomodoros=2)
    assert u.patch("/tasks/%d/" % t["id"], {"project": q["id"]}).expect(200)["project"]["id"] == q["id"]
    v = u.patch("/tasks/%d/" % t["id"], {"project": None, "priority": "low", "description": "new"}).expect(200)
    assert (v["project"], v["priority"], v["description"], v["estimated_pomodoros"]) == (None, "low", "new", 2)
    assert u.get("/projects/").expect(200)["results"][0]["task_count"] == 0


def test_task_ignores_read_only_fields(user):
    u = user()
    t = u.task()
    before = u.show(t)
    assert u.patch("/tasks/%d/" % t["id"], {
        "id": 1, "status": "completed", "started_at": "2020-01-01T00:00:00Z", "ended_at": "2020-01-01T00:00:00Z", "owner": 1,
        "created_at": "2020-01-01T00:00:00Z", "completed_pomodoros": 9, "total_focus_seconds": 9, "pomodoro_sessions": [1],
        "organization": "acme"}).expect(200) == before


@pytest.mark.parametrize("body,field", [
    ({"title": ""}, "title"), ({"title": " \t\n "}, "title"), ({"title": "x" * 256}, "title"), ({"title": 5}, "title"),
    ({"title": None}, "title"), ({"title": ["x"]}, "title"), ({"description": 5}, "description"),
    ({"description": "x" * 10001}, "description"), ({"project": 99999999}, "project"), ({"project": "1"}, "project"),
    ({"project": True}, "project"), ({"project": 1.5}, "project"), ({"project": -1}, "project"), ({"project": {}}, "project"),
    ({"project": 2 ** 70}, "project"), ({"estimated_pomodoros": 0}, "estimated_pomodoros"),
    ({"estimated_pomodoros": 101}, "estimated_pomodoros"), ({"estimated_pomodoros": "2"}, "estimated_pomodoros"),
    ({"estimated_pomodoros": 2.5}, "estimated_pomodoros"), ({"estimated_pomodoros": None}, "estimated_pomodoros"),
    ({"priority": "highest"}, "priority"), ({"priority": 1}, "priority"), ({"priority": ""}, "priority"),
], ids=lambda v: repr(v)[:34])
def test_task_input(user, body, field):
    u = user()
    details = u.post("/tasks/", {"title": "ok", **body}).error(400, "VALIDATION_ERROR", field)["details"]
    assert list(details) == [field]
    t = u.task()
    before = u.show(t)
    u.patch("/tasks/%d/" % t["id"], body).error(400, "VALIDATION_ERROR", field)
    assert u.show(t) == before
    assert u.get("/tasks/").expect(200)["count"] == 1


@pytest.mark.parametrize("title", ["x" * 255, "é" * 255, "\U0001F345" * 255, "Check team's <b>code</b> & \"quotes\" \\ \u2028 /",
                                   "a\tb", "نص عربي", "0", "null"], ids=lambda v: repr(v)[:20])
def test_titles_come_back_as_they_were(user, title):
    u = user()
    t = u.post("/tasks/", {"title": "  %s \n" % title, "description": title}).expect(201)
    assert (t["title"], t["description"]) == (title, title)
    assert u.show(t)["title"] == title
    assert u.get("/tasks/").expect(200)["results"][0]["title"] == title


def test_limits_of_length_and_number(user):
    t = user().post("/tasks/", {"title": "y", "description": "é" * 10000, "estimated_pomodoros": 100}).expect(201)
    assert len(t["description"]) == 10000 and t["estimated_pomodoros"] == 100


@pytest.mark.parametrize("state", ["pending", "running", "paused", "ran out", "completed"])
def test_deleting_a_task_deletes_its_sessions(user, state):
    w = World(user(), state)
    other = w.u.task()
    r = w.u.delete("/tasks/%d/" % w.task["id"])
    assert r.status == 204 and r.body == b""
    w.u.get("/tasks/%d/" % w.task["id"]).error(404, "NOT_FOUND")
    assert w.u.active() is None and w.u.sessions() == []
    for action in AFTER:
        w.do(action).error(404, "NOT_FOUND")
    if w.session:
        w.u.post("/pomodoro/sessions/%d/complete/" % w.session).error(404, "NOT_FOUND")
    assert w.u.get("/analytics/daily/").expect(200)["total_focus_seconds"] == 0
    w.u.start(other)
    w.pass_time(1500)      # the deleted session's timer, if it was still there, would fire now
    assert w.u.show(other)["completed_pomodoros"] == 1
    assert w.u.task()["id"] > other["id"] > w.task["id"], "ids are never reused"


def test_the_last_id_is_not_reused(user):
    u = user()
    t = u.task(title="Task " + unique())
    u.delete("/tasks/%d/" % t["id"])
    assert u.task()["id"] > t["id"]


class Asker:
    """A connection that sends its next request as soon as the last is answered: mostly lists, some creates."""

    def __init__(self, u, n):
        self.u, self.n, self.got = u, n, b""
        self.socket = socket.create_connection(("127.0.0.1", u.server.port), timeout=20)
        self.created = self.answered = 0

    def ask(self):
        self.n += 1
        body = b'{"title":"one of many"}' if self.n % 5 == 0 else b""
        self.created += bool(body)
        self.socket.sendall(b"%s /api/v1/tasks/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
                            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
                                b"POST" if body else b"GET", self.u.access.encode(), len(body), body))

    def receive(self):
        """True when the answer is complete."""
        self.got += self.socket.recv(65536)
        head, end, body = self.got.partition(b"\r\n\r\n")
        if not end or len(body) < int(re.search(rb"(?i)content-length: (\d+)", head)[1]):
            return False
        assert head.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 201 ")), head
        self.got, self.answered = b"", self.answered + 1
        return True


def test_reads_and_writes_of_many_at_once(user):
    """Turns and commits come back between the reads of others; every request gets its answer."""
    askers, open_ones = [Asker(user(), n) for n in range(32)], selectors.DefaultSelector()
    for a in askers:
        open_ones.register(a.socket, selectors.EVENT_READ, a)
        a.ask()
    while open_ones.get_map():
        ready = open_ones.select(20)
        assert ready, "no answer in 20 seconds"
        for a in (key.data for key, _ in ready):
            if a.receive():
                if a.answered < 100:
                    a.ask()
                else:
                    open_ones.unregister(a.socket)
    for a in askers:
        a.socket.close()
        assert a.u.get("/tasks/").expect(200)["count"] == a.created


# -- what the table itself refuses

@pytest.mark.parametrize("column", ["status", "priority"])
def test_the_table_refuses_unknown_words_without_a_temporary_index(server, user, column):
    task = user().task()
    with contextlib.closing(sqlite3.connect(server.data / "focusflow.db")) as db:
        for change in ("UPDATE tasks SET %s = 'other' WHERE id = %d" % (column, task["id"]),
                       "INSERT INTO tasks (user_id, title, created_at, %s) VALUES (1, 'x', 1, 'other')" % column):
            with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
                db.execute(change)
            db.rollback()
            assert "OpenEphemeral" not in [step[1] for step in db.execute("EXPLAIN " + change)]
