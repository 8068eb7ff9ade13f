"""Every documented request, response and error of ProFlow, over HTTP."""
import re

import pytest

import scenes_proflow  # noqa: F401
from examples import SCENES, Ask, Contract
from support.client import NOTHING
from support.people import PASSWORD, unique
from support.proflow import Hours, Member, refused

SERVER = {"limits": "on"}
CONTRACT = Contract("proflow", refused=refused, without="proflow.oauth.")
APP, ENDPOINTS = CONTRACT.app, CONTRACT.endpoints
STRANGERS = 8       # requests of one test that count for the address


@pytest.fixture(scope="module")
def hours(server):
    return Hours(server)


@pytest.fixture
def who(server, hours):
    hours.spend(STRANGERS)
    u = Member(server, organization_name="Acme")
    yield u
    u.c.close()


def test_every_endpoint_has_a_scene():
    assert CONTRACT.without_scene() == []


@CONTRACT.each_response
def test_response(name, who):
    CONTRACT.check_response(name, who)


# -- documented errors

BAD = {     # endpoint -> a body that is wrong in each field
    "proflow.projects.create": {"name": " ", "description": 5, "team_id": "team_0", "status": "done"},
    "proflow.projects.update": {"name": None, "description": 5, "team_id": "team_0", "status": "done"},
    "proflow.tasks.create": {"title": "x" * 256, "description": 5, "project_id": "proj_0", "assignee_id": "user_0",
                             "priority": "top", "status": "active"},
    "proflow.tasks.update": {"title": None, "description": 5, "project_id": None, "assignee_id": "user_0",
                             "priority": "top", "status": "active"},
    "proflow.time-entries.create": {"task_id": "task_0", "user_id": "user_0", "duration": 86401, "description": 5,
                                    "started_at": "yesterday"},
    "proflow.webhooks.create": {"url": "ftp://your-domain.com", "events": [], "secret": "short"},
    "proflow.auth.register": {"name": "", "email": "x", "password": "short", "organization_name": " "},
    "proflow.api-keys.create": {"name": "x" * 256, "email": 5, "password": 5},
    "proflow.teams.create": {"name": "", "description": 5, "status": "archived"},
    "proflow.teams.members-add": {"user_id": "user_0"},
    "proflow.users.create": {"name": "", "email": "x@", "role": "owner", "password": "short"},
}


def invalid(endpoint, u, error):
    ask = SCENES[endpoint["id"]](u)
    named = re.match(r"(\w+) does not exist", error["when"])
    if endpoint["method"] == "GET":
        for page, per_page in (("0", "101"), ("x", "0"), ("1.5", "-1")):
            query = {"page": page, "per_page": per_page}
            yield Ask(ask.params, query=query).send(endpoint, u), ["page", "per_page"]
    elif named:
        stranger = Member(u.server)
        other = {"team_id": stranger.team, "project_id": stranger.project, "task_id": stranger.task}
        theirs = other[named[1]]()["id"] if named[1] in other else stranger.id
        for value in ("proj_unknown", "", theirs):
            yield Ask(ask.params, {**ask.json, named[1]: value}).send(endpoint, u), [named[1]]
    else:
        yield Ask(ask.params, BAD[endpoint["id"]]).send(endpoint, u), list(BAD[endpoint["id"]])


def malformed(endpoint, u, error):
    path = ENDPOINTS[endpoint["id"]]["full_path"]
    for name, value in SCENES[endpoint["id"]](u).params.items():
        path = path.replace("{%s}" % name, value)
    token = None if endpoint["auth"] == "none" else u.access
    for body in (b"{", b'{"name": }', b"[]", b'"text"', b"\xff"):
        yield u.c.request(endpoint["method"], path, body=body, token=token), []


def unauthenticated(endpoint, u, error):
    if endpoint["id"] == "proflow.api-keys.create":
        for body in ({}, {"email": u.email, "password": "Wrong-password-1"},
                     {"email": "nobody-%s@example.com" % unique(), "password": PASSWORD}):
            yield Ask(json=body, token=None).send(endpoint, u), []
        yield Ask(json={}, token="pf_" + "x" * 32).send(endpoint, u), []
        return
    params = {p["name"]: "proj_0" for p in endpoint["path_params"]}
    for token in (None, "x.y.z", "pf_" + "x" * 32, u.access[:-1], u.access + "x"):
        yield Ask(params, token=token).send(endpoint, u), []


def forbidden(endpoint, u, error):
    """All roles that the document does not name, whatever the body is."""
    ask = SCENES[endpoint["id"]](u)
    allowed = {word.strip().lower() for word in endpoint["permission"].split("(")[0].split(",")}
    for role in {"viewer", "developer", "manager"} - allowed:
        for body in (ask.json, {} if ask.json is not NOTHING else NOTHING):
            yield Ask(ask.params, body, token=u.colleague(role).access).send(endpoint, u), []


def absent(endpoint, u, error):
    theirs = SCENES[endpoint["id"]](Member(u.server)).params["id"]
    body = SCENES[endpoint["id"]](u).json
    for other in (theirs, "proj_unknown", "webhook_9999", "1", "%00"):
        yield Ask({"id": other}, body).send(endpoint, u), []


def conflict(endpoint, u, error):
    for email in (u.email, u.email.upper()):
        yield Ask(json={"name": "Ada", "email": email, "password": PASSWORD}).send(endpoint, u), []


spent = {}      # hour -> a key that has used up its 1000 requests


def limited(endpoint, u, error):
    if endpoint["rate_limit"]["per"] == "ip":
        for _ in range(100):
            r = Ask(json={}).send(endpoint, u)
        u.server.new_window(3600)
        assert r.status == 429, r
        yield r, []
        return
    hour = u.server.now() // 3600
    if hour not in spent:
        spent[hour] = u
        while u.get("/projects").status != 429:
            pass
    key = spent[hour].access
    yield Ask({p["name"]: "proj_0" for p in endpoint["path_params"]}, token=key).send(endpoint, u), []


PROVOKE = {400: malformed, 401: unauthenticated, 403: forbidden, 404: absent, 409: conflict, 422: invalid, 429: limited}


@CONTRACT.each_error
def test_error(name, i, who):
    error = ENDPOINTS[name]["errors"][i]
    CONTRACT.check_error(name, i, PROVOKE[error["status"]](ENDPOINTS[name], who, error))


def test_every_documented_status_of_the_app_has_a_case():
    """500 is produced by no request (X-12), 405 has a test of its own."""
    assert CONTRACT.statuses_without_case() == {(500, "internal_server_error"), (405, "method_not_allowed")}


# -- general examples

@CONTRACT.counts("general")
def test_error_format(who):
    error = who.post("/projects", {}).json()
    example = APP["examples"]["error"]
    assert list(error) == list(example) and set(error["error"]) == set(example["error"])
    assert error["error"]["message"] == example["error"]["message"] and error["error"]["code"] == "validation_error"


@CONTRACT.counts("general")
@pytest.mark.parametrize("method,path,allow", [
    ("PUT", "/projects", {"GET", "POST"}), ("POST", "/tasks/x", {"GET", "PATCH", "DELETE"}),
    ("GET", "/auth/register", {"POST"}), ("PATCH", "/webhooks/x", {"DELETE"})])
def test_method_not_allowed(method, path, allow, who):
    r = who.request(method, path)
    refused(r, 405, "method_not_allowed")
    assert allow <= set(re.split(r",\s*", r.header("allow"))), r.headers


@CONTRACT.counts("general")
def test_unknown_path(who):
    refused(who.get("/nothing"), 404, "not_found")
