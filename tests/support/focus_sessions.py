"""Users of Focus Sessions as the tests act for them."""
from .client import NOTHING, Client
from .people import PASSWORD, unique


class Worker:
    """A registered user with a connection of their own; paths are whole. Their token is good for seven days."""

    def __init__(self, server, **fields):
        self.server, self.c = server, Client(server.port)
        body = {"email": "w%s@example.com" % unique(), "password": PASSWORD, **fields}
        self.email, self.password = body["email"], body["password"]
        registered = self.c.post("/auth/register", body).expect(200)
        self.access, self.profile = registered["token"], registered["user"]
        self.id = self.profile["id"]

    def login(self):
        """A new token."""
        self.access = self.c.post("/auth/login", {"email": self.email, "password": self.password}).expect(200)["token"]
        return self.access

    def request(self, method, path, **kw):
        return self.c.request(method, path, **{"token": self.access, **kw})

    def get(self, path, **query):
        return self.request("GET", path, query=query)

    def post(self, path, json=NOTHING, **kw):
        return self.request("POST", path, json=json, **kw)

    def start(self, **fields):
        return self.post("/focus-sessions", {"duration_minutes": 25, **fields}).expect(200)

    def change(self, session, status, **kw):
        """The answer to a change of the status."""
        return self.request("PATCH", "/focus-sessions/" + session["id"], json={"status": status}, **kw)

    def delete(self, session):
        return self.request("DELETE", "/focus-sessions/" + session["id"])

    def history(self, **query):
        return self.get("/focus-sessions", **query).expect(200)

    def quest(self, **fields):
        return self.post("/quests", {"title": "Quest " + unique(), **fields}).expect(200)
