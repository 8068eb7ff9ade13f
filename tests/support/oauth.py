"""What an OAuth client does, step by step, and what its user sends."""
import base64
import hashlib
import html
import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

BACK = "https://app.example.com/back"


def challenge(verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def basic(name, secret):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (quote(name, ""), quote(secret, ""))).encode()).decode()}


def answer_of(location, back=BACK):
    """The parameters that a redirect carries."""
    assert location.startswith(back), location
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)
    assert len(pairs) == len(dict(pairs)), location
    return dict(pairs)


def hidden(page):
    return {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)}


class Flows:
    """The endpoints below `prefix`; admin and ada are {"email", "password", "key"}: who registers clients, who logs in."""

    def __init__(self, server, prefix, admin, ada):
        self.server, self.prefix, self.admin, self.ada = server, prefix, admin, ada

    def client(self, public=False, uris=(BACK,), name="Reports"):
        body = {"name": name, "redirect_uris": list(uris)}
        if public:
            body["token_endpoint_auth_method"] = "none"
        r = self.server.client.post(self.prefix + "/clients", body, token=self.admin["key"])
        assert r.status == 201, r
        return r.json()

    # -- the authorization endpoint
    def request(self, client, **change):
        """The parameters of an authorization request; None leaves one out."""
        fields = {"response_type": "code", "client_id": client["client_id"], "redirect_uri": BACK, "state": "xyz", **change}
        return {k: v for k, v in fields.items() if v is not None}

    def page(self, fields, **kw):
        return self.server.client.get(self.prefix + "/authorize?" + urlencode(fields), **kw)

    def post(self, path, fields, headers=(), **kw):
        body = fields if isinstance(fields, (str, bytes)) else urlencode(fields)
        body = body.encode() if isinstance(body, str) else body
        return self.server.client.post(self.prefix + path, body=body, **kw, headers={
            "Content-Type": "application/x-www-form-urlencoded", **dict(headers)})

    def submit(self, client, user=None, **change):
        user = user or self.ada
        return self.post("/authorize", {**self.request(client, **change), "email": user["email"], "password": user["password"]})

    def code(self, client, user=None, **change):
        r = self.submit(client, user, **change)
        assert r.status == 302, r
        return answer_of(r.header("location"), change.get("redirect_uri", BACK))["code"]

    # -- the token endpoint
    def token(self, client, headers=None, **fields):
        if headers is None and "client_secret" in client:
            headers = basic(client["client_id"], client["client_secret"])
        elif headers is None:
            headers, fields = {}, {"client_id": client["client_id"], **fields}
        return self.post("/token", {k: v for k, v in fields.items() if v is not None}, headers)

    def exchange(self, client, value, **change):
        return self.token(client, **{"grant_type": "authorization_code", "code": value, "redirect_uri": BACK, **change})

    def refresh(self, client, token, **change):
        return self.token(client, grant_type="refresh_token", refresh_token=token, **change)

    def tokens(self, client, user=None, **change):
        r = self.exchange(client, self.code(client, user, **change))
        assert r.status == 200, r
        return r.json()

    def revoke(self, client, token, **more):
        return self.post("/revoke", {"token": token, **more}, basic(client["client_id"], client["client_secret"]))
