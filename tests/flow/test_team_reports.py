"""Overview, employee details, team and project analytics: small stories with numbers worked out by hand (FF-48 to
FF-50, FF-14, X-16)."""
import datetime as dt

import pytest

from support.days import seconds
from support.organizations import Organization
from support.people import User

VERIFY = True
SERVER = {"shift": seconds("2025-03-03T08:00:00Z") - int(dt.datetime.now().timestamp())}


def team(org, who=None, **query):
    return org.ask(who or org.owner, "GET", "/analytics/team/", query=query).expect(200)


def project_report(org, project, **query):
    return org.ask(org.owner, "GET", "/analytics/projects/%d/" % project["id"], query=query).expect(200)


def employee(org, user, **query):
    return org.ask(org.owner, "GET", "/employees/%d/" % user.id, query=query).expect(200)


def overview(org, who=None):
    return org.ask(who or org.owner, "GET", "/dashboard/overview/").expect(200)


def rows(report, *keys):
    """The breakdown as tuples."""
    listed = report.get("employee_breakdown", report.get("contributors"))
    return [(e["user"]["username"], *(e[k] for k in keys)) for e in listed]


class Story:
    """One organization seen from Berlin at the end of March, when its clocks are put forward; Ann lives in Kathmandu.

    Berlin   29 March  23:30-24:00  Ann, Alpha, 1          (23:30 to 00:30 is one session of an hour)
             30 March  00:00-00:30  Ann, Alpha, 1
                       01:30-02:00  Bob, Alpha, 2          (the session goes on at 03:00 summer time)
                       03:00-03:30  Bob, Alpha, 2, completed a minute later
             31 March  09:00-09:50  Ann, no project, 3, completed a minute later
                       10:00-10:20  Bob, Alpha, 4, paused 10:20-10:50
                       10:50-11:00  Bob, Alpha, 4
    """

    def __init__(self, server):
        self.server = server
        server.go_to(seconds("2025-03-28T12:00:00Z"))
        self.org = Organization(server, zone="Europe/Berlin")
        self.ann = self.org.member(zone="Asia/Kathmandu", first_name="Ann")
        self.bob = self.org.member("manager", zone="America/New_York", first_name="Bob")
        self.cid = self.org.member(zone="UTC")
        self.alpha = self.org.owner.project(name="Alpha")
        self.beta = self.org.owner.project(name="Beta")
        alpha = self.alpha["id"]
        self.tasks = [self.ann.task(project=alpha), self.bob.task(project=alpha), self.ann.task(),
                      self.bob.task(project=alpha), self.cid.task(project=self.beta["id"])]
        one, two, three, four, self.five = self.tasks
        self.at("2025-03-29T22:30:00Z")
        self.ann.start(one, 60)
        self.at("2025-03-30T00:30:00Z")
        self.bob.start(two, 60)
        self.at("2025-03-30T01:31:00Z")
        self.bob.complete(two)
        self.at("2025-03-31T07:00:00Z")
        self.ann.start(three, 50)
        self.at("2025-03-31T07:51:00Z")
        self.ann.complete(three)
        self.at("2025-03-31T08:00:00Z")
        self.bob.start(four, 30)
        self.at("2025-03-31T08:20:00Z")
        self.bob.pause(four)
        self.at("2025-03-31T08:49:50Z")     # so that a slow machine does not carry the end past 11:00
        self.bob.resume(four)
        self.at("2025-03-31T09:01:00Z")

    def at(self, instant):
        self.server.go_to(seconds(instant))


@pytest.fixture(scope="module")
def story(server):
    return Story(server)


RANGE = {"start_date": "2025-03-29", "end_date": "2025-03-31"}


def test_team_statistics_of_the_range(story):
    v = team(story.org, **RANGE)
    assert v["date_range"] == {"start": "2025-03-29", "end": "2025-03-31"} and v["timezone"] == "Europe/Berlin"
    # 60 + 60 + 50 + 30 minutes; the owner and Cid are employees without figures, 4 active members
    assert v["team_statistics"] == {"total_focus_hours": 3.33, "avg_focus_hours_per_employee": 0.83,
                                    "total_tasks_completed": 2, "avg_task_completion_rate": 0.5}
    both = [(story.ann.username, 1.83, 1, 0.5, True), (story.bob.username, 1.5, 1, 0.5, True)]
    none = sorted([(story.org.owner.username, 0, 0, 0, True), (story.cid.username, 0, 0, 0, True)])
    assert rows(v, "focus_hours", "tasks_completed", "completion_rate", "is_active") == both + none


def test_tasks_count_where_something_happened(story):
    # the five tasks were created on the 28th: with it Cid's untouched one is of the range, too
    v = team(story.org, start_date="2025-03-28", end_date="2025-03-31")
    assert v["team_statistics"]["avg_task_completion_rate"] == 0.4      # 2 of 5
    cid = [e for e in v["employee_breakdown"] if e["user"]["id"] == story.cid.id]
    assert [(e["tasks_completed"], e["completion_rate"]) for e in cid] == [(0, 0)]
    # on the 30th Ann's first task was worked on, neither begun nor completed; Bob's was both
    v = team(story.org, start_date="2025-03-30", end_date="2025-03-30")
    assert v["team_statistics"] == {"total_focus_hours": 1.5, "avg_focus_hours_per_employee": 0.38,
                                    "total_tasks_completed": 1, "avg_task_completion_rate": 0.5}


def test_midnight_and_the_missing_hour_split_focus_time(story):
    hours = lambda **q: [(h["hour"], h["avg_active_employees"]) for h in team(story.org, **q)["peak_productivity_hours"]]
    assert hours(start_date="2025-03-29", end_date="2025-03-29") == [("23:00", 1)]
    assert hours(start_date="2025-03-30", end_date="2025-03-30") == [("00:00", 1), ("01:00", 1), ("03:00", 1)]
    assert hours(start_date="2025-03-31", end_date="2025-03-31") == [("09:00", 1), ("10:00", 1)]
    # three days, each hour on one of them: a third; the earliest five of six
    assert hours(**RANGE) == [("00:00", 0.33), ("01:00", 0.33), ("03:00", 0.33), ("09:00", 0.33), ("10:00", 0.33)]
    assert hours(start_date="2025-03-22", end_date="2025-03-31")[0] == ("00:00", 0.1)


def test_days_are_those_of_who_asks(story):
    # in New York all of it lies on the 29th, but the last day's work: 03:00 to 05:00 on the 31st
    v = team(story.org, story.bob, start_date="2025-03-29", end_date="2025-03-29")
    assert v["timezone"] == "America/New_York" and v["team_statistics"]["total_focus_hours"] == 2
    assert [h["hour"] for h in v["peak_productivity_hours"]] == ["18:00", "19:00", "20:00", "21:00"]
    v = team(story.org, story.bob, start_date="2025-03-31", end_date="2025-03-31")
    assert v["team_statistics"]["total_focus_hours"] == 1.33
    assert [h["hour"] for h in v["peak_productivity_hours"]] == ["03:00", "04:00"]


def test_one_project_of_a_team(story):
    v = team(story.org, project=story.alpha["id"], **RANGE)
    assert v["team_statistics"] == {"total_focus_hours": 2.5, "avg_focus_hours_per_employee": 0.63,
                                    "total_tasks_completed": 1, "avg_task_completion_rate": 0.33}
    assert rows(v, "focus_hours", "completion_rate")[:2] == [(story.bob.username, 1.5, 0.5), (story.ann.username, 1, 0)]
    assert [h["hour"] for h in v["peak_productivity_hours"]] == ["00:00", "01:00", "03:00", "10:00", "23:00"]
    v = team(story.org, project=story.beta["id"], **RANGE)
    assert v["team_statistics"]["total_focus_hours"] == 0 and v["peak_productivity_hours"] == []
    assert len(v["employee_breakdown"]) == 4


def test_project_analytics(story):
    v = project_report(story.org, story.alpha, **RANGE)
    assert v["project"] == {"id": story.alpha["id"], "name": "Alpha"} and v["timezone"] == "Europe/Berlin"
    assert {k: v[k] for k in ("total_focus_hours", "total_tasks", "completed_tasks", "in_progress_tasks",
                              "avg_task_duration_hours")} == {
        "total_focus_hours": 2.5, "total_tasks": 3, "completed_tasks": 1, "in_progress_tasks": 2,
        "avg_task_duration_hours": 0.8}
    assert rows(v, "focus_hours", "tasks_completed", "contribution_percentage") == [
        (story.bob.username, 1.5, 1, 60), (story.ann.username, 1, 0, 40)]
    assert v["timeline"] == [{"date": "2025-03-29", "focus_hours": 0.5, "tasks_completed": 0},
                             {"date": "2025-03-30", "focus_hours": 1.5, "tasks_completed": 1},
                             {"date": "2025-03-31", "focus_hours": 0.5, "tasks_completed": 0}]
    # created on the 28th and nothing else: a task of the range, but nobody contributed
    v = project_report(story.org, story.beta, start_date="2025-03-28", end_date="2025-03-31")
    assert (v["total_tasks"], v["contributors"], v["timeline"], v["avg_task_duration_hours"]) == (1, [], [], 0)
    assert project_report(story.org, story.beta, **RANGE)["total_tasks"] == 0


def test_open_tasks_of_a_project_count_only_in_their_range(story):
    v = project_report(story.org, story.alpha, start_date="2025-03-30", end_date="2025-03-30")
    assert (v["total_tasks"], v["in_progress_tasks"]) == (2, 1)         # Ann's; Bob's fourth began on the 31st


def test_employee_details(story):
    v = employee(story.org, story.bob, **RANGE)
    assert v["user"] == {"id": story.bob.id, "username": story.bob.username, "first_name": "Bob", "role": "manager"}
    assert v["statistics"] == {"total_focus_hours": 1.5, "total_tasks_completed": 1, "avg_daily_focus_hours": 0.75,
                               "current_streak": 2}
    assert v["recent_tasks"] == [
        {"id": story.tasks[3]["id"], "title": story.tasks[3]["title"], "status": "in_progress", "focus_time_seconds": 1800},
        {"id": story.tasks[1]["id"], "title": story.tasks[1]["title"], "status": "completed", "focus_time_seconds": 3600}]
    # 01:30-02:00, 03:00-03:30, 10:00-10:20, 10:50-11:00: half an hour each; of equal ranges the earlier one
    assert v["productivity_pattern"] == {"peak_hours": ["01:00-03:00", "03:00-05:00"], "avg_task_duration_minutes": 45}
    assert v["date_range"] == {"start": "2025-03-29", "end": "2025-03-31"} and v["timezone"] == "Europe/Berlin"


def test_days_without_focus_do_not_lower_the_daily_average(story):
    v = employee(story.org, story.ann, **RANGE)
    assert v["statistics"]["total_focus_hours"] == 1.83 and v["statistics"]["avg_daily_focus_hours"] == 0.61
    # half an hour before midnight, half an hour after it: ranges lie within a day; of equal ones that which begins busy
    assert v["productivity_pattern"]["peak_hours"] == ["09:00-11:00", "00:00-02:00"]
    v = employee(story.org, story.cid, **RANGE)
    assert v["statistics"] == {"total_focus_hours": 0, "total_tasks_completed": 0, "avg_daily_focus_hours": 0,
                               "current_streak": 0}
    assert v["productivity_pattern"] == {"peak_hours": [], "avg_task_duration_minutes": 0}
    assert [t["id"] for t in v["recent_tasks"]] == [story.five["id"]]


def test_v1_analytics_count_the_same_work(story):
    day = story.ann.get("/analytics/daily/", date="2025-03-31").expect(200)
    assert (day["total_focus_seconds"], day["completed_tasks"]) == (50 * 60, 1)


# -- stories of their own

def test_an_empty_organization(server, story):
    org = Organization(server, zone="Asia/Kathmandu")
    v = team(org)
    assert v["team_statistics"] == {"total_focus_hours": 0, "avg_focus_hours_per_employee": 0,
                                    "total_tasks_completed": 0, "avg_task_completion_rate": 0}
    assert rows(v, "focus_hours", "completion_rate") == [(org.owner.username, 0, 0)]
    assert v["peak_productivity_hours"] == []
    v = overview(org)
    assert (v["active_employees"], v["currently_focused"], v["total_focus_hours_today"], v["tasks_completed_today"],
            v["tasks_in_progress"]) == (0, 0, 0, 0, 0)
    assert [(e["user"]["id"], e["status"], e["current_task"], e["focus_time_today"]) for e in v["employees_status"]] == [
        (org.owner.id, "idle", None, 0)]


def test_the_default_range_is_the_month_so_far(server, story):
    server.go_to(seconds("2025-04-02T20:00:00Z"))
    org = Organization(server, zone="Asia/Tokyo")          # 3 April, 05:00
    assert team(org)["date_range"] == {"start": "2025-04-01", "end": "2025-04-03"}
    assert employee(org, org.owner)["date_range"] == {"start": "2025-04-01", "end": "2025-04-03"}
    p = org.owner.project()
    assert project_report(org, p)["date_range"] == {"start": "2025-04-01", "end": "2025-04-03"}


def test_overview_of_today(server, story):
    server.go_to(seconds("2025-04-03T06:00:00Z"))
    org = Organization(server, zone="Europe/Berlin")
    focused, paused, resting, done, idle, personal = (org.member() for _ in range(6))
    tasks = {u: u.task() for u in (focused, paused, resting, done)}
    private = personal.task(organization=None)
    server.advance(86400)                                   # 4 April, 08:00 in Berlin: creations were yesterday's
    done.start(tasks[done], 30)
    resting.start(tasks[resting], 24)
    server.advance(24 * 60)
    resting.rest()
    focused.start(tasks[focused], 60)
    paused.start(tasks[paused], 60)
    personal.start(private, 60)
    server.advance(6 * 60)                                  # done's pomodoro has ended, the break has not
    server.advance(0)
    paused.pause(tasks[paused])
    done.complete(tasks[done])
    resting_over = server.now()
    v = overview(org)
    assert v["date"] == "2025-04-04" and v["timezone"] == "Europe/Berlin"
    states = {e["user"]["id"]: (e["status"], e["current_task"], e["focus_time_today"]) for e in v["employees_status"]}
    ref = lambda u: {"id": tasks[u]["id"], "title": tasks[u]["title"]}
    assert states == {focused.id: ("focused", ref(focused), 0), paused.id: ("paused", ref(paused), 0),
                      resting.id: ("idle", None, 0.4), done.id: ("idle", None, 0.5), idle.id: ("idle", None, 0),
                      personal.id: ("idle", None, 0), org.owner.id: ("idle", None, 0)}, resting_over
    assert [e["status"] for e in v["employees_status"]][:2] == ["focused", "paused"]
    # sessions or changes of tasks today: the four; total 24 + 30 minutes; paused is not in progress
    assert (v["active_employees"], v["currently_focused"], v["total_focus_hours_today"], v["tasks_completed_today"],
            v["tasks_in_progress"]) == (4, 1, 0.9, 1, 2)
    server.advance(86400)                                   # focused's hour ended by itself yesterday
    v = overview(org)
    assert (v["date"], v["active_employees"], v["currently_focused"], v["total_focus_hours_today"]) == ("2025-04-05", 1, 0, 0)
    assert [e["user"]["id"] for e in v["employees_status"] if e["status"] == "paused"] == [paused.id]


def test_a_break_shows_while_it_lasts(server, story):
    org = Organization(server)
    u = org.member()
    u.pomodoro(u.task(), 25)
    u.rest()
    assert [e["status"] for e in overview(org)["employees_status"]] == ["on_break", "idle"]


def test_who_has_left_keeps_what_was_done(server, story):
    server.go_to(seconds("2025-04-10T08:00:00Z"))
    org = Organization(server)
    stays, leaves, idle = org.member(), org.member(), org.member()
    p = org.owner.project()
    stays.complete(stays.pomodoro(stays.task(project=p["id"]), 60)["task"])
    leaves.pomodoro(leaves.task(project=p["id"]), 120)
    org.remove(leaves)
    org.remove(idle)
    v = team(org)
    assert v["team_statistics"] == {"total_focus_hours": 3, "avg_focus_hours_per_employee": 1.5,
                                    "total_tasks_completed": 1, "avg_task_completion_rate": 0.5}
    assert rows(v, "focus_hours", "is_active") == [(leaves.username, 2, False), (stays.username, 1, True),
                                                   (org.owner.username, 0, True)]
    assert rows(project_report(org, p), "contribution_percentage", "is_active") == [
        (leaves.username, 66.7, False), (stays.username, 33.3, True)]
    v = overview(org)
    assert v["total_focus_hours_today"] == 3 and leaves.id not in [e["user"]["id"] for e in v["employees_status"]]
    org.ask(org.owner, "GET", "/employees/%d/" % leaves.id).error(404, "NOT_FOUND")
    v = team(org, start_date="2025-03-01", end_date="2025-03-31")
    assert [e["user"]["id"] for e in v["employee_breakdown"]] == sorted([stays.id, org.owner.id],
                                                                       key={stays.id: stays.username,
                                                                            org.owner.id: org.owner.username}.get)


def test_work_follows_tasks_and_projects(server, story):
    """Moving, assigning and deleting move the figures; focus time stays with who focused."""
    org = Organization(server)
    ann, bob = org.member(), org.member()
    a, b = org.owner.project(), org.owner.project()
    task = ann.task(project=a["id"])
    ann.pomodoro(task, 60)
    focus = lambda p: project_report(org, p)["total_focus_hours"]
    assert (focus(a), focus(b)) == (1, 0)
    ann.patch("/tasks/%d/" % task["id"], {"project": b["id"]}).expect(200)
    assert (focus(a), focus(b)) == (0, 1)
    org.owner.delete("/projects/%d/" % b["id"]).expect(204)
    assert team(org)["team_statistics"]["total_focus_hours"] == 1
    given = ann.task(project=a["id"])
    org.assign(org.owner, given, bob).expect(200)
    assert rows(team(org), "focus_hours", "completion_rate")[0] == (ann.username, 1, 0)
    bob.complete(given)
    assert dict((r[0], r[1:]) for r in rows(team(org), "tasks_completed", "completion_rate")) == {
        ann.username: (0, 0), bob.username: (1, 1), org.owner.username: (0, 0)}
    assert project_report(org, a)["total_tasks"] == 1
    ann.delete("/tasks/%d/" % task["id"]).expect(204)
    bob.delete("/tasks/%d/" % given["id"]).expect(204)
    assert team(org)["team_statistics"] == {"total_focus_hours": 0, "avg_focus_hours_per_employee": 0,
                                            "total_tasks_completed": 0, "avg_task_completion_rate": 0}


def test_a_personal_task_that_moves_in_brings_its_work(server, story):
    org = Organization(server)
    ann = org.member()
    task = ann.task(organization=None)
    ann.pomodoro(task, 30)
    assert team(org)["team_statistics"]["total_focus_hours"] == 0
    p = org.owner.project()
    ann.patch("/tasks/%d/" % task["id"], {"project": p["id"]}).expect(200)
    assert rows(project_report(org, p), "focus_hours") == [(ann.username, 0.5)]


def test_recent_tasks_are_the_ten_last_touched(server, story):
    org = Organization(server)
    ann = org.member()
    tasks = []
    for _ in range(12):
        tasks.append(ann.task())
        server.advance(60)
    private = ann.task(organization=None)
    given = org.owner.task()
    ann.start(tasks[0])
    server.advance(60)
    ann.pause(tasks[0])
    server.advance(60)
    ann.complete(tasks[1])
    server.advance(60)
    org.assign(org.owner, given, ann).expect(200)
    server.advance(60)
    ann.resume(tasks[0])
    listed = [t["id"] for t in employee(org, ann)["recent_tasks"]]
    assert listed == [tasks[0]["id"], given["id"], tasks[1]["id"]] + [t["id"] for t in reversed(tasks[5:])]
    assert private["id"] not in listed


def test_a_streak_needs_completed_pomodoros_in_the_organization(server, story):
    server.go_to(seconds("2025-05-05T10:00:00Z"))
    org = Organization(server)
    ann = org.member()
    task, private = ann.task(), ann.task(organization=None)
    for day in range(4):
        ann.pomodoro(private if day == 0 else task, 25)
        server.advance(86400 - 25 * 60)
    assert employee(org, ann)["statistics"]["current_streak"] == 3      # up to yesterday
    ann.pomodoro(task, 25)
    assert employee(org, ann)["statistics"]["current_streak"] == 4
    server.advance(2 * 86400)
    assert employee(org, ann)["statistics"]["current_streak"] == 0


# -- what is refused

@pytest.mark.parametrize("path", ["/analytics/team/", "/analytics/projects/%d/", "/employees/%d/"])
def test_ranges_that_are_refused(server, story, path):
    org = Organization(server)
    p = org.owner.project()
    path = path % (p["id"] if "projects" in path else org.owner.id) if "%d" in path else path
    ask = lambda **q: org.ask(org.owner, "GET", path, query=q)
    v = ask(start_date="2025-02-02", end_date="2025-02-01").error(400, "VALIDATION_ERROR")
    assert list(v["details"]) == ["start_date"]
    for bad in ({"start_date": "yesterday"}, {"end_date": "2025-02-30"}, {"start_date": "1900-01-01", "end_date": "2025-01-01"}):
        assert list(ask(**bad).error(400, "VALIDATION_ERROR")["details"]) == list(bad)[:1]
    assert ask(start_date="2025-02-01", end_date="2025-02-01").expect(200)["date_range"]["end"] == "2025-02-01"


def test_projects_of_others_are_unknown(server, story):
    org, other = Organization(server), Organization(server)
    foreign, personal = other.owner.project(), org.owner.project(organization=None)
    gone = org.owner.project()
    org.owner.delete("/projects/%d/" % gone["id"]).expect(204)
    for p in (foreign, personal, gone, {"id": 10 ** 9}):
        org.ask(org.owner, "GET", "/analytics/projects/%d/" % p["id"]).error(404, "NOT_FOUND")
        org.ask(org.owner, "GET", "/analytics/team/", query={"project": p["id"]}).error(404, "NOT_FOUND")
    org.ask(org.owner, "GET", "/analytics/projects/x/").error(404, "NOT_FOUND")
    org.ask(org.owner, "GET", "/analytics/team/", query={"project": "x"}).error(400, "VALIDATION_ERROR")
    org.ask(org.owner, "GET", "/employees/%d/" % other.owner.id).error(404, "NOT_FOUND")


def test_managers_only(server, story):
    org = Organization(server)
    manager, worker, outsider = org.member("manager"), org.member(), User(server)
    p = org.owner.project()
    for path in ("/dashboard/overview/", "/employees/%d/" % worker.id, "/analytics/team/", "/analytics/projects/%d/" % p["id"]):
        org.ask(manager, "GET", path).expect(200)
        org.ask(worker, "GET", path).error(403, "PERMISSION_DENIED")
        org.ask(outsider, "GET", path).error(403, "PERMISSION_DENIED")
        org.ask(manager, "GET", path, token=None).error(401, "AUTHENTICATION_FAILED")
