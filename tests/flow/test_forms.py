"""Form-encoded bodies, redirects, pages with headers of their own, errors of a route's own form
(tests/support/apps/forms)."""
import json

import pytest

from support.server import REPO, command

APPS = REPO / "tests" / "support" / "apps"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(scripts=APPS, args=["--apps", "forms", "--body-bytes", "2000"], limits="on")


@pytest.fixture
def send(server):
    """send(body, type): POST /forms/echo."""
    def post(body, kind="application/x-www-form-urlencoded", path="/forms/echo"):
        body = body if isinstance(body, bytes) else body.encode()
        return server.client.post(path, body=body, headers={"Content-Type": kind})
    return post


def details(r):
    assert r.status == 400, r
    return r.json()["details"]


def test_a_form_becomes_checked_values(send):
    r = send("name=+Ada+%C3%BC&count=7&done=true&raw=+x%26y%3D+&unknown=1&")
    assert r.status == 200 and r.json() == {"name": "Ada ü", "count": 7, "done": True, "raw": " x&y= "}


@pytest.mark.parametrize("kind", [
    "application/x-www-form-urlencoded; charset=utf-8", 'APPLICATION/X-WWW-FORM-URLENCODED;charset="UTF-8"',
    " application/x-www-form-urlencoded ; boundary=x; charset=UTF-8"])
def test_parameters_of_the_type_are_understood(send, kind):
    assert send("name=%C3%BC", kind).json()["name"] == "ü"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=latin-1",
                                  "application/x-www-form-urlencoded; x=y;charset=utf-16"])
def test_another_charset_is_refused(send, kind):
    assert details(send("name=x", kind)) == {"non_field_errors": ["Only the charset UTF-8 is understood."]}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencodedx"])
def test_everything_else_is_json(send, kind):
    assert send('{"name": "Ada", "count": 3}', kind).json() == {"name": "Ada", "count": 3}
    assert "non_field_errors" in details(send("name=Ada", kind))


def test_a_route_that_does_not_ask_for_forms_takes_none(send):
    assert send("name=Ada", path="/forms/json").status == 400
    assert send('{"name": "Ada"}', path="/forms/json").json() == {"name": "Ada"}


def test_a_route_may_have_its_own_status_for_invalid_input(send):
    r = send('{"name": ""}', path="/forms/json")
    assert r.status == 422 and r.json() == {"app": "INVALID", "details": {"name": ["This field may not be blank."]}}


def test_all_violations_come_together(send):
    assert details(send("name=&count=10&done=perhaps")) == {
        "name": ["This field may not be blank."], "count": ["Ensure this value is less than or equal to 9."],
        "done": ["Must be a valid boolean."]}


def test_a_field_given_twice_is_a_violation(send):
    assert details(send("name=a&name=b&count=99")) == {
        "name": ["This field was given more than once."], "count": ["Ensure this value is less than or equal to 9."]}
    assert details(send("name=a&na%6De=a")) == {"name": ["This field was given more than once."]}
    assert details(send("name=a&x=1&x=1")) == {"x": ["This field was given more than once."]}


@pytest.mark.parametrize("body", ["name=%", "name=%4", "name=%zz", "name=a%00b", "name=%ff", "%ff=1&name=x", b"name=\xff"])
def test_a_broken_encoding_is_refused(send, body):
    r = send(body)
    assert r.status == 400 and r.json()["details"] == {}


def test_a_body_that_is_too_long_is_refused(send):
    assert send("name=x&raw=" + "y" * 1900).status == 200
    assert send("name=x&raw=" + "y" * 2000).status == 413


def test_empty_forms_are_empty(send):
    assert details(send("")) == {"name": ["This field is required."]}
    assert details(send("&&=&")) == {"name": ["This field is required."]}


def test_errors_of_a_route_have_its_own_form(send):
    assert send("name=", path="/forms/own").json() == {"error": "BAD", "fields": {"name": ["This field may not be blank."]}}
    r = send("name=x&conflict=1", path="/forms/own")
    assert r.status == 409 and r.json() == {"error": "CONFLICT", "fields": {}}
    r = send("name=" + "x" * 3000, path="/forms/own")
    assert r.status == 413 and r.json() == {"error": "LARGE", "fields": {}}


def test_where_it_gives_none_the_apps_is_used(send):
    assert send("", path="/forms/own/limited").status == 200
    r = send("", path="/forms/own/limited")
    assert r.status == 429 and r.json() == {"app": "SLOW", "details": {}} and r.header("retry-after")


def test_a_broken_one_is_logged_and_replaced(server, send):
    r = send("{}", "application/json", "/forms/own/broken")
    assert r.status == 400 and r.json() == {"app": "BAD", "details": {"name": ["This field is required."]}}
    server.log.wait_for("an envelope failed")


def test_a_redirect_has_a_location_and_no_body(server):
    r = server.client.get("/forms/away", query={"to": "https://example.com/?a=1&b=%20"})
    assert r.status == 302 and r.header("location") == "https://example.com/?a=1&b=%20" and r.body == b""


@pytest.mark.parametrize("end", ["\r\nX-Evil: 1", "\nX-Evil: 1", "\rX", "\x1bx"])
def test_a_header_cannot_carry_another_one(server, end):
    r = server.client.get("/forms/away", query={"to": "https://example.com/" + end})
    assert r.status == 500 and r.header("location") is None and r.header("x-evil") is None
    server.log.wait_for("Location has a name or a value that cannot be sent")


def test_a_page_has_the_headers_of_its_handler(server):
    r = server.client.get("/forms/page")
    assert r.header("content-type") == "text/html; charset=utf-8" and r.text() == "<!doctype html><p>Hello"
    assert r.header("content-security-policy") == "default-src 'none'; frame-ancestors 'none'"
    assert r.header("x-frame-options") == "DENY" and r.header("cache-control") == "no-store"
    assert r.header("set-cookie") == "form=1; HttpOnly; SameSite=Lax"


def test_a_401_says_what_is_wanted(server):
    assert server.client.get("/forms/me").header("www-authenticate") == "Bearer"
    assert server.client.get("/forms/me", token="bad").header("www-authenticate") == 'Bearer error="invalid_token"'
    assert server.client.get("/forms/me", token="good").header("www-authenticate") is None


def test_the_documents_say_so(tmp_path):
    r = command("openapi", "forms", "--scripts", APPS, "--db", REPO / "db", "--data", tmp_path)
    body = json.loads(r.stdout)["paths"]["/forms/echo"]["post"]["requestBody"]["content"]
    assert body["application/x-www-form-urlencoded"] == body["application/json"]


@pytest.mark.parametrize("right, wrong, said", [
    ("form = true, returns", 'form = "yes", returns', "form must be true or false"),
    ("count = optional(integer { 1, 9 })", "count = map(text)", "a text of a URL or a form cannot hold the type map"),
    ("envelope = plain, returns", "envelope = 7, returns", "envelope must be a function"),
    ("invalid = 422", "invalid = 409", "must be 400 or 422"),
    ('returns = { [302] = "none" }', 'form = true, returns = { [302] = "none" }', "form needs a body"),
])
def test_mistakes_in_a_declaration_are_found(tmp_path, right, wrong, said):
    (tmp_path / "forms").mkdir()
    text = (APPS / "forms" / "app.lua").read_text()
    assert right in text
    (tmp_path / "forms" / "app.lua").write_text(text.replace(right, wrong))
    r = command("check", "forms", "--scripts", tmp_path, "--db", REPO / "db")
    assert r.returncode == 1 and said in r.stdout + r.stderr, r
