"""Sessions and their timers (FF-21 to FF-28, X-17): the clock is moved, nothing sleeps."""
import pytest

from support.days import iso, seconds
from support.people import User
from support.threads import together

SERVER, VERIFY = {}, True


# -- the planned end

@pytest.mark.parametrize("extra", [0, 1, 3600, 40 * 86400])
def test_a_session_ends_at_its_planned_end(server, user, extra):
    u = user()
    t = u.task()
    s = u.start(t, 25)["pomodoro_session"]
    assert seconds(s["ends_at"]) - seconds(s["started_at"]) == 1500
    server.advance(1500 + extra)
    assert u.active() is None
    ended = u.session(s["id"])
    assert ended == {**ended, "ended_at": s["ends_at"], "completed": True, "actual_duration_seconds": 1500,
                     "is_break": False, "duration_minutes": 25}
    v = u.show(t)
    assert (v["status"], v["completed_pomodoros"], v["total_focus_seconds"]) == ("in_progress", 1, 1500)
    assert v["ended_at"] is None


def test_not_before_its_planned_end(server, user):
    u = user()
    s = u.start(u.task(), 25)["pomodoro_session"]
    server.go_to(seconds(s["ends_at"]) - 20)
    v = u.active()
    assert v["id"] == s["id"] and 1 <= v["remaining_seconds"] <= 20
    assert v["elapsed_seconds"] + v["remaining_seconds"] == 1500


def test_active_session(server, user):
    u = user()
    t = u.task(title="Write blog post")
    s = u.start(t, 25)["pomodoro_session"]
    server.advance(900)
    v = u.active()
    assert v == {**v, "id": s["id"], "task": {"id": t["id"], "title": "Write blog post"}, "started_at": s["started_at"],
                 "duration_minutes": 25, "is_break": False}
    assert not v.get("is_paused")
    assert 900 <= v["elapsed_seconds"] <= 905 and v["elapsed_seconds"] + v["remaining_seconds"] == 1500


def test_a_pause_shifts_the_end(server, user):
    u = user()
    t = u.task()
    s = u.start(t, 25)["pomodoro_session"]
    server.advance(600)
    paused = u.pause(t)
    server.advance(36000)
    frozen = u.active()
    assert frozen["id"] == s["id"] and frozen["is_paused"] is True, "a paused session does not end"
    assert frozen["elapsed_seconds"] == paused["active_session"]["paused_duration"]
    assert frozen["elapsed_seconds"] + frozen["remaining_seconds"] == 1500
    server.advance(100)
    assert u.active() == frozen, "figures are frozen"
    resumed = u.resume(t)
    assert resumed["active_session"]["remaining_seconds"] == frozen["remaining_seconds"]
    away = seconds(resumed["resumed_at"]) - seconds(paused["paused_at"])
    end = seconds(s["ends_at"]) + away
    server.go_to(end - 20)
    assert u.active()["id"] == s["id"]
    server.go_to(end + 7)
    assert u.active() is None
    ended = u.session(s["id"])
    assert (ended["ended_at"], ended["actual_duration_seconds"], ended["completed"]) == (iso(end), 1500, True)
    assert u.show(t)["total_focus_seconds"] == 1500


def test_many_pauses(server, user):
    u = user()
    t = u.task()
    s = u.start(t, 10)["pomodoro_session"]
    away = 0
    for n in range(5):
        server.advance(60)
        p = u.pause(t)
        server.advance(1000 * n)
        away += seconds(u.resume(t)["resumed_at"]) - seconds(p["paused_at"])
    server.advance(600)
    ended = u.session(s["id"])
    assert ended["ended_at"] == iso(seconds(s["ends_at"]) + away) and ended["actual_duration_seconds"] == 600


def test_completing_a_paused_task_leaves_the_pause_out(server, user):
    u = user()
    t = u.task()
    u.start(t)
    server.advance(120)
    focused = u.pause(t)["active_session"]["paused_duration"]
    server.advance(5000)
    assert u.complete(t)["total_focus_seconds"] == focused
    assert u.active() is None


def test_finishing_a_paused_session(server, user):
    u = user()
    t = u.task()
    s = u.start(t)["pomodoro_session"]
    server.advance(120)
    focused = u.pause(t)["active_session"]["paused_duration"]
    server.advance(5000)
    v = u.finish(s)
    assert v["completed"] is True and v["actual_duration_seconds"] == focused
    assert u.show(t)["status"] == "paused", "the task keeps its state"
    server.advance(5000)
    assert u.session(s["id"])["actual_duration_seconds"] == focused


# -- ending by hand (4.3)

def test_finishing_counts_the_pomodoro(server, user):
    u = user()
    t = u.task()
    s = u.start(t, 25)["pomodoro_session"]
    server.advance(300)
    v = u.finish(s)
    assert v["id"] == s["id"] and v["completed"] is True
    assert v["actual_duration_seconds"] == seconds(v["ended_at"]) - seconds(s["started_at"]) >= 300
    shown = u.show(t)
    assert (shown["status"], shown["completed_pomodoros"]) == ("in_progress", 1)
    assert shown["total_focus_seconds"] == v["actual_duration_seconds"]
    before = u.session(s["id"])
    u.post("/pomodoro/sessions/%d/complete/" % s["id"]).error(409, "CONFLICT")
    server.advance(3600)      # its timer does nothing any more
    assert u.session(s["id"]) == before and u.show(t)["completed_pomodoros"] == 1


def test_finishing_what_ran_out(server, user):
    u = user()
    s = u.start(u.task(), 25)["pomodoro_session"]
    server.advance(1500)
    u.post("/pomodoro/sessions/%d/complete/" % s["id"]).error(409, "CONFLICT")


# -- breaks

@pytest.mark.parametrize("kind,minutes", [("short", 5), ("long", 15)])
def test_a_break(server, user, kind, minutes):
    u = user()
    b = u.rest(kind)
    assert b == {**b, "is_break": True, "break_type": kind, "duration_minutes": minutes}
    assert seconds(b["ends_at"]) - seconds(b["started_at"]) == minutes * 60
    v = u.active()
    assert v["id"] == b["id"] and v["is_break"] is True and v["task"] is None
    server.advance(minutes * 60)
    assert u.active() is None
    s = u.session(b["id"])
    assert s == {**s, "task": None, "is_break": True, "completed": True, "ended_at": b["ends_at"],
                 "actual_duration_seconds": minutes * 60}


def test_break_lengths_come_from_the_settings(user):
    u = user()
    u.patch("/auth/profile/", {"pomodoro_settings": {"short_break": 9, "long_break": 33}}).expect(200)
    for kind, minutes in (("short", 9), ("long", 33)):
        b = u.rest(kind)
        assert b["duration_minutes"] == minutes
        u.finish(b)


def test_the_default_break_is_short(user):
    u = user()
    assert u.post("/pomodoro/break/start/", {}).expect(201)["break_type"] == "short"
    u.finish(u.active())
    assert u.post("/pomodoro/break/start/").expect(201)["break_type"] == "short"


@pytest.mark.parametrize("value", ["nap", "", 5, None, ["short"], "Short"], ids=repr)
def test_wrong_break_types(user, value):
    u = user()
    u.post("/pomodoro/break/start/", {"break_type": value}).error(400, "VALIDATION_ERROR", "break_type")
    assert u.active() is None


@pytest.mark.parametrize("open_session", ["running", "paused", "break"])
def test_no_break_while_a_session_is_open(user, open_session):
    u = user()
    if open_session == "break":
        u.rest()
    else:
        t = u.task()
        u.start(t)
        if open_session == "paused":
            u.pause(t)
    before = u.sessions()
    u.post("/pomodoro/break/start/", {"break_type": "long"}).error(409, "CONFLICT")
    assert [s["id"] for s in u.sessions()] == [s["id"] for s in before]


def test_finishing_a_break(server, user):
    u = user()
    b = u.rest()
    server.advance(60)
    v = u.finish(b)
    assert v["completed"] is True and 60 <= v["actual_duration_seconds"] <= 65
    u.post("/pomodoro/sessions/%d/complete/" % b["id"]).error(409, "CONFLICT")


def test_a_break_is_no_focus(server, user):
    u = user()
    u.rest("long")
    server.advance(900)
    v = u.get("/analytics/daily/").expect(200)
    assert (v["total_focus_seconds"], v["total_pomodoros"]) == (0, 0)
    assert u.get("/analytics/streaks/").expect(200)["total_active_days"] == 0


# -- the list

def test_sessions_newest_first(server, user):
    u = user()
    t = u.task()
    one = u.pomodoro(t, 5)
    two = u.rest()
    server.advance(300)
    three = u.start(t)["pomodoro_session"]
    assert [s["id"] for s in u.sessions()] == [three["id"], two["id"], one["id"]]
    assert u.sessions()[0]["ended_at"] is None and u.sessions()[0]["completed"] is False
    assert [s["id"] for s in u.sessions(is_break="true")] == [two["id"]]
    assert [s["id"] for s in u.sessions(is_break="0")] == [three["id"], one["id"]]
    assert [s["id"] for s in u.sessions(task=t["id"])] == [three["id"], one["id"]]
    assert u.sessions(task=99999999) == []
    assert [s["id"] for s in u.show(t)["pomodoro_sessions"]] == [one["id"], three["id"]], "focus sessions, oldest first"


# -- restart

def test_what_was_due_while_the_server_was_down(server):
    u, v, w, x = (User(server) for _ in range(4))
    due, early, paused = u.task(), v.task(), w.task()
    s = u.start(due, 25)["pomodoro_session"]
    late = v.start(early, 180)["pomodoro_session"]
    w.start(paused, 1)
    w.pause(paused)
    b = x.rest("short")
    server.restart(later=7200)
    assert u.active() is None and x.active() is None
    ended = u.session(s["id"])
    assert (ended["ended_at"], ended["actual_duration_seconds"], ended["completed"]) == (s["ends_at"], 1500, True)
    assert x.session(b["id"])["ended_at"] == b["ends_at"]
    active = v.active()
    assert active["id"] == late["id"] and 7200 <= active["elapsed_seconds"] <= 7200 + 60
    assert w.active()["is_paused"] is True
    server.restart(later=7200)
    assert u.show(due)["completed_pomodoros"] == 1 and u.show(due)["total_focus_seconds"] == 1500
    assert v.session(late["id"])["ended_at"] == late["ends_at"]
    assert w.active()["is_paused"] is True
    w.resume(paused)
    server.advance(60)
    assert w.active() is None and w.show(paused)["completed_pomodoros"] == 1


def test_a_kill_while_a_session_runs(server):
    u = User(server)
    t = u.task()
    s = u.start(t, 25)["pomodoro_session"]
    server.kill()
    server.shift += 3600
    server.start()
    assert u.session(s["id"])["ended_at"] == s["ends_at"]
    assert u.show(t)["completed_pomodoros"] == 1


# -- exactly once

def test_a_timer_and_a_hand_do_not_both_count(server, user):
    """The session is ended by hand in the moment in which its time is up."""
    u = user()
    twin, t = u.another(), u.task()
    for n in range(1, 11):
        s = u.start(t, 1)["pomodoro_session"]
        server.go_to(seconds(s["ends_at"]) - 2)
        by_hand, _ = together(lambda: twin.post("/pomodoro/sessions/%d/complete/" % s["id"]), lambda: server.advance(3))
        assert by_hand.status in (200, 409), str(by_hand)
        assert u.active() is None
        v = u.show(t)
        assert v["completed_pomodoros"] == n
        assert v["total_focus_seconds"] == sum(x["actual_duration_seconds"] for x in v["pomodoro_sessions"])


def test_finishing_at_the_same_time(user):
    u = user()
    t = u.task()
    s = u.start(t)["pomodoro_session"]
    twins = [u.another() for _ in range(8)]
    got = together(*[lambda x=x: x.post("/pomodoro/sessions/%d/complete/" % s["id"]).status for x in twins])
    assert sorted(got) == [200] + [409] * 7
    assert u.show(t)["completed_pomodoros"] == 1


def test_starting_at_the_same_time(user):
    u = user()
    tasks, twins = [u.task() for _ in range(8)], [u.another() for _ in range(8)]
    got = together(*[lambda x=x, t=t: x.post("/tasks/%d/start/" % t["id"]).status for x, t in zip(twins, tasks)])
    assert sorted(got) == [200] + [409] * 7
    assert len(u.sessions()) == 1
    assert sorted(u.show(t)["status"] for t in tasks) == ["in_progress"] + ["pending"] * 7


def test_starting_one_task_twice_at_the_same_time(user):
    u = user()
    t, twins = u.task(), [u.another() for _ in range(6)]
    got = together(*[lambda x=x: x.post("/tasks/%d/start/" % t["id"]).status for x in twins])
    assert sorted(got) == [200] + [409] * 5
    assert len(u.show(t)["pomodoro_sessions"]) == 1


def test_a_break_and_a_start_at_the_same_time(user):
    """Either the break comes first and the start ends it, or it is refused; never two open sessions."""
    for _ in range(5):
        u = user()
        twin, t = u.another(), u.task()
        rest, start = together(lambda: twin.post("/pomodoro/break/start/", {}).status,
                                   lambda: u.post("/tasks/%d/start/" % t["id"]).status)
        assert start == 200 and rest in (201, 409)
        assert u.active()["is_break"] is False
        assert len([s for s in u.sessions() if s["ended_at"] is None]) == 1


def test_many_sessions_due_at_once(server, user):
    people = [user() for _ in range(12)]
    sessions = [u.start(u.task(), 3)["pomodoro_session"] for u in people]
    server.advance(180)
    for u, s in zip(people, sessions):
        assert u.active() is None
        assert u.session(s["id"])["ended_at"] == s["ends_at"]
