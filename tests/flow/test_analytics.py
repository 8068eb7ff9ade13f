"""Analytics in the user's time zone, to the letter of FF-29 to FF-34 and X-16.

Three ways: the documented vectors, a year of random work by people in ten zones compared with an
independent oracle, and small stories with numbers worked out by hand.
"""
import datetime as dt
import math
import random
import sys
from pathlib import Path

import pytest

from support.days import day, days_of, iso, local_date, seconds
from support.oracle import Oracle, Session, Task
from support.people import User

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import VECTORS  # noqa: E402

SERVER, VERIFY = {}, True
DATE = dt.date.fromisoformat


def shift_to(text):
    return seconds(text) - int(dt.datetime.now().timestamp())


def is_hours(value, s):
    """seconds/3600 rounded to 2 decimals; either side at a tie."""
    return isinstance(value, (int, float)) and abs(value - s / 3600) <= 0.005 + 1e-9 and \
        abs(value * 100 - round(value * 100)) < 1e-6


def name_of(entry):
    return entry["project"]["id"] if entry["project"] is not None else None


def ordered(values):
    return all(a >= b for a, b in zip(values, values[1:]))


def check_daily(u, oracle, date):
    want, v = oracle.daily(date), u.get("/analytics/daily/", date=date).expect(200)
    where = "%s %s: %s" % (oracle.zone, date, v)
    assert v["date"] == date.isoformat() and v["timezone"] == oracle.zone, where
    assert {k: v[k] for k in want["counts"]} == want["counts"], where
    assert v["total_tasks"] == sum(want["counts"].values()), where
    assert v["total_focus_seconds"] == want["focus"] and is_hours(v["total_focus_hours"], want["focus"]), where
    assert v["total_pomodoros"] == want["pomodoros"], where
    got = {name_of(e): (e["focus_seconds"], e["tasks_completed"]) for e in v["projects_breakdown"]}
    assert got == want["projects"] and len(got) == len(v["projects_breakdown"]), where


def check_week(u, oracle, year, week):
    want, v = oracle.week(year, week), u.get("/analytics/weekly/", week=week, year=year).expect(200)
    where = "%s %d-W%02d: %s" % (oracle.zone, year, week, v)
    days = list(want["days"])
    assert (v["week"], v["year"]) == (week, year) and v["timezone"] == oracle.zone, where
    assert (v["start_date"], v["end_date"]) == (days[0].isoformat(), days[6].isoformat()), where
    assert is_hours(v["total_focus_hours"], want["focus"]) and is_hours(v["avg_daily_focus_hours"], want["focus"] / 7), where
    assert v["total_tasks_completed"] == want["completed"], where
    assert [d["date"] for d in v["daily_breakdown"]] == [d.isoformat() for d in days], where
    for got, (focus, completed) in zip(v["daily_breakdown"], want["days"].values()):
        assert is_hours(got["focus_hours"], focus) and got["tasks_completed"] == completed, where
    top = [e for e in v["top_projects"] if e["project"] is not None]
    focused = {p: f for p, (f, _) in want["projects"].items() if f and p is not None}
    assert len(v["top_projects"]) <= 5 and len(top) >= min(len(focused), 4), where
    assert ordered([focused[name_of(e)] for e in top]), where
    for e in top:
        share = 100 * focused[name_of(e)] / want["focus"]
        assert is_hours(e["focus_hours"], focused[name_of(e)]), where
        assert isinstance(e["percentage"], int) and abs(e["percentage"] - share) <= 0.5 + 1e-9, where


def check_month(u, oracle, year, month, names):
    want, v = oracle.month(year, month), u.get("/analytics/monthly/", month=month, year=year).expect(200)
    where = "%s %d-%02d: %s" % (oracle.zone, year, month, v)
    assert (v["month"], v["year"]) == (month, year) and v["timezone"] == oracle.zone, where
    assert is_hours(v["total_focus_hours"], want["focus"]), where
    assert is_hours(v["avg_daily_focus_hours"], want["focus"] / len(want["days"])), where
    assert (v["total_tasks_completed"], v["total_pomodoros"]) == (want["completed"], want["pomodoros"]), where
    most = max(focus for focus, _ in want["days"].values())
    if most == 0:
        assert v["most_productive_day"] is None, where
    else:
        assert want["days"][DATE(v["most_productive_day"])][0] == most, where
    weeks = {}
    for d, (focus, _) in want["days"].items():
        weeks[d.isocalendar()[1]] = weeks.get(d.isocalendar()[1], 0) + focus
    got = {w["week"]: w["focus_hours"] for w in v["weekly_breakdown"]}
    assert len(got) == len(v["weekly_breakdown"]) and set(got) <= set(weeks), where
    assert all(is_hours(got.get(w, 0), focus) for w, focus in weeks.items()), where
    projects = {e["project"]: (e["focus_hours"], e["tasks_completed"]) for e in v["projects_summary"] if e["project"] is not None}
    wanted = {names[p]: both for p, both in want["projects"].items() if p is not None}
    assert set(projects) == set(wanted), where
    for name, (focus, completed) in wanted.items():
        assert is_hours(projects[name][0], focus) and projects[name][1] == completed, where


def check_streaks(u, oracle):
    today = local_date(oracle.zone, u.server.now())
    current, longest, active, start = oracle.streaks(today)
    v = u.get("/analytics/streaks/").expect(200)
    assert v == {**v, "current_streak": current, "longest_streak": longest, "total_active_days": active,
                 "streak_start_date": start.isoformat() if start else None}, (oracle.zone, today, v)


# -- the documented days: work at both edges of each, tasks made inside and outside

@pytest.fixture(scope="module")
def vector_server(start_server):
    s = start_server(shift=shift_to("2011-12-28T00:00:00Z"))
    yield s
    if s.running():
        s.stop()
        s.verify_analytics()


@pytest.fixture(scope="module")
def vector_days(vector_server):
    """The clock goes once through all vectors in order of time; what happened at each edge is kept."""
    facts, todo = [], []
    for v in VECTORS["days"]:
        fact = {"vector": v, "tasks": [], "sessions": []}
        facts.append(fact)
        for edge in (seconds(v["start_utc"]), seconds(v["end_utc"])):
            todo += [(edge - 600, fact, "work"), (edge - 30, fact, "task"), (edge + 2, fact, "task")]
    for instant, fact, what in sorted(todo, key=lambda x: x[0]):
        vector_server.go_to(instant)
        u = fact.get("user")
        if u is None:
            u = fact["user"] = User(vector_server, fact["vector"]["zone"])
        if what == "work":
            fact["sessions"].append(u.start(u.task(), 25)["pomodoro_session"])
        else:
            fact["tasks"].append(u.task())
    vector_server.advance(86400)
    return {(f["vector"]["zone"], f["vector"]["date"]): f for f in facts}


@pytest.mark.parametrize("vector", VECTORS["days"], ids=["%(zone)s %(date)s" % v for v in VECTORS["days"]])
def test_vector_day(vector, vector_days):
    fact = vector_days[vector["zone"], vector["date"]]
    start, end = seconds(vector["start_utc"]), seconds(vector["end_utc"])
    u = fact["user"]
    spans = [(seconds(s["started_at"]), seconds(s["ends_at"])) for s in fact["sessions"]]
    assert len(spans) == 2 and spans[0][0] < start < spans[0][1] and spans[1][0] < end < spans[1][1], "the clock was late"
    v = u.get("/analytics/daily/", date=vector["date"]).expect(200)
    assert v["total_focus_seconds"] == (spans[0][1] - start) + (end - spans[1][0])
    assert v["total_pomodoros"] == 1, "a pomodoro counts on the day it ended"
    everything = u.every("/tasks/")
    inside = {t["id"] for t in everything if start <= seconds(t["created_at"]) < end}
    assert {fact["tasks"][1]["id"], fact["tasks"][2]["id"]} <= inside < {t["id"] for t in everything}
    assert {t["id"] for t in u.every("/tasks/", date=vector["date"])} == inside
    listed = {s["id"] for s in u.every("/pomodoro/sessions/", date=vector["date"])}
    assert listed == {s["id"] for s in fact["sessions"] if start <= seconds(s["started_at"]) < end}


@pytest.mark.parametrize("vector", VECTORS["iso_weeks"], ids=[v["date"] for v in VECTORS["iso_weeks"]])
def test_vector_week(vector, server, shared):
    v = shared.get("/analytics/weekly/", week=vector["week"], year=vector["year"]).expect(200)
    monday = DATE(vector["date"]) - dt.timedelta(vector["weekday"] - 1)
    assert (v["start_date"], v["end_date"]) == (monday.isoformat(), (monday + dt.timedelta(6)).isoformat())
    assert v["daily_breakdown"][vector["weekday"] - 1]["date"] == vector["date"]


@pytest.mark.parametrize("year,weeks", sorted(VECTORS["weeks_in_year"].items()))
def test_weeks_in_year(year, weeks, shared):
    for week in (1, 52, weeks):
        assert shared.get("/analytics/weekly/", week=week, year=year).expect(200)["week"] == week
    for week in (weeks + 1, 54, 0, -1):
        shared.get("/analytics/weekly/", week=week, year=year).error(400, "VALIDATION_ERROR", "week")


@pytest.fixture(scope="module")
def shared(server):
    return User(server, "Europe/Berlin")


def test_the_current_week_month_and_day(start_server):
    """Defaults at the turns of years that the vectors list."""
    dates = sorted(v["date"] for v in VECTORS["iso_weeks"])
    s = start_server(shift=shift_to(dates[0] + "T12:00:00Z"))
    u = User(s, "UTC")
    for v in sorted(VECTORS["iso_weeks"], key=lambda v: v["date"]):
        s.go_to(seconds(v["date"] + "T12:00:00Z"))
        week = u.get("/analytics/weekly/").expect(200)
        assert (week["week"], week["year"]) == (v["week"], v["year"]), v["date"]
        month = u.get("/analytics/monthly/").expect(200)
        assert "%d-%02d" % (month["year"], month["month"]) == v["date"][:7]
        assert u.get("/analytics/daily/").expect(200)["date"] == v["date"]


def test_a_day_that_does_not_exist(start_server):
    """Samoa had no 30 December 2011: nothing is on it, and the streak ... 29, 31 has a gap."""
    s = start_server(shift=shift_to("2011-12-29T20:00:00Z"))
    u = User(s, "Pacific/Apia")
    u.pomodoro(u.task(), 25)
    s.advance(86400)
    u.pomodoro(u.task(), 25)
    v = u.get("/analytics/daily/", date="2011-12-30").expect(200)
    assert (v["total_tasks"], v["total_focus_seconds"]) == (0, 0)
    assert [u.get("/analytics/daily/", date=d).expect(200)["total_focus_seconds"] for d in ("2011-12-29", "2011-12-31")] == \
        [1500, 1500]


# -- a year of work

ZONES = ["UTC", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham",
         "America/St_Johns", "Africa/Casablanca", "Pacific/Kiritimati", "America/Santiago"]
SEASONS = [("2024-12-28", 9), ("2025-02-21", 5), ("2025-03-07", 5), ("2025-03-28", 4), ("2025-04-04", 4), ("2025-09-05", 4),
           ("2025-09-26", 4), ("2025-10-03", 4), ("2025-10-24", 4), ("2025-10-31", 4), ("2025-12-27", 8)]


class Person:
    """A user who works at random; keeps the facts that the API reported."""

    def __init__(self, server, zone, seed):
        self.u, self.oracle, self.random = User(server, zone), Oracle(zone), random.Random(seed)
        self.names = {}
        for _ in range(7):
            p = self.u.project()
            self.names[p["id"]] = p["name"]
        self.open = None      # the running session: task, spans, planned seconds left, id
        self.tasks = []

    def act(self):
        """One step: something that is possible now."""
        r = self.random
        if self.open is None:
            live = [t for t in self.tasks if t.status != "completed"]
            if len(live) < 2 or r.random() < .3:
                self.create()
            elif r.random() < .2:
                self.end_task(r.choice(live))
            else:
                self.start(r.choice(live))
        elif self.open["paused"]:
            self.end_task(self.open["task"]) if r.random() < .2 else self.resume()
        else:
            r.choice([self.pause, self.pause, self.finish, lambda: self.end_task(self.open["task"])])()

    def create(self):
        project = self.random.choice([None, *self.names])
        v = self.u.task(project=project)
        self.tasks.append(Task(v["id"], project, seconds(v["created_at"])))
        self.oracle.tasks.append(self.tasks[-1])

    def start(self, task):
        v = self.u.start(task.id, self.random.choice([5, 25, 50, 90, 180]))
        s = v["pomodoro_session"]
        at = seconds(s["started_at"])
        task.status, task.started = "in_progress", task.started or at
        self.open = {"task": task, "id": s["id"], "spans": [], "since": at, "left": s["duration_minutes"] * 60, "paused": False}

    def pause(self):
        at = seconds(self.u.pause(self.open["task"].id)["paused_at"])
        self.open["spans"].append((self.open["since"], at))
        self.open["left"] -= at - self.open["since"]
        self.open["paused"], self.open["task"].status = True, "paused"

    def resume(self):
        self.open["since"] = seconds(self.u.resume(self.open["task"].id)["resumed_at"])
        self.open["paused"], self.open["task"].status = False, "in_progress"

    def finish(self):
        self._close(seconds(self.u.finish(self.open["id"])["ended_at"]), True)

    def end_task(self, task):
        v = self.u.complete(task.id)
        at = seconds(v["ended_at"])
        if self.open is not None and self.open["task"] is task:
            self._close(at, False)
        task.status, task.ended = "completed", at

    def _close(self, at, completed):
        s, self.open = self.open, None
        if not s["paused"]:
            s["spans"].append((s["since"], at))
        self.oracle.sessions.append(Session(s["task"], s["spans"], at, completed))

    def due(self):
        """When the running session ends by itself."""
        if self.open is None or self.open["paused"]:
            return math.inf
        return self.open["since"] + self.open["left"]

    def run_out(self):
        self._close(self.due(), True)


@pytest.fixture(scope="module")
def year(start_server):
    s = start_server(shift=shift_to("2024-12-27T00:00:00Z"))
    people = [Person(s, zone, i) for i, zone in enumerate(ZONES)]
    clock = random.Random(2025)
    for first, days in SEASONS:
        begin = seconds(first + "T00:00:00Z")
        steps = sorted((begin + clock.randrange(days * 86400), clock.randrange(len(people))) for _ in range(26 * days))
        for instant, i in steps:
            due = min(p.due() for p in people)
            while due <= instant:      # sessions that end by themselves before the next step
                for p in people:
                    if p.due() == due:
                        p.run_out()
                due = min(p.due() for p in people)
            s.go_to(instant)
            p = people[i]
            while p.due() <= s.now() + 2:      # too near to say who comes first
                s.go_to(int(p.due()))
                p.run_out()
            p.act()
        for p in people:
            if p.open is not None:
                p.end_task(p.open["task"]) if p.due() > s.now() + 5 else (s.go_to(int(p.due())), p.run_out())
    s.advance(3600)
    yield people
    if s.running():
        s.stop()
        s.verify_analytics()


@pytest.fixture
def person(year, request):
    return year[ZONES.index(request.param)]


everybody = pytest.mark.parametrize("person", ZONES, indirect=True)


@everybody
def test_the_facts_are_those_of_the_server(person):
    """The oracle's sessions are the server's; otherwise the comparisons below would compare something else."""
    listed = {(s["ended_at"], s["actual_duration_seconds"], s["completed"]) for s in person.u.every("/pomodoro/sessions/")}
    mine = {(iso(s.ended), sum(b - a for a, b in s.spans), s.completed) for s in person.oracle.sessions}
    assert listed == mine and len(mine) > 10
    crossing = [s for s in person.oracle.sessions
                if local_date(person.oracle.zone, s.spans[0][0]) != local_date(person.oracle.zone, s.ended)]
    assert crossing, "no session crosses midnight"


@everybody
def test_every_day(person):
    for first, days in SEASONS:
        for d in days_of(DATE(first) - dt.timedelta(1), DATE(first) + dt.timedelta(days + 1)):
            check_daily(person.u, person.oracle, d)


@everybody
def test_every_week(person):
    weeks = {(DATE(first) + dt.timedelta(n)).isocalendar()[:2] for first, days in SEASONS for n in range(-1, days + 2)}
    for y, week in sorted(weeks):
        check_week(person.u, person.oracle, y, week)


@everybody
def test_every_month(person):
    for y, month in [(2024, 12)] + [(2025, m) for m in range(1, 13)] + [(2026, 1)]:
        check_month(person.u, person.oracle, y, month, person.names)


@everybody
def test_streaks(person):
    check_streaks(person.u, person.oracle)


@everybody
def test_projects(person):
    """2.3 over all time; 5.5 over a range: focus and days."""
    o, first, last = person.oracle, DATE("2025-03-01"), DATE("2025-10-31")
    start, end = day(o.zone, first)[0], day(o.zone, last)[1]
    for p in person.names:
        done = [t for t in o.tasks if t.project == p and t.status == "completed"]
        focus = o.focus(0, 2 ** 40, p)
        v = person.u.get("/projects/%d/" % p).expect(200)
        assert v["statistics"]["total_tasks"] == v["task_count"] == sum(t.project == p for t in o.tasks)
        assert v["statistics"]["completed_tasks"] == len(done) and v["total_focus_time"] == focus
        assert is_hours(v["statistics"]["total_focus_hours"], focus)
        assert abs(v["statistics"]["avg_task_duration"] - (focus / len(done) if done else 0)) < 1
        v = person.u.get("/analytics/projects/%d/" % p, start_date=first, end_date=last).expect(200)
        assert v["project"] == {"id": p, "name": person.names[p]} and v["timezone"] == o.zone
        assert v["date_range"] == {"start": first.isoformat(), "end": last.isoformat()}
        assert is_hours(v["total_focus_hours"], o.focus(start, end, p))
        days = {d: (o.focus(*day(o.zone, d), p), o.completed(*day(o.zone, d), p)) for d in days_of(first, last)}
        got = {DATE(d["date"]): (d["focus_hours"], d["tasks_completed"]) for d in v["daily_activity"]}
        assert {d for d, both in days.items() if any(both)} <= set(got) <= set(days)
        for d, (hours, completed) in got.items():
            assert is_hours(hours, days[d][0]) and completed == days[d][1], d
        dates = [d["date"] for d in v["daily_activity"]]
        assert dates in (sorted(dates), sorted(dates, reverse=True))


# -- small stories with numbers worked out by hand

@pytest.fixture(scope="module")
def january(start_server):
    """Wednesday 15 January 2025, 12:00 UTC; every story begins a day later."""
    s = start_server(shift=shift_to("2025-01-15T12:00:00Z"))
    yield s
    if s.running():
        s.stop()
        s.verify_analytics()


def next_day(s, clock="12:00:00"):
    s.go_to(seconds("%sT%sZ" % (local_date("UTC", s.now()) + dt.timedelta(1), clock)))
    return local_date("UTC", s.now())


def test_nothing_yet(january):
    u = User(january)
    today = next_day(january)
    v = u.get("/analytics/daily/").expect(200)
    assert v == {
        **v, "date": today.isoformat(), "timezone": "UTC", "total_tasks": 0, "completed_tasks": 0, "in_progress_tasks": 0,
        "pending_tasks": 0, "total_focus_seconds": 0, "total_focus_hours": 0, "total_pomodoros": 0, "projects_breakdown": []}
    v = u.get("/analytics/weekly/").expect(200)
    assert (v["total_focus_hours"], v["total_tasks_completed"], v["top_projects"]) == (0, 0, [])
    assert len(v["daily_breakdown"]) == 7
    v = u.get("/analytics/monthly/").expect(200)
    assert (v["most_productive_day"], v["projects_summary"], v["avg_daily_focus_hours"]) == (None, [], 0)
    v = u.get("/analytics/streaks/").expect(200)
    assert v == {**v, "current_streak": 0, "longest_streak": 0, "streak_start_date": None, "total_active_days": 0}


def test_the_tasks_of_a_day(january):
    """Created, started or completed on it; by the status they have now; paused counts as in progress."""
    u = User(january)
    yesterday = next_day(january)
    old, untouched, done_later = u.task(), u.task(), u.task()
    today = next_day(january)
    u.start(old)
    u.pause(old)
    u.complete(done_later)
    u.task()
    v = u.get("/analytics/daily/").expect(200)
    assert v == {**v, "total_tasks": 3, "completed_tasks": 1, "in_progress_tasks": 1, "pending_tasks": 1}
    v = u.get("/analytics/daily/", date=yesterday).expect(200)
    assert v == {**v, "total_tasks": 3, "completed_tasks": 1, "in_progress_tasks": 1, "pending_tasks": 1}
    v = u.get("/analytics/daily/", date=today + dt.timedelta(1)).expect(200)
    assert v["total_tasks"] == 0
    assert untouched["status"] == "pending"


def test_open_sessions_do_not_count(january):
    u = User(january)
    next_day(january)
    t = u.task()
    u.start(t, 25)
    january.advance(600)
    assert u.get("/analytics/daily/").expect(200)["total_focus_seconds"] == 0
    u.pause(t)
    assert u.get("/analytics/daily/").expect(200)["total_focus_seconds"] == 0
    u.complete(t)
    v = u.get("/analytics/daily/").expect(200)
    assert 600 <= v["total_focus_seconds"] <= 605 and v["total_pomodoros"] == 0


def test_a_session_across_midnight(january):
    """23:50 to 00:40: 10 minutes on the first day, 40 on the second, the pomodoro on the second."""
    u = User(january, "Asia/Kathmandu")
    utc_day = next_day(january, "18:04:59")       # midnight in Kathmandu is 18:15 UTC
    p = u.project()
    t = u.task(project=p["id"])
    s = u.start(t, 50)["pomodoro_session"]
    january.advance(50 * 60)
    midnight = seconds("%sT18:15:00Z" % utc_day)
    first = midnight - seconds(s["started_at"])
    assert 580 <= first <= 601
    for date, focus, pomodoros in ((utc_day, first, 0), (utc_day + dt.timedelta(1), 3000 - first, 1)):
        v = u.get("/analytics/daily/", date=date).expect(200)
        assert (v["total_focus_seconds"], v["total_pomodoros"]) == (focus, pomodoros)
        assert v["projects_breakdown"] == [{"project": {"id": p["id"], "name": p["name"]}, "focus_seconds": focus,
                                            "tasks_completed": 0}]


def test_a_pause_across_midnight(january):
    """Only the time on each side counts, not the pause."""
    u = User(january)
    today = next_day(january, "23:30:00")
    t = u.task()
    s = u.start(t, 30)["pomodoro_session"]
    january.advance(600)
    p = u.pause(t)
    january.advance(7200)
    r = u.resume(t)
    january.advance(1200)
    focused = seconds(p["paused_at"]) - seconds(s["started_at"])
    assert seconds(r["resumed_at"]) - seconds(p["paused_at"]) >= 7200
    for date, focus, pomodoros in ((today, focused, 0), (today + dt.timedelta(1), 1800 - focused, 1)):
        v = u.get("/analytics/daily/", date=date).expect(200)
        assert (v["total_focus_seconds"], v["total_pomodoros"]) == (focus, pomodoros)


def test_focus_is_seen_in_the_zone_of_now(january):
    """The same facts, another zone: another day."""
    u = User(january, "UTC")
    today = next_day(january, "22:00:00")
    u.pomodoro(u.task(), 25)
    assert u.get("/analytics/daily/", date=today).expect(200)["total_focus_seconds"] == 1500
    u.patch("/auth/profile/", {"timezone": "Asia/Tokyo"}).expect(200)
    assert u.get("/analytics/daily/", date=today).expect(200)["total_focus_seconds"] == 0
    v = u.get("/analytics/daily/", date=today + dt.timedelta(1)).expect(200)
    assert v["total_focus_seconds"] == 1500 and v["timezone"] == "Asia/Tokyo"


def test_projects_of_a_day(january):
    """Tasks without a project count under null; what moves to another project takes its focus along."""
    u = User(january)
    next_day(january)
    p, q = u.project(), u.project()
    with_p, without = u.task(project=p["id"]), u.task()
    u.pomodoro(with_p, 30)
    u.pomodoro(without, 20)
    u.complete(without)

    def breakdown():
        v = u.get("/analytics/daily/").expect(200)
        return {name_of(e): (e["focus_seconds"], e["tasks_completed"]) for e in v["projects_breakdown"]}
    assert breakdown() == {p["id"]: (1800, 0), None: (1200, 1)}
    u.patch("/tasks/%d/" % with_p["id"], {"project": q["id"]}).expect(200)
    assert breakdown() == {q["id"]: (1800, 0), None: (1200, 1)}
    assert u.get("/projects/%d/" % p["id"]).expect(200)["total_focus_time"] == 0
    u.delete("/projects/%d/" % q["id"])
    assert breakdown() == {None: (3000, 1)}
    u.delete("/tasks/%d/" % without["id"])
    assert breakdown() == {None: (1800, 0)}


def test_at_most_five_top_projects(january):
    u = User(january)
    next_day(january, "02:00:00")
    for minutes in (60, 10, 50, 20, 40, 30, 90):
        u.pomodoro(u.task(project=u.project()["id"]), minutes)
    v = u.get("/analytics/weekly/").expect(200)
    assert [e["focus_hours"] for e in v["top_projects"]] == [1.5, 1, 0.83, 0.67, 0.5]
    assert [e["percentage"] for e in v["top_projects"]] == [30, 20, 17, 13, 10]


def test_current_and_longest_streak(january):
    u = User(january)
    days = [next_day(january)]
    u.pomodoro(u.task(), 5)

    def streaks():
        v = u.get("/analytics/streaks/").expect(200)
        return v["current_streak"], v["longest_streak"], v["total_active_days"], v["streak_start_date"]
    assert streaks() == (1, 1, 1, days[0].isoformat())
    days.append(next_day(january))
    assert streaks() == (1, 1, 1, days[0].isoformat()), "from yesterday while today has none"
    u.pomodoro(u.task(), 5)
    u.pomodoro(u.task(), 5)
    assert streaks() == (2, 2, 2, days[0].isoformat())
    next_day(january)
    t = u.task()
    u.start(t, 25)
    january.advance(60)
    u.complete(t)
    assert streaks() == (2, 2, 2, days[0].isoformat()), "a session cut short makes no active day"
    next_day(january)
    assert streaks() == (0, 2, 2, None)
    again = next_day(january)
    u.pomodoro(u.task(), 5)
    assert streaks() == (1, 2, 3, again.isoformat())


def test_project_breakdown(january):
    u = User(january)
    p = u.project()
    first = next_day(january)
    done = u.task(project=p["id"])
    u.pomodoro(done, 60)
    u.complete(done)
    second = next_day(january)
    u.pomodoro(u.task(project=p["id"]), 37)
    u.task()
    path = "/analytics/projects/%d/" % p["id"]
    v = u.get(path, start_date=first, end_date=second).expect(200)
    assert v == {**v, "total_focus_hours": 1.62, "total_tasks": 2, "completed_tasks": 1, "avg_task_duration_minutes": 48}
    assert sorted((d["date"], d["focus_hours"], d["tasks_completed"]) for d in v["daily_activity"]) == \
        [(first.isoformat(), 1, 1), (second.isoformat(), 0.62, 0)]
    v = u.get(path, start_date=first, end_date=first).expect(200)
    assert v == {**v, "total_focus_hours": 1, "total_tasks": 1, "completed_tasks": 1, "avg_task_duration_minutes": 60}
    before = first - dt.timedelta(3)
    v = u.get(path, start_date=before, end_date=before).expect(200)
    assert v == {**v, "total_focus_hours": 0, "total_tasks": 0, "completed_tasks": 0, "avg_task_duration_minutes": 0,
                 "daily_activity": []}
    u.get(path, start_date=second, end_date=first).error(400, "VALIDATION_ERROR")


def test_default_range_of_a_project(january):
    u = User(january, "Pacific/Kiritimati")
    p = u.project()
    today = local_date("Pacific/Kiritimati", january.now())
    v = u.get("/analytics/projects/%d/" % p["id"]).expect(200)
    assert v["date_range"] == {"start": today.replace(day=1).isoformat(), "end": today.isoformat()}
    tomorrow = today + dt.timedelta(1)
    u.get("/analytics/projects/%d/" % p["id"], start_date=tomorrow).error(400, "VALIDATION_ERROR")
    v = u.get("/analytics/projects/%d/" % p["id"], start_date=tomorrow, end_date=tomorrow).expect(200)
    assert v["daily_activity"] == []


@pytest.mark.parametrize("path,field,values", [
    ("daily", "date", ["2025-02-30", "2025-13-01", "20250120", "today", "2025-1-2", "2025-01-20T00:00:00Z", ""]),
    ("weekly", "week", ["0", "54", "-1", "x", "1.5", ""]), ("weekly", "year", ["x", "1.5", "99999999999999999999", ""]),
    ("monthly", "month", ["0", "13", "x", "-1", "1.0", ""]), ("monthly", "year", ["x", "99999999999999999999", ""]),
], ids=lambda v: v if isinstance(v, str) else "")
def test_wrong_parameters(shared, path, field, values):
    for value in values:
        shared.get("/analytics/%s/" % path, **{field: value}).error(400, "VALIDATION_ERROR", field)


@pytest.mark.parametrize("path,query", [
    ("daily", {"date": "1970-01-01"}), ("daily", {"date": "2999-12-31"}), ("daily", {"date": "2024-02-29"}),
    ("weekly", {"week": 1, "year": 1970}), ("weekly", {"week": 52, "year": 2999}), ("monthly", {"month": 12, "year": 2999}),
])
def test_far_dates(shared, path, query):
    assert shared.get("/analytics/%s/" % path, **query).expect(200)
