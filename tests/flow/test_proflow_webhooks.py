"""Webhooks of ProFlow (PF-15, X-15): what is sent for what, signatures, log, test event, redelivery."""
import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path

import pytest

from support.people import unique
from support.proflow import Member, refused
from support.receiver import Receiver

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import APPS, check  # noqa: E402

SERVER = {"env": {"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32"}}
HOOKS = APPS["proflow"]["webhooks"][0]
SECRET = "webhook_secret"


@pytest.fixture(scope="module")
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def ada(server):
    u = Member(server)
    yield u
    u.c.close()


class Hook:
    """A registered webhook, with a path of its own at the receiver."""

    def __init__(self, admin, receiver, events=HOOKS["events"], **fields):
        self.admin, self.receiver, self.path = admin, receiver, "/" + unique()
        self.shown = admin.webhook(url=receiver.url(self.path), events=list(events), **fields)
        self.secret = fields.get("secret") or self.shown["secret"]
        self.at = "/webhooks/" + self.shown["id"]

    def got(self, count=1):
        """The requests, when there are so many; every signature holds, and headers and body say the same."""
        requests = self.receiver.wait(self.path, count)
        for r in requests:
            body = json.loads(r.body)
            signature = hmac.new(self.secret.encode(), r.body, hashlib.sha256).hexdigest()
            assert r.headers["x-proflow-signature"] == "sha256=" + signature
            assert r.headers["x-proflow-event"] == body["event"]
            assert r.headers["x-proflow-delivery"] == r.headers["webhook-id"] == body["id"]
            assert list(body) == ["id", "event", "created_at", "data"] and r.headers["content-type"] == "application/json"
        return requests

    def bodies(self, count=1):
        return [json.loads(r.body) for r in self.got(count)]

    def log(self):
        return self.admin.get(self.at + "/deliveries").expect(200)["data"]

    def settled(self):
        """The log when nothing of it is pending."""
        end = time.monotonic() + 30
        while any(d["status"] == "pending" for d in self.log()):
            assert time.monotonic() < end, self.log()
            self.admin.server.advance(1)
        return self.log()


def test_registering_and_listing(ada, receiver):
    hook, other = Hook(ada, receiver, secret=SECRET), Hook(ada, receiver, ["task.created", "task.created"])
    assert "secret" not in hook.shown and other.shown["secret"].startswith("whsec_")
    assert other.shown["events"] == ["task.created"] and hook.shown["is_active"]
    del other.shown["secret"]
    assert ada.get("/webhooks").expect(200)["data"] == [other.shown, hook.shown]
    assert ada.ids("/webhooks", page=2, per_page=1) == [hook.shown["id"]]
    for path in ("/webhooks", hook.at + "/deliveries"):
        assert SECRET not in ada.get(path).text() and "whsec_" not in ada.get(path).text()
    ada.delete(hook.at).expect(204)
    refused(ada.delete(hook.at), 404, "not_found")
    assert ada.ids("/webhooks") == [other.shown["id"]]


@pytest.mark.parametrize("body,field", [
    ({"url": "ftp://x.example/"}, "url"), ({"url": "x.example"}, "url"), ({"url": "http://"}, "url"), ({"url": None}, "url"),
    ({"events": []}, "events"), ({"events": ["task.seen"]}, "events.0"), ({"events": "task.created"}, "events"),
    ({"events": ["webhook.test"]}, "events.0"), ({"secret": "short"}, "secret"), ({"secret": "x" * 256}, "secret")])
def test_bad_webhooks(ada, body, field):
    good = {"url": "https://x.example/", "events": ["task.created"], "secret": SECRET}
    refused(ada.post("/webhooks", {**good, **body}), 422, "validation_error", field)


def test_no_secret_and_a_null_are_the_same(ada):
    assert ada.webhook(secret=None)["secret"].startswith("whsec_")


def test_every_event_has_the_object_as_the_api_returns_it(ada, receiver):
    hook = Hook(ada, receiver, secret=SECRET)
    project = ada.project()
    task = ada.task(project_id=project["id"])
    done = ada.patch("/tasks/" + task["id"], {"status": "done"}).expect(200)
    entry = ada.entry(task_id=task["id"])
    ada.delete("/tasks/" + task["id"]).expect(204)
    named = ada.patch("/projects/" + project["id"], {"name": "Old"}).expect(200)
    ada.delete("/projects/" + project["id"]).expect(204)
    wanted = [("project.created", project), ("task.created", task), ("task.updated", done), ("time_entry.created", entry),
              ("task.deleted", done), ("project.updated", named), ("project.deleted", named)]
    bodies = hook.bodies(7)
    assert {b["event"]: b["data"] for b in bodies} == dict(wanted) and set(dict(wanted)) == set(HOOKS["events"])
    assert len({b["id"] for b in bodies}) == 7
    for body in bodies:
        check(HOOKS["payload_example"], body)


def test_the_headers_of_standard_webhooks_hold_with_a_made_secret(ada, receiver):
    hook = Hook(ada, receiver, ["task.created"])
    ada.task()
    (r,) = hook.got()
    key = base64.b64decode(hook.secret[len("whsec_"):])
    signed = b"%s.%s.%s" % (r.headers["webhook-id"].encode(), r.headers["webhook-timestamp"].encode(), r.body)
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert r.headers["webhook-signature"] == wanted


def test_only_what_was_asked_for_and_only_of_the_organization(server, ada, receiver):
    hook = Hook(ada, receiver, ["task.updated"], secret=SECRET)
    ada.project()
    other = Member(server)
    other.patch("/tasks/" + other.task()["id"], {"title": "theirs"}).expect(200)
    task = ada.task()
    ada.patch("/tasks/" + task["id"], {}).expect(200)               # no change, no event
    refused(ada.patch("/tasks/" + task["id"], {"status": "x"}), 422, "validation_error", "status")
    ada.patch("/tasks/" + task["id"], {"title": "ours"}).expect(200)
    assert [b["data"]["title"] for b in hook.bodies()] == ["ours"] and len(hook.settled()) == 1


def test_the_log_test_and_redelivery(ada, receiver):
    hook = Hook(ada, receiver, ["task.created"], secret=SECRET)
    receiver.answers[hook.path] = [500, 200]
    sent = ada.post(hook.at + "/test").expect(202)
    hook.got(1)
    ada.server.advance(10)
    first, second = hook.got(2)
    assert first.body == second.body and json.loads(first.body)["event"] == "webhook.test"
    (entry,) = hook.settled()
    assert (entry["id"], entry["status"], entry["attempts"], entry["response_status"]) == (sent["id"], "succeeded", 2, 200)
    assert ada.post("%s/deliveries/%s/redeliver" % (hook.at, sent["id"])).expect(202) == sent
    assert hook.got(3)[2].body == first.body
    refused(ada.post(hook.at + "/deliveries/dlv_nothing/redeliver"), 404, "not_found")


def test_names_that_are_none_are_unknown(ada):
    number = ada.webhook()["id"][len("webhook_"):]
    for name in (number, "webhook_0" + number, "webhook_-1", "webhook_", "webhook_" + "9" * 30, "task_" + number):
        refused(ada.delete("/webhooks/" + name), 404, "not_found")
        refused(ada.get("/webhooks/%s/deliveries" % name), 404, "not_found")


def test_410_disables_and_the_admins_are_told(ada, receiver):
    hook = Hook(ada, receiver, ["task.created"], secret=SECRET)
    manager = ada.colleague("manager")
    receiver.answers[hook.path] = [410]
    ada.task()
    hook.got()
    assert [d["status"] for d in hook.settled()] == ["failed"]
    assert [h["is_active"] for h in ada.get("/webhooks").expect(200)["data"]] == [False]
    refused(ada.post(hook.at + "/test"), 409, "conflict")
    ada.server.log.wait_for('"to":"%s"' % ada.email)
    assert '"to":"%s"' % manager.email not in ada.server.log.text()
