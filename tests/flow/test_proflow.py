"""ProFlow: what its document leaves open is decided by PF-1 to PF-18 (roles: test_proflow_permissions.py, webhooks:
test_proflow_webhooks.py)."""
import datetime
import re
import sqlite3

import pytest

from support.client import Client
from support.people import PASSWORD, User, unique
from support.proflow import Hours, Member, refused
from support.threads import together

SERVER = {"limits": "on", "env": {"PERIGEE_LOG_LEVEL": "debug"}}


@pytest.fixture(scope="module")
def hours(server):
    return Hours(server)


@pytest.fixture
def ada(server, hours):
    """A new organization's admin."""
    hours.spend(12)
    u = Member(server, organization_name="Acme")
    yield u
    u.c.close()


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def state(r):
    return tuple(int(r.header("x-ratelimit-" + n)) for n in ("limit", "remaining"))


# -- registering and keys (PF-1)

def test_registering_makes_an_organization_an_admin_and_a_key(ada, client):
    body = {"name": " Bo ", "email": "bo%s@example.com" % unique(), "password": PASSWORD}
    r = client.post("/v1/auth/register", body)
    made = r.expect(201)
    assert r.header("cache-control") == "no-store"
    assert made["organization"]["name"] == "Bo's organization" and ada.organization["name"] == "Acme"
    assert (made["user"]["name"], made["user"]["role"], made["user"]["status"]) == ("Bo", "admin", "active")
    assert re.fullmatch(r"pf_[A-Za-z0-9]{32,}", made["api_key"])
    for kind, value in (("user", made["user"]["id"]), ("org", made["organization"]["id"])):
        assert re.fullmatch(kind + r"_\w{16,}", value)
    assert client.get("/v1/projects", token=made["api_key"]).expect(200)["data"] == []


def test_an_address_registers_once(server, hours, client):
    hours.spend(10)
    body = {"name": "Twin", "email": "twin%s@example.com" % unique(), "password": PASSWORD}
    answers = together(*[lambda: Client(server.port).post("/v1/auth/register", body).status] * 6)
    assert sorted(answers) == [201] + [409] * 5
    refused(client.post("/v1/auth/register", {**body, "email": body["email"].upper()}), 409, "conflict")


def test_keys_come_from_a_password_or_a_key(ada, client):
    for body, token in (({"email": ada.email.upper(), "password": PASSWORD}, None),
                        ({}, ada.access), ({"name": "Deployment"}, ada.access),
                        ({"email": "ignored@example.com", "password": "with a key"}, ada.access)):
        r = client.post("/v1/api-keys", body, token=token)
        key = r.expect(201)
        assert r.header("cache-control") == "no-store"
        assert set(key) == {"id", "name", "api_key", "created_at"} and key["name"] == body.get("name", "API key")
        assert client.get("/v1/users", token=key["api_key"]).expect(200)["data"][0]["id"] == ada.id
    refused(client.post("/v1/api-keys", {"email": ada.email}), 422, "validation_error", "password")
    refused(client.post("/v1/api-keys", {"password": PASSWORD}), 422, "validation_error", "email")
    refused(client.post("/v1/api-keys", {"email": ada.email, "password": PASSWORD}, token="pf_bad"), 401, "unauthorized")


def test_who_has_no_password_has_only_keys(ada, client):
    bob = ada.post("/users", {"name": "Bob", "email": "bob%s@example.com" % unique(), "role": "viewer"}).expect(201)
    assert client.get("/v1/users", token=bob["api_key"]).expect(200)["meta"]["total"] == 2
    for password in ("", PASSWORD):
        r = client.post("/v1/api-keys", {"email": bob["email"], "password": password})
        assert r.status in (401, 422), r


def test_a_list_of_keys_shows_no_secret_and_an_admin_all(ada):
    dev = ada.colleague()
    own = dev.key(name="Laptop")
    assert dev.ids("/api-keys") == [own["id"], dev.ids("/api-keys")[1]] and len(dev.ids("/api-keys")) == 2
    items = ada.get("/api-keys").expect(200)["data"]
    assert {i["user_id"] for i in items} == {ada.id, dev.id} and items[0]["name"] == "Laptop"
    assert own["api_key"] not in ada.get("/api-keys").text() and "pf_" not in ada.get("/api-keys").text()


def test_a_revoked_key_is_unknown_at_once_and_no_other(ada):
    key = ada.key()
    assert ada.request("GET", "/projects", token=key["api_key"]).status == 200
    ada.delete("/api-keys/" + key["id"]).expect(204)
    refused(ada.request("GET", "/projects", token=key["api_key"]), 401, "unauthorized")
    refused(ada.delete("/api-keys/" + key["id"]), 404, "not_found")
    assert ada.get("/projects").status == 200


def test_keys_and_passwords_are_nowhere_in_the_data_or_the_log(server, ada):
    key = ada.request("POST", "/api-keys", json={}, headers={"Idempotency-Key": "secret-" + unique()}).expect(201)
    ada.post("/projects", {"name": "x"}, token="pf_mistyped" + unique())
    with sqlite3.connect("file:%s?mode=ro" % (server.data / "proflow.db"), uri=True) as base:
        stored = "\n".join(base.iterdump())
    for secret in (key["api_key"], ada.access, PASSWORD):
        assert secret not in stored and secret not in server.log.text()
    assert key["id"] in stored


def test_a_token_of_another_app_is_none_here(server, ada, client):
    user = User(server)
    refused(client.get("/v1/projects", token=user.access), 401, "unauthorized")
    user.c.get("/api/v1/tasks/", token=ada.access).error(401, "AUTHENTICATION_FAILED")


# -- lists (PF-5)

@pytest.mark.parametrize("path", ["/projects", "/tasks", "/teams", "/users", "/time-entries", "/webhooks", "/api-keys"])
def test_pages(ada, path):
    project = ada.project()["id"]
    task = ada.task(project_id=project)["id"]
    make = {"/projects": ada.project, "/tasks": lambda: ada.task(project_id=project), "/teams": ada.team,
            "/users": lambda: ada.colleague().profile, "/time-entries": lambda: ada.entry(task_id=task),
            "/webhooks": ada.webhook, "/api-keys": ada.key}[path]
    made = [make()["id"] for _ in range(3)]
    first = ada.get(path).expect(200)
    total = first["meta"]["total"]
    assert list(first) == ["data", "meta"] and first["meta"] == {"total": total, "page": 1, "per_page": 10}
    if path != "/users" or total == 4:
        assert [i["id"] for i in first["data"]][:3] == made[::-1], "newest first"
    pages = [ada.get(path, page=n, per_page=2).expect(200) for n in range(1, 9)]
    assert sum((p["data"] for p in pages), []) == ada.get(path, per_page=100).expect(200)["data"]
    assert pages[7] == {"data": [], "meta": {"total": total, "page": 8, "per_page": 2}}
    for bad in ({"page": 0}, {"page": "x"}, {"per_page": 0}, {"per_page": 101}, {"per_page": "1.5"}, {"page": 2 ** 53 + 1}):
        refused(ada.get(path, **bad), 422, "validation_error", *bad)
    assert ada.get(path, page=2 ** 53, per_page=100).expect(200)["data"] == []


def test_filters(ada):
    bob = ada.colleague("manager")
    team = ada.team(bob, status="inactive")
    plain, held = ada.project(), ada.project(status="on_hold", team_id=team["id"])
    low = ada.task(project_id=plain["id"], priority="low", assignee_id=bob.id)
    done = ada.task(project_id=held["id"], status="done")
    entry, other = ada.entry(task_id=low["id"]), ada.entry(task_id=done["id"], user_id=bob.id)
    for path, query, wanted in [
        ("/projects", {"status": "on_hold"}, [held]), ("/projects", {"team_id": team["id"]}, [held]),
        ("/projects", {"status": "active", "team_id": team["id"]}, []), ("/projects", {"status": "done"}, []),
        ("/tasks", {"project_id": plain["id"]}, [low]), ("/tasks", {"status": "done"}, [done]),
        ("/tasks", {"assignee_id": bob.id}, [low]), ("/tasks", {"priority": "low"}, [low]),
        ("/tasks", {"priority": "medium", "status": "todo"}, []), ("/tasks", {"priority": "top"}, []),
        ("/tasks", {"project_id": ""}, []), ("/tasks", {"project_id": "proj_unknown"}, []),
        ("/teams", {"status": "inactive"}, [team]), ("/teams", {"organization_id": ada.organization["id"]}, [team]),
        ("/teams", {"organization_id": "org_other"}, []),
        ("/users", {"team_id": team["id"]}, [bob.profile]), ("/users", {"role": "manager"}, [bob.profile]),
        ("/users", {"role": "admin", "status": "active"}, [ada.profile]), ("/users", {"status": "inactive"}, []),
        ("/users", {"team_id": "team_unknown"}, []),
        ("/time-entries", {"task_id": low["id"]}, [entry]), ("/time-entries", {"user_id": bob.id}, [other]),
        ("/time-entries", {"user_id": bob.id, "task_id": low["id"]}, []),
    ]:
        found = ada.get(path, **query).expect(200)
        assert ([i["id"] for i in found["data"]], found["meta"]["total"]) == ([w["id"] for w in wanted], len(wanted)), query


def test_an_organization_sees_nothing_of_another(server, ada):
    eve = Member(server)
    team, project = ada.team(ada), ada.project()
    task = ada.task(project_id=project["id"])
    entry = ada.entry(task_id=task["id"])
    for path in ("/projects", "/tasks", "/teams", "/time-entries", "/webhooks"):
        assert eve.get(path).expect(200)["meta"]["total"] == 0
    assert eve.ids("/users") == [eve.id]
    for path, query in (("/projects", {"team_id": team["id"]}), ("/tasks", {"project_id": project["id"]}),
                        ("/users", {"team_id": team["id"]}), ("/time-entries", {"task_id": task["id"]}),
                        ("/teams", {"organization_id": ada.organization["id"]})):
        assert eve.get(path, **query).expect(200)["meta"]["total"] == 0, path
    own = eve.project()["id"]
    for path, body, field in (("/projects", {"name": "x", "team_id": team["id"]}, "team_id"),
                              ("/tasks", {"title": "x", "project_id": project["id"]}, "project_id"),
                              ("/tasks", {"title": "x", "project_id": own, "assignee_id": ada.id}, "assignee_id"),
                              ("/time-entries", {"task_id": task["id"], "duration": 1}, "task_id")):
        error = refused(eve.post(path, body), 422, "validation_error", field)
        assert list(error["details"]) == [field]
    mine = eve.task(project_id=own)
    refused(eve.patch("/tasks/" + mine["id"], {"project_id": project["id"]}), 422, "validation_error", "project_id")
    assert eve.get("/tasks/" + mine["id"]).expect(200) == mine and entry["task_id"] == task["id"]


# -- objects (PF-8 to PF-11)

def test_what_is_left_out_has_its_default(ada):
    project, team = ada.post("/projects", {"name": "P"}).expect(201), ada.post("/teams", {"name": "T"}).expect(201)
    task = ada.post("/tasks", {"title": "T", "project_id": project["id"]}).expect(201)
    entry = ada.post("/time-entries", {"task_id": task["id"], "duration": 90}).expect(201)
    for item, name, wanted in (
        (project, "proj", {"name": "P", "description": None, "status": "active", "team_id": None}),
        (team, "team", {"name": "T", "description": None, "status": "active"}),
        (task, "task", {"title": "T", "description": None, "status": "todo", "priority": "medium", "assignee_id": None,
                        "project_id": project["id"]}),
        (entry, "entry", {"task_id": task["id"], "user_id": ada.id, "duration": 90, "description": None})):
        assert re.fullmatch(name + r"_\w{16,}", item["id"])
        times = {k for k in item if k.endswith("_at")}
        assert {k: v for k, v in item.items() if k not in times | {"id"}} == wanted
    assert project["created_at"] == project["updated_at"]


@pytest.mark.parametrize("kind", ["projects", "tasks"])
def test_changes(server, ada, kind):
    made = ada.project(description="d", team_id=ada.team()["id"]) if kind == "projects" else ada.task(
        description="d", assignee_id=ada.id, priority="low")
    path = "/%s/%s" % (kind, made["id"])
    server.advance(60)
    assert ada.patch(path, {}).expect(200) == ada.get(path).expect(200) == made, "nothing to change"
    own = "team_id" if kind == "projects" else "assignee_id"
    changed = ada.patch(path + "/", {"description": None, own: None, "status": "in_progress" if kind == "tasks" else "archived",
                                     "id": "x", "created_at": "2020-01-01T00:00:00Z", "unknown": 1}).expect(200)
    assert {k for k in made if made[k] != changed[k]} == {"description", own, "status", "updated_at"}
    assert changed["description"] is None and changed[own] is None and changed["created_at"] == made["created_at"]
    assert ada.get(path).expect(200) == changed
    named = "name" if kind == "projects" else "title"
    refused(ada.patch(path, {named: " ", "status": None}), 422, "validation_error", named, "status")
    assert ada.patch(path, {named: "  New  "}).expect(200)[named] == "New"
    ada.delete(path).expect(204)
    for r in (ada.get(path), ada.patch(path, {named: "x"}), ada.delete(path)):
        refused(r, 404, "not_found")


def test_a_project_goes_with_its_tasks_and_recorded_time_stays(ada):
    project = ada.project()
    task, other = ada.task(project_id=project["id"]), ada.task()
    entry = ada.entry(task_id=task["id"], user_id=ada.id)
    ada.delete("/projects/" + project["id"]).expect(204)
    refused(ada.get("/tasks/" + task["id"]), 404, "not_found")
    assert ada.ids("/tasks") == [other["id"]]
    assert ada.get("/time-entries", task_id=task["id"]).expect(200)["data"] == [entry]
    refused(ada.post("/time-entries", {"task_id": task["id"], "duration": 1}), 422, "validation_error", "task_id")


def test_a_task_moves_to_another_project(ada):
    task, project = ada.task(), ada.project()
    assert ada.patch("/tasks/" + task["id"], {"project_id": project["id"]}).expect(200)["project_id"] == project["id"]
    assert ada.ids("/tasks", project_id=project["id"]) == [task["id"]]
    assert ada.ids("/tasks", project_id=task["project_id"]) == []


def test_a_project_that_goes_takes_what_is_just_being_made(server, ada):
    """Whoever is first: no task is left without its project, and nobody gets a 500."""
    for _ in range(5):
        project = ada.project()["id"]

        def create():
            return Client(server.port).post("/v1/tasks", {"title": "t", "project_id": project}, token=ada.access).status
        statuses = together(lambda: ada.delete("/projects/" + project).status, create, create, create)
        assert statuses[0] == 204 and set(statuses[1:]) <= {201, 422}, statuses
        assert ada.ids("/tasks", project_id=project) == []


def test_teams_have_members_once(ada):
    bob, team = ada.colleague(), ada.team()
    for _ in range(2):
        assert ada.post("/teams/%s/members" % team["id"], {"user_id": bob.id}).status == 204
    assert ada.ids("/users", team_id=team["id"]) == [bob.id]
    refused(ada.post("/teams/team_unknown/members", {"user_id": bob.id}), 404, "not_found")


# -- recorded time (PF-14)

def test_when_recorded_time_began(server, ada):
    task = ada.task()["id"]
    r = ada.post("/time-entries", {"task_id": task, "duration": 90})
    entry = r.expect(201)
    assert seconds(entry["created_at"]) - seconds(entry["started_at"]) == 90
    given = ada.entry(task_id=task, started_at="2024-01-20T13:00:00+01:00", duration=86400)
    assert given["started_at"] == "2024-01-20T12:00:00Z"
    soon = datetime.datetime.fromtimestamp(server.now() + 120, datetime.timezone.utc).isoformat()
    refused(ada.post("/time-entries", {"task_id": task, "duration": 1, "started_at": soon}), 422, "validation_error", "started_at")
    for duration in (0, 86401, 1.5, "60", True, None):
        refused(ada.post("/time-entries", {"task_id": task, "duration": duration}), 422, "validation_error", "duration")


def test_time_of_others_is_for_managers(ada):
    dev, boss, task = ada.colleague(), ada.colleague("manager"), ada.task()["id"]
    body = {"task_id": task, "duration": 60}
    assert dev.post("/time-entries", {**body, "user_id": dev.id}).expect(201)["user_id"] == dev.id
    for other in (ada.id, "user_unknown"):
        refused(dev.post("/time-entries", {**body, "user_id": other}), 403, "forbidden")
    assert boss.post("/time-entries", {**body, "user_id": dev.id}).expect(201)["user_id"] == dev.id
    refused(boss.post("/time-entries", {**body, "user_id": "user_unknown"}), 422, "validation_error", "user_id")
    refused(boss.post("/time-entries", {**body, "user_id": None}), 422, "validation_error", "user_id")


# -- the wire (PF-4, PF-6, X-6, X-13, X-14)

def test_a_slash_at_the_end_is_the_same_resource(ada):
    project = ada.post("/projects/", {"name": "x"}).expect(201)
    assert ada.get("/projects/%s/" % project["id"]).expect(200) == project
    assert ada.ids("/projects/") == ada.ids("/projects") == [project["id"]]


def test_400_is_for_what_is_no_json_and_422_for_the_rest(ada):
    for body in (b"{", b"[]", b"1", b"\xff"):
        refused(ada.request("POST", "/projects", body=body), 400, "bad_request")
    for body in (b"", b"{}", b'{"name": 1}', b'{"name": ""}'):
        refused(ada.request("POST", "/projects", body=body), 422, "validation_error", "name")
    assert ada.request("POST", "/projects", body=b'{"name": "x"}', headers={"Content-Type": "text/plain"}).status == 201


def test_a_repeated_request_has_the_same_outcome(ada):
    headers = {"Idempotency-Key": "again-" + unique()}
    first, again = (ada.post("/projects", {"name": "Once"}, headers=headers) for _ in range(2))
    assert first.expect(201) == again.expect(201) and again.header("idempotent-replayed") == "true"
    assert ada.get("/projects").expect(200)["meta"]["total"] == 1
    refused(ada.post("/projects", {"name": "Other"}, headers=headers), 422, "validation_error")
    key = {"Idempotency-Key": "key-" + unique()}
    assert ada.post("/api-keys", {}, headers=key).expect(201) == ada.post("/api-keys", {}, headers=key).expect(201)


def test_by_host_and_by_path(ada, client):
    for host in ("api.proflow.com", "proflow.localhost:8000", "127.0.0.1"):
        assert client.get("/v1/projects", token=ada.access, headers={"Host": host}).status == 200
    assert client.get("/api/v1/tasks/", headers={"Host": "api.proflow.com"}).status == 404
    assert client.get("/v1/projects", headers={"Host": "api.focusflow.com"}).status == 404
    page = client.get("/v1/docs", headers={"Host": "api.proflow.com"})
    assert page.status == 200 and "ProFlow API" in page.text()


# -- limits (PF-16)

def test_each_key_counts_for_itself(server, ada, hours):
    server.new_window(3600)
    hours.spent = None
    other = ada.key()["api_key"]
    assert state(ada.get("/projects")) == (1000, 998)
    assert state(ada.request("GET", "/projects", token=other)) == (1000, 999)
    assert state(ada.request("GET", "/users", token=other)) == (1000, 998)
    r = ada.get("/tasks")
    assert state(r) == (1000, 997) and int(r.header("x-ratelimit-reset")) == server.now() - server.now() % 3600 + 3600
    same = ada.request("GET", "/tasks", headers={"If-None-Match": r.header("etag")})
    assert same.status == 304 and state(same) == (1000, 997)


def test_strangers_count_for_their_address(server, hours):
    server.new_window(3600)
    hours.spent = None
    c = Client(server.port)
    ada = Member(server)
    for n in range(49):
        assert state(c.get("/v1/projects")) == (100, 98 - 2 * n)
        assert state(c.get("/v1/projects", token="pf_wrong%d" % n)) == (100, 97 - 2 * n)
    assert state(c.post("/v1/api-keys", {})) == (100, 0)
    for r in (c.get("/v1/projects"), c.get("/v1/projects", token="pf_wrong"), c.post("/v1/auth/register", {}),
              c.post("/v1/api-keys", {"email": ada.email, "password": PASSWORD})):
        refused(r, 429, "rate_limit_exceeded")
        assert state(r) == (100, 0) and 1 <= int(r.header("retry-after")) <= 3600
    assert ada.get("/projects").status == 200, "a good key has its own counter"
    server.new_window(3600)
    refused(c.get("/v1/projects"), 401, "unauthorized")
    c.close()
