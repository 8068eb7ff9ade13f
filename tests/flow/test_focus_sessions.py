"""Focus Sessions, beside the other apps on one port: what its document leaves open is decided by FS-1 to FS-14."""
import re
import sys
import uuid
from pathlib import Path

import pytest

from support.client import Client
from support.focus_sessions import Worker
from support.openapi import check_endpoint, operations
from support.people import PASSWORD, User, claims, unique
from support.threads import together

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import of  # noqa: E402

_, ENDPOINTS = of("focus-sessions")
SERVER = {"limits": "on"}
UNKNOWN = "6f1c7a52-93d4-4c0e-8b1a-2f6d9e3a7c58"     # the same in all of the suite's processes
WEEK = 7 * 86400


@pytest.fixture
def worker(server):
    """worker() -> a new user of Focus Sessions."""
    made = []

    def make(**fields):
        made.append(Worker(server, **fields))
        return made[-1]
    yield make
    for u in made:
        u.c.close()


def invalid(r, *fields):
    """A 400 that names these fields and no others."""
    assert set(r.refused(400, "validation_error", *fields)["details"]) == set(fields), str(r)


# -- registering and logging in (FS-1)

def test_a_token_is_good_for_seven_days(server, worker):
    u = worker()
    assert claims(u.access)["exp"] - claims(u.access)["iat"] == WEEK
    server.advance(WEEK - 60)
    assert u.history() == []
    server.advance(60)
    u.get("/focus-sessions").refused(401, "unauthorized")
    u.login()
    assert u.history() == []


def test_an_address_is_taken_whatever_its_case(worker, client):
    u = worker(name="Ada")
    body = {"email": u.email.capitalize(), "password": PASSWORD}
    assert "details" not in client.post("/auth/register", body).refused(409, "conflict")
    answer = client.post("/auth/login", body).expect(200)
    assert answer["user"] == u.profile == {"id": u.id, "email": u.email, "name": "Ada"}
    assert client.post("/auth/login", body).header("cache-control") == "no-store"


def test_one_of_two_registers(server):
    body = {"email": "twin%s@example.com" % unique(), "password": PASSWORD}
    answers = together(*[lambda: Client(server.port).post("/auth/register", body).status] * 6)
    assert sorted(answers) == [200] + [409] * 5


@pytest.mark.parametrize("name", [None, "", "Ä" * 100])
def test_names(worker, name):
    assert worker(name=name).profile["name"] == name


@pytest.mark.parametrize("body,fields", [
    ({"password": PASSWORD}, ["email"]), ({"email": "a@b", "password": PASSWORD}, ["email"]),
    ({"email": "a@example.com", "password": "1234567"}, ["password"]),
    ({"email": "a@example.com", "password": "x" * 129}, ["password"]),
    ({"email": "a@example.com", "password": PASSWORD, "name": "x" * 101}, ["name"]),
    ({"email": 5, "password": True, "name": []}, ["email", "password", "name"])])
def test_wrong_registrations(client, body, fields):
    invalid(client.post("/auth/register", body), *fields)


def test_a_password_is_taken_as_it_is(worker, client):
    u = worker(password="  12345678 ")
    client.post("/auth/login", {"email": u.email, "password": "  12345678 "}).expect(200)
    client.post("/auth/login", {"email": u.email, "password": "12345678"}).refused(401, "unauthorized")


# -- separate worlds

def test_tokens_of_other_apps_are_invalid(worker, user):
    u, other = worker(), user()
    u.request("GET", "/focus-sessions", token=other.access).refused(401, "unauthorized")
    other.request("GET", "/tasks/", token=u.access).error(401, "AUTHENTICATION_FAILED")
    twin = User(u.server, email=u.email)             # an account of one app says nothing about the other
    assert twin.id and u.c.post("/auth/login", {"email": other.email, "password": PASSWORD}).status == 401


def test_its_host_has_its_paths_alone(worker):
    u = worker()
    own = {"Host": "Focus-Sessions.localhost:8000"}
    u.request("GET", "/focus-sessions", headers=own).expect(200)
    u.request("GET", "/api/v1/tasks/", headers=own).refused(404, "not_found")
    assert u.request("GET", "/focus-sessions", headers={"Host": "focusflow.localhost"}).status == 404
    assert u.request("GET", "/focus-sessions", headers={"Host": "example.org"}).status == 200


@pytest.mark.parametrize("path", ["/focus-sessions/a/b", "/auth/logout", "/quests/1"])
def test_unknown_paths_are_answered_in_its_words(client, path):
    assert "details" not in client.get(path).refused(404, "not_found")


def test_paths_work_with_and_without_a_slash(worker):
    u = worker()
    s = u.post("/focus-sessions/", {"duration_minutes": 5}).expect(200)
    assert u.get("/focus-sessions/").expect(200) == [s]
    assert u.request("DELETE", "/focus-sessions/%s/" % s["id"]).expect(200) == {"message": "Focus session deleted"}


# -- starting (FS-3 to FS-6, FS-9)

def test_a_new_session(server, worker):
    u = worker()
    s = u.start(status="completed", started_at="2020-01-01T00:00:00Z", completed_at="2020-01-01T00:00:00Z", id=UNKNOWN)
    at = s.pop("started_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", at) and not at.startswith("2020")
    assert uuid.UUID(s.pop("id")).version == 4
    assert s == {"quest_id": None, "description": None, "duration_minutes": 25, "status": "active", "completed_at": None}


def test_nulls_and_texts(worker):
    u = worker()
    assert u.start(quest_id=None, description=None)["description"] is None
    assert u.start(description="  Chapter 1 ")["description"] == "Chapter 1"
    assert u.start(description="ü" * 1000)["description"] == "ü" * 1000


def test_several_may_be_active(worker):
    u = worker()
    ids = [u.start()["id"] for _ in range(3)]
    assert [s["id"] for s in u.history(status="active")] == ids[::-1]


def test_sessions_do_not_end_by_themselves(server, worker):
    u = worker()
    s = u.start(duration_minutes=1)
    server.advance(86400)
    assert u.history() == [s]


@pytest.mark.parametrize("field,value", [
    ("duration_minutes", v) for v in (None, 0, 1441, -5, 1.5, "25", True, 2 ** 64, [])] + [
    ("description", v) for v in ("x" * 1001, 5, {})] + [
    ("quest_id", v) for v in ("q1...", "", 5, UNKNOWN[:-1], UNKNOWN + "0", UNKNOWN.replace("-", ""), UNKNOWN)])
def test_wrong_sessions(worker, field, value):
    u = worker()
    invalid(u.post("/focus-sessions", {"duration_minutes": 25, field: value}), field)
    assert u.history() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b"null", b"\xff"])
def test_bodies_that_are_no_object(worker, body):
    worker().request("POST", "/focus-sessions", body=body).refused(400, "validation_error")


def test_limits_of_the_duration(worker):
    assert [worker().start(duration_minutes=n)["duration_minutes"] for n in (1, 1440)] == [1, 1440]
    invalid(worker().post("/focus-sessions"), "duration_minutes")


# -- quests (FS-2, FS-5)

def test_quests(worker):
    u = worker()
    first, second = u.quest(title=" Write "), u.quest(description="Fifty thousand words")
    assert list(first) == ["id", "title", "description", "created_at"]
    assert (first["title"], first["description"]) == ("Write", None)
    assert u.get("/quests").expect(200) == [second, first]
    assert worker().get("/quests").expect(200) == []


@pytest.mark.parametrize("body,field", [({}, "title"), ({"title": ""}, "title"), ({"title": "x" * 201}, "title"),
                                        ({"title": "x", "description": "x" * 5001}, "description")])
def test_wrong_quests(worker, body, field):
    invalid(worker().post("/quests", body), field)


def test_a_session_for_a_quest(worker):
    u = worker()
    quest = u.quest()
    s = u.start(quest_id=quest["id"].upper())
    assert s["quest_id"] == quest["id"]
    u.start()
    assert u.history(quest_id=quest["id"]) == [s]
    invalid(worker().post("/focus-sessions", {"duration_minutes": 25, "quest_id": quest["id"]}), "quest_id")
    assert worker().history(quest_id=quest["id"]) == []


# -- completing and cancelling (FS-7, FS-8)

def test_completing(server, worker):
    u = worker()
    s = u.start()
    server.advance(1500)
    done = u.change(s, "completed").expect(200)
    assert done == {**s, "status": "completed", "completed_at": done["completed_at"]}
    assert done["completed_at"] > s["started_at"]
    server.advance(60)
    assert u.change(s, "completed").expect(200) == done, "a repetition changes nothing"
    assert u.history() == [done]


def test_cancelling(worker):
    u = worker()
    s = u.start()
    assert u.change(s, "active").expect(200) == s
    assert u.change(s, "cancelled").expect(200) == {**s, "status": "cancelled"}
    for status in ("active", "completed"):
        u.change(s, status).refused(409, "conflict")
    assert u.history() == [{**s, "status": "cancelled"}]


@pytest.mark.parametrize("status", [None, "", "done", "Completed", 1, True])
def test_wrong_statuses(worker, status):
    u = worker()
    s = u.start()
    invalid(u.change(s, status), "status")
    assert u.history() == [s]


def test_other_fields_are_ignored(worker):
    u = worker()
    s = u.start()
    body = {"status": "cancelled", "duration_minutes": 5, "description": "x", "completed_at": "2020-01-01T00:00:00Z"}
    r = u.request("PATCH", "/focus-sessions/" + s["id"].upper(), json=body)
    assert r.expect(200) == {**s, "status": "cancelled"}


def test_one_of_two_changes_wins(server, worker):
    """Completing and cancelling at once: one of the two happens, whoever asked for it gets 200, the others 409."""
    u = worker()
    for _ in range(5):
        s = u.start()

        def change(status):
            return lambda: (status, Client(server.port, token=u.access).request(
                "PATCH", "/focus-sessions/" + s["id"], json={"status": status}).status)
        answers = together(*[change(status) for status in ("completed", "cancelled") * 3])
        now = u.history(limit=1)[0]
        assert sorted(answers) == sorted((status, 200 if status == now["status"] else 409) for status, _ in answers)
        assert (now["completed_at"] is None) == (now["status"] == "cancelled")


def test_a_repeated_request_starts_nothing_new(worker):
    u, key = worker(), {"Idempotency-Key": "key-" + unique()}
    first = u.post("/focus-sessions", {"duration_minutes": 5}, headers=key)
    again = u.post("/focus-sessions", {"duration_minutes": 5}, headers=key)
    assert (again.status, again.body, again.header("idempotent-replayed")) == (200, first.body, "true")
    u.post("/focus-sessions", {"duration_minutes": 6}, headers=key).refused(400, "validation_error")
    assert len(u.history()) == 1


# -- the history (FS-10)

def test_newest_first_also_within_a_second(server, worker):
    u = worker()
    ids = [u.start()["id"] for _ in range(4)]
    server.advance(60)
    ids.append(u.start()["id"])
    assert [s["id"] for s in u.history()] == ids[::-1]


def test_the_limit(worker):
    u = worker()
    ids = [u.start()["id"] for _ in range(101)][::-1]
    for query, n in (({}, 20), ({"limit": 1}, 1), ({"limit": 100}, 100)):
        assert [s["id"] for s in u.history(**query)] == ids[:n]


@pytest.mark.parametrize("query", [("limit", v) for v in ("0", "101", "-1", "x", "1.5", "")] + [
    ("status", "done"), ("status", "Active"), ("quest_id", "q1"), ("quest_id", UNKNOWN[1:])])
def test_wrong_queries(worker, query):
    invalid(worker().get("/focus-sessions", **dict([query])), query[0])


def test_filters_go_together(worker):
    u = worker()
    quest = u.quest()["id"]
    wanted, other, without = u.start(quest_id=quest), u.start(quest_id=quest), u.start()
    u.change(wanted, "completed").expect(200), u.change(without, "completed").expect(200)
    assert [s["id"] for s in u.history(quest_id=quest, status="completed")] == [wanted["id"]]
    assert [s["id"] for s in u.history(quest_id=quest, limit=1)] == [other["id"]]
    assert u.history(quest_id=UNKNOWN) == u.history(status="cancelled") == []


def test_a_history_that_has_not_changed(worker):
    u = worker()
    u.start()
    tag = u.get("/focus-sessions").header("etag")
    assert u.request("GET", "/focus-sessions", headers={"If-None-Match": tag}).status == 304
    u.start()
    assert u.request("GET", "/focus-sessions", headers={"If-None-Match": tag}).status == 200


# -- deleting and ownership (FS-11, FS-12)

@pytest.mark.parametrize("status", ["active", "completed", "cancelled"])
def test_deleting(worker, status):
    u = worker()
    s, kept = u.start(), u.start()
    u.change(s, status).expect(200)
    assert u.delete(s).expect(200) == {"message": "Focus session deleted"}
    u.delete(s).refused(404, "not_found")
    u.change(s, "completed").refused(404, "not_found")
    assert u.history() == [kept]


def test_one_of_two_deletes(server, worker):
    u = worker()
    path = "/focus-sessions/" + u.start()["id"]
    answers = together(*[lambda: Client(server.port, token=u.access).delete(path).status] * 4)
    assert sorted(answers) == [200, 404, 404, 404]


def test_others_sessions_are_unknown(worker):
    u, other = worker(), worker()
    s = u.start()
    other.change(s, "completed").refused(404, "not_found")
    other.delete(s).refused(404, "not_found")
    assert other.history() == [] and u.history() == [s]


@pytest.mark.parametrize("wrong", ["f1...", "1", UNKNOWN, UNKNOWN[:-1], "docs", "%00"])
def test_unknown_and_malformed_ids(worker, wrong):
    u = worker()
    u.change({"id": wrong}, "completed").refused(404, "not_found")
    u.delete({"id": wrong}).refused(404, "not_found")


def test_an_id_with_a_blank_is_malformed(worker):
    u = worker()
    s = u.start()
    for wrong in ("%20" + s["id"], s["id"] + "%20", s["id"] + "%0a"):
        u.change({"id": wrong}, "completed").refused(404, "not_found")
    assert u.history() == [s]


def test_there_are_no_limits(worker):
    u = worker()
    for _ in range(150):
        assert u.get("/quests").header("x-ratelimit-limit") is None


def test_its_documents(client):
    assert client.get("/focus-sessions/docs").status == 200
    document = client.get("/focus-sessions/docs?format=openapi").expect(200)
    assert len(operations(document)) == len(ENDPOINTS)
    for endpoint in ENDPOINTS.values():
        check_endpoint(document, endpoint)
