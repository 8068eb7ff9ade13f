"""Rate limits (FF-56, X-9): fixed windows of a minute; the clock is moved to the beginning of one."""
import pytest

from support.client import Client
from support.people import V1, User

SERVER = {"limits": "on"}


@pytest.fixture
def someone(server):
    """A new user at the beginning of a window."""
    server.new_window()
    u = User(server)
    server.new_window()
    yield u
    u.c.close()


def state(r):
    return tuple(int(r.header("x-ratelimit-" + n)) for n in ("limit", "remaining", "reset"))


def spend(u, path, n, expect=200):
    for _ in range(n):
        assert u.get(path).status == expect


@pytest.mark.parametrize("path,count", [("/tasks/", 100), ("/auth/profile/", 100), ("/analytics/daily/", 30),
                                        ("/analytics/streaks/", 30)])
def test_headers_count_down(server, someone, path, count):
    seen = [state(someone.get(path)) for _ in range(5)]
    assert [s[0] for s in seen] == [count] * 5
    assert [s[1] for s in seen] == [count - n for n in range(1, 6)]
    assert {s[2] for s in seen} == {server.now() - server.now() % 60 + 60}, "Unix time of the window's end"


@pytest.mark.parametrize("path,count", [("/tasks/", 100), ("/analytics/daily/", 30)])
def test_the_limit(server, someone, path, count):
    spend(someone, path, count)
    for _ in range(3):
        r = someone.get(path)
        r.error(429, "RATE_LIMIT_EXCEEDED")
        assert state(r)[:2] == (count, 0)
        assert 1 <= int(r.header("retry-after")) <= 60
        assert abs(server.now() + int(r.header("retry-after")) - state(r)[2]) <= 1
    server.new_window()
    assert state(someone.get(path))[1] == count - 1, "rejected requests consume nothing"


def test_one_counter_for_all_standard_endpoints(someone):
    u = someone
    t = u.task()
    u.get("/projects/"), u.get("/auth/profile/"), u.get("/pomodoro/sessions/"), u.get("/export/data/"), u.get("/tasks/99999999/")
    assert state(u.get("/tasks/"))[1] == 100 - 7
    assert state(u.post("/tasks/%d/start/" % t["id"]))[1] == 100 - 8


def test_analytics_count_apart(someone):
    spend(someone, "/analytics/daily/", 30)
    someone.get("/analytics/weekly/").error(429, "RATE_LIMIT_EXCEEDED")
    assert state(someone.get("/tasks/"))[1] == 99


def test_users_count_apart(server, someone):
    spend(someone, "/tasks/", 100)
    someone.get("/tasks/").error(429, "RATE_LIMIT_EXCEEDED")
    assert state(User(server).get("/tasks/"))[1] == 99


def test_connections_do_not_count_apart(someone):
    twins = [someone.another() for _ in range(5)]
    for n in range(100):
        assert twins[n % 5].get("/tasks/").status == 200
    for t in twins:
        t.get("/tasks/").error(429, "RATE_LIMIT_EXCEEDED")
        t.c.close()


def test_failures_count_too(someone):
    seen = [someone.get("/tasks/", page="x"), someone.get("/tasks/99999999/"), someone.post("/tasks/", {})]
    assert [r.status for r in seen] == [400, 404, 400]
    assert [state(r)[1] for r in seen] == [99, 98, 97]


def test_not_modified_costs_nothing(someone):
    first = someone.get("/tasks/")
    left, tag = state(first)[1], first.header("etag")
    for _ in range(5):
        r = someone.request("GET", "/tasks/", headers={"If-None-Match": tag})
        assert r.status == 304 and state(r)[1] == left
    assert state(someone.get("/tasks/"))[1] == left - 1


def test_ten_log_ins_per_address(server):
    server.new_window()
    c = Client(server.port)
    paths = ["login", "register", "refresh"]
    seen = []
    for n in range(10):
        r = c.post("%s/auth/%s/" % (V1, paths[n % 3]), {}, headers={"X-Forwarded-For": "203.0.113.%d" % n})
        r.error(400, "VALIDATION_ERROR")
        seen.append(state(r)[:2])
    assert seen == [(10, 9 - n) for n in range(10)]
    for name in paths:
        for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            r = c.post("%s/auth/%s/" % (V1, name), {}, headers={header: "198.51.100.7"})
            r.error(429, "RATE_LIMIT_EXCEEDED")
    other = Client(server.port)
    other.post(V1 + "/auth/login/", {}).error(429, "RATE_LIMIT_EXCEEDED")
    server.new_window()
    other.post(V1 + "/auth/login/", {}).error(400, "VALIDATION_ERROR")
    c.close(), other.close()


def test_requests_without_a_token_do_not_use_a_users_counter(server, someone):
    c = Client(server.port)
    for _ in range(5):
        c.get(V1 + "/tasks/").error(401, "AUTHENTICATION_FAILED")
    assert state(someone.get("/tasks/"))[1] == 99
    c.close()


def test_the_operators_pages_are_not_limited(server, someone):
    for _ in range(150):
        assert someone.c.get("/healthz").status == 200
    assert state(someone.get("/tasks/"))[1] == 99


def test_a_rejected_request_does_nothing(someone):
    t = someone.task()
    spend(someone, "/tasks/", 99)
    someone.post("/tasks/", {"title": "too much"}).error(429, "RATE_LIMIT_EXCEEDED")
    someone.post("/tasks/%d/start/" % t["id"]).error(429, "RATE_LIMIT_EXCEEDED")
    someone.server.new_window()
    assert someone.get("/tasks/").expect(200)["count"] == 1 and someone.show(t)["status"] == "pending"


def test_a_rejection_is_not_kept_for_its_key(someone):
    """X-13: 429 is no outcome that a retry would get again."""
    spend(someone, "/tasks/", 100)
    body, key = {"title": "later"}, {"Idempotency-Key": "limited-1"}
    someone.post("/tasks/", body, headers=key).error(429, "RATE_LIMIT_EXCEEDED")
    someone.server.new_window()
    r = someone.post("/tasks/", body, headers=key)
    r.expect(201)
    assert r.header("idempotent-replayed") is None


def test_limits_can_be_switched_off(start_server):
    s = start_server()
    u = User(s)
    spend(u, "/analytics/daily/", 50)
    for _ in range(15):
        u.c.post(V1 + "/auth/login/", {}).error(400, "VALIDATION_ERROR")
