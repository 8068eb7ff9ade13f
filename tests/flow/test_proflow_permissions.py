"""The matrix of ProFlow (PF-13, PF-2): every endpoint by everybody: nobody, another organization's admin, each role."""
import json
import re

import pytest

from support.client import NOTHING
from support.people import unique
from support.proflow import ROLES, Member, refused

READ = dict.fromkeys(ROLES, 200)


def only(status, *roles):
    return {role: status if role in roles else 403 for role in ROLES}


WORKERS, ADMIN = ("developer", "manager", "admin"), ("admin",)


class Acme:
    """An organization with a user of each role and one of each object that may be spoilt."""

    def __init__(self, server):
        self.admin = Member(server)
        self.by_role = {role: self.admin.colleague(role) for role in ROLES if role != "admin"}
        self.by_role["admin"] = self.admin
        self.project, self.task, self.team = self.admin.project(), self.admin.task(), self.admin.team()
        self.hook = self.admin.webhook()
        self.delivery = self.admin.post("/webhooks/%s/test" % self.hook["id"]).expect(202)


# endpoint, path with what stands in it, body, what each role gets, what another organization's admin gets
MATRIX = [
    ("GET", lambda a: "/projects", None, READ, 200),
    ("POST", lambda a: "/projects", lambda a: {"name": "New"}, only(201, *WORKERS), 201),
    ("GET", lambda a: "/projects/" + a.project["id"], None, READ, 404),
    ("PATCH", lambda a: "/projects/" + a.project["id"], lambda a: {"name": "Other"}, only(200, *WORKERS), 404),
    ("DELETE", lambda a: "/projects/" + a.admin.project()["id"], None, only(204, *ADMIN), 404),
    ("GET", lambda a: "/tasks", None, READ, 200),
    ("POST", lambda a: "/tasks", lambda a: {"title": "New", "project_id": a.project["id"]}, only(201, *WORKERS), 422),
    ("GET", lambda a: "/tasks/" + a.task["id"], None, READ, 404),
    ("PATCH", lambda a: "/tasks/" + a.task["id"], lambda a: {"status": "done"}, only(200, *WORKERS), 404),
    ("DELETE", lambda a: "/tasks/" + a.admin.task()["id"], None, only(204, *WORKERS), 404),
    ("GET", lambda a: "/teams", None, READ, 200),
    ("POST", lambda a: "/teams", lambda a: {"name": "New"}, only(201, *ADMIN), 201),
    ("POST", lambda a: "/teams/%s/members" % a.team["id"], lambda a: {"user_id": a.admin.id}, only(204, *ADMIN), 422),
    ("GET", lambda a: "/users", None, READ, 200),
    ("POST", lambda a: "/users", lambda a: {"name": "New", "email": "n%s@example.com" % unique()}, only(201, *ADMIN), 201),
    ("GET", lambda a: "/time-entries", None, READ, 200),
    ("POST", lambda a: "/time-entries", lambda a: {"task_id": a.task["id"], "duration": 60}, only(201, *WORKERS), 422),
    ("POST", lambda a: "/time-entries",
     lambda a: {"task_id": a.task["id"], "duration": 60, "user_id": a.by_role["viewer"].id},
     only(201, "manager", "admin"), 422),
    ("GET", lambda a: "/webhooks", None, only(200, *ADMIN), 200),
    ("POST", lambda a: "/webhooks", lambda a: {"url": "https://x.example/", "events": ["task.created"]}, only(201, *ADMIN), 201),
    ("DELETE", lambda a: "/webhooks/" + a.admin.webhook()["id"], None, only(204, *ADMIN), 404),
    ("GET", lambda a: "/webhooks/%s/deliveries" % a.hook["id"], None, only(200, *ADMIN), 404),
    ("POST", lambda a: "/webhooks/%s/test" % a.hook["id"], None, only(202, *ADMIN), 404),
    ("POST", lambda a: "/webhooks/%s/deliveries/%s/redeliver" % (a.hook["id"], a.delivery["id"]), None, only(202, *ADMIN), 404),
    ("GET", lambda a: "/api-keys", None, READ, 200),
    ("POST", lambda a: "/api-keys", lambda a: {}, dict.fromkeys(ROLES, 201), 201),
    ("DELETE", lambda a: "/api-keys/" + a.by_role["viewer"].key()["id"], None, only(204, "viewer", "admin"), 404),
]
CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 422: "validation_error"}


@pytest.fixture(scope="module")
def acme(server):
    return Acme(server)


@pytest.fixture(scope="module")
def stranger(server):
    return Member(server)


def ids(cell):
    return "%s-%s" % (cell[0], MATRIX.index(cell))


def ask(who, acme, method, path, body, token):
    r = who.request(method, path(acme), json=body(acme) if body else NOTHING, token=token)
    if r.status in CODES:
        refused(r, r.status, CODES[r.status])
    return r.status


@pytest.mark.parametrize("cell", MATRIX, ids=ids)
def test_each_role(acme, cell):
    method, path, body, wanted, _ = cell
    assert {role: ask(u, acme, method, path, body, u.access) for role, u in acme.by_role.items()} == wanted


@pytest.mark.parametrize("cell", MATRIX, ids=ids)
def test_another_organization_and_nobody(acme, stranger, cell):
    method, path, body, _, wanted = cell
    before = acme.admin.get("/projects/" + acme.project["id"]).expect(200)
    assert ask(stranger, acme, method, path, body, stranger.access) == wanted
    for token in (None, "pf_nobody", "ff_" + "x" * 32):
        assert ask(stranger, acme, method, path, body, token) == 401
    assert acme.admin.get("/projects/" + acme.project["id"]).expect(200) == before


def test_every_route_is_in_the_matrix(server, acme):
    """Registering is open to everybody and has no cell; OAuth has tests of its own."""
    listed = server.command("routes", "proflow", "--json")
    routes = {(r["method"], re.sub(r"{\w+}", "x", r["path"])) for r in json.loads(listed.stdout)}
    cells = {(method, "/v1" + re.sub(r"(proj|task|team|key|webhook|dlv)_\w+", "x", path(acme))) for method, path, *_ in MATRIX}
    assert {r for r in routes if "oauth" not in r[1]} == cells | {("POST", "/v1/auth/register"), ("GET", "/v1/docs")}
