"""Users of FocusFlow as the tests act for them."""
import base64
import itertools
import json
import os

from .client import NOTHING, Client

V1 = "/api/v1"
PASSWORD = "SecurePass123!"
_numbers = itertools.count(1)
_run = os.urandom(3).hex()


def unique():
    """A word that no other user, project or task of this run has."""
    return "%s%d" % (_run, next(_numbers))


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class User:
    """A registered user with a connection of their own. Tokens that ran out (the clock was moved) are renewed."""

    def __init__(self, server, zone=None, **fields):
        self.server, self.c = server, Client(server.port)
        name = "u" + unique()
        body = {"email": name + "@example.com", "username": name, "password": PASSWORD, "first_name": "John",
                "last_name": "Doe", **({"timezone": zone} if zone else {}), **fields}
        self.profile = self.c.post(V1 + "/auth/register/", body).expect(201)
        self.id, self.zone = self.profile["id"], zone or "UTC"
        self.email, self.username, self.password = body["email"], body["username"], body["password"]
        self._keep(self.profile["tokens"])

    def _keep(self, tokens):
        self.access, self.refresh = tokens["access"], tokens["refresh"]
        self.expires, self.refresh_expires = claims(self.access)["exp"], claims(self.refresh)["exp"]

    def login(self):
        r = self.c.post(V1 + "/auth/login/", {"email": self.email, "password": self.password})
        self._keep(r.expect(200)["tokens"])
        return self.access

    def _renew(self):
        now = self.server.now()
        if self.refresh_expires - 60 <= now:
            self.login()
        elif self.expires - 60 <= now:
            self.access = self.c.post(V1 + "/auth/refresh/", {"refresh": self.refresh}).expect(200)["access"]
            self.expires = claims(self.access)["exp"]

    def another(self):
        """The same user on a second connection."""
        twin = object.__new__(User)
        twin.__dict__.update(self.__dict__)
        twin.c = Client(self.server.port)
        return twin

    # -- requests; paths are relative to `base`
    def request(self, method, path, base=V1, **kw):
        if self.c.port != self.server.port:
            self.c.close()
            self.c = Client(self.server.port)
        if "token" not in kw:
            self._renew()
            kw["token"] = self.access
        return self.c.request(method, base + path, **kw)

    def get(self, path, **query):
        return self.request("GET", path, query=query)

    def post(self, path, json=NOTHING, **kw):
        return self.request("POST", path, json=json, **kw)

    def patch(self, path, json=NOTHING, **kw):
        return self.request("PATCH", path, json=json, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    # -- what most tests need
    def project(self, **fields):
        return self.post("/projects/", {"name": "Project " + unique(), **fields}).expect(201)

    def task(self, **fields):
        return self.post("/tasks/", {"title": "Task " + unique(), **fields}).expect(201)

    def show(self, task):
        return self.get("/tasks/%d/" % _id(task)).expect(200)

    def start(self, task, minutes=None):
        body = {} if minutes is None else {"pomodoro_duration": minutes}
        return self.post("/tasks/%d/start/" % _id(task), body).expect(200)

    def pause(self, task):
        return self.post("/tasks/%d/pause/" % _id(task)).expect(200)

    def resume(self, task):
        return self.post("/tasks/%d/resume/" % _id(task)).expect(200)

    def complete(self, task):
        return self.post("/tasks/%d/complete/" % _id(task)).expect(200)

    def finish(self, session):
        return self.post("/pomodoro/sessions/%d/complete/" % _id(session)).expect(200)

    def rest(self, kind="short"):
        return self.post("/pomodoro/break/start/", {"break_type": kind}).expect(201)

    def active(self):
        """The open session or None."""
        r = self.get("/pomodoro/active/")
        if r.status == 404:
            r.error(404, "NOT_FOUND")
            return None
        return r.expect(200)

    def sessions(self, **query):
        return self.get("/pomodoro/sessions/", **{"page_size": 100, **query}).expect(200)["results"]

    def session(self, sid):
        found = [s for s in self.sessions() if s["id"] == sid]
        assert len(found) == 1, "session %d is listed %d times" % (sid, len(found))
        return found[0]

    def pomodoro(self, task, minutes=25):
        """A whole focus session that ends by itself."""
        s = self.start(task, minutes)["pomodoro_session"]
        self.server.advance(minutes * 60)
        return self.session(s["id"])

    def every(self, path, **query):
        """All items of a list, page after page."""
        out, page = [], 1
        while True:
            v = self.get(path, **{**query, "page": page, "page_size": 100}).expect(200)
            out += v["results"]
            if v["next"] is None:
                assert len(out) == v["count"], "%d items, count says %d" % (len(out), v["count"])
                return out
            page += 1


def _id(thing):
    return thing["id"] if isinstance(thing, dict) else thing
