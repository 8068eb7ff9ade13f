"""OAuth in ProFlow: what is ProFlow's own about it. The rules of OAuth are in test_oauth.py."""
import pytest

from support.oauth import BACK, Flows, answer_of
from support.proflow import Member, refused


@pytest.fixture(scope="module")
def server(start_server):
    return start_server(args=["--apps", "proflow"])


def flows(admin, user):
    def login(member):
        return {"email": member.email, "password": member.password, "key": member.access}
    return Flows(admin.server, "/v1/oauth", login(admin), login(user))


class Case:
    def __init__(self, server):
        self.admin = Member(server)
        self.dev, self.viewer = self.admin.colleague("developer"), self.admin.colleague("viewer")
        self.flows = flows(self.admin, self.dev)
        self.client = self.flows.client()


@pytest.fixture(scope="module")
def case(server):
    return Case(server)


def user_of(flows, member):
    return {"email": member.email, "password": member.password}


def ask(case, method, path, token, json=None):
    return case.admin.request(method, path, token=token, **({} if json is None else {"json": json}))


def test_a_client_is_shown_its_secret_once(case):
    r = case.admin.post("/oauth/clients", {"name": "Reports", "redirect_uris": [BACK]}).expect(201)
    assert set(r) >= {"client_id", "client_secret", "name", "redirect_uris", "created_at"}
    assert r["name"] == "Reports" and r["redirect_uris"] == [BACK] and r["created_at"].endswith("Z")


def test_only_admins_have_clients(case):
    body = {"name": "x", "redirect_uris": [BACK]}
    refused(case.dev.post("/oauth/clients", body), 403, "forbidden")
    refused(case.admin.post("/oauth/clients", body, token=None), 401, "unauthorized")
    refused(case.admin.post("/oauth/clients", {"name": "x"}), 422, "validation_error", "redirect_uris")
    refused(case.admin.post("/oauth/clients", {"name": "x", "redirect_uris": ["ftp://x"]}), 422, "validation_error",
            "redirect_uris")
    refused(case.dev.delete("/oauth/clients/" + case.client["client_id"]), 403, "forbidden")
    refused(Member(case.admin.server).delete("/oauth/clients/" + case.client["client_id"]), 404, "not_found")


def test_a_token_has_the_rights_of_who_logged_in(case):
    f = case.flows
    for member, may in ((case.dev, 201), (case.viewer, 403)):
        token = f.tokens(case.client, user_of(f, member))["access_token"]
        assert ask(case, "GET", "/projects", token).status == 200
        assert ask(case, "POST", "/projects", token, {"name": "Mine"}).status == may


def test_a_client_has_its_owners_rights(case):
    token = case.flows.token(case.client, grant_type="client_credentials").json()["access_token"]
    assert ask(case, "POST", "/teams", token, {"name": "Made by a client"}).status == 201
    assert ask(case, "POST", "/oauth/clients", token, {"name": "y", "redirect_uris": [BACK]}).status == 201


def test_a_key_needs_no_page(case):
    r = case.flows.page(case.flows.request(case.client), token=case.viewer.access)
    token = case.flows.exchange(case.client, answer_of(r.header("location"))["code"]).json()["access_token"]
    refused(ask(case, "POST", "/projects", token, {"name": "No"}), 403, "forbidden")


def test_other_organizations_stay_outside(case):
    stranger = Member(case.admin.server)
    answer = answer_of(case.flows.submit(case.client, user_of(case.flows, stranger)).header("location"))
    assert answer["error"] == "access_denied" and answer["state"] == "xyz"


def test_errors_of_the_token_endpoint_are_the_rfcs(case):
    f = case.flows
    for r, status, code in [
        (f.token(case.client, grant_type="password"), 400, "unsupported_grant_type"),
        (f.post("/token", "grant_type=a&grant_type=b"), 400, "invalid_request"),
        (f.post("/token", '{"grant_type": 1}', {"Content-Type": "application/json"}), 400, "invalid_request"),
        (f.post("/token", "[]", {"Content-Type": "application/json"}), 400, "invalid_request"),
        (f.post("/token", "grant_type=client_credentials&client_id=x&client_secret=y"), 401, "invalid_client"),
    ]:
        assert r.status == status and r.json()["error"] == code, r


def test_limits_are_proflows(start_server):
    case = Case(start_server(args=["--apps", "proflow"], limits="on"))
    f = case.flows
    r = f.token(case.client, grant_type="client_credentials")
    assert r.header("x-ratelimit-limit") == "100"
    one, two = r.json()["access_token"], f.token(case.client, grant_type="client_credentials").json()["access_token"]
    first = [ask(case, "GET", "/projects", one).header("x-ratelimit-remaining") for _ in range(2)]
    assert ask(case, "GET", "/projects", two).header("x-ratelimit-remaining") == first[0], "each token counts for itself"
    assert int(first[1]) == int(first[0]) - 1


def test_too_many_is_said_as_everywhere(start_server):
    s = start_server(args=["--apps", "proflow"], limits="0.01")
    f = Flows(s, "/v1/oauth", None, None)
    r = [f.post("/token", "grant_type=x") for _ in range(2)]
    assert r[0].status == 400 and r[0].json()["error"] == "unsupported_grant_type"
    refused(r[1], 429, "rate_limit_exceeded")
    refused(f.page({}), 429, "rate_limit_exceeded")


@pytest.mark.parametrize("host", ["api.proflow.com", "proflow.localhost"])
def test_both_forms_of_a_path_and_its_host(case, host):
    c = case.admin.server.connect(host=host)
    data = c.get("/.well-known/oauth-authorization-server/v1").json()
    assert data["issuer"] == "http://%s/v1" % host and data["token_endpoint"] == "http://%s/v1/oauth/token" % host
    for path in ("/v1/oauth/token", "/v1/oauth/token/"):
        assert c.post(path, {}).json()["error"] == "invalid_request"


def test_a_revoked_grant_opens_nothing(case):
    leaver = case.admin.colleague("developer")
    token = case.flows.tokens(case.client, user_of(case.flows, leaver))
    assert ask(case, "GET", "/projects", token["access_token"]).status == 200
    assert case.flows.revoke(case.client, token["refresh_token"]).status == 200
    refused(ask(case, "GET", "/projects", token["access_token"]), 401, "unauthorized")
