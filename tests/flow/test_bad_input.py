"""Wrong bodies: a 400 that names every offending field at once, never a 500 (X-6, X-7, FF-11).

The cases come from the request schemas of the catalogue, plus bodies that are no proper JSON.
"""
import sys
from pathlib import Path

import pytest

from support.organizations import Organization
from support.people import PASSWORD, V1, User, unique

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import of  # noqa: E402

SERVER = {}
_, ENDPOINTS = of("focusflow")
SCHEMAS = {n: e["request_schema"]["fields"] for n, e in ENDPOINTS.items() if e["request_schema"]}


def wrong_values(f):
    """(what, value) that the schema of one field forbids."""
    kind = f["type"]
    others = {"string": "text", "integer": 5, "boolean": True, "array": [1], "object": {"a": 1}}
    for other, value in others.items():
        if other != kind:
            yield other, value
    if not f.get("nullable"):
        yield "null", None
    if kind == "integer":
        for what, value in (("fraction", 1.5), ("numeric string", "5"), ("beyond 64 bits", 2 ** 64), ("huge", 10 ** 300)):
            yield what, value
        if "minimum" in f:
            yield "too small", f["minimum"] - 1
        if "maximum" in f:
            yield "too large", f["maximum"] + 1
    if kind == "string":
        if f.get("max_length"):
            yield "too long", "x" * (f["max_length"] + 1)
        if f.get("min_length") or f.get("required"):
            yield "blank", "  "
        if f.get("enum") or f.get("format") in ("email", "timezone", "hex-color"):
            yield "not one of them", "nonsense!"


def right_value(name, f):
    if name in ("email", "username"):
        return "n%s%s" % (unique(), "@example.com" if name == "email" else "")
    return {"password": PASSWORD, "timezone": "UTC", "color_code": "#123456", "project": None, "organization": None, "priority": "low",
            "break_type": "short", "refresh": "x.y.z", "url": "https://example.com/hook", "events": ["task_completed"],
            "secret": "a long secret"}.get(name, {"integer": 1, "boolean": True, "object": {}}.get(f["type"], "text"))


CASES = [(n, field, what, value) for n, fields in SCHEMAS.items() for field, f in fields.items()
         for what, value in wrong_values(f) if (n, field, what) != ("focusflow.auth.login", "password", "blank")]


@pytest.fixture(scope="module")
def writer(server):
    return User(server)


@pytest.fixture(scope="module")
def paths(writer):
    """Paths with objects of the user in them, in a state in which only the body can be wrong."""
    out, acme = {}, Organization(writer.server, writer)
    member = acme.member()
    for name in SCHEMAS:
        path = ENDPOINTS[name]["full_path"].replace("{slug}", acme.slug).replace("{user_id}", str(member.id))
        if ".tasks." in name and "{id}" in path:
            path = path.replace("{id}", str(writer.task()["id"]))
        elif "{id}" in path:
            path = path.replace("{id}", str(writer.project()["id"]))
        out[name] = path
    return out


def send(u, name, path, body):
    token = {} if ENDPOINTS[name]["auth"] != "none" else {"token": None}
    return u.request(ENDPOINTS[name]["method"], path, base="", json=body, **token)


@pytest.mark.parametrize("name,field,what,value", CASES, ids=["%s %s: %s" % (n.split(".", 1)[1], f, w) for n, f, w, _ in CASES])
def test_wrong_field(writer, paths, name, field, what, value):
    body = {k: right_value(k, f) for k, f in SCHEMAS[name].items() if f.get("required")}
    body[field] = value
    r = send(writer, name, paths[name], body)
    details = r.error(400, "VALIDATION_ERROR")["details"]
    assert [k for k in details if k == field or k.startswith(field + ".")] == list(details) != [], str(r)


@pytest.mark.parametrize("name", SCHEMAS)
def test_all_wrong_fields_at_once(writer, paths, name):
    fields = {k: f for k, f in SCHEMAS[name].items()}
    body = {k: next(v for w, v in wrong_values(f) if w in ("array", "object")) for k, f in fields.items()}
    details = send(writer, name, paths[name], body).error(400, "VALIDATION_ERROR")["details"]
    assert {k.split(".")[0] for k in details} == set(fields)
    assert all(isinstance(m, str) for messages in details.values() for m in messages)


@pytest.mark.parametrize("name", [n for n, f in SCHEMAS.items() if any(x.get("required") for x in f.values())])
def test_all_missing_fields_at_once(writer, paths, name):
    required = [k for k, f in SCHEMAS[name].items() if f.get("required")]
    send(writer, name, paths[name], {}).error(400, "VALIDATION_ERROR", *required)


def test_nested_fields(writer):
    body = {"pomodoro_settings": {"focus_duration": 0, "short_break": "x", "long_break": 10}, "timezone": "x"}
    details = writer.patch("/auth/profile/", body).error(400, "VALIDATION_ERROR", "timezone")["details"]
    assert {"pomodoro_settings.focus_duration", "pomodoro_settings.short_break"} <= set(details)
    assert "pomodoro_settings.long_break" not in details


# -- bodies that are no JSON, or not an object

BROKEN = {
    "open": b"{", "no value": b'{"title":}', "comma": b'{"title":"x",}', "single quotes": b"{'title':'x'}", "no quotes": b"{title:1}",
    "cut word": b"nul", "text": b"hello", "open list": b"[1,2", "two values": b'{"title":"x"} {"title":"y"}', "rest": b'{"title":"x"}x',
    "open string": b'{"title":"x', "line end in a string": b'{"title":"a\nb"}', "NUL in a string": b'{"title":"a\x00b"}',
    "control character": b'{"title":"a\x01b"}', "bad escape": b'{"title":"\\x41"}', "short escape": b'{"title":"\\u00"}',
    "not UTF-8": b'{"title":"\xff\xfe"}', "cut UTF-8": b'{"title":"\xc3"}', "overlong": b'{"title":"\xc0\xaf"}',
    "UTF-8 surrogate": b'{"title":"\xed\xa0\x80"}', "UTF-16": '{"title":"x"}'.encode("utf-16"), "NaN": b'{"title":"x","estimated_pomodoros":NaN}',
    "Infinity": b'{"title":"x","estimated_pomodoros":Infinity}', "hexadecimal": b'{"title":"x","estimated_pomodoros":0x10}',
    "leading zero": b'{"title":"x","estimated_pomodoros":01}', "plus": b'{"title":"x","estimated_pomodoros":+1}',
    "bare point": b'{"title":"x","estimated_pomodoros":1.}', "comment": b'{"title":"x"/*c*/}', "form": b"title=x&project=1",
    "xml": b"<title>x</title>", "only a comma": b",", "colon": b'{"title"}', "capital": b'{"title":"x","project":NULL}',
    "True": b'{"title":"x","project":True}',
}
NO_OBJECT = {"list": b"[]", "list of objects": b'[{"title":"x"}]', "string": b'"title"', "number": b"5", "null": b"null", "true": b"true"}


@pytest.mark.parametrize("what", [*BROKEN, *NO_OBJECT])
def test_broken_bodies(user, what):
    u = user()
    u.request("POST", "/tasks/", body={**BROKEN, **NO_OBJECT}[what]).error(400, "VALIDATION_ERROR")
    assert u.get("/tasks/").expect(200)["count"] == 0


@pytest.mark.parametrize("body", [b"[" * 100000, b'{"a":' * 100000, b"[" * 2000 + b"]" * 2000, b'{"title":"x","b":' + b"[" * 5000 + b"]" * 5000 + b"}",
                                  b'{"title":"x","b":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"],
                         ids=["open lists", "open objects", "lists", "inside a field", "objects inside a field"])
def test_deep_nesting(user, body):
    u = user()
    r = u.request("POST", "/tasks/", body=body)
    assert r.status in (400, 413), str(r)
    assert "error" in r.json()
    assert u.get("/tasks/").expect(200)["count"] == 0


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e308", "9007199254740993", "-9223372036854775809", "1e-400", "0.1",
                                    "123456789" * 50, "-0.5", "1E+2000"])
def test_huge_numbers(user, number):
    u = user()
    r = u.request("POST", "/tasks/", body=b'{"title":"x","estimated_pomodoros":%s}' % number.encode())
    r.error(400, "VALIDATION_ERROR")
    r = u.request("POST", "/tasks/", body=b'{"title":"x","nonsense":%s}' % number.encode())
    assert r.status in (201, 400), str(r)


@pytest.mark.parametrize("title", [b"\\u0000", b"a\\u0000b", b"\\ud800", b"\\udc00", b"\\ud83c\\ud83c", b"\\ufffe", b"\\u202e"])
def test_odd_characters(user, title):
    """Taken or refused, but what is taken is given back as valid UTF-8."""
    u = user()
    r = u.request("POST", "/tasks/", body=b'{"title":"x%s"}' % title)
    if r.status == 400:
        r.error(400, "VALIDATION_ERROR")
        assert u.get("/tasks/").expect(200)["count"] == 0
    else:
        t = r.expect(201)
        assert u.show(t)["title"] == t["title"] and u.get("/tasks/").expect(200)["results"][0]["title"] == t["title"]


def test_escapes(user):
    t = user().request("POST", "/tasks/", body=b'{"title":"\\u0041\\u00fc\\ud83c\\udf45\\n\\"\\\\\\/"}').expect(201)
    assert t["title"] == "A\u00fc\U0001F345\n\"\\/"


def test_the_same_key_twice(user):
    r = user().request("POST", "/tasks/", body=b'{"title":"one","title":"two"}')
    assert r.status == 400 or r.expect(201)["title"] in ("one", "two")


def test_very_many_keys(user):
    u = user()
    body = b'{"title":"x",' + b",".join(b'"k%d":%d' % (n, n) for n in range(20000)) + b"}"
    r = u.request("POST", "/tasks/", body=body)
    assert r.status in (201, 400, 413), str(r)
    u.get("/tasks/").expect(200)


def test_a_long_text_is_refused_as_a_field(user):
    u = user()
    u.post("/tasks/", {"title": "x" * 50000}).error(400, "VALIDATION_ERROR", "title")


def test_hostile_texts_are_just_texts(user):
    u = user()
    for text in ("'; DROP TABLE tasks; --", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x}", "../../etc/passwd", "%s%n%x",
                 "a' OR '1'='1", "\\", "%00", "\r\nX-Injected: 1"):
        t = u.post("/tasks/", {"title": "t " + text, "description": text}).expect(201)
        assert u.show(t)["title"] == "t " + text.rstrip()
        assert u.get("/tasks/", search="t ").expect(200)["results"][0]["title"] == t["title"]


def test_messages_do_not_show_internals(user):
    u = user()
    for r in (u.post("/tasks/", {"title": 5}), u.request("POST", "/tasks/", body=b"{"), u.get("/tasks/x/"), u.get("/tasks/", page="x")):
        for word in ("lua", "sqlite", "stack", "traceback", ".c:", "/work", "nil"):
            assert word not in r.text().lower(), str(r)


def test_what_only_the_database_knows_is_named_too(user):
    """All at once: what the types say and what the rows say."""
    u = user()
    body = {"email": u.email, "username": u.username, "password": "short", "timezone": "Nowhere/Else"}
    details = u.c.post(V1 + "/auth/register/", body).error(400, "VALIDATION_ERROR", *body)["details"]
    assert details["email"] == ["This email is already registered"]
    assert details["password"] == ["Password must be at least 8 characters"]
    body = {"title": " ", "project": 99999999, "organization": "acme-startup", "estimated_pomodoros": 0}
    assert set(u.post("/tasks/", body).error(400, "VALIDATION_ERROR")["details"]) == set(body)
    t = u.task()
    body = {"title": " ", "project": 99999999}
    assert set(u.patch("/tasks/%d/" % t["id"], body).error(400, "VALIDATION_ERROR")["details"]) == set(body)
    body = {"username": user().username, "timezone": "Nowhere/Else"}
    assert set(u.patch("/auth/profile/", body).error(400, "VALIDATION_ERROR")["details"]) == set(body)


def test_each_bound_has_its_own_message(client):
    body = {"email": "n%s@example.com" % unique(), "username": "n" + unique(), "password": "x" * 129}
    details = client.post(V1 + "/auth/register/", body).error(400, "VALIDATION_ERROR")["details"]
    assert details == {"password": ["Ensure this field has no more than 128 characters."]}


@pytest.mark.parametrize("path,body", [("/tasks/", {"title": "t"}), ("/projects/", {"name": "p"})], ids=["task", "project"])
def test_organization_of_new_work(user, path, body):
    """Of a user who is in none (FF-39); more in test_organization_tasks.py."""
    u = user()
    assert u.post(path, {**body, "organization": None}).expect(201)["organization"] is None
    for wrong in ("acme-startup", "", 5, ["x"]):
        u.post(path, {**body, "organization": wrong}).error(400, "VALIDATION_ERROR", "organization")
