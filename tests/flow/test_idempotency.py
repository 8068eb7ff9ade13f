"""Idempotent retries (X-13)."""
import pytest

from support.client import NOTHING, Client
from support.organizations import Organization
from support.people import PASSWORD, V1, User, unique
from support.threads import together

SERVER = {}


def key():
    return {"Idempotency-Key": "key-" + unique()}


def replayed(r):
    return r.header("idempotent-replayed") == "true"


def same(a, b):
    assert (a.status, a.body) == (b.status, b.body), "%s\n%s" % (a, b)
    assert a.header("content-type") == b.header("content-type")
    assert replayed(b) and not replayed(a)
    assert b.header("x-request-id")


def test_a_retry_gets_the_first_answer(user):
    u, k = user(), key()
    body = {"title": "once"}
    first = u.post("/tasks/", body, headers=k)
    assert first.status == 201
    for twin in (u, u.another(), u.another()):
        same(first, twin.post("/tasks/", body, headers=k))
    assert u.get("/tasks/").expect(200)["count"] == 1


def test_other_keys_and_no_key(user):
    u, body = user(), {"title": "again"}
    for headers in (key(), key(), {}, {}):
        r = u.post("/tasks/", body, headers=headers)
        assert r.status == 201 and not replayed(r)
    assert u.get("/tasks/").expect(200)["count"] == 4


def test_patch(user):
    u, k = user(), key()
    t = u.task()
    first = u.patch("/tasks/%d/" % t["id"], {"title": "one"}, headers=k)
    u.patch("/tasks/%d/" % t["id"], {"title": "two"}).expect(200)
    same(first, u.patch("/tasks/%d/" % t["id"], {"title": "one"}, headers=k))
    assert u.show(t)["title"] == "two"


def test_a_start_is_not_repeated(server, user):
    u, k = user(), key()
    t = u.task()
    first = u.post("/tasks/%d/start/" % t["id"], {}, headers=k)
    server.advance(1500)
    same(first, u.post("/tasks/%d/start/" % t["id"], {}, headers=k))
    assert len(u.show(t)["pomodoro_sessions"]) == 1


@pytest.mark.parametrize("body", [{"title": "other"}, {"title": "first", "priority": "low"}, {}, NOTHING])
def test_another_body_is_refused(user, body):
    u, k = user(), key()
    u.post("/tasks/", {"title": "first"}, headers=k).expect(201)
    u.post("/tasks/", body, headers=k).error(400, "VALIDATION_ERROR")
    assert u.get("/tasks/").expect(200)["count"] == 1


def test_a_key_belongs_to_user_method_and_path(user):
    u, v, k = user(), user(), key()
    body = {"title": "t", "name": "n"}
    t = u.post("/tasks/", body, headers=k).expect(201)
    for r in (v.post("/tasks/", body, headers=k), u.post("/projects/", body, headers=k)):
        assert r.status == 201 and not replayed(r)
    r = u.patch("/tasks/%d/" % t["id"], body, headers=k)
    assert r.status == 200 and not replayed(r)
    r = u.post("/tasks/%d/start/" % t["id"], {}, headers=k)
    assert r.status == 200 and not replayed(r)


def test_refusals_are_kept(user):
    """The first outcome, not the first success."""
    u, k, wrong = user(), key(), key()
    t, other = u.task(), u.task()
    u.start(other)
    first = u.post("/tasks/%d/start/" % t["id"], {}, headers=k)
    first.error(409, "CONFLICT")
    u.complete(other)
    same(first, u.post("/tasks/%d/start/" % t["id"], {}, headers=k))
    assert u.show(t)["status"] == "pending"
    first = u.post("/tasks/", {"title": ""}, headers=wrong)
    first.error(400, "VALIDATION_ERROR", "title")
    same(first, u.post("/tasks/", {"title": ""}, headers=wrong))


def test_401_is_not_kept(client, user):
    u, k, body = user(), key(), {"title": "x"}
    u.post("/tasks/", body, headers=k, token="x.y.z").error(401, "AUTHENTICATION_FAILED")
    r = u.post("/tasks/", body, headers=k)
    assert r.status == 201 and not replayed(r)
    k, wrong = key(), {"email": u.email, "password": "Wrong-password-1"}
    for _ in range(2):
        r = client.post(V1 + "/auth/login/", wrong, headers=k)
        r.error(401, "AUTHENTICATION_FAILED")
        assert not replayed(r)


def test_a_revoked_token_gets_no_kept_answer(user):
    u, k, body = user(), key(), {"title": "mine"}
    token = u.access
    u.post("/tasks/", body, headers=k).expect(201)
    u.post("/auth/logout/", {"refresh": u.refresh}).expect(205)
    u.post("/tasks/", body, headers=k, token=token).error(401, "AUTHENTICATION_FAILED")


def test_registration(client):
    name, k = "r" + unique(), key()
    body = {"email": name + "@example.com", "username": name, "password": PASSWORD}
    first = client.post(V1 + "/auth/register/", body, headers=k)
    second = client.post(V1 + "/auth/register/", body, headers=k)
    same(first, second)
    token = second.json()["tokens"]["access"]
    client.get(V1 + "/auth/profile/", token=token).expect(200)


def test_an_empty_answer(user):
    u, k = user(), key()
    body = {"refresh": u.refresh}
    first = u.post("/auth/logout/", body, headers=k)
    assert first.status == 205
    u.login()
    same(first, u.post("/auth/logout/", body, headers=k))
    u.post("/tasks/", {"title": "the connection is still in step"}).expect(201)


def test_24_hours(server, user):
    u, k, body = user(), key(), {"title": "daily"}
    first = u.post("/tasks/", body, headers=k)
    server.advance(86400 - 120)
    same(first, u.post("/tasks/", body, headers=k))
    server.advance(240)
    r = u.post("/tasks/", body, headers=k)
    assert r.status == 201 and not replayed(r) and r.json()["id"] > first.json()["id"]


@pytest.mark.parametrize("value", ["x" * 256, "", "tab\there", "x\x7f"], ids=repr)
def test_wrong_keys(user, value):
    u = user()
    u.post("/tasks/", {"title": "x"}, headers={"Idempotency-Key": value}).error(400, "VALIDATION_ERROR")
    assert u.get("/tasks/").expect(200)["count"] == 0


@pytest.mark.parametrize("value", ["x", "x" * 255, "a b", "\"quoted\"", "~!@#$%^&*()_+{}|:<>?[];',./"], ids=lambda v: repr(v)[:12])
def test_right_keys(user, value):
    u = user()
    first = u.post("/tasks/", {"title": "x"}, headers={"Idempotency-Key": value})
    assert first.status == 201
    same(first, u.post("/tasks/", {"title": "x"}, headers={"Idempotency-Key": value}))


@pytest.mark.parametrize("round", range(5))
def test_the_same_key_at_the_same_time(server, user, round):
    """One creates; the others wait and get its answer, or are told 409."""
    u, k, body = user(), key(), {"title": "race"}
    u.get("/auth/profile/")
    clients = [Client(server.port) for _ in range(8)]
    got = together(*[lambda c=c: c.post(V1 + "/tasks/", body, headers=k, token=u.access) for c in clients])
    created = [r for r in got if r.status == 201]
    assert len([r for r in created if not replayed(r)]) == 1
    assert len({r.body for r in created}) == 1
    for r in got:
        if r.status != 201:
            r.error(409, "CONFLICT")
    assert u.get("/tasks/").expect(200)["count"] == 1
    assert u.post("/tasks/", body, headers=k).expect(201)["id"] == created[0].json()["id"]


def test_the_same_key_at_the_same_time_on_a_route_that_reads_first(server):
    """Who is a member is read before the key is looked up: what was committed in between is seen all the same."""
    o, clients = Organization(server), [Client(server.port) for _ in range(8)]
    for n in range(200):
        k, body = key(), {"email": unique() + "@example.com"}
        path = "/api/v2" + o.path + "/invites/"
        got = together(*[lambda c=c: c.post(path, body, headers=k, token=o.owner.access) for c in clients])
        assert len({r.body for r in got if r.status == 201}) == 1, "round %d made more than one" % n


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_kept_answers_survive(server, how):
    u, k, body = User(server), key(), {"title": "kept"}
    register, name = key(), "r" + unique()
    account = {"email": name + "@example.com", "username": name, "password": PASSWORD}
    first = u.post("/tasks/", body, headers=k)
    other = u.c.post(V1 + "/auth/register/", account, headers=register)
    if how == "stop":
        server.restart()
    else:
        server.kill()
        server.start()
    same(first, u.post("/tasks/", body, headers=k))
    same(other, u.c.post(V1 + "/auth/register/", account, headers=register))
    assert u.get("/tasks/").expect(200)["count"] == 1


def test_get_ignores_the_key(user):
    u, k = user(), key()
    assert u.request("GET", "/tasks/", headers=k).expect(200)["count"] == 0
    u.task()
    r = u.request("GET", "/tasks/", headers=k)
    assert r.expect(200)["count"] == 1 and not replayed(r)
