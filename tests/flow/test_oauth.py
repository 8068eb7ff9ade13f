"""OAuth 2.0 of scripts/lib/oauth: what a client can do, each rule that keeps others from doing it, and hostile input.
The app is tests/support/apps/door."""
import re
import sqlite3
import threading
from urllib.parse import quote, urlencode

import pytest

from support import door
from support.door import PASSWORD, Door
from support.oauth import BACK, answer_of, basic, challenge, hidden

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"        # RFC 7636, appendix B
S256 = {"code_challenge": challenge(VERIFIER), "code_challenge_method": "S256"}


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    return start_server(args=["--apps", "door"], **door.folders(tmp_path_factory.mktemp("scripts")))


@pytest.fixture(scope="module")
def ours(server):
    return Door(server)


@pytest.fixture(scope="module")
def client(ours):
    return ours.client()


@pytest.fixture(scope="module")
def public(ours):
    return ours.client(public=True)


def refused(r, code, status=400):
    assert r.status == status and r.json()["error"] == code, r
    assert r.header("cache-control") == "no-store" and "description" not in r.json(), r
    return r.json().get("error_description")


def sent_back(r, code):
    assert r.status == 302, r
    answer = answer_of(r.header("location"))
    assert answer["error"] == code and "code" not in answer, answer
    return answer


def on_a_page(r, status=400):
    assert r.status == status and r.header("content-type") == "text/html; charset=utf-8", r
    assert r.header("location") is None
    return r.text()


# ---- the flows -------------------------------------------------------------------------------------------------------

def test_a_code_becomes_tokens_of_the_user_who_logged_in(ours, client):
    r = ours.exchange(client, ours.code(client))
    assert r.status == 200 and r.header("cache-control") == "no-store" and r.header("pragma") == "no-cache"
    tokens = r.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert tokens["token_type"] == "Bearer" and tokens["expires_in"] == 3600
    me = ours.me(tokens["access_token"]).json()
    assert me["id"] == ours.ada["id"] and me["client_id"] == client["client_id"]


def test_a_public_client_with_pkce(ours, public):
    assert "client_secret" not in public
    r = ours.exchange(public, ours.code(public, **S256), code_verifier=VERIFIER)
    assert ours.me(r.json()["access_token"]).status == 200
    again = ours.refresh(public, r.json()["refresh_token"])
    assert again.status == 200 and ours.me(again.json()["access_token"]).json()["id"] == ours.ada["id"]


@pytest.mark.parametrize("asked", [S256, {"code_challenge": VERIFIER, "code_challenge_method": "plain"},
                                   {"code_challenge": VERIFIER}], ids=["S256", "plain", "by default plain"])
def test_a_confidential_client_may_use_pkce(ours, client, asked):
    assert ours.exchange(client, ours.code(client, **asked), code_verifier=VERIFIER).status == 200


def test_a_client_for_itself_has_its_owners_rights(ours, client):
    r = ours.token(client, grant_type="client_credentials")
    assert r.status == 200 and set(r.json()) == {"access_token", "token_type", "expires_in"}
    assert ours.me(r.json()["access_token"]).json()["id"] == ours.admin["id"]


def test_the_secret_in_the_body_and_json(ours, client):
    secret = {"client_id": client["client_id"], "client_secret": client["client_secret"]}
    assert ours.token(client, headers={}, grant_type="client_credentials", **secret).status == 200
    r = ours.server.client.post("/door/oauth/token", {"grant_type": "client_credentials", **secret})
    assert r.status == 200


def test_a_key_is_redirected_directly(ours, client):
    r = ours.page(ours.request(client), token=ours.ada["key"])
    assert r.status == 302 and r.header("cache-control") == "no-store"
    assert ours.exchange(client, answer_of(r.header("location"))["code"]).status == 200


def test_neither_a_wrong_key_nor_an_access_token_is_a_key(ours, client):
    assert ours.page(ours.request(client), token="key_wrong").status == 401
    assert ours.page(ours.request(client), token=ours.tokens(client)["access_token"]).status == 401


# ---- codes -----------------------------------------------------------------------------------------------------------

def test_a_code_works_once_and_a_second_use_revokes(ours, client):
    code = ours.code(client)
    tokens = ours.exchange(client, code).json()
    assert ours.me(tokens["access_token"]).status == 200
    assert "used before" in refused(ours.exchange(client, code), "invalid_grant")
    assert ours.me(tokens["access_token"]).status == 401
    refused(ours.refresh(client, tokens["refresh_token"]), "invalid_grant")


def test_codes_live_ten_minutes(ours, client):
    code, late = ours.code(client), ours.code(client)
    ours.server.advance(595)
    assert ours.exchange(client, code).status == 200
    ours.server.advance(10)
    refused(ours.exchange(client, late), "invalid_grant")


def test_a_code_is_bound_to_its_client(ours, client, public):
    code, other = ours.code(client), ours.client()
    refused(ours.exchange(other, code), "invalid_grant")
    refused(ours.exchange(public, code), "invalid_grant")
    assert ours.exchange(client, code).status == 200, "another client's attempt must not spend it"


@pytest.mark.parametrize("uri", [BACK + "/", BACK.upper(), "https://app.example.com/other", BACK + "?", "x"])
def test_a_code_is_bound_to_its_redirect(ours, client, uri):
    refused(ours.exchange(client, ours.code(client), redirect_uri=uri), "invalid_grant")


@pytest.mark.parametrize("verifier", ["x" * 43, VERIFIER[:-1], VERIFIER + "x", VERIFIER.lower(), S256["code_challenge"],
                                      "", None, "a" * 2000, "ü" * 43])
def test_a_code_is_bound_to_its_verifier(ours, client, public, verifier):
    for who in (client, public):
        refused(ours.exchange(who, ours.code(who, **S256), code_verifier=verifier), "invalid_grant")


def test_a_verifier_that_nothing_asked_for_is_refused(ours, client):
    refused(ours.exchange(client, ours.code(client), code_verifier=VERIFIER), "invalid_grant")


@pytest.mark.parametrize("change", [{"code": None}, {"code": ""}, {"redirect_uri": None}, {"redirect_uri": ""}])
def test_what_an_exchange_needs(ours, client, change):
    refused(ours.exchange(client, ours.code(client), **change), "invalid_request")


def at_once(count, ask):
    """ask(i) on so many threads, begun together: what each returned."""
    barrier, out = threading.Barrier(count), [None] * count

    def run(i):
        barrier.wait()
        out[i] = ask(i)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return out


def test_of_two_uses_at_once_one_is_first_and_the_grant_ends(ours, client):
    code = ours.code(client)
    doors = [ours.server.connect() for _ in range(6)]
    body = urlencode({"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **basic(client["client_id"], client["client_secret"])}
    answers = at_once(6, lambda i: doors[i].post("/door/oauth/token", body=body, headers=headers))
    good = [r for r in answers if r.status == 200]
    assert len(good) == 1 and all(r.json()["error"] == "invalid_grant" for r in answers if r.status != 200)
    assert ours.me(good[0].json()["access_token"]).status == 401


# ---- tokens ----------------------------------------------------------------------------------------------------------

def test_refresh_tokens_rotate(ours, client):
    first = ours.tokens(client)
    second = ours.refresh(client, first["refresh_token"]).json()
    assert len({first["access_token"], second["access_token"], first["refresh_token"], second["refresh_token"]}) == 4
    assert ours.me(second["access_token"]).status == 200
    assert ours.refresh(client, second["refresh_token"]).status == 200


def test_reuse_of_a_refresh_token_revokes_the_grant(ours, client):
    first = ours.tokens(client)
    second = ours.refresh(client, first["refresh_token"]).json()
    assert "used before" in refused(ours.refresh(client, first["refresh_token"]), "invalid_grant")
    for tokens in (first, second):
        assert ours.me(tokens["access_token"]).status == 401
    refused(ours.refresh(client, second["refresh_token"]), "invalid_grant")


def test_a_refresh_token_replayed_at_once_has_one_winner_and_ends_the_grant(ours, client):
    token = ours.tokens(client)["refresh_token"]
    doors = [ours.server.connect() for _ in range(6)]
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **basic(client["client_id"], client["client_secret"])}
    answers = at_once(6, lambda i: doors[i].post("/door/oauth/token", body=body, headers=headers))
    good = [r for r in answers if r.status == 200]
    assert len(good) == 1 and sum(r.status == 400 for r in answers) == 5
    assert ours.me(good[0].json()["access_token"]).status == 401
    refused(ours.refresh(client, good[0].json()["refresh_token"]), "invalid_grant")


def test_access_tokens_live_an_hour_and_refresh_tokens_thirty_days(ours, client):
    tokens, other = ours.tokens(client), ours.tokens(client)
    ours.server.advance(3590)
    assert ours.me(tokens["access_token"]).status == 200
    ours.server.advance(15)
    r = ours.me(tokens["access_token"])
    assert r.status == 401 and r.header("www-authenticate") == 'Bearer error="invalid_token"'
    ours.server.advance(30 * 86400 - 3600 - 60)
    assert ours.refresh(client, tokens["refresh_token"]).status == 200
    ours.server.advance(120)
    refused(ours.refresh(client, other["refresh_token"]), "invalid_grant")


def test_tokens_are_of_one_client_and_one_kind(ours, client, public):
    tokens = ours.tokens(client)
    refused(ours.refresh(ours.client(), tokens["refresh_token"]), "invalid_grant")
    refused(ours.refresh(public, tokens["refresh_token"]), "invalid_grant")
    refused(ours.refresh(client, tokens["access_token"]), "invalid_grant")
    assert ours.me(tokens["refresh_token"]).status == 401
    assert ours.me(ours.code(client)).status == 401
    assert ours.refresh(client, tokens["refresh_token"]).status == 200


def test_a_user_who_is_gone_has_no_tokens(ours, client):
    bob = ours.user("bob")
    tokens, code = ours.tokens(client, bob), ours.code(client, bob)
    assert ours.server.client.delete("/door/users/%d" % bob["id"]).status == 204
    assert ours.me(tokens["access_token"]).status == 401
    refused(ours.refresh(client, tokens["refresh_token"]), "invalid_grant")
    refused(ours.exchange(client, code), "invalid_grant")


def test_only_the_clients_organization_may_log_in(server, ours, client):
    stranger = Door(server).ada
    answer = sent_back(ours.submit(client, stranger), "access_denied")
    assert answer["state"] == "xyz"
    assert ours.page(ours.request(client), token=stranger["key"]).header("location").find("access_denied") > 0


def test_nothing_that_opens_is_stored_or_logged(ours):
    mine = ours.client()
    code = ours.code(mine, state="state-of-mine")
    tokens = ours.exchange(mine, code).json()
    secrets = [mine["client_secret"], code, tokens["access_token"], tokens["refresh_token"], PASSWORD]
    refused(ours.exchange(mine, code + "x"), "invalid_grant")
    refused(ours.token(mine, headers=basic(mine["client_id"], mine["client_secret"] + "x"), grant_type="x"),
            "unsupported_grant_type")
    data = b"".join(f.read_bytes() for f in ours.server.data.glob("door.db*"))
    for secret in secrets:
        assert secret not in ours.server.log.text()
        assert secret.encode() not in data
    assert mine["client_id"].encode() in data, "the test looks into the right files"


# ---- who the client is -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("header", [
    "Basic ", "basic !!!!", "BASIC " + "QQ==", "Basic Zm9vOg==", "Basic Zm9vOmJhcg==", "Basic JTo6JQ==",
    "Basic /////w==", "Basic " + "A" * 3000])
def test_unknown_clients_are_refused_with_a_challenge(ours, header):
    r = ours.post("/token", {"grant_type": "client_credentials"}, {"Authorization": header})
    refused(r, "invalid_client", 401)
    assert r.header("www-authenticate") == 'Basic realm="oauth"'


def test_a_wrong_secret_is_refused(ours, client, public):
    ids = [client["client_id"], public["client_id"]]
    for secret in ("", "wrong", client["client_secret"] + "x", client["client_secret"][:-1], client["client_secret"].upper()):
        r = ours.token(client, headers=basic(ids[0], secret), grant_type="client_credentials")
        refused(r, "invalid_client", 401)
    refused(ours.token(client, headers=basic(ids[1], "x"), grant_type="client_credentials"), "invalid_client", 401)
    refused(ours.post("/token", {"grant_type": "client_credentials", "client_id": ids[0]}), "invalid_client", 401)
    refused(ours.post("/token", {"grant_type": "client_credentials"}), "invalid_client", 401)


def test_one_way_to_authenticate(ours, client, public):
    both = {"grant_type": "client_credentials", "client_secret": client["client_secret"]}
    refused(ours.token(client, **both), "invalid_request")
    refused(ours.token(client, grant_type="client_credentials", client_id=public["client_id"]), "invalid_request")
    assert ours.token(client, grant_type="client_credentials", client_id=client["client_id"]).status == 200


def test_a_public_client_cannot_act_for_itself(ours, public):
    refused(ours.token(public, grant_type="client_credentials"), "unauthorized_client")


def test_a_repeated_request_gets_the_first_answer_if_it_is_the_same_client(ours, client):
    fields = {"grant_type": "authorization_code", "code": ours.code(client), "redirect_uri": BACK}
    headers = {"Idempotency-Key": "once-" + fields["code"], **basic(client["client_id"], client["client_secret"])}
    first, again = ours.post("/token", fields, headers), ours.post("/token", fields, headers)
    assert again.header("idempotent-replayed") == "true" and again.json() == first.json()
    for other in (basic(client["client_id"], "wrong"), {"Authorization": ""}, basic("x", client["client_secret"])):
        r = ours.post("/token", fields, {**headers, **other})
        assert r.status == 400 and "access_token" not in r.text()
    assert ours.me(first.json()["access_token"]).status == 200


# ---- what the token endpoint takes -----------------------------------------------------------------------------------

def test_the_token_endpoint_takes_posts_only(ours):
    r = ours.server.client.get("/door/oauth/token?grant_type=client_credentials")
    assert r.status == 405 and "POST" in r.header("allow") and r.json()["error"]["code"] == "method_not_allowed"


def test_grant_types(ours, client):
    refused(ours.token(client), "invalid_request")
    refused(ours.token(client, grant_type=""), "invalid_request")
    for kind in ("password", "implicit", "Authorization_Code", "client_credentials "):
        refused(ours.token(client, grant_type=kind), "unsupported_grant_type")


@pytest.mark.parametrize("kind, body", [
    ("application/x-www-form-urlencoded", "grant_type=client_credentials&grant_type=client_credentials"),
    ("application/x-www-form-urlencoded", "grant_type=client_credentials&scope=%ff"),
    ("application/x-www-form-urlencoded", "grant_type=client_credentials&scope=%"),
    ("application/x-www-form-urlencoded; charset=utf-16", "grant_type=client_credentials"),
    ("text/plain", "grant_type=client_credentials"), ("multipart/form-data; boundary=x", "--x--"),
    ("application/json", "[]"), ("application/json", '{"grant_type": 7}'), ("application/json", '{"grant_type":'),
    ("application/json", '{"grant_type": {"a": 1}}'), ("application/json", '{"grant_type": "%s"}' % ("x" * 5000)),
])
def test_bodies_that_cannot_be_read_are_invalid_requests(ours, client, kind, body):
    headers = {"Content-Type": kind, **basic(client["client_id"], client["client_secret"])}
    refused(ours.post("/token", body, headers), "invalid_request")


def test_a_body_that_is_too_long(ours):
    r = ours.post("/token", b"scope=" + b"x" * (2 << 20))
    assert r.status == 413 and r.json()["error"] == "invalid_request"


# ---- the authorization endpoint --------------------------------------------------------------------------------------

@pytest.mark.parametrize("uri", [
    BACK + "/", BACK + "?x=1", BACK + "#x", BACK + "/../evil", BACK.upper(), "HTTPS" + BACK[5:], BACK + "%2f", BACK + " ",
    " " + BACK, BACK[:-1], "https://app.example.com", "https://app.example.com.evil.example/back",
    "https://app.example.com@evil.example/back", "https://evil.example/back", "//evil.example/back", "/back", "",
    "https://app.example.com:443/back", "javascript:alert(1)", BACK + "\r\nSet-Cookie: a=b",
    "https://evil.example/?" + BACK, "http" + BACK[5:]])
def test_redirects_are_matched_exactly(ours, client, uri):
    query = urlencode(ours.request(client, redirect_uri=uri))
    r = ours.server.client.get("/door/oauth/authorize?" + query)
    on_a_page(r)
    assert "evil.example/" not in r.text() and ours.submit(client, redirect_uri=uri).header("location") is None


@pytest.mark.parametrize("change", [{"client_id": None}, {"client_id": ""}, {"client_id": "client_unknown"},
                                    {"redirect_uri": None}])
def test_nobody_is_redirected_for_an_unknown_client(ours, client, change):
    on_a_page(ours.page(ours.request(client, **change)))
    on_a_page(ours.submit(client, **change))
    on_a_page(ours.page(ours.request(client, **change), token=ours.ada["key"]))


@pytest.mark.parametrize("change, code", [
    ({"response_type": None}, "invalid_request"), ({"response_type": ""}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"), ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"), ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "x" * 129}, "invalid_request"), ({"code_challenge": "ü" * 43}, "invalid_request"),
    ({"code_challenge": "x" * 44, "code_challenge_method": "S256"}, "invalid_request"),
    ({"code_challenge": "x" * 43, "code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge_method": "S256"}, "invalid_request")])
def test_every_other_error_is_sent_to_the_client(ours, client, change, code):
    for r in (ours.page(ours.request(client, **change)), ours.submit(client, **change),
              ours.page(ours.request(client, **change), token=ours.ada["key"])):
        answer = sent_back(r, code)
        assert answer["state"] == "xyz" and answer["error_description"]


@pytest.mark.parametrize("change", [{}, {"code_challenge": VERIFIER}, {"code_challenge": VERIFIER, "code_challenge_method": "plain"}])
def test_public_clients_must_use_s256(ours, public, change):
    sent_back(ours.page(ours.request(public, **change)), "invalid_request")
    sent_back(ours.submit(public, **change), "invalid_request")


@pytest.mark.parametrize("name, goes_back", [("client_id", False), ("redirect_uri", False), ("state", True),
                                             ("response_type", True), ("scope", True), ("unknown", True)])
def test_a_parameter_given_twice(ours, client, name, goes_back):
    fields = ours.request(client, scope="x", unknown="x")
    r = ours.server.client.get("/door/oauth/authorize?%s&%s" % (urlencode(fields), urlencode({name: fields[name]})))
    if goes_back:
        assert ("state" in sent_back(r, "invalid_request")) == (name != "state")
    else:
        on_a_page(r)


def test_a_damaged_query_is_refused(ours, client):
    for damage in ("%ff", "%00", "%"):
        r = ours.server.client.get("/door/oauth/authorize?%s&more=%s" % (urlencode(ours.request(client)), damage))
        assert r.status == 400 and r.header("location") is None


def test_long_headers_are_no_trouble(ours, client):
    for name, value in (("Cookie", "oauth_form=" + "x" * 3000), ("Cookie", " " * 3000 + "x"), ("Authorization", "Bearer " + "x" * 3000),
                        ("Authorization", "Basic " + " " * 3000 + "x"), ("Authorization", "Bearer" + " " * 3000 + "x y")):
        assert ours.page(ours.request(client), headers={name: value}).status in (200, 401)
        assert ours.post("/token", {"grant_type": "client_credentials"}, {name: value}).status == 401


@pytest.mark.parametrize("state", ["a b+c&d=e/?#%", "%25%0d%0aX: 1", "ü🎉\u202e", "a" * 1500, "'\"<script>", "\r\nX-Evil: 1", " ", "+"])
def test_the_state_comes_back_as_it_was(ours, client, state):
    for r in (ours.submit(client, state=state), ours.page(ours.request(client, state=state), token=ours.ada["key"]),
              ours.page(ours.request(client, state=state, response_type="x"))):
        assert r.status == 302 and answer_of(r.header("location"))["state"] == state and r.header("x-evil") is None
    assert hidden(ours.page(ours.request(client, state=state)).text())["state"] == state


def test_a_state_that_is_too_long_for_a_redirect(ours, client):
    on_a_page(ours.submit(client, state="ü" * 1900))
    refused(ours.submit(client, state="x" * 4001), "invalid_request")


def test_a_redirect_keeps_its_own_query(ours):
    uri = BACK + "?tab=1&x=%20"
    mine = ours.client(uris=[BACK, uri])
    r = ours.submit(mine, redirect_uri=uri)
    assert r.header("location").startswith(uri + "&code=")
    assert ours.exchange(mine, answer_of(r.header("location"), uri)["code"], redirect_uri=uri).status == 200


def test_the_answer_says_who_answers(ours, client):
    assert answer_of(ours.submit(client).header("location"))["iss"] == "http://127.0.0.1:%d/door" % ours.server.port


# ---- the page --------------------------------------------------------------------------------------------------------

def test_the_page_says_who_asks_for_what_and_where_it_goes(ours):
    mine = ours.client(name="<b>Reports & \"more\"</b> ü")
    text = ours.page(ours.request(mine)).text()
    assert "&lt;b&gt;Reports &amp; &quot;more&quot;&lt;/b&gt; ü" in text and "<b>" not in text
    assert "Door &amp; Sons" in text and "Open the doors that you can open." in text and "app.example.com" in text


def test_the_page_cannot_be_framed_kept_or_scripted(ours, client):
    for r in (ours.page(ours.request(client)), ours.page({}), ours.submit(client, {"email": "x", "password": "y"})):
        policy = r.header("content-security-policy")
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy
        assert r.header("x-frame-options") == "DENY" and r.header("cache-control") == "no-store"
        assert r.header("referrer-policy") == "same-origin" and r.header("x-content-type-options") == "nosniff"
        assert "<script" not in r.text() and "style=" not in r.text()


def test_a_wrong_password_shows_the_page_again(ours, client):
    for user, password in ((ours.ada["email"], "wrong"), ("nobody@example.com", PASSWORD), (ours.ada["email"], ""), ("", "")):
        text = on_a_page(ours.post("/authorize", {**ours.request(client), "email": user, "password": password}), 401)
        assert "do not match" in text and hidden(text)["state"] == "xyz" and "wrong" not in text
    assert 'value="%s"' % ours.ada["email"] in on_a_page(
        ours.post("/authorize", {**ours.request(client), "email": ours.ada["email"], "password": "x"}), 401)


def test_no_is_an_answer(ours, client):
    r = ours.post("/authorize", {**ours.request(client), "decision": "deny"})
    assert sent_back(r, "access_denied")["state"] == "xyz"


def test_the_form_is_tied_to_the_browser_that_it_was_sent_to(ours, client):
    page = ours.page(ours.request(client))
    cookie = page.header("set-cookie")
    assert re.fullmatch(r"oauth_form=\w{32}; Path=/door/oauth; Max-Age=3600; HttpOnly; SameSite=Lax", cookie)
    mine = {"Cookie": cookie.partition(";")[0], "Origin": "http://127.0.0.1:%d" % ours.server.port, "Sec-Fetch-Site": "same-origin"}
    login = {"email": ours.ada["email"], "password": PASSWORD}
    form = {**hidden(page.text()), **login}
    bare = {k: v for k, v in form.items() if k != "csrf"}
    other = hidden(ours.page(ours.request(client)).text())["csrf"]

    for fields, headers in [
        (bare, mine), (bare, {"Origin": "https://evil.example"}), (bare, {"Origin": "null"}), (bare, {"Referer": "https://x/"}),
        (bare, {"Cookie": mine["Cookie"]}), (bare, {"Sec-Fetch-Site": "cross-site"}), ({**form, "csrf": "x"}, mine),
        ({**form, "csrf": other}, mine), ({**form, "csrf": form["csrf"][:-2]}, mine), ({**form, "csrf": "x"}, {}),
        (form, {**mine, "Cookie": "oauth_form=" + "x" * 32}), (form, {"Origin": mine["Origin"]}),
        (form, {**mine, "Sec-Fetch-Site": "cross-site"}), (form, {**mine, "Sec-Fetch-Site": "same-site"}),
        ({**form, "csrf": ours.tokens(client)["access_token"]}, mine),
    ]:
        text = on_a_page(ours.post("/authorize", fields, headers), 403)
        assert "Please sign in again" in text
    assert ours.post("/authorize", form, mine).status == 302
    ours.server.advance(3700)
    on_a_page(ours.post("/authorize", form, mine), 403)


def test_a_second_tab_does_not_break_the_first(ours, client):
    first = ours.page(ours.request(client, state="1"))
    cookie = {"Cookie": "a=b; " + first.header("set-cookie").partition(";")[0]}
    second = ours.page(ours.request(client, state="2"), headers=cookie)
    for page in (first, second):
        login = {**hidden(page.text()), "email": ours.ada["email"], "password": PASSWORD}
        assert ours.post("/authorize", login, cookie).status == 302


def test_behind_https_the_cookie_is_for_https(start_server, tmp_path):
    s = start_server(args=["--apps", "door", "--public-url", "https://door.example"], **door.folders(tmp_path / "scripts"))
    there = Door(s)
    r = there.page(there.request(there.client()))
    assert r.header("set-cookie").endswith("; HttpOnly; SameSite=Lax; Secure")
    assert s.client.get("/.well-known/oauth-authorization-server/door").json()["issuer"] == "https://door.example/door"


# ---- revocation, metadata, clients, scopes ---------------------------------------------------------------------------

def test_revoking_an_access_token_ends_it_alone(ours, client):
    tokens = ours.tokens(client)
    assert ours.me(tokens["access_token"]).status == 200
    r = ours.revoke(client, tokens["access_token"], token_type_hint="refresh_token")
    assert r.status == 200 and r.json() == {} and ours.me(tokens["access_token"]).status == 401
    assert ours.refresh(client, tokens["refresh_token"]).status == 200


def test_revoking_a_refresh_token_ends_the_grant(ours, client):
    tokens = ours.tokens(client)
    assert ours.revoke(client, tokens["refresh_token"]).status == 200
    assert ours.me(tokens["access_token"]).status == 401
    refused(ours.refresh(client, tokens["refresh_token"]), "invalid_grant")
    assert ours.revoke(client, tokens["refresh_token"]).status == 200


def test_what_revocation_refuses(ours, client):
    tokens = ours.tokens(client)
    assert ours.revoke(client, "oat_unknown").status == 200
    refused(ours.revoke(client, ""), "invalid_request")
    refused(ours.revoke(ours.client(), tokens["access_token"]), "invalid_grant")
    refused(ours.post("/revoke", {"token": tokens["access_token"]}), "invalid_client", 401)
    refused(ours.post("/revoke", {"token": "x"}, basic(client["client_id"], "x")), "invalid_client", 401)
    assert ours.me(tokens["access_token"]).status == 200


def test_the_metadata_name_what_is_there(ours):
    base = "http://127.0.0.1:%d" % ours.server.port
    r = ours.server.client.get("/.well-known/oauth-authorization-server/door")
    data = r.json()
    assert r.header("content-type") == "application/json" and data["issuer"] == base + "/door"
    for name in ("authorization", "token", "revocation"):
        path = data[name + "_endpoint"][len(base):]
        assert ours.server.client.get(path).status in (400, 405), path
    assert data["response_types_supported"] == ["code"] and data["code_challenge_methods_supported"] == ["S256", "plain"]
    assert data["grant_types_supported"] == ["authorization_code", "client_credentials", "refresh_token"]
    assert "none" in data["token_endpoint_auth_methods_supported"] and "scopes_supported" not in data


def test_only_admins_register_clients(ours):
    body = {"name": "x", "redirect_uris": [BACK]}
    assert ours.server.client.post("/door/oauth/clients", body, token=ours.ada["key"]).status == 403
    assert ours.server.client.post("/door/oauth/clients", body).status == 401


@pytest.mark.parametrize("uri", [
    "https://app.example.com", "https://app.example.com:8443/a?b=c", "http://127.0.0.1:9/x", "http://localhost/x",
    "http://[::1]:80/x", "com.example.app:/back", "com.example.app://back"])
def test_uris_that_can_be_registered(ours, uri):
    mine = ours.client(uris=[uri])
    assert mine["redirect_uris"] == [uri]
    page = ours.page(ours.request(mine, redirect_uri=uri))
    assert page.status == 200
    source = re.search(r"form-action 'self' (\S+);", page.header("content-security-policy")).group(1)
    assert uri.startswith(source), source


@pytest.mark.parametrize("uri", [
    "http://app.example.com/x", "/x", "app.example.com", "javascript:alert(1)", "data:text/html,x", "myapp:/x", "https://",
    "https:///x", BACK + "#x", BACK + " x", "https://a@evil.example/", "https://a\\b/", "https://ü.example/", BACK + "%zz",
    "https://*.example.com/", "https://a;b/", "https://a:b/", BACK + "\n" + BACK, "http://127.0.0.1.evil.example/", "x" * 2500])
def test_uris_that_cannot(ours, uri):
    r = ours.server.client.post("/door/oauth/clients", {"name": "x", "redirect_uris": [BACK, uri]}, token=ours.admin["key"])
    assert r.status == 400 and any("redirect_uris" in k for k in r.json()["error"]["details"]), r


@pytest.mark.parametrize("body, field", [
    ({}, "name"), ({"name": "x"}, "redirect_uris"), ({"name": "x", "redirect_uris": []}, "redirect_uris"),
    ({"name": "x", "redirect_uris": BACK}, "redirect_uris"), ({"name": "", "redirect_uris": [BACK]}, "name"),
    ({"name": "x", "redirect_uris": [BACK], "token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method")])
def test_what_a_registration_needs(ours, body, field):
    r = ours.server.client.post("/door/oauth/clients", body, token=ours.admin["key"])
    assert r.status == 400 and field in r.json()["error"]["details"], r


def test_an_organization_sees_and_removes_its_own_clients(server):
    one, two = Door(server), Door(server)
    mine, spare = one.client(), one.client(public=True)
    listed = server.client.get("/door/clients", token=one.admin["key"]).json()
    assert [c["client_id"] for c in listed] == [spare["client_id"], mine["client_id"]]
    assert listed[1]["redirect_uris"] == [BACK] and not any("secret" in k for c in listed for k in c if k != "token_endpoint_auth_method")
    tokens = one.tokens(mine)
    path = "/door/oauth/clients/" + mine["client_id"]
    assert server.client.delete(path, token=two.admin["key"]).status == 404
    assert server.client.delete(path, token=one.ada["key"]).status == 403
    assert one.me(tokens["access_token"]).status == 200
    assert server.client.delete(path, token=one.admin["key"]).status == 204
    assert one.me(tokens["access_token"]).status == 401
    refused(one.refresh(mine, tokens["refresh_token"]), "invalid_client", 401)


def test_scopes_narrow_what_is_granted(server):
    gated = Door(server, "/door/gated/oauth")
    mine = gated.client()
    assert "See which doors are open." in gated.page(gated.request(mine, scope="look")).text()
    assert "Open doors." not in gated.page(gated.request(mine, scope="look")).text()
    tokens = gated.tokens(mine, scope="open look")
    assert tokens["scope"] == "look open"
    me = gated.me(tokens["access_token"]).json()
    assert me["look"] is True and me["open"] is True
    less = gated.refresh(mine, tokens["refresh_token"], scope="look").json()
    assert less["scope"] == "look" and "open" not in gated.me(less["access_token"]).json()
    assert gated.refresh(mine, less["refresh_token"]).json()["scope"] == "look open"
    only = gated.tokens(mine, scope="look")
    refused(gated.refresh(mine, only["refresh_token"], scope="open"), "invalid_scope")
    assert gated.refresh(mine, only["refresh_token"]).status == 200, "a refused refresh spends nothing"
    sent_back(gated.submit(mine, scope="look climb"), "invalid_scope")
    refused(gated.token(mine, grant_type="client_credentials", scope="climb"), "invalid_scope")
    assert server.client.get("/.well-known/oauth-authorization-server/door/gated").json()["scopes_supported"] == ["look", "open"]


def test_without_scopes_the_parameter_is_passed_over(ours, client):
    assert "scope" not in ours.tokens(client, scope="a b")


def test_limits_answer_as_everywhere(start_server, tmp_path):
    s = start_server(args=["--apps", "door"], env={"PERIGEE_RATE_LIMITS": "0.001"}, limits=None,
                     **door.folders(tmp_path / "scripts"))
    r = [s.client.post("/door/oauth/token", body=b"x=1", headers={"Content-Type": "application/x-www-form-urlencoded"})
         for _ in range(2)]
    assert r[0].status == 400 and r[1].status == 429
    assert r[1].json()["error"]["code"] == "rate_limit_exceeded" and r[1].header("retry-after")


def test_what_is_over_is_removed(server):
    there = Door(server)
    mine = there.client()
    for _ in range(3):
        there.token(mine, grant_type="client_credentials")
    there.code(mine)
    server.advance(40 * 86400)
    there.token(mine, grant_type="client_credentials")
    with sqlite3.connect("file:%s?mode=ro" % (server.data / "door.db"), uri=True) as db:
        now = server.now()
        assert db.execute("SELECT count(*) FROM oauth_grants WHERE expires_at < ?", (now,)).fetchone()[0] < 100
        assert db.execute("SELECT count(*) FROM oauth_codes WHERE grant_id NOT IN (SELECT id FROM oauth_grants)").fetchone()[0] == 0


def test_quoted_urls_are_one_way(ours, client):
    """An encoded client id is the same one; an encoded separator splits nothing."""
    fields = ours.request(client)
    query = "&".join("%s=%s" % (k, quote(v, safe="").replace("_", "%5F")) for k, v in fields.items())
    assert ours.server.client.get("/door/oauth/authorize?" + query).status == 200
    on_a_page(ours.server.client.get("/door/oauth/authorize?" + query.replace("&redirect", "%26redirect")))
