"""Webhooks of organizations (FF-57, FF-58, X-15): registering, what is sent for what, signatures, log, test, again."""
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

import pytest

from support.organizations import Organization
from support.people import unique
from support.receiver import Receiver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import APPS, check  # noqa: E402

SERVER = {"env": {"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32"}}
SECRET = "your-webhook-secret"
HOOKS = APPS["focusflow"]["webhooks"][0]


@pytest.fixture(scope="module")
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def acme(server):
    return Organization(server)


class Hook:
    """A registered webhook, with a path of its own at the receiver."""

    def __init__(self, acme, receiver, events=HOOKS["events"], secret=SECRET):
        self.acme, self.receiver, self.path, self.secret = acme, receiver, "/" + unique(), secret
        body = {"url": receiver.url(self.path), "events": list(events), "secret": secret}
        self.shown = acme.ask(acme.owner, "POST", "/webhooks/", json=body).expect(201)
        self.id = self.shown["id"]

    def ask(self, method, path="", **kw):
        return self.acme.ask(self.acme.owner, method, "/webhooks/%d/%s" % (self.id, path), **kw)

    def got(self, count=1):
        """The payloads, when there are so many; every signature holds."""
        requests = self.receiver.wait(self.path, count)
        for r in requests:
            verify(r, self.secret)
        return [json.loads(r.body) for r in requests]

    def log(self):
        return self.ask("GET", "deliveries/").expect(200)["results"]

    def settled(self):
        """The log when nothing of it is pending."""
        end = time.monotonic() + 30
        while any(d["status"] == "pending" for d in self.log()):
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)
        return self.log()


def mac(secret, data):
    return "sha256=" + hmac.new(secret.encode(), data, hashlib.sha256).hexdigest()


def verify(request, secret):
    """As the document says: the bytes before the last member, and all of them."""
    before, found, rest = request.body.rpartition(b',"signature"')
    assert found and json.loads(b'{"signature"' + rest)["signature"] == mac(secret, before + b"}")
    assert request.headers["x-focusflow-signature"] == mac(secret, request.body)
    assert request.headers["content-type"] == "application/json"
    assert list(json.loads(request.body)) == ["event", "organization", "data", "timestamp", "signature"]


def test_registering(acme, receiver):
    hook = Hook(acme, receiver, ["task_completed", "employee_idle"])
    assert hook.shown == {"id": hook.id, "url": receiver.url(hook.path), "events": ["task_completed", "employee_idle"],
                          "is_active": True, "created_at": hook.shown["created_at"]}
    second = Hook(acme, receiver)
    v = acme.ask(acme.owner, "GET", "/webhooks/").expect(200)
    assert v["results"] == [second.shown, hook.shown] and v["count"] == 2
    pages = [acme.ask(acme.owner, "GET", "/webhooks/", query={"page": n, "page_size": 1}).expect(200) for n in (1, 2)]
    assert [p["results"][0]["id"] for p in pages] == [second.id, hook.id]
    acme.ask(acme.owner, "GET", "/webhooks/", query={"page": 3, "page_size": 1}).error(404, "NOT_FOUND")
    hook.ask("DELETE").expect(204)
    hook.ask("DELETE").error(404, "NOT_FOUND")
    assert SECRET not in acme.ask(acme.owner, "GET", "/webhooks/").text()


@pytest.mark.parametrize("body,field", [
    ({"url": "ftp://example.com/"}, "url"), ({"url": "example.com"}, "url"), ({"url": ""}, "url"), ({"url": "http://"}, "url"),
    ({"url": "https://user:pw@example.com/"}, "url"), ({"url": "https://example.com/" + "x" * 2000}, "url"),
    ({"events": []}, "events"), ({"events": ["task_created"]}, "events.0"), ({"events": "task_completed"}, "events"),
    ({"secret": "short"}, "secret"), ({"secret": "x" * 256}, "secret"), ({"secret": None}, "secret")])
def test_bad_webhooks(acme, body, field):
    good = {"url": "https://example.com/", "events": ["task_completed"], "secret": SECRET}
    acme.ask(acme.owner, "POST", "/webhooks/", json={**good, **body}).error(400, "VALIDATION_ERROR", field)


def test_there_is_a_most_of_them(acme):
    """Each costs every change of every member a row."""
    body = {"url": "https://example.com/hook", "events": ["task_started", "task_started"], "secret": SECRET}
    made = [acme.ask(acme.owner, "POST", "/webhooks/", json=body).expect(201) for _ in range(100)]
    assert made[0]["events"] == ["task_started"], "an event counts once"
    acme.ask(acme.owner, "POST", "/webhooks/", json=body).error(409, "CONFLICT")
    acme.ask(acme.owner, "DELETE", "/webhooks/%d/" % made[7]["id"]).expect(204)
    acme.ask(acme.owner, "POST", "/webhooks/", json=body).expect(201)


def test_the_documented_payload(acme, receiver):
    hook = Hook(acme, receiver, ["task_completed"])
    jane = acme.member(first_name="Jane")
    t = jane.task(title="Code review")
    jane.start(t)
    done = jane.complete(t)
    (payload,) = hook.got()
    check(HOOKS["payload_example"], payload)
    assert payload["event"] == "task_completed" and payload["organization"] == {"id": acme.id, "slug": acme.slug}
    assert payload["timestamp"] == payload["data"]["completed_at"] == done["ended_at"]
    assert payload["data"]["user"] == {"id": jane.id, "username": jane.username, "first_name": "Jane"}
    assert (payload["data"]["task"]["id"], payload["data"]["task"]["title"]) == (t["id"], "Code review")


def test_every_event(server, acme, receiver):
    hook = Hook(acme, receiver)
    jane = acme.member()
    p = acme.owner.project(name="Client Project A")
    t = acme.owner.task(title="Code review", project=p["id"])
    acme.assign(acme.owner, t, jane, priority="high").expect(200)
    jane.start(t)
    server.advance(900)
    elapsed = jane.pause(t)["active_session"]["paused_duration"]
    remaining = jane.resume(t)["active_session"]["remaining_seconds"]
    server.advance(600)
    jane.rest()
    jane.complete(t)
    found = {x["event"]: x["data"] for x in hook.got(7)}
    assert set(found) == set(HOOKS["events"]) - {"employee_idle"}
    for data in found.values():
        assert data["user"]["username"] in (jane.username, acme.owner.username)
    assert found["task_started"]["task"] == {"id": t["id"], "title": "Code review", "project": "Client Project A"}
    assert found["task_paused"]["elapsed_seconds"] == elapsed and found["task_resumed"]["remaining_seconds"] == remaining
    assert "task" not in found["break_started"] and found["break_started"]["break_type"] == "short"
    assigned = found["task_assigned"]
    assert assigned["assigned_to"] == {"id": jane.id, "username": jane.username} and assigned["task"]["priority"] == "high"
    assert assigned["user"]["id"] == assigned["assigned_by"]["id"] == acme.owner.id
    assert len({r.id for r in receiver.of(hook.path)}) == 7


def test_only_what_was_asked_for_and_only_of_the_organization(server, acme, receiver):
    hook, other = Hook(acme, receiver, ["task_started"]), Organization(server)
    jane = acme.member()
    for u, fields in ((jane, {"organization": None}), (other.owner, {}), (jane, {"title": "the one"})):
        t = u.task(**fields)
        u.start(t)
        u.complete(t)
    (payload,) = hook.got()
    assert payload["data"]["task"]["title"] == "the one"
    assert [d["event"] for d in hook.settled()] == ["task_started"]


def test_what_is_rolled_back_is_not_sent(acme, receiver):
    hook = Hook(acme, receiver, ["task_started"])
    t = acme.owner.task()
    acme.owner.start(t)
    acme.owner.post("/tasks/%d/start/" % t["id"]).error(409, "CONFLICT")
    hook.got(1)
    assert len(hook.settled()) == 1


def test_the_log_test_and_redelivery(acme, receiver):
    hook = Hook(acme, receiver, ["task_completed"])
    receiver.answers[hook.path] = [500, 200]
    sent = hook.ask("POST", "test/").expect(202)
    hook.got(1)
    hook.acme.server.advance(10)
    first, second = receiver.wait(hook.path, 2)
    assert first.id == second.id == sent["id"] and first.body == second.body
    assert json.loads(first.body)["event"] == "webhook.test"
    (entry,) = hook.settled()
    assert set(entry) == {"id", "event", "status", "attempts", "response_status", "latency_ms", "response_excerpt", "created_at"}
    assert (entry["id"], entry["status"], entry["attempts"], entry["response_status"]) == (sent["id"], "succeeded", 2, 200)
    assert hook.ask("POST", "deliveries/%s/redeliver/" % sent["id"]).expect(202) == sent
    third = receiver.wait(hook.path, 3)[2]
    assert third.id == sent["id"] and third.body == first.body
    hook.ask("POST", "deliveries/dlv_nothing/redeliver/").error(404, "NOT_FOUND")


def test_a_webhook_of_another_organization(server, acme, receiver):
    hook, other = Hook(acme, receiver), Organization(server)
    for method, path in (("DELETE", ""), ("GET", "deliveries/"), ("POST", "test/"), ("POST", "deliveries/dlv_x/redeliver/")):
        other.ask(other.owner, method, "/webhooks/%d/%s" % (hook.id, path)).error(404, "NOT_FOUND")


def test_410_disables_and_the_admins_are_told(acme, receiver):
    hook = Hook(acme, receiver, ["task_started"])
    receiver.answers[hook.path] = [410]
    t = acme.owner.task()
    acme.owner.start(t)
    receiver.wait(hook.path)
    assert [d["status"] for d in hook.settled()] == ["failed"]
    end = time.monotonic() + 30
    while acme.ask(acme.owner, "GET", "/webhooks/").expect(200)["results"][0]["is_active"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    hook.ask("POST", "test/").error(409, "CONFLICT")
    acme.server.log.wait_for('"to":"%s"' % acme.owner.email)
