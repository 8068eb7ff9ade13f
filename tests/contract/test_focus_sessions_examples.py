"""Every documented request, response and error of Focus Sessions, over HTTP."""
import re
import uuid

import pytest

import scenes_focus_sessions  # noqa: F401
from examples import SCENES, Ask, Contract
from support.focus_sessions import Worker
from support.people import PASSWORD, unique

SERVER = {"limits": "on"}
CONTRACT = Contract("focus-sessions")
APP, ENDPOINTS = CONTRACT.app, CONTRACT.endpoints
UNKNOWN = "6f1c7a52-93d4-4c0e-8b1a-2f6d9e3a7c58"     # the same in all of the suite's processes
TAMPERED = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."


@pytest.fixture
def who(server):
    u = Worker(server, name="Ada")
    yield u
    u.c.close()


def test_every_endpoint_has_a_scene():
    assert CONTRACT.without_scene() == []


@CONTRACT.each_response
def test_response(name, who):
    r = CONTRACT.check_response(name, who)
    assert not [k for k, _ in r.headers if k.lower().startswith("x-ratelimit")], "FS-14: %s" % r.headers


# -- documented errors

BAD = {      # endpoint -> what is wrong, and the fields that must be named
    "focus-sessions.sessions.start": (Ask(json={"quest_id": "q1...", "description": 5}),
                                      "quest_id", "description", "duration_minutes"),
    "focus-sessions.sessions.update": (Ask(json={}), "status"),
    "focus-sessions.sessions.list": (Ask(query={"quest_id": "q1", "status": "done", "limit": 101}),
                                     "quest_id", "status", "limit"),
    "focus-sessions.auth.register": (Ask(json={"email": "x", "password": "short"}), "email", "password"),
    "focus-sessions.auth.login": (Ask(json={}), "email", "password"),
    "focus-sessions.quests.create": (Ask(json={"title": " "}), "title"),
}


def own_params(endpoint, u):
    return {p["name"]: u.start()["id"] for p in endpoint["path_params"]}


def invalid(endpoint, u):
    ask, *fields = BAD[endpoint["id"]]
    yield Ask(own_params(endpoint, u), ask.json, ask.query).send(endpoint, u), fields


def unauthenticated(endpoint, u):
    if endpoint["id"] == "focus-sessions.auth.login":
        for email, password in ((u.email, "Wrong-password-1"), ("nobody-%s@example.com" % unique(), PASSWORD)):
            yield Ask(json={"email": email, "password": password}).send(endpoint, u), []
        return
    for token in (None, "", "x.y.z", TAMPERED, u.access[:-4] + "AAAA"):
        yield Ask({p["name"]: UNKNOWN for p in endpoint["path_params"]}, token=token).send(endpoint, u), []


def absent(endpoint, u):
    body = SCENES[endpoint["id"]](u).json
    for other in (UNKNOWN, own_params(endpoint, Worker(u.server))["id"], "f1...", "1"):
        yield Ask({"id": other}, body).send(endpoint, u), []


def conflict(endpoint, u):
    if endpoint["id"] == "focus-sessions.auth.register":
        yield Ask(json={"email": u.email.upper(), "password": PASSWORD}).send(endpoint, u), []
        return
    for ended in ("completed", "cancelled"):
        session = u.start()
        u.change(session, ended).expect(200)
        for status in {"active", "completed", "cancelled"} - {ended}:
            yield Ask({"id": session["id"]}, {"status": status}).send(endpoint, u), []


PROVOKE = {400: invalid, 401: unauthenticated, 404: absent, 409: conflict}


@CONTRACT.each_error
def test_error(name, i, who):
    CONTRACT.check_error(name, i, PROVOKE[ENDPOINTS[name]["errors"][i]["status"]](ENDPOINTS[name], who))


def test_every_documented_status_of_the_app_has_a_case():
    """500 is produced by no request (X-12), 405 has a test of its own."""
    assert CONTRACT.statuses_without_case() == {(500, "internal_error"), (405, "method_not_allowed")}


# -- general examples

@CONTRACT.counts("general")
def test_data_model(who):
    """Members and types of the model (FS-6: all are always there)."""
    model = APP["examples"]["data_model"]
    for session in (who.start(), who.start(quest_id=who.quest()["id"], description="Writing Chapter 1")):
        assert list(session) == list(model)
        for ended in (session, who.change(session, "completed").expect(200), who.history()[0]):
            assert list(ended) == list(model)
            assert ended["status"] in APP["enums"]["status"]
            assert isinstance(ended["duration_minutes"], int)
            assert uuid.UUID(ended["id"]).version == 4


@CONTRACT.counts("general")
@pytest.mark.parametrize("method,path,allow", [
    ("PUT", "/focus-sessions", {"GET", "POST"}), ("GET", "/focus-sessions/" + UNKNOWN, {"PATCH", "DELETE"}),
    ("GET", "/auth/login", {"POST"}), ("DELETE", "/quests", {"GET", "POST"})])
def test_method_not_allowed(method, path, allow, who):
    r = who.request(method, path)
    r.refused(405, "method_not_allowed")
    assert allow <= set(re.split(r",\s*", r.header("allow"))), r.headers
