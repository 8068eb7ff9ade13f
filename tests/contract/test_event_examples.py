"""Every documented event of the socket and the webhook's payload, compared with its example by shape."""
import json

import pytest

from catalogue import APPS, check
from support.organizations import Organization, v2
from support.people import User
from support.receiver import Receiver
from support.sockets import Socket

APP = APPS["focusflow"]
SOCKET = APP["websocket"][0]
HOOK = APP["webhooks"][0]
EVENTS = {e["name"]: e for e in SOCKET["events"]}
SERVER = {"env": {"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32"}}


class Scene:
    """Jane works in an organization at ten in the morning; her sockets and those of its owner are open."""

    def __init__(self, server):
        self.server, self.acme = server, Organization(server)
        self.jane = self.acme.member(first_name="Jane")
        server.advance(36 * 3600 - server.now() % 86400)      # noon, UTC
        server.advance(86400 - 2 * 3600)
        self.owner = self.acme.owner
        self.project = self.owner.project(name="Client Project A")
        self.sockets = {u: self.open(u) for u in (self.jane, self.owner)}

    def open(self, u):
        s = Socket(self.server.port, SOCKET["full_path"])
        u.login()
        s.send({**SOCKET["client_messages"][0]["example"], "token": u.access})
        s.send({"resume": {"room": "user:%d" % u.id, "after": 1}})
        assert s.json()["type"] == "resync"
        return s

    def next(self, u, name):
        while True:
            e = self.sockets[u].json()
            if e["type"] == name:
                return e

    def started(self, **fields):
        t = self.jane.task(title="Code review", project=self.project["id"], **fields)
        self.jane.start(t)
        return t


def started(s):
    s.started()


def paused(s):
    t = s.started()
    s.server.advance(900)
    s.jane.pause(t)


def resumed(s):
    t = s.started()
    s.server.advance(900)
    s.jane.pause(t)
    s.jane.resume(t)


def completed(s):
    t = s.started()
    s.server.advance(25 * 60)
    s.jane.complete(t)


def elapsed(s):
    s.started()
    s.server.advance(25 * 60)


def rested(s):
    s.jane.rest()


def idle(s):
    completed(s)
    s.server.advance(30 * 60)


def assigned(s):
    t = s.owner.task(title="Implement feature X")
    s.acme.assign(s.owner, t, s.jane, priority="high").expect(200)


SCENES = {"task_started": started, "task_paused": paused, "task_resumed": resumed, "task_completed": completed,
          "pomodoro_completed": elapsed, "break_started": rested, "employee_task_started": started,
          "employee_task_completed": completed, "employee_idle": idle, "task_assigned": assigned}


@pytest.fixture
def scene(server):
    s = Scene(server)
    yield s
    for x in s.sockets.values():
        x.sock.close()


@pytest.mark.contract("focusflow: events")
@pytest.mark.parametrize("name", EVENTS)
def test_event(name, scene):
    SCENES[name](scene)
    event = scene.next(scene.owner if EVENTS[name]["channel"] == "manager" else scene.jane, name)
    check(EVENTS[name]["example"], event)
    assert isinstance(event["seq"], int) and event["room"], "the additions"


@pytest.mark.contract("focusflow: events")
def test_reply_to_a_bad_token(server):
    (reply,) = SOCKET["replies"]
    s = Socket(server.port, SOCKET["full_path"])
    s.send({"token": "x.y.z"})
    check(reply["example"], s.json())
    assert s.close_code() == SOCKET["auth"]["close_code"]


@pytest.mark.contract("focusflow: events")
def test_the_other_ways_to_authenticate(server):
    u = User(server)
    s = Socket(server.port, SOCKET["full_path"] + "?token=" + u.access)
    s.send({"resume": {"room": "user:%d" % u.id, "after": 1}})
    assert s.json()["type"] == "resync"
    s.sock.close()
    late = Socket(server.port, SOCKET["full_path"])
    server.advance(SOCKET["auth"]["timeout_seconds"] + 1)
    assert late.json()["type"] == "error" and late.close_code() == SOCKET["auth"]["close_code"]


HOOK_SCENES = {"task_started": started, "task_paused": paused, "task_resumed": resumed, "task_completed": completed,
               "task_assigned": assigned, "pomodoro_completed": elapsed, "break_started": rested, "employee_idle": idle}


@pytest.mark.contract("focusflow: webhooks")
@pytest.mark.parametrize("name", HOOK["events"])
def test_webhook(name, scene):
    receiver = Receiver()
    body = {"url": receiver.url("/hook"), "events": [name], "secret": "your-webhook-secret"}
    v2(scene.owner, "POST", "%s/webhooks/" % scene.acme.path, json=body).expect(201)
    HOOK_SCENES[name](scene)
    request = receiver.wait("/hook")[0]
    receiver.close()
    assert request.method == HOOK["method"]
    for header in HOOK["headers"]:
        assert request.headers[header["name"].lower()].startswith(header["example"].removesuffix("..."))
    payload = json.loads(request.body)
    example = {**HOOK["payload_example"], "event": name}
    if name in ("break_started", "employee_idle"):
        example["data"] = {"user": {"...": "..."}}
    check(example, payload)
    assert list(payload)[-1] == HOOK["signature"]["where"].split()[2].rstrip(",")
    assert (payload["event"], payload["organization"]["slug"]) == (name, scene.acme.slug)
