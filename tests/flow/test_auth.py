"""Registration, tokens, log-out, profile, personal API keys (FF-2 to FF-11, FF-60)."""
import base64
import hashlib
import hmac
import json
import re

import pytest

from support.client import NOTHING
from support.people import PASSWORD, V1, User, claims, unique

SECRET = "a-secret-of-the-tests-0123456789-abcdefghij"
SERVER = {"env": {"PERIGEE_JWT_SECRET": SECRET}}
REGISTER, LOGIN, REFRESH, LOGOUT = (V1 + "/auth/%s/" % n for n in ("register", "login", "refresh", "logout"))
KEYS = "/auth/api-keys/"


def account(**fields):
    name = "u" + unique()
    return {"email": name + "@example.com", "username": name, "password": PASSWORD, **fields}


# -- registration

def test_register_answers_with_what_was_given(client):
    body = account(first_name="John", last_name="Doe", timezone="America/New_York")
    v = client.post(REGISTER, body).expect(201)
    assert {k: v[k] for k in ("email", "username", "first_name", "last_name", "timezone")} == \
        {k: body[k] for k in ("email", "username", "first_name", "last_name", "timezone")}
    assert v["user_type"] == "individual" and isinstance(v["id"], int)
    assert not any("password" in k for k in v)


def test_register_defaults(client):
    v = client.post(REGISTER, account()).expect(201)
    assert (v["first_name"], v["last_name"], v["timezone"]) == ("", "", "UTC")


def test_ids_ascend(user):
    assert user().id < user().id < user().id


@pytest.mark.parametrize("change,fields", [
    ({"email": str.upper}, ["email"]), ({"username": str.upper}, ["username"]),
    ({"email": str.lower, "username": str.lower}, ["email", "username"]),
], ids=["email", "username", "both"])
def test_taken_names_are_400_without_regard_to_case(client, change, fields):
    body = account()
    client.post(REGISTER, body).expect(201)
    other = {**account(), **{k: f(body[k]) for k, f in change.items()}}
    details = client.post(REGISTER, other).error(400, "VALIDATION_ERROR", *fields)["details"]
    assert set(details) == set(fields)


@pytest.mark.parametrize("field,value", [
    ("email", ""), ("email", "   "), ("email", "no-at.example.com"), ("email", "a@b"), ("email", "two@@example.com"),
    ("email", "a b@example.com"), ("email", "@example.com"), ("email", "a@"), ("email", 5), ("email", None),
    ("email", "a" * 250 + "@example.com"), ("email", ["a@example.com"]),
    ("username", ""), ("username", "ab"), ("username", "x" * 151), ("username", "has blank"), ("username", "semi;colon"),
    ("username", "sla/sh"), ("username", None), ("username", True),
    ("password", ""), ("password", "1234567"), ("password", "x" * 129), ("password", None), ("password", 12345678),
    ("timezone", "Mars/Base"), ("timezone", ""), ("timezone", "../etc/passwd"), ("timezone", "/etc/localtime"),
    ("timezone", 5), ("first_name", 5), ("first_name", "x" * 151), ("last_name", ["a"]), ("last_name", "x" * 151),
], ids=lambda v: repr(v)[:24])
def test_register_refuses(client, field, value):
    details = client.post(REGISTER, account(**{field: value})).error(400, "VALIDATION_ERROR", field)["details"]
    assert list(details) == [field]


@pytest.mark.parametrize("field,value", [
    ("username", "abc"), ("username", "x" * 143), ("username", "a.b+c-d@e_"), ("password", "12345678"),
    ("password", "x" * 128), ("password", "Пароль-8"), ("timezone", "Asia/Katmandu"), ("timezone", "Asia/Kathmandu"),
    ("timezone", "UTC"), ("timezone", "America/Argentina/Buenos_Aires"), ("first_name", "Ž" * 150), ("last_name", ""),
], ids=lambda v: repr(v)[:24])
def test_register_accepts(client, field, value):
    if field == "username":
        value += unique()[-7:]
    client.post(REGISTER, account(**{field: value})).expect(201)


def test_every_wrong_field_is_named_at_once(client):
    body = {"email": "x", "username": "!", "password": "short", "first_name": 1, "last_name": {}, "timezone": "No/Where"}
    details = client.post(REGISTER, body).error(400, "VALIDATION_ERROR", *body)["details"]
    assert set(details) == set(body)


def test_passwords_are_not_trimmed(client):
    body = account(password="  blanks around  ")
    client.post(REGISTER, body).expect(201)
    client.post(LOGIN, {"email": body["email"], "password": body["password"].strip()}).error(401, "AUTHENTICATION_FAILED")
    client.post(LOGIN, {"email": body["email"], "password": body["password"]}).expect(200)


def test_long_passwords_are_compared_whole(client):
    body = account(password="p" * 100)
    client.post(REGISTER, body).expect(201)
    client.post(LOGIN, {"email": body["email"], "password": "p" * 99}).error(401, "AUTHENTICATION_FAILED")
    client.post(LOGIN, {"email": body["email"], "password": "p" * 100}).expect(200)


# -- log-in and tokens

def test_login_by_email_in_any_case(client):
    body = account()
    made = client.post(REGISTER, body).expect(201)
    v = client.post(LOGIN, {"email": body["email"].upper(), "password": PASSWORD}).expect(200)
    assert v["user"] == {**v["user"], "id": made["id"], "email": body["email"], "username": body["username"],
                         "user_type": "individual"}


def test_unknown_email_and_wrong_password_get_the_same_answer(client):
    body = account()
    client.post(REGISTER, body).expect(201)
    wrong = client.post(LOGIN, {"email": body["email"], "password": "Wrong-password-1"})
    unknown = client.post(LOGIN, {"email": "x" + body["email"], "password": PASSWORD})
    wrong.error(401, "AUTHENTICATION_FAILED")
    assert wrong.body == unknown.body and wrong.status == unknown.status


def test_token_lives(server, user):
    u = user()
    for token, seconds in ((u.access, 3600), (u.refresh, 7 * 86400)):
        assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
        assert abs(claims(token)["exp"] - server.now() - seconds) <= 5


def test_access_token_expires(server, user):
    u = user()
    old = u.access
    server.go_to(claims(old)["exp"] - 20)
    u.request("GET", "/auth/profile/", token=old).expect(200)
    server.go_to(claims(old)["exp"] + 1)
    u.request("GET", "/auth/profile/", token=old).error(401, "TOKEN_EXPIRED")


def test_refresh_does_not_rotate(server, user):
    u = user()
    server.advance(5)
    one = u.c.post(REFRESH, {"refresh": u.refresh}).expect(200)
    assert set(one) == {"access"}
    two = u.c.post(REFRESH, {"refresh": u.refresh}).expect(200)
    for token in (one["access"], two["access"], u.access):
        assert u.request("GET", "/auth/profile/", token=token).expect(200)["id"] == u.id


def test_refresh_token_expires(server, user):
    u = user()
    server.go_to(claims(u.refresh)["exp"] + 1)
    u.c.post(REFRESH, {"refresh": u.refresh}).error(401, "TOKEN_EXPIRED")


def test_each_token_has_one_use(user):
    u = user()
    u.request("GET", "/auth/profile/", token=u.refresh).error(401, "AUTHENTICATION_FAILED")
    u.c.post(REFRESH, {"refresh": u.access}).error(401, "AUTHENTICATION_FAILED")


@pytest.mark.parametrize("value", [None, 5, "", [], {}, True], ids=repr)
def test_refresh_of_a_wrong_type_is_400(client, value):
    client.post(REFRESH, {"refresh": value}).error(400, "VALIDATION_ERROR", "refresh")


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def key_of(secret):
    """Each app signs with a key of its own, so that the tokens of one are worth nothing in another (X-4)."""
    return hmac.new(secret.encode(), b"token:focusflow", hashlib.sha256).digest()


def forge(payload, alg="HS256", key=key_of(SECRET), typ="JWT"):
    text = b64(json.dumps({"alg": alg, "typ": typ}).encode()) + "." + b64(json.dumps(payload).encode())
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}.get(alg)
    return text + "." + (b64(hmac.new(key, text.encode(), digest).digest()) if digest else "")


def test_a_token_signed_as_ours_is_accepted(user):
    """Otherwise the refusals below would prove nothing."""
    u = user()
    u.request("GET", "/auth/profile/", token=forge(claims(u.access))).expect(200)


@pytest.mark.parametrize("how", ["none", "None", "HS512", "HS384", "RS256", "empty key", "other key", "the secret itself", "no exp",
                                 "text exp", "cut", "longer", "blank", "header changed", "no signature"])
def test_forged_tokens(user, how):
    u = user()
    c = claims(u.access)
    head, payload, signature = u.access.split(".")
    token = {
        "none": lambda: forge(c, "none"), "None": lambda: forge(c, "None"), "HS512": lambda: forge(c, "HS512"),
        "HS384": lambda: forge(c, "HS384"), "RS256": lambda: forge(c, "RS256") + signature,
        "empty key": lambda: forge(c, key=b""), "other key": lambda: forge(c, key=key_of(SECRET + "x")),
        "the secret itself": lambda: forge(c, key=SECRET.encode()),
        "no exp": lambda: forge({k: v for k, v in c.items() if k != "exp"}),
        "text exp": lambda: forge({**c, "exp": "never"}), "cut": lambda: u.access[:-1], "longer": lambda: u.access + "A",
        "blank": lambda: u.access.replace(".", ". "), "header changed": lambda: forge(c, "HS512").split(".")[0] + "." +
        payload + "." + signature, "no signature": lambda: head + "." + payload + ".",
    }[how]()
    assert token != u.access
    for _ in range(2):      # also after a good one was seen
        u.request("GET", "/auth/profile/", token=token).error(401, "AUTHENTICATION_FAILED")
        u.request("GET", "/auth/profile/").expect(200)


@pytest.mark.parametrize("value", ["Basic {0}", "Token {0}", "{0}", "Bearer", "Bearer ", "Bearer {0} {0}", "BearerX {0}", ""])
def test_other_authorization_headers(user, value):
    u = user()
    r = u.request("GET", "/auth/profile/", token=None, headers={"Authorization": value.format(u.access)})
    r.error(401, "AUTHENTICATION_FAILED")


def test_the_token_stands_in_the_header_only(user):
    u = user()
    u.request("GET", "/auth/profile/", token=None, query={"token": u.access, "access": u.access}).error(
        401, "AUTHENTICATION_FAILED")


# -- log-out

def test_logout_ends_the_login(server, user):
    u = user()
    first = (u.access, u.refresh)
    fresh = u.c.post(REFRESH, {"refresh": u.refresh}).expect(200)["access"]
    u.login()
    r = u.request("POST", "/auth/logout/", json={"refresh": first[1]}, token=first[0])
    assert r.status == 205 and r.body == b"" and r.header("content-length") == "0", str(r.headers)
    for twin in (u, u.another(), u.another(), u.another()):      # every worker knows
        for token in (first[0], fresh):
            twin.request("GET", "/auth/profile/", token=token).error(401, "AUTHENTICATION_FAILED")
        twin.request("GET", "/auth/profile/", token=u.access).expect(200)
    u.c.post(REFRESH, {"refresh": first[1]}).error(401, "AUTHENTICATION_FAILED")
    u.c.post(REFRESH, {"refresh": u.refresh}).expect(200)


def test_logout_keeps_the_connection_usable(user):
    u = user()
    access = u.access
    u.post("/auth/logout/", {"refresh": u.refresh}).expect(205)
    u.request("GET", "/auth/profile/", token=access).error(401, "AUTHENTICATION_FAILED")


def test_logout_refuses_other_tokens(server, user):
    u, v = user(), user()
    u.login()
    gone = u.refresh
    u.post("/auth/logout/", {"refresh": gone}).expect(205)
    u.login()
    for token in ("x.y.z", "", u.access, v.refresh, gone):
        u.post("/auth/logout/", {"refresh": token}).error(400, "VALIDATION_ERROR", "refresh")
    u.post("/auth/logout/", {}).error(400, "VALIDATION_ERROR", "refresh")
    v.c.post(REFRESH, {"refresh": v.refresh}).expect(200)
    u.get("/auth/profile/").expect(200)


def test_logout_needs_an_access_token(user):
    u = user()
    u.post("/auth/logout/", {"refresh": u.refresh}, token=None).error(401, "AUTHENTICATION_FAILED")
    u.c.post(REFRESH, {"refresh": u.refresh}).expect(200)


# -- profile

def test_profile_is_the_registered_user(user):
    u = user("Asia/Kathmandu")
    v = u.get("/auth/profile/").expect(200)
    assert v == {**v, "id": u.id, "email": u.email, "username": u.username, "timezone": "Asia/Kathmandu",
                 "created_at": u.profile["created_at"],
                 "pomodoro_settings": {"focus_duration": 25, "short_break": 5, "long_break": 15, "long_break_interval": 4}}


def test_settings_are_merged_key_by_key(user):
    u = user()
    v = u.patch("/auth/profile/", {"pomodoro_settings": {"focus_duration": 30}}).expect(200)
    v = u.patch("/auth/profile/", {"first_name": "Jane", "pomodoro_settings": {"short_break": 7}}).expect(200)
    assert v["pomodoro_settings"] == {"focus_duration": 30, "short_break": 7, "long_break": 15, "long_break_interval": 4}
    assert v["first_name"] == "Jane" and v["last_name"] == "Doe"
    assert u.get("/auth/profile/").expect(200) == v


def test_read_only_fields_are_ignored(user):
    u = user()
    before = u.get("/auth/profile/").expect(200)
    v = u.patch("/auth/profile/", {"id": 1, "email": "new@example.com", "user_type": "organization", "password": "Changed-1!",
                                   "created_at": "2020-01-01T00:00:00Z", "nonsense": {"a": 1}}).expect(200)
    assert v == before
    u.login()


def test_an_empty_change(user):
    u = user()
    before = u.get("/auth/profile/").expect(200)
    assert u.patch("/auth/profile/", {}).expect(200) == before
    assert u.patch("/auth/profile/", NOTHING).expect(200) == before


LIMITS = {"focus_duration": (1, 180), "short_break": (1, 60), "long_break": (1, 120), "long_break_interval": (1, 12)}


@pytest.mark.parametrize("key", LIMITS)
def test_settings_limits(user, key):
    u = user()
    low, high = LIMITS[key]
    for good in (low, high):
        v = u.patch("/auth/profile/", {"pomodoro_settings": {key: good}}).expect(200)
        assert v["pomodoro_settings"][key] == good
    for bad in (low - 1, high + 1, -5, 1.5, "5", True, None, [], {}):
        r = u.patch("/auth/profile/", {"pomodoro_settings": {key: bad}})
        details = r.error(400, "VALIDATION_ERROR")["details"]
        assert any(k.startswith("pomodoro_settings") for k in details), str(r)
    assert u.get("/auth/profile/").expect(200)["pomodoro_settings"][key] == high


def test_username_can_change_unless_taken(user):
    u, v = user(), user()
    u.patch("/auth/profile/", {"username": v.username.upper()}).error(400, "VALIDATION_ERROR", "username")
    new = "n" + unique()
    assert u.patch("/auth/profile/", {"username": new}).expect(200)["username"] == new
    assert u.patch("/auth/profile/", {"username": new.upper()}).expect(200)["username"] == new.upper()


def test_a_new_zone_moves_the_day(server, user):
    u = user("Pacific/Kiritimati")
    east = u.get("/analytics/daily/").expect(200)["date"]
    u.patch("/auth/profile/", {"timezone": "Pacific/Pago_Pago"}).expect(200)
    west = u.get("/analytics/daily/").expect(200)["date"]
    assert west < east


# -- personal API keys

def test_api_key(server, user):
    u = user()
    v = u.post(KEYS, {"name": "laptop"}).expect(201)
    assert set(v) >= {"id", "name", "key", "created_at"} and v["name"] == "laptop"
    assert re.fullmatch(r"ff_[A-Za-z0-9]{32}", v["key"])
    assert u.request("GET", "/auth/profile/", token=v["key"]).expect(200)["id"] == u.id
    u.request("POST", "/tasks/", json={"title": "by key"}, token=v["key"]).expect(201)
    listed = u.get(KEYS).expect(200)
    assert [k["id"] for k in listed["results"]] == [v["id"]] and listed["count"] == 1
    assert v["key"] not in json.dumps(listed) and "key" not in listed["results"][0]
    server.advance(8 * 86400)
    assert u.request("GET", "/auth/profile/", token=v["key"]).expect(200)["id"] == u.id
    assert u.delete(KEYS + "%d/" % v["id"]).status == 204
    for twin in (u, u.another(), u.another()):
        twin.request("GET", "/auth/profile/", token=v["key"]).error(401, "AUTHENTICATION_FAILED")
    assert u.get(KEYS).expect(200)["results"] == []
    u.delete(KEYS + "%d/" % v["id"]).error(404, "NOT_FOUND")


def test_api_keys_are_private(user):
    u, v = user(), user()
    key = u.post(KEYS, {"name": "mine"}).expect(201)
    assert v.get(KEYS).expect(200)["results"] == []
    v.delete(KEYS + "%d/" % key["id"]).error(404, "NOT_FOUND")
    u.request("GET", "/auth/profile/", token=key["key"]).expect(200)


@pytest.mark.parametrize("how", [lambda k: k[:-1], lambda k: k + "A", lambda k: k.swapcase(), lambda k: "ff_" + "A" * 32,
                                 lambda k: k[3:]], ids=["cut", "longer", "case", "guess", "no prefix"])
def test_wrong_api_keys(user, how):
    u = user()
    key = u.post(KEYS, {"name": "k"}).expect(201)["key"]
    u.request("GET", "/auth/profile/", token=how(key)).error(401, "AUTHENTICATION_FAILED")


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "   "}, {"name": 5}, {"name": None}], ids=repr)
def test_an_api_key_needs_a_name(user, body):
    user().post(KEYS, body).error(400, "VALIDATION_ERROR", "name")


def test_no_secret_is_stored_readable(server, user):
    """Passwords and keys as hashes; kept answers (X-13) that show tokens encrypted."""
    body = account(password="Plain-Secret-" + unique())
    made = server.client.post(REGISTER, body, headers={"Idempotency-Key": "keep-" + unique()}).expect(201)
    u = user()
    key = u.post(KEYS, {"name": "k"}, headers={"Idempotency-Key": "keep-" + unique()}).expect(201)["key"]
    secrets = [body["password"], key, key[3:], made["tokens"]["access"].split(".")[2], made["tokens"]["refresh"].split(".")[2]]
    marker = body["username"].encode()
    files = [f.read_bytes() for f in server.data.rglob("*") if f.is_file()]
    assert any(marker in f for f in files), "the data is somewhere else"
    for s in secrets:
        assert not any(s.encode() in f for f in files), "a secret is readable in the data folder"
        assert s not in server.log.text(), "a secret is readable in the log"


# -- restart

def test_logins_and_logouts_survive_a_restart(server):
    u, v = User(server), User(server)
    key = u.post(KEYS, {"name": "k"}).expect(201)["key"]
    gone = (v.access, v.refresh)
    v.post("/auth/logout/", {"refresh": v.refresh}).expect(205)
    kept = u.access
    server.restart()
    for token in (kept, key):
        assert u.request("GET", "/auth/profile/", token=token).expect(200)["id"] == u.id
    u.request("GET", "/auth/profile/", token=gone[0]).error(401, "AUTHENTICATION_FAILED")
    u.c.post(REFRESH, {"refresh": gone[1]}).error(401, "AUTHENTICATION_FAILED")
    u.login()
