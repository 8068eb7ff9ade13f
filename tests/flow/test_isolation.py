"""Nobody sees or touches what is another's (FF-15); wrong ids are 404."""
import pytest

from support.people import User

SERVER = {}
OBJECTS = [("GET", "/projects/%d/", "project"), ("PATCH", "/projects/%d/", "project"), ("DELETE", "/projects/%d/", "project"),
           ("GET", "/tasks/%d/", "task"), ("PATCH", "/tasks/%d/", "task"), ("DELETE", "/tasks/%d/", "task"),
           ("POST", "/tasks/%d/start/", "task"), ("POST", "/tasks/%d/pause/", "task"), ("POST", "/tasks/%d/resume/", "task"),
           ("POST", "/tasks/%d/complete/", "task"), ("POST", "/pomodoro/sessions/%d/complete/", "session"),
           ("GET", "/analytics/projects/%d/", "project"), ("DELETE", "/auth/api-keys/%d/", "key")]


class Owner:
    """A user with one of everything, running."""

    def __init__(self, server):
        self.u = u = User(server)
        self.project = u.project(name="secret project")["id"]
        self.task = u.task(title="secret task", project=self.project)["id"]
        self.session = u.start(self.task)["pomodoro_session"]["id"]
        self.key = u.post("/auth/api-keys/", {"name": "secret key"}).expect(201)["id"]

    def everything(self):
        u = self.u
        return (u.show(self.task), u.get("/projects/%d/" % self.project).expect(200), u.sessions(),
                u.get("/auth/api-keys/").expect(200), u.get("/auth/profile/").expect(200))


@pytest.fixture(scope="module")
def owner(server):
    return Owner(server)


@pytest.fixture(scope="module")
def stranger(server):
    return User(server)


@pytest.mark.parametrize("method,path,kind", OBJECTS, ids=["%s %s" % o[:2] for o in OBJECTS])
def test_anothers_object_is_not_found(owner, stranger, method, path, kind):
    before = owner.everything()
    body = {"name": "stolen", "title": "stolen"} if method in ("PATCH", "POST") else {}
    r = stranger.request(method, path % getattr(owner, kind), **({"json": body} if body else {}))
    r.error(404, "NOT_FOUND")
    missing = stranger.request(method, path % 99999999, **({"json": body} if body else {}))
    assert (missing.status, missing.body) == (r.status, r.body), "the two must not be told apart"
    assert owner.everything() == before


@pytest.mark.parametrize("method,path,kind", OBJECTS, ids=["%s %s" % o[:2] for o in OBJECTS])
@pytest.mark.parametrize("bad", ["abc", "1.5", "-1", "0", "1e3", "0x1", "99999999999999999999", "9223372036854775808", "null",
                                 "1%20", "%31%00", "%ff", "1;2", "%2e%2e", "+1", "true"])
def test_wrong_ids_are_not_found(stranger, method, path, kind, bad):
    body = {} if method in ("PATCH", "POST") else None
    r = stranger.request(method, path.replace("%d", bad), **({"json": body} if body is not None else {}))
    r.error(404, "NOT_FOUND")


def test_lists_show_only_ones_own(owner, stranger):
    for path in ("/tasks/", "/projects/", "/pomodoro/sessions/", "/auth/api-keys/"):
        assert stranger.get(path).expect(200)["results"] == []
    assert stranger.active() is None
    assert stranger.get("/tasks/", project=owner.project).expect(200)["count"] == 0
    assert stranger.get("/tasks/", search="secret").expect(200)["count"] == 0
    assert stranger.get("/pomodoro/sessions/", task=owner.task).expect(200)["count"] == 0


def test_no_task_in_anothers_project(owner, server):
    u = User(server)
    u.post("/tasks/", {"title": "x", "project": owner.project}).error(400, "VALIDATION_ERROR", "project")
    t = u.task()
    u.patch("/tasks/%d/" % t["id"], {"project": owner.project}).error(400, "VALIDATION_ERROR", "project")
    assert u.show(t)["project"] is None


def test_analytics_and_export_are_ones_own(server, owner):
    u, v = User(server), User(server)
    u.pomodoro(u.task(project=u.project()["id"]))
    d = v.get("/analytics/daily/").expect(200)
    assert (d["total_focus_seconds"], d["total_pomodoros"], d["total_tasks"], d["projects_breakdown"]) == (0, 0, 0, [])
    assert v.get("/analytics/weekly/").expect(200)["total_focus_hours"] == 0
    assert v.get("/analytics/monthly/").expect(200)["projects_summary"] == []
    assert v.get("/analytics/streaks/").expect(200)["total_active_days"] == 0
    e = v.get("/export/data/").expect(200)
    assert (e["projects"], e["tasks"], e["pomodoro_sessions"]) == ([], [], []) and e["user"]["id"] == v.id
    assert "secret" not in v.get("/export/data/", format="csv").text()


def test_one_user_does_not_block_another(server):
    u, v = User(server), User(server)
    u.start(u.task())
    v.start(v.task())
    assert u.active()["id"] != v.active()["id"]


def test_many_users_on_one_connection(server):
    """Who asks is decided by each request's token, not by the connection."""
    people = [User(server) for _ in range(4)]
    c = server.connect()
    for _ in range(5):
        for u in people:
            v = c.get("/api/v1/auth/profile/", token=u.access).expect(200)
            assert v["id"] == u.id
        c.get("/api/v1/auth/profile/").error(401, "AUTHENTICATION_FAILED")
    c.close()
