"""An organization and its people as the tests act for them."""
from .client import NOTHING
from .people import User, unique

V2 = "/api/v2"
ROLES = ("employee", "manager", "admin")


class Organization:
    """An organization of a new owner; people join it by invites."""

    def __init__(self, server, owner=None, zone=None, **fields):
        self.server = server
        self.owner = owner or User(server, zone)
        body = {"name": "Acme Startup", "slug": "acme-" + unique(), **fields}
        self.created = v2(self.owner, "POST", "/organizations/", json=body).expect(201)
        self.id, self.slug, self.path = self.created["id"], self.created["slug"], "/organizations/" + self.created["slug"]

    def ask(self, who, method, path="/", **kw):
        """A request below the organization's own path."""
        return v2(who, method, self.path + path, **kw)

    def invite(self, by, email, role="employee", **fields):
        return self.ask(by, "POST", "/invites/", json={"email": email, "role": role, **fields})

    def join(self, user, role="employee"):
        """The user becomes a member."""
        invite = self.invite(self.owner, user.email, role).expect(201)
        accept(user, invite["invite_token"]).expect(200)
        return user

    def member(self, role="employee", zone=None, **fields):
        """A new user who is a member."""
        return self.join(User(self.server, zone, **fields), role)

    def change(self, user, role):
        return self.ask(self.owner, "PATCH", "/members/%d/" % user.id, json={"role": role})

    def remove(self, user):
        self.ask(self.owner, "DELETE", "/members/%d/" % user.id).expect(204)

    def members(self, **query):
        """{user id: item}"""
        v = self.ask(self.owner, "GET", "/members/", query={"page_size": 100, **query}).expect(200)
        return {m["user"]["id"]: m for m in v["results"]}

    def assign(self, by, task, user, **fields):
        return self.ask(by, "POST", "/tasks/assign/", json={"task_id": task["id"], "assigned_to": user.id, **fields})

    def feed(self, **query):
        return self.ask(self.owner, "GET", "/dashboard/activity/", query=query).expect(200)["activities"]

    def happened(self):
        """The feed as (type, username, task title or None), oldest first."""
        return [(a["type"], a["user"]["username"], a["task"] and a["task"]["title"]) for a in reversed(self.feed(limit=200))]


def v2(who, method, path, json=NOTHING, query=None, **kw):
    """A request below /api/v2 as a user."""
    return who.request(method, path, base=V2, json=json, query=query, **kw)


def accept(user, token):
    return v2(user, "POST", "/invites/accept/", json={"token": token})
