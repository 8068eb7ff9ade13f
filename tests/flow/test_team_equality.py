"""Three months of random work in an organization: all figures equal those of plain SQL over the raw rows, for callers
in zones with odd offsets and changes, and `analytics verify` agrees after moves, assignments and deletions."""
import datetime as dt
import random

import pytest

from support.days import local_date, seconds
from support.organizations import Organization
from support.team_check import check_employee, check_project, check_team
from support.team_sql import TeamSql

BEGIN = "2025-09-01T00:00:00Z"
SERVER = {"shift": seconds(BEGIN) - int(dt.datetime.now().timestamp())}
VERIFY = True
ZONES = ["Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
SEED, STEPS = 11, 420


class World:
    def __init__(self, server):
        self.server, self.random = server, random.Random(SEED)
        self.org = Organization(server, zone=ZONES[0])
        self.people = [self.org.owner] + [self.org.member("manager", zone=z) for z in ZONES[1:]] + [self.org.member()]
        self.gone = []
        self.projects = [self.org.owner.project() for _ in range(3)]
        self.mine = {u.id: [] for u in self.people}

    def pick(self, values):
        return self.random.choice(values)

    def some_task(self, u):
        return self.pick(self.mine[u.id]) if self.mine[u.id] else None

    def step(self):
        u, r = self.pick(self.people), self.random.random()
        task = self.some_task(u)
        if task is None or r < 0.15:
            project = self.pick(self.projects + [None, None])
            where = {"project": project["id"]} if project else self.pick([{}, {}, {"organization": None}])
            self.mine[u.id].append(u.task(**where))
        elif r < 0.62:      # conflicts are part of the game: a session is open, the task is completed …
            u.request("POST", "/tasks/%d/start/" % task["id"], json={"pomodoro_duration": self.pick([1, 20, 50, 180])})
        elif r < 0.80:
            u.request("POST", "/tasks/%d/%s/" % (task["id"], self.pick(["pause", "resume", "complete"])), json={})
        elif r < 0.86:
            u.request("POST", "/pomodoro/break/start/", json={"break_type": self.pick(["short", "long"])})
        elif r < 0.91:
            u.request("PATCH", "/tasks/%d/" % task["id"], json={"project": self.pick(self.projects + [{"id": None}])["id"]})
        elif r < 0.95:
            other = self.pick(self.people)
            if self.org.assign(self.org.owner, task, other).status == 200:
                self.mine[u.id].remove(task)
                self.mine[other.id].append(task)
        elif r < 0.97:
            if u.request("DELETE", "/tasks/%d/" % task["id"]).status == 204:
                self.mine[u.id].remove(task)
        elif r < 0.975 and len(self.projects) > 1:
            project = self.projects.pop()
            self.org.owner.delete("/projects/%d/" % project["id"]).expect(204)
        self.server.advance(int(self.random.expovariate(1 / 18000)) if self.random.random() < 0.5 else self.random.randrange(60, 4000))

    def leave(self):
        self.gone.append(self.people.pop())
        self.org.remove(self.gone[-1])


@pytest.fixture(scope="module")
def world(server):
    w = World(server)
    for i in range(STEPS):
        w.step()
        if i == STEPS * 2 // 3:
            w.leave()
    return w


@pytest.fixture
def sql(server, world):
    s = TeamSql(server.data / "focusflow.db", world.org.id)
    yield s
    s.close()


def ranges(world, zone):
    """Days with clock changes, months, everything, a day without work."""
    today = local_date(zone, world.server.now())
    fixed = [("2025-10-26", "2025-10-26"), ("2025-10-04", "2025-10-06"), ("2025-11-02", "2025-11-02"),
             ("2025-09-01", "2025-09-30"), ("2025-08-01", "2026-03-01"), ("2025-08-10", "2025-08-10")]
    out = [tuple(map(dt.date.fromisoformat, pair)) for pair in fixed]
    for _ in range(6):
        first = dt.date(2025, 9, 1) + dt.timedelta(world.random.randrange(0, 100))
        out.append((first, first + dt.timedelta(world.random.randrange(0, 20))))
    return out + [(today - dt.timedelta(1), today)]


@pytest.mark.parametrize("who", range(4), ids=ZONES)
def test_all_figures_equal_those_of_sql(server, world, sql, who):
    asking = (world.people + world.gone)[who]
    total = 0
    for first, last in ranges(world, asking.zone):
        days = {"start_date": str(first), "end_date": str(last)}
        ask = lambda path, **q: world.org.ask(asking, "GET", path, query={**days, **q}).expect(200)
        v = ask("/analytics/team/")
        total += v["team_statistics"]["total_focus_hours"]
        check_team(v, sql, asking.zone, first, last)
        for p in world.projects:
            check_team(ask("/analytics/team/", project=p["id"]), sql, asking.zone, first, last, p["id"])
            check_project(ask("/analytics/projects/%d/" % p["id"]), sql, asking.zone, first, last, p["id"])
        today = local_date(asking.zone, server.now())
        for u in world.people:
            check_employee(ask("/employees/%d/" % u.id), sql, asking.zone, first, last, u.id, today)
    assert total > 100, "there was hardly any work to compare"


def test_the_overview_is_that_of_the_day(server, world, sql):
    for asking in world.people[:2]:
        today = local_date(asking.zone, server.now())
        v = world.org.ask(asking, "GET", "/dashboard/overview/").expect(200)
        want = sql.report(asking.zone, today, today)
        assert v["date"] == str(today) and v["tasks_completed_today"] == sum(want["completed"].values())
        assert abs(v["total_focus_hours_today"] - sum(want["focus"].values()) / 3600) <= 0.005 + 1e-9
        for e in v["employees_status"]:
            assert abs(e["focus_time_today"] - want["focus"].get(e["user"]["id"], 0) / 3600) <= 0.005 + 1e-9
