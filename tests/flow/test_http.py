"""What holds for every resource: unknown paths, methods, slashes, hosts, CORS, request ids, ETags, bodies
(X-2, X-5, X-6, X-10, X-14, FF-1)."""
import re

import pytest

from support.client import NOTHING
from support.people import PASSWORD, V1, unique

SERVER = {}
ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


def listed(header):
    return {x.strip().lower() for x in (header or "").split(",") if x.strip()}


# -- unknown path, wrong method

@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/nothing/", "/api/v1/", "/api/v1", "/api/v1/tasks/1/nothing/", "/api/v1/tasks/1/start/x/",
                                  "/api/v1//tasks/", "/api/v1/auth/", "/api/v2/organizations-not-here/"])
def test_unknown_paths_below_the_app(client, method, path):
    r = client.request(method, path)
    r.error(404, "NOT_FOUND")
    assert ID.fullmatch(r.header("x-request-id"))


@pytest.mark.parametrize("path", ["/nothing", "/api", "/index.html", "/.env", "/%2e%2e/%2e%2e/etc/passwd", "/../../etc/passwd",
                                  "/apiv1/tasks/", "//", "/%00", "/%ff", "/a%zz"])
def test_unknown_paths_elsewhere(client, path):
    r = client.get(path)
    if r.status != 400:      # a malformed path may be refused as such
        assert r.status == 404 and r.json()["error"]["code"] == "NOT_FOUND", str(r)
        assert isinstance(r.json()["error"]["message"], str)
    else:
        assert "%" in path and "error" in r.json()


@pytest.mark.parametrize("method,path,allow", [
    ("PUT", "/tasks/", {"get", "post"}), ("DELETE", "/tasks/", {"get", "post"}), ("PATCH", "/projects/", {"get", "post"}),
    ("PUT", "/tasks/1/", {"get", "patch", "delete"}), ("POST", "/tasks/1/", {"get", "patch", "delete"}),
    ("GET", "/tasks/1/start/", {"post"}), ("GET", "/auth/login/", {"post"}), ("POST", "/analytics/daily/", {"get"}),
    ("HEAD", "/auth/login/", {"post"}), ("BREW", "/tasks/", {"get", "post"}), ("TRACE", "/tasks/", {"get", "post"}),
    ("PUT", "/tasks", {"get", "post"}),
])
def test_wrong_methods(client, method, path, allow):
    r = client.request(method, V1 + path)
    assert r.status in ((405,) if method not in ("BREW", "TRACE") else (405, 501)), str(r)
    if r.status == 405:
        assert allow <= listed(r.header("allow")) <= allow | {"head", "options"}, r.header("allow")
        if method != "HEAD":
            r.error(405, "METHOD_NOT_ALLOWED")


def test_a_wrong_method_is_told_before_authentication_and_does_nothing(user):
    u = user()
    t = u.task()
    u.request("PUT", "/tasks/%d/" % t["id"], json={"title": "put"}).error(405, "METHOD_NOT_ALLOWED")
    assert u.show(t)["title"] == t["title"]


# -- slashes, case, hosts

def test_both_forms_of_a_path(user):
    u = user()
    t = u.post("/tasks", {"title": "no slash"}).expect(201)
    for path in ("/tasks/%d" % t["id"], "/tasks/%d/" % t["id"]):
        assert u.get(path).expect(200)["title"] == "no slash"
    u.post("/tasks/%d/start" % t["id"]).expect(200)
    assert u.patch("/tasks/%d" % t["id"], {"title": "x"}).expect(200)["title"] == "x"
    assert u.get("/analytics/daily?date=2025-01-20").expect(200)["date"] == "2025-01-20"
    assert u.delete("/tasks/%d" % t["id"]).status == 204
    u.get("/tasks//").error(404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/API/v1/tasks/", "/api/V1/tasks/", "/api/v1/Tasks/"])
def test_paths_are_case_sensitive(user, path):
    u = user()
    assert u.c.get(path, token=u.access).status == 404


@pytest.mark.parametrize("host", ["api.focusflow.com", "API.FocusFlow.com", "staging-api.focusflow.com", "focusflow.localhost:8000",
                                  "focusflow.localhost", "example.org", "127.0.0.1", "[::1]:8000"])
def test_hosts(user, host):
    u = user()
    assert u.request("GET", "/tasks/", headers={"Host": host}).expect(200)["count"] == 0
    u.request("GET", "/nothing/", headers={"Host": host}).error(404, "NOT_FOUND")


# -- HEAD, OPTIONS, CORS

@pytest.mark.parametrize("path", ["/tasks/", "/auth/profile/", "/analytics/daily/?date=2025-01-20", "/tasks/99999999/", "/docs/",
                                  "/export/data/?format=csv"])
def test_head(user, path):
    u = user()
    get = u.get(path)
    head = u.request("HEAD", path)
    assert head.status == get.status and head.body == b""
    for name in ("content-type", "content-length", "etag", "content-disposition"):
        assert head.header(name) == get.header(name), name
    assert u.get("/tasks/").expect(200)["count"] == 0, "the connection is still in step"


@pytest.mark.parametrize("path,method", [("/tasks/", "POST"), ("/tasks/1/", "PATCH"), ("/tasks/1/start/", "POST"),
                                         ("/auth/login/", "POST"), ("/analytics/daily/", "GET")])
def test_preflight(client, path, method):
    r = client.request("OPTIONS", V1 + path, headers={
        "Origin": "https://app.example.com", "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,idempotency-key,if-none-match,x-request-id"})
    assert r.status == 204 and r.body == b"", str(r)
    assert r.header("access-control-allow-origin") == "*"
    assert r.header("access-control-allow-credentials") is None
    assert method.lower() in listed(r.header("access-control-allow-methods"))
    allowed = listed(r.header("access-control-allow-headers"))
    assert {"authorization", "content-type", "idempotency-key", "if-none-match", "x-request-id"} <= allowed or allowed == {"*"}
    assert ID.fullmatch(r.header("x-request-id"))


@pytest.mark.parametrize("path,status", [("/tasks/", 200), ("/tasks/99999999/", 404), ("/tasks/?page=x", 400)])
def test_cors_on_answers(user, path, status):
    r = user().request("GET", path, headers={"Origin": "https://app.example.com"})
    assert r.status == status and r.header("access-control-allow-origin") == "*"
    assert {"x-request-id", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"} <= \
        listed(r.header("access-control-expose-headers")) | {"retry-after"}


def test_cors_on_a_401(client):
    """A browser shows its page the answer only with the header."""
    r = client.get(V1 + "/tasks/", headers={"Origin": "https://app.example.com"})
    assert r.status == 401 and r.header("access-control-allow-origin") == "*"


def test_configured_origins(start_server):
    s = start_server(env={"PERIGEE_CORS_ORIGINS": "https://app.example.com,https://two.example.com"})
    for origin, allowed in (("https://app.example.com", True), ("https://two.example.com", True), ("https://evil.example.com", False),
                            ("https://app.example.com.evil.com", False), ("null", False)):
        r = s.client.get(V1 + "/docs/", headers={"Origin": origin})
        assert r.header("access-control-allow-origin") == (origin if allowed else None), origin
        if allowed:
            assert "origin" in listed(r.header("vary"))


# -- request ids

@pytest.mark.parametrize("value", ["abcdefgh", "A.b_c-9" * 18, "x" * 128, "550e8400-e29b-41d4-a716-446655440000"])
def test_a_good_request_id_is_kept(server, client, value):
    value = value[:128]
    assert client.get("/healthz", headers={"X-Request-Id": value}).header("x-request-id") == value
    assert client.get(V1 + "/tasks/", headers={"X-Request-Id": value}).header("x-request-id") == value


@pytest.mark.parametrize("value", ["short", "x" * 129, "has blank", "semi;colon", "sl/ash", "\"quoted\"", "<b>bold</b>", "ümlauts-1"])
def test_a_bad_request_id_is_replaced(client, value):
    got = client.get(V1 + "/tasks/", headers={"X-Request-Id": value}).header("x-request-id")
    assert got != value and ID.fullmatch(got)


def test_request_ids_differ(client):
    seen = [client.get(V1 + "/tasks/").header("x-request-id") for _ in range(20)]
    assert len(set(seen)) == 20


def test_request_ids_are_in_the_log(server, client):
    value = "find-me-" + unique()
    client.get(V1 + "/tasks/", headers={"X-Request-Id": value})
    server.log.wait_for(value)
    made = client.get(V1 + "/nothing/").header("x-request-id")
    server.log.wait_for(made)


# -- ETag

GETS = ["/tasks/", "/projects/", "/auth/profile/", "/pomodoro/sessions/", "/analytics/daily/?date=2025-01-20",
        "/analytics/weekly/?week=3&year=2025", "/analytics/streaks/", "/auth/api-keys/"]


@pytest.mark.parametrize("path", GETS)
def test_etag(user, path):
    u = user()
    first = u.get(path)
    tag = first.header("etag")
    assert re.fullmatch(r'"[!#-~]+"', tag), "a strong tag"
    assert u.another().get(path).header("etag") == tag, "the same content, the same tag"
    for value in (tag, "W/" + tag, "*", '"other", %s' % tag, '"a","b",%s,"c"' % tag, tag + ' , "x"'):
        r = u.request("GET", path, headers={"If-None-Match": value})
        assert r.status == 304 and r.body == b"" and r.header("etag") == tag, value
        assert ID.fullmatch(r.header("x-request-id"))
    for value in ('"other"', tag[:-1], tag.strip('"'), '"' + tag[1:-1].swapcase() + 'x"', ""):
        r = u.request("GET", path, headers={"If-None-Match": value})
        assert r.status == 200 and r.body == first.body, value
    assert u.request("HEAD", path, headers={"If-None-Match": tag}).status == 304


def test_etag_changes_with_the_content(user):
    u = user()
    before = u.get("/tasks/").header("etag")
    t = u.task()
    after = u.request("GET", "/tasks/", headers={"If-None-Match": before})
    assert after.status == 200 and after.header("etag") != before
    u.patch("/tasks/%d/" % t["id"], {"title": "other"}).expect(200)
    assert u.request("GET", "/tasks/", headers={"If-None-Match": after.header("etag")}).status == 200


def test_only_successful_gets_are_conditional(user):
    u = user()
    r = u.request("GET", "/tasks/99999999/", headers={"If-None-Match": "*"})
    r.error(404, "NOT_FOUND")
    assert r.header("etag") is None
    assert u.request("POST", "/tasks/", json={"title": "x"}, headers={"If-None-Match": "*"}).status == 201


def test_users_do_not_share_answers(user):
    """Nothing between may keep what is one user's: a cache may not, unless it is told that it may."""
    control = listed(user().get("/tasks/").header("cache-control"))
    assert not any(c.startswith(("public", "s-maxage", "max-age")) for c in control)


# -- bodies

@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded",
                                  "application/octet-stream", "nonsense", ""])
def test_json_whatever_the_content_type_says(user, kind):
    t = user().request("POST", "/tasks/", json={"title": "ünï"}, headers={"Content-Type": kind}).expect(201)
    assert t["title"] == "ünï"


def test_without_a_content_type(user):
    u = user()
    data = u.c.prepare("POST", V1 + "/tasks/", json={"title": "x"}, token=u.access).replace(b"Content-Type: application/json\r\n", b"")
    assert b"ontent-Type" not in data
    u.c.conn.send(data)
    assert u.c.conn.response().status == 201


@pytest.mark.parametrize("body", [NOTHING, b"", b"{}", b" \r\n\t{} \n"])
def test_a_missing_body_counts_as_empty(client, user, body):
    kw = {} if body is NOTHING else {"body": body}
    client.request("POST", V1 + "/auth/register/", **kw).error(400, "VALIDATION_ERROR", "email", "username", "password")
    u = user()
    t = u.task()
    assert u.request("PATCH", "/tasks/%d/" % t["id"], **kw).expect(200)["title"] == t["title"]
    u.request("POST", "/tasks/%d/start/" % t["id"], **kw).expect(200)


def test_a_body_where_none_is_wanted(user):
    u = user()
    t = u.task()
    u.start(t)
    u.post("/tasks/%d/pause/" % t["id"], {"anything": [1, {"a": None}]}).expect(200)
    assert u.request("GET", "/tasks/", body=b'{"a": 1}').expect(200)["count"] == 1
    u.post("/tasks/%d/resume/" % t["id"]).expect(200)
    assert u.request("DELETE", "/tasks/%d/" % t["id"], body=b"{}").status == 204
    assert u.get("/tasks/").expect(200)["count"] == 0, "the connection is still in step"


def test_unknown_fields_are_ignored(user):
    t = user().post("/tasks/", {"title": "x", "nonsense": {"deep": [1, 2, {"er": None}]}, "__proto__": 1, "": 2}).expect(201)
    assert "nonsense" not in t


def test_answers_are_what_they_say(user):
    r = user().get("/auth/profile/")
    assert r.header("content-type").split(";")[0] == "application/json"
    assert r.header("x-content-type-options") in (None, "nosniff")
    assert r.header("server") is None or not re.search(r"\d", r.header("server")), "no versions in public"


def test_a_password_is_not_taken_from_the_query(client, user):
    u = user()
    client.post(V1 + "/auth/login/?email=%s&password=%s" % (u.email, PASSWORD)).error(400, "VALIDATION_ERROR", "email", "password")
