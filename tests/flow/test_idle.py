"""Idle employees (FF-54), by the webhook's delivery log: after 30 minutes without a session, within working hours in the
employee's zone, once per idle period, also across a restart."""
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

from support.days import iso
from support.organizations import Organization

ZONE = "Asia/Kathmandu"
IDLE = 30 * 60


@pytest.fixture
def world(start_server, receiver):
    """An organization, an employee at nine in the morning of the next working day, and what was told of idleness."""
    server = start_server(env={"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32"})
    w = World(server, receiver)
    yield w
    w.hook_path = None


class World:
    def __init__(self, server, receiver):
        self.server, self.receiver = server, receiver
        self.acme = Organization(server)
        self.jane = self.acme.member(zone=ZONE, first_name="Jane")
        self.path = "/idle%d" % server.port
        body = {"url": receiver.url(self.path), "events": ["employee_idle"], "secret": "a secret of the tests"}
        self.hook = self.acme.ask(self.acme.owner, "POST", "/webhooks/", json=body).expect(201)
        self.morning()

    def morning(self, hour=10):
        """Goes to that hour of the employee's next day."""
        day = dt.datetime.fromtimestamp(self.server.now(), ZoneInfo(ZONE)).date() + dt.timedelta(1)
        self.server.go_to(int(dt.datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(ZONE)).timestamp()))

    def told(self):
        """(idle_since, minutes) of each report so far."""
        v = self.acme.ask(self.acme.owner, "GET", "/webhooks/%d/deliveries/" % self.hook["id"]).expect(200)
        payloads = [json.loads(r.body) for r in self.receiver.wait(self.path, v["count"])]
        assert len({r.id for r in self.receiver.of(self.path)}) == v["count"]
        for p in payloads:
            assert p["event"] == "employee_idle" and set(p["data"]) == {"user", "idle_since", "idle_duration_minutes"}
        return [(p["data"]["idle_since"], p["data"]["idle_duration_minutes"]) for p in payloads]

    def work(self, minutes=25, **fields):
        t = self.jane.task(**fields)
        self.jane.start(t, minutes)
        self.server.advance(minutes * 60)
        return iso(self.server.now())


def test_idle_after_half_an_hour(world):
    end = world.work()
    world.server.advance(IDLE - 60)
    assert world.told() == []
    world.server.advance(60)
    ((since, minutes),) = world.told()
    assert minutes == 30 and abs(seconds_between(since, end)) <= 1
    world.server.advance(4 * 3600)
    assert len(world.told()) == 1, "once per idle period"


def seconds_between(a, b):
    return (dt.datetime.fromisoformat(a) - dt.datetime.fromisoformat(b)).total_seconds()


def test_work_begins_a_new_period(world):
    world.work()
    world.server.advance(IDLE - 60)
    world.work()
    world.server.advance(IDLE - 60)
    assert world.told() == []
    world.server.advance(60)
    assert len(world.told()) == 1
    world.work()
    world.server.advance(IDLE)
    assert len(world.told()) == 2


def test_who_has_a_session_open_is_not_idle(world):
    t = world.jane.task()
    world.jane.start(t, 120)
    world.server.advance(3600)
    world.jane.pause(t)
    world.server.advance(3600)
    assert world.told() == []
    world.jane.complete(t)
    world.server.advance(IDLE)
    assert len(world.told()) == 1


def test_a_break_is_a_session(world):
    world.jane.patch("/auth/profile/", {"pomodoro_settings": {"long_break": 90}}).expect(200)
    world.work()
    world.jane.rest("long")
    world.server.advance(89 * 60)
    assert world.told() == []
    world.server.advance(60 + IDLE)
    ((_, minutes),) = world.told()
    assert minutes == 30


def test_personal_work_is_no_idleness(world):
    world.work()
    t = world.jane.task(organization=None)
    world.jane.start(t, 60)
    world.server.advance(3600)
    assert world.told() == []
    world.server.advance(IDLE)
    assert len(world.told()) == 1


def test_only_personal_work_is_nobodys_business(world):
    world.work(organization=None)
    world.server.advance(5 * 3600)
    assert world.told() == []


def test_nothing_before_and_after_working_hours(world):
    world.morning(7)
    end = world.work()
    world.server.advance(90 * 60)
    assert world.told() == [], "before nine nobody needs to work"
    world.server.advance(5 * 60)
    ((since, minutes),) = world.told()
    assert abs(seconds_between(since, end)) <= 1 and minutes in (94, 95), "at nine: idle since seven and 25 minutes"
    world.morning(16)
    world.work(35)
    world.server.advance(3 * 3600)
    assert len(world.told()) == 1, "17:05 is after hours"
    world.morning(12)
    assert len(world.told()) == 1, "nothing was done on this day"


def test_managers_are_not_watched(world):
    world.acme.change(world.jane, "manager").expect(200)
    world.work()
    world.server.advance(IDLE)
    assert world.told() == []


def test_who_has_left_is_not_watched(world):
    world.work()
    world.acme.remove(world.jane)
    world.server.advance(IDLE)
    assert world.told() == []


def test_other_working_hours(world):
    world.acme.ask(world.acme.owner, "PATCH", json={"working_hours": {"start": "18:00", "end": "22:00"}}).expect(200)
    world.work()
    world.server.advance(7 * 3600)
    assert world.told() == []
    world.server.advance(3600)
    assert len(world.told()) == 1, "at six: idle since the forenoon of that day"
    world.morning(19)
    world.work()
    world.server.advance(IDLE)
    assert len(world.told()) == 2


def test_what_was_due_while_the_server_was_down(world):
    world.work()
    world.server.restart(later=2 * 3600)
    ((_, minutes),) = world.told()
    assert minutes == 30, "as of when it was due (X-17)"
    world.server.advance(3600)
    assert len(world.told()) == 1


def test_configurable_minutes(start_server, receiver):
    server = start_server(env={"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32", "PERIGEE_FOCUSFLOW_IDLE_MINUTES": "5"})
    w = World(server, receiver)
    w.work()
    server.advance(300)
    assert [m for _, m in w.told()] == [5]
