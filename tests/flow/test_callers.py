"""What a manifest says about callers and input: limits per token and for strangers, guests, the status of invalid input
(tests/support/apps/gate)."""
import json
import shutil

import pytest

from support.client import Client
from support.server import REPO, command

APP = REPO / "tests" / "support" / "apps"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    db = tmp_path_factory.mktemp("db")
    shutil.copytree(REPO / "db" / "runtime", db / "runtime")
    scripts = tmp_path_factory.mktemp("scripts")
    shutil.copytree(APP / "gate", scripts / "gate")
    return {"scripts": scripts, "db": db}


@pytest.fixture(scope="module")
def server(start_server, folders):
    return start_server(limits="on", **folders)


@pytest.fixture
def ask(server):
    """ask(path, token): at the beginning of a window of its own."""
    c = Client(server.port)
    server.new_window(3600)

    def get(path, token=None, **kw):
        return c.get("/gate" + path, headers={"Authorization": "Bearer " + token} if token else {}, **kw)
    yield get
    c.close()


def left(r):
    return tuple(int(r.header("x-ratelimit-" + n)) for n in ("limit", "remaining"))


def test_each_token_of_a_user_counts_for_itself(ask):
    for n in range(5):
        r = ask("/in", "good-1")
        assert r.expect(200) == {"user": 1} and left(r) == (5, 4 - n)
    r = ask("/in", "good-1")
    r.error(429, "slower")
    assert left(r) == (5, 0) and 1 <= int(r.header("retry-after")) <= 3600
    assert left(ask("/in", "good-2")) == (5, 4)


def test_strangers_count_for_their_address(ask):
    """Without a token or with a bad one: all on one counter, which those with a good token do not touch."""
    answers = [ask("/in"), ask("/in", "bad-1"), ask("/in", "bad-2")]
    assert [r.status for r in answers] == [401] * 3
    assert [left(r) for r in answers] == [(3, 2), (3, 1), (3, 0)]
    for token in (None, "bad-3"):
        r = ask("/in", token)
        r.error(429, "slower")
        assert left(r) == (3, 0) and int(r.header("retry-after")) >= 1
    assert left(ask("/in", "good-1")) == (5, 4)
    ask("/anyone").error(429, "slower")


def test_guests_may_come_without_a_token_but_not_with_a_bad_one(ask):
    r = ask("/open")
    assert r.expect(200) == {"user": None} and left(r) == (3, 2)
    r = ask("/open", "good-1")
    assert r.expect(200) == {"user": 1} and left(r) == (5, 4)
    r = ask("/open", "bad-1")
    assert r.error(401, "unknown")["message"] == "Nobody knows this token." and left(r) == (3, 1)


def test_guests_count_for_their_address_where_nothing_is_said_about_strangers(ask):
    assert [left(ask("/plain")) for _ in range(2)] == [(4, 3), (4, 2)]
    assert left(ask("/plain", "good-1")) == (4, 3)
    assert left(ask("/plain", "bad-1")) == (4, 4)


def test_invalid_input_has_the_apps_status(server):
    c = Client(server.port)

    def post(body, query="", **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": "Bearer good-1", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return c.request("POST", "/gate/notes" + query, body=raw, headers=headers)
    assert post({"text": "x"}).expect(201) == {"text": "x"}
    error = post({"at": "never"}, "?n=10").json()["error"]
    assert post({"at": "never"}, "?n=10").status == 422 and error["code"] == "invalid"
    assert set(error["details"]) == {"text", "at", "n"} and all(isinstance(m, list) for m in error["details"].values())
    for text in ("checked", "late"):
        r = post({"text": text})
        assert r.status == 422 and list(r.json()["error"]["details"]) == ["text"]
    for body in (b"{", b"[1]", b'"text"'):
        assert post(body).error(400, "bad")["message"]
    post({"text": "x"}, "?n=%zz").error(400, "bad")
    post({"text": "a"}, Idempotency_Key="once").expect(201)
    post({"text": "b"}, Idempotency_Key="once").error(422, "invalid")
    c.close()


def test_limits_that_are_off_are_shown_all_the_same(start_server, folders):
    c = Client(start_server(limits="off", **folders).port)
    good = {"Authorization": "Bearer good-1"}
    for path, headers, status, limit in (("/gate/in", good, 200, 5), ("/gate/in", {}, 401, 5), ("/gate/anyone", {}, 200, 3)):
        for _ in range(7):
            r = c.get(path, headers=headers)
            assert r.status == status and left(r) == (limit, limit) and int(r.header("x-ratelimit-reset")) > 0
    c.close()


@pytest.mark.parametrize("wrong,problem", [
    ("limits = { a = { count = 1, seconds = 1, per = 'user', strangers = 'b' } },",
     'limits["a"]: strangers must name a limit per address'),
    ("limits = { a = { count = 1, seconds = 1, per = 'address', strangers = 'a' } },",
     'limits["a"]: strangers must name a limit per address'),
    ("invalid = 418,", "invalid, the status of invalid input, must be 400 or 422"),
])
def test_what_is_wrong_is_named(tmp_path, wrong, problem):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "app.lua").write_text("""return { name = "wrong", %s units = { { name = "u", summary = "S.",
        GET "/w" { summary = "W", who = "anyone", guests = true, returns = { [204] = "none" },
            run = function() return 204 end } } } }""" % wrong)
    said = command("check", "wrong", "--scripts", tmp_path, "--db", tmp_path)
    assert said.returncode == 1
    assert problem in said.stdout + said.stderr and "guests must be true or false" in said.stdout + said.stderr
