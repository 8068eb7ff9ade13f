"""Every documented request, response and error of FocusFlow, over HTTP.

A scene (scenes.py) brings a new user to the state that the documented example shows and returns the
documented request; what comes back is compared by shape, with no null allowed where the example has a value.
"""
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

import scenes_organizations  # noqa: F401
import scenes_teams  # noqa: F401
from catalogue import check
from examples import SCENES, Ask, Contract, check_file, example
from organization_errors import provoke
from scenes import worked_project
from support.client import NOTHING, Response
from support.people import PASSWORD, V1, User, unique

SERVER = {"limits": "on"}
MISSING = 99999999
CONTRACT = Contract("focusflow", Response.error)
APP, ENDPOINTS = CONTRACT.app, CONTRACT.endpoints


@pytest.fixture
def who(server):
    server.new_window()
    u = User(server, "America/New_York")
    yield u
    u.c.close()


def test_every_endpoint_has_a_scene():
    assert CONTRACT.without_scene() == []


@CONTRACT.each_response
def test_response(name, who):
    CONTRACT.check_response(name, who)


OTHER_TYPES = [("focusflow.docs.v2", "openapi", "application/json"),
               ("focusflow.export.data", "csv", "text/csv"), ("focusflow.docs.v1", "openapi", "application/json"),
               ("focusflow.export.data", "json", "application/json"), ("focusflow.docs.v1", "html", "text/html")]


@CONTRACT.counts("responses in other formats")
@pytest.mark.parametrize("name,form,kind", OTHER_TYPES)
def test_response_in_another_format(name, form, kind, who):
    endpoint = ENDPOINTS[name]
    assert form in next(q["enum"] for q in endpoint["query_params"] if q["name"] == "format")
    r = Ask(query={"format": form}).send(endpoint, who)
    assert r.status == 200 and r.header("content-type").split(";")[0] == kind, str(r)
    CONTRACT.check_headers(endpoint, r)


@CONTRACT.counts("responses in other formats")
@pytest.mark.parametrize("form,kind", [("pdf", 1), ("excel", 2)])
@pytest.mark.parametrize("report", ["team", "project", "individual"])
def test_team_report_in_another_format(form, kind, report, who):
    endpoint = ENDPOINTS["focusflow.org-analytics.export"]
    ask = SCENES["focusflow.org-analytics.export"](who)
    r = Ask(ask.params, query={"format": form, "report_type": report}).send(endpoint, who)
    assert r.status == 200, str(r)
    CONTRACT.check_headers(endpoint, r)
    check_file(r, endpoint["responses"][0]["content_types"][kind])


# -- documented errors

BAD = {      # endpoint -> what is wrong, and the fields that must be named
    "focusflow.auth.register": (Ask(json={}), "email", "username", "password"),
    "focusflow.auth.login": (Ask(json={}), "email", "password"),
    "focusflow.auth.refresh": (Ask(json={}), "refresh"),
    "focusflow.auth.logout": (Ask(json={}), "refresh"),
    "focusflow.profile.update": (Ask(json={"timezone": "Mars/Base"}), "timezone"),
    "focusflow.projects.list": (Ask(query={"is_active": "maybe"}), "is_active"),
    "focusflow.projects.create": (Ask(json={}), "name"),
    "focusflow.projects.update": (Ask(json={"color_code": "red"}), "color_code"),
    "focusflow.tasks.list": (Ask(query={"status": "nonsense"}), "status"),
    "focusflow.tasks.create": (Ask(json={}), "title"),
    "focusflow.tasks.update": (Ask(json={"estimated_pomodoros": 0}), "estimated_pomodoros"),
    "focusflow.tasks.start": (Ask(json={"pomodoro_duration": 0}), "pomodoro_duration"),
    "focusflow.pomodoro.break-start": (Ask(json={"break_type": "nap"}), "break_type"),
    "focusflow.pomodoro.sessions": (Ask(query={"is_break": "maybe"}), "is_break"),
    "focusflow.analytics.daily": (Ask(query={"date": "2025-02-30"}), "date"),
    "focusflow.analytics.weekly": (Ask(query={"week": "54"}), "week"),
    "focusflow.analytics.monthly": (Ask(query={"month": "13"}), "month"),
    "focusflow.analytics.project": (Ask(query={"start_date": "yesterday"}), "start_date"),
    "focusflow.export.data": (Ask(query={"format": "xml"}), "format"),
}


def own_params(endpoint, u):
    """Path parameters that name an object of the user."""
    out = {}
    for p in endpoint["path_params"]:
        if endpoint["id"].startswith("focusflow.tasks."):
            out[p["name"]] = u.task()["id"]
        elif endpoint["id"].startswith("focusflow.pomodoro."):
            out[p["name"]] = u.start(u.task())["pomodoro_session"]["id"]
        else:
            out[p["name"]] = u.project()["id"]
    return out


def invalid(endpoint, error, u, tokens):
    ask, *fields = BAD[endpoint["id"]]
    if "already registered" in error["when"]:
        ask = Ask(json=example("focusflow.auth.register", email=u.email.upper(), username=u.username))
        fields = ["email", "username"]
    elif "project does not exist" in error["when"]:
        ask, fields = Ask(json=example("focusflow.tasks.create", project=MISSING)), ["project"]
    ask = Ask(own_params(endpoint, u), ask.json, ask.query)
    yield ask.send(endpoint, u), fields


def unauthenticated(endpoint, error, u, tokens):
    body = {"refresh": u.refresh} if endpoint["id"] == "focusflow.auth.logout" else NOTHING
    params = {p["name"]: 1 for p in endpoint["path_params"]}
    if endpoint["id"] == "focusflow.auth.login":
        for email, password in ((u.email, "Wrong-password-1"), ("nobody-%s@example.com" % unique(), PASSWORD)):
            yield Ask(json={"email": email, "password": password}).send(endpoint, u), []
    elif endpoint["id"] == "focusflow.auth.refresh":
        gone = User(u.server)
        gone.post("/auth/logout/", {"refresh": gone.refresh}).expect(205)
        for token in ("x.y.z", u.access, gone.refresh, u.refresh[:-4] + "AAAA"):
            yield Ask(json={"refresh": token}).send(endpoint, u), []
    else:
        head, payload, signature = u.access.split(".")
        bad = ".".join((head, payload, ("A" if signature[0] != "A" else "B") + signature[1:]))
        for token in (None, "", "x.y.z", u.refresh, bad):
            yield Ask(params, body, token=token).send(endpoint, u), []


def expired(endpoint, error, u, tokens):
    params = {p["name"]: 1 for p in endpoint["path_params"]}
    if endpoint["id"] == "focusflow.auth.refresh":
        yield Ask(json={"refresh": tokens["refresh"]}).send(endpoint, u), []
    else:
        body = {"refresh": u.refresh} if endpoint["id"] == "focusflow.auth.logout" else NOTHING
        yield Ask(params, body, token=tokens["access"]).send(endpoint, u), []


def absent(endpoint, error, u, tokens):
    if endpoint["id"] == "focusflow.pomodoro.active":
        yield Ask().send(endpoint, u), []
    elif "page past" in error["when"]:
        yield Ask(query={"page": 999}).send(endpoint, u), []
    else:
        other = own_params(endpoint, User(u.server))
        for params in ({k: MISSING for k in other}, other, {k: "abc" for k in other}):
            yield Ask(params).send(endpoint, u), []


def conflict(endpoint, error, u, tokens):
    name, t = endpoint["id"], u.task()
    if name in ("focusflow.tasks.pause", "focusflow.tasks.resume"):
        yield Ask({"id": t["id"]}).send(endpoint, u), []
    elif name == "focusflow.tasks.complete":
        u.complete(t)
        yield Ask({"id": t["id"]}).send(endpoint, u), []
    elif name == "focusflow.tasks.start":
        other, done = u.task(), u.task()
        u.complete(done)
        u.start(t)
        for x in (done, t, other):
            yield Ask({"id": x["id"]}).send(endpoint, u), []
    elif name == "focusflow.pomodoro.break-start":
        u.start(t)
        yield Ask(json=example(name)).send(endpoint, u), []
    elif name == "focusflow.pomodoro.session-complete":
        s = u.start(t)["pomodoro_session"]
        u.finish(s)
        yield Ask({"id": s["id"]}).send(endpoint, u), []
    else:
        raise AssertionError("no way to a conflict of " + name)


def rejected(endpoint, error, u, tokens):
    """Uses the counter up, then asks for what would be answered otherwise."""
    limit = endpoint["rate_limit"]
    spend = {"focusflow.rate.standard": ("GET", "/api/v1/auth/profile/"), "focusflow.rate.auth": ("POST", "/api/v1/auth/refresh/"),
             "focusflow.rate.analytics": ("GET", "/api/v1/analytics/streaks/")}[limit["rule"]]
    body = {"refresh": "x"} if spend[0] == "POST" else NOTHING
    token, params = u.access, {p["name"]: 1 for p in endpoint["path_params"]}
    u.server.new_window()
    for _ in range(limit["count"]):
        assert u.c.request(*spend, json=body, token=token).status in (200, 401)
    yield Ask(params, BAD[endpoint["id"]][0].json if endpoint["request_required"] else NOTHING).send(endpoint, u), []


PROVOKE = {("VALIDATION_ERROR", 400): invalid, ("AUTHENTICATION_FAILED", 401): unauthenticated,
           ("TOKEN_EXPIRED", 401): expired, ("NOT_FOUND", 404): absent, ("CONFLICT", 409): conflict,
           ("RATE_LIMIT_EXCEEDED", 429): rejected}


@pytest.fixture(scope="module")
def tokens(server):
    """Tokens past their expiry."""
    server.new_window()
    u = User(server)
    server.advance(8 * 86400)
    return {"access": u.access, "refresh": u.refresh}


@CONTRACT.each_error
def test_error(name, i, who, tokens):
    endpoint = ENDPOINTS[name]
    error = endpoint["errors"][i]
    if endpoint["full_path"].startswith("/api/v2/"):
        answers = provoke(endpoint, error, who, tokens)
    else:
        answers = PROVOKE[error["code"], error["status"]](endpoint, error, who, tokens)
    CONTRACT.check_error(name, i, answers)


def test_every_documented_status_of_the_app_has_a_case():
    """500 is produced by no request (X-12), 405 has a test of its own."""
    assert CONTRACT.statuses_without_case() == {(500, "INTERNAL_ERROR"), (405, "METHOD_NOT_ALLOWED")}


# -- general examples

@CONTRACT.counts("general")
def test_error_format(who):
    body = example("focusflow.auth.register", email=who.email, username="x" + unique(), password="short")
    r = who.c.post("/api/v1/auth/register/", body)
    details = r.error(400, "VALIDATION_ERROR", "email", "password")["details"]
    check(APP["examples"]["error"], r.json())
    assert set(details) == set(APP["examples"]["error"]["error"]["details"])


@CONTRACT.counts("general")
@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if e["paginated"] and "/api/v2/" in e["full_path"]])
def test_lists_of_organizations_are_pages(name, who):
    """FF-12: all four keys; links, where there are more items, keep the other parameters."""
    ask = SCENES[name](who)
    ask.query = {**(ask.query or {}), "page_size": 1}
    v = ask.send(ENDPOINTS[name], who).expect(200)
    assert set(v) == {"count", "next", "previous", "results"} and len(v["results"]) == 1 and v["previous"] is None
    assert (v["next"] is None) == (v["count"] == 1)
    if v["next"]:
        url = urlsplit(v["next"])
        assert url.path == ENDPOINTS[name]["full_path"].replace("{slug}", who.acme.slug)
        assert dict(parse_qsl(url.query)) == {k: str(x) for k, x in {**ask.query, "page": 2}.items()}


@CONTRACT.counts("general")
def test_method_not_allowed(who):
    r = who.request("PUT", "/tasks/", json={})
    r.error(405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(re.split(r",\s*", r.header("allow"))), r.headers


@CONTRACT.counts("general")
@pytest.mark.parametrize("name", [n for n, e in ENDPOINTS.items() if e["paginated"] and e["documented"]
                                  and e["full_path"].startswith(V1)])
def test_pagination_format(name, who):
    worked_project(who)
    if "projects" in name:
        who.project(), who.project()
    else:
        worked_project(who), worked_project(who)
    path = ENDPOINTS[name]["full_path"]
    v = who.get(path.removeprefix(V1), page=2, page_size=1).expect(200)
    check(APP["examples"]["pagination"], v)
    assert v["count"] == 3 and len(v["results"]) == 1
    for link, page in ((v["next"], "3"), (v["previous"], "1")):
        url = urlsplit(link)
        assert (url.scheme, url.netloc, url.path) == ("http", who.c.host, path)
        assert dict(parse_qsl(url.query)) == {"page": page, "page_size": "1"}


@CONTRACT.counts("general")
def test_rate_limit_headers(who):
    who.server.new_window()
    first, second = who.get("/tasks/"), who.get("/tasks/")
    assert first.header("x-ratelimit-limit") == "100"
    assert int(first.header("x-ratelimit-remaining")) - int(second.header("x-ratelimit-remaining")) == 1
    assert 0 < int(first.header("x-ratelimit-reset")) - who.server.now() <= 60


@CONTRACT.counts("general")
def test_version_header(who):
    """FF-59: the path decides, the version of Accept is ignored."""
    r = who.request("GET", "/tasks/", headers={"Accept": "application/json; version=2.0"})
    assert r.expect(200)["count"] == 0
