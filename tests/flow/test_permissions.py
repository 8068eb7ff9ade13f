"""Who may do what: each route of V2 × anonymous, outsider, employee, manager, admin → status.

The routes come from the server's own table; a new one fails here until it has a row.
"""
import json

import pytest

from support.organizations import Organization, accept, v2
from support.people import User, unique
from support.server import command

PEOPLE = ("anonymous", "outsider", "employee", "manager", "admin")
ANYBODY = (401, 200, 200, 200, 200)
EMPLOYEE = (401, 403, 200, 200, 200)
MANAGER = (401, 403, 403, 200, 200)
ADMIN = (401, 403, 403, 403, 200)

# "METHOD /path" → the statuses, 200 for whatever the route answers when it is allowed.
MATRIX = {
    "GET /organizations/": ANYBODY,
    "POST /organizations/": ANYBODY,
    "GET /organizations/{slug}/": EMPLOYEE,
    "PATCH /organizations/{slug}/": ADMIN,
    "GET /organizations/{slug}/projects/": EMPLOYEE,
    "GET /organizations/{slug}/members/": EMPLOYEE,
    "PATCH /organizations/{slug}/members/{user_id}/": ADMIN,
    "DELETE /organizations/{slug}/members/{user_id}/": ADMIN,
    "POST /organizations/{slug}/invites/": MANAGER,
    "POST /invites/accept/": ANYBODY,
    "GET /organizations/{slug}/tasks/": MANAGER,
    "POST /organizations/{slug}/tasks/assign/": MANAGER,
    "GET /organizations/{slug}/dashboard/activity/": MANAGER,
    "GET /organizations/{slug}/dashboard/overview/": MANAGER,
    "GET /organizations/{slug}/employees/{user_id}/": MANAGER,
    "GET /organizations/{slug}/analytics/team/": MANAGER,
    "GET /organizations/{slug}/analytics/projects/{project_id}/": MANAGER,
    "GET /organizations/{slug}/analytics/export/": MANAGER,
    "GET /organizations/{slug}/webhooks/": ADMIN,
    "POST /organizations/{slug}/webhooks/": ADMIN,
    "DELETE /organizations/{slug}/webhooks/{id}/": ADMIN,
    "GET /organizations/{slug}/webhooks/{id}/deliveries/": ADMIN,
    "POST /organizations/{slug}/webhooks/{id}/test/": ADMIN,
    "POST /organizations/{slug}/webhooks/{id}/deliveries/{delivery_id}/redeliver/": ADMIN,
}


def routes():
    table = json.loads(command("routes", "focusflow", "--json").stdout)
    return [r for r in table if r["path"].startswith("/api/v2/") and r["unit"] != "docs"]


ROUTES = {"%s %s" % (r["method"], r["path"].removeprefix("/api/v2")): r for r in routes()}


class World:
    def __init__(self, server):
        self.server, self.acme = server, Organization(server)
        self.people = {"outsider": User(server), "employee": self.acme.member(), "manager": self.acme.member("manager"),
                       "admin": self.acme.member("admin")}
        self.project = self.acme.owner.project()
        Organization(server, self.people["outsider"])       # a member elsewhere is as foreign as anybody

    def webhook(self):
        body = {"url": "https://example.com/hook", "events": ["task_completed"], "secret": "a secret of the tests"}
        return self.acme.ask(self.acme.owner, "POST", "/webhooks/", json=body).expect(201)

    def delivery(self):
        hook = self.webhook()
        self.acme.ask(self.acme.owner, "POST", "/webhooks/%d/test/" % hook["id"]).expect(202)
        v = self.acme.ask(self.acme.owner, "GET", "/webhooks/%d/deliveries/" % hook["id"]).expect(200)
        return hook["id"], v["results"][0]["id"]

    def ask(self, route, who):
        """A request that is right in every respect but, perhaps, who sends it."""
        values, body = {"slug": self.acme.slug, "project_id": self.project["id"]}, {}
        if "{delivery_id}" in route:
            values["id"], values["delivery_id"] = self.delivery()
        elif "/webhooks/{id}/" in route:
            values["id"] = self.webhook()["id"]
        if "{user_id}" in route:
            values["user_id"] = self.acme.member().id
        if route.startswith("PATCH") and "members" in route:
            body = {"role": "manager"}
        elif route == "POST /organizations/":
            body = {"name": "Another", "slug": "o-" + unique()}
        elif route.endswith("/invites/"):
            body = {"email": unique() + "@example.com"}
        elif route == "POST /invites/accept/":
            fresh = Organization(self.server)
            user = self.people.get(who) or self.people["outsider"]
            body = {"token": fresh.invite(fresh.owner, user.email).expect(201)["invite_token"]}
        elif route.endswith("/assign/"):
            body = {"task_id": self.acme.owner.task(organization=self.acme.slug)["id"], "assigned_to": self.acme.owner.id}
        elif route.endswith("/webhooks/") and route.startswith("POST"):
            body = {"url": "https://example.com/hook", "events": ["task_completed"], "secret": "a secret of the tests"}
        method, path = route.split(" ")
        for name, value in values.items():
            path = path.replace("{%s}" % name, str(value))
        assert "{" not in path, path
        kw = {} if method in ("GET", "DELETE") else {"json": body}
        if who == "anonymous":
            return v2(self.people["outsider"], method, path, token=None, **kw)
        return v2(self.people[who], method, path, **kw)


@pytest.fixture(scope="module")
def world(server):
    return World(server)


def test_every_route_has_a_row():
    assert sorted(set(ROUTES) - set(MATRIX)) == []


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_for_each_kind_of_people(world, route):
    found = {}
    for who in PEOPLE:
        r = world.ask(route, who)
        found[who] = 200 if 200 <= r.status < 300 else r.status
        if r.status in (401, 403):
            r.error(r.status, "AUTHENTICATION_FAILED" if r.status == 401 else "PERMISSION_DENIED")
    assert found == dict(zip(PEOPLE, MATRIX[route]))


@pytest.mark.parametrize("route", [r for r in ROUTES if "{slug}" in r])
def test_every_route_of_an_organization_asks_for_membership_and_a_rule(route):
    r = ROUTES[route]
    assert r["who"] == "user" and r["within"] == "organization" and r["can"], r


@pytest.mark.parametrize("route", [r for r in ROUTES if r.startswith(("POST", "PATCH")) and "{slug}" in r])
def test_who_may_not_is_told_before_what_is_wrong_with_the_body(world, route):
    method, path = route.split(" ")
    path = path.replace("{slug}", world.acme.slug)
    for name in ("user_id", "id", "delivery_id", "project_id"):
        path = path.replace("{%s}" % name, "1")
    v2(world.people["outsider"], method, path, body=b"{nonsense").error(403, "PERMISSION_DENIED")


def test_api_keys_are_of_the_same_use(world):
    key = world.people["manager"].post("/auth/api-keys/", {"name": "script"}).expect(201)["key"]
    v2(world.people["manager"], "GET", world.acme.path + "/tasks/", token=key).expect(200)
    v2(world.people["manager"], "PATCH", world.acme.path + "/", json={}, token=key).error(403, "PERMISSION_DENIED")


@pytest.mark.parametrize("what", ["removed", "demoted"])
def test_kept_answers_are_for_who_may_still_ask(world, what):
    """A repetition is judged by what its sender may do now, not by what the first one was allowed."""
    admin, key = world.acme.member("admin"), {"Idempotency-Key": "k-" + unique()}
    body = {"email": unique() + "@example.com"}

    def invite():
        return world.acme.ask(admin, "POST", "/invites/", json=body, headers=key)
    first, again = invite(), invite()
    assert (first.status, again.status) == (201, 201) and again.body == first.body
    if what == "removed":
        world.acme.remove(admin)
    else:
        world.acme.change(admin, "employee").expect(200)
    invite().error(403, "PERMISSION_DENIED")


def test_accept_is_the_only_way_in(world, user):
    """Nobody becomes a member by knowing ids: the token decides, and its address."""
    u = user()
    accept(u, "1").error(404, "NOT_FOUND")
    world.acme.ask(u, "PATCH", "/members/%d/" % u.id, json={"role": "admin"}).error(403, "PERMISSION_DENIED")
