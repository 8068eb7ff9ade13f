"""Members of ProFlow's organizations as the tests act for them."""
from .client import NOTHING, Client
from .people import PASSWORD, unique

ROLES = ("viewer", "developer", "manager", "admin")


class Member:
    """A user with an API key and a connection of their own; paths begin behind /v1. Without `of` an organization is
    registered, whose admin it is; else `of`'s organization gets a user of that role."""

    def __init__(self, server, of=None, role="developer", **fields):
        self.server, self.c = server, Client(server.port)
        body = {"name": "Ada " + unique(), "email": "m%s@example.com" % unique(), "password": PASSWORD, **fields}
        self.email, self.password = body["email"], body["password"]
        if of:
            self.profile = of.post("/users", {**body, "role": role}).expect(201)
            self.access, self.organization = self.profile["api_key"], of.organization
        else:
            made = self.c.post("/v1/auth/register", body).expect(201)
            self.profile, self.access, self.organization = made["user"], made["api_key"], made["organization"]
        self.id, self.role = self.profile["id"], self.profile["role"]

    def colleague(self, role="developer", **fields):
        return Member(self.server, self, role, **fields)

    def request(self, method, path, **kw):
        return self.c.request(method, "/v1" + path, **{"token": self.access, **kw})

    def get(self, path, **query):
        return self.request("GET", path, query=query)

    def post(self, path, json=NOTHING, **kw):
        return self.request("POST", path, json=json, **kw)

    def patch(self, path, json, **kw):
        return self.request("PATCH", path, json=json, **kw)

    def delete(self, path):
        return self.request("DELETE", path)

    def project(self, **fields):
        return self.post("/projects", {"name": "Project " + unique(), **fields}).expect(201)

    def task(self, **fields):
        project = fields.pop("project_id", None) or self.project()["id"]
        return self.post("/tasks", {"title": "Task " + unique(), "project_id": project, **fields}).expect(201)

    def team(self, *members, **fields):
        """A new team with these users in it."""
        team = self.post("/teams", {"name": "Team " + unique(), **fields}).expect(201)
        for member in members:
            self.post("/teams/%s/members" % team["id"], {"user_id": member.id}).expect(204)
        return team

    def entry(self, **fields):
        task = fields.pop("task_id", None) or self.task()["id"]
        return self.post("/time-entries", {"task_id": task, "duration": 3600, **fields}).expect(201)

    def webhook(self, **fields):
        body = {"url": "https://your-domain.com/webhook", "events": ["task.created"], **fields}
        return self.post("/webhooks", body).expect(201)

    def key(self, **fields):
        return self.post("/api-keys", fields).expect(201)

    def ids(self, path, **query):
        """The ids of a list's page."""
        return [item["id"] for item in self.get(path, **query).expect(200)["data"]]


def refused(r, status, code, *fields):
    """The `error` of an answer that must be this one: details name the fields, and are {} for all but invalid input."""
    error = r.refused(status, code, *fields)
    assert isinstance(error["details"], dict), str(r)
    if status == 422 and error["details"]:
        assert error["message"] == "The given data was invalid", str(r)
        assert all(isinstance(m, list) and m for m in error["details"].values()), str(r)
    else:
        assert error["details"] == {}, str(r)
    return error


class Hours:
    """Moves the clock to a new window before strangers from the tests' address have used up theirs."""

    def __init__(self, server):
        self.server, self.spent = server, None

    def spend(self, count):
        if self.spent is None or self.spent + count > 100:
            self.server.new_window(3600)
            self.spent = 0
        self.spent += count

    def now(self):
        return self.server.now() // 3600
