"""What the contract tests of every app share: scenes, the requests that they lead to, and how answers are judged.

A scene brings a new user to the state that a documented example shows and returns the documented request. An app has
its scenes (scenes_<app>.py) and a test module that asks its Contract; nothing here knows an app.
"""
import copy
import re

import pytest

from catalogue import EVERY, check, expected, of
from support.client import NOTHING, Response

SCENES = {}     # endpoint -> scene(user) -> Ask


class Ask:
    """A request to be sent; `path` is the endpoint's with `params` filled in. The user has `c` and `access`."""

    def __init__(self, params=None, json=NOTHING, query=None, token=NOTHING):
        self.params, self.json, self.query, self.token = params or {}, json, query, token

    def send(self, endpoint, who):
        path = endpoint["full_path"]
        for name, value in self.params.items():
            path = path.replace("{%s}" % name, str(value))
        assert "{" not in path, path
        token = self.token if self.token is not NOTHING else None if endpoint["auth"] == "none" else who.access
        return who.c.request(endpoint["method"], path, json=self.json, query=self.query, token=token)


def example(endpoint_id, **changes):
    """The documented body, with changes."""
    return {**copy.deepcopy(EVERY[endpoint_id]["request_example"]), **changes}


def scene(endpoint_id):
    def add(f):
        assert endpoint_id in EVERY and endpoint_id not in SCENES, endpoint_id
        SCENES[endpoint_id] = f
        return f
    return add


def check_file(r, kind):
    assert r.header("content-type").split(";")[0] == kind, str(r.headers)
    assert re.fullmatch(r'attachment; filename="[^"]+"', r.header("content-disposition") or ""), str(r.headers)
    assert r.body, str(r)


def member(value, path):
    """Whether a value has a member, as "meta.total"."""
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


class Contract:
    """The documented responses and errors of one app. `refused(r, status, code, *fields)` checks its envelope.
    Endpoints whose ids begin with `without` are another module's."""

    def __init__(self, name, refused=Response.refused, without=" "):
        self.name, self.refused = name, refused
        self.app, self.endpoints = of(name)
        self.endpoints = {n: e for n, e in self.endpoints.items() if not n.startswith(without)}
        self.cases = [(n, i) for n, e in self.endpoints.items() for i in range(len(e["errors"]))]
        self.case_ids = ["%s-%s-%d" % (n, self.endpoints[n]["errors"][i]["status"], i) for n, i in self.cases]

    def counts(self, kind):
        """Marks a test: each of its cases is a documented example and counts as one in the summary."""
        return pytest.mark.contract("%s: %s" % (self.name, kind))

    def each_response(self, f):
        return self.counts("responses")(pytest.mark.parametrize("name", self.endpoints)(f))

    def each_error(self, f):
        return self.counts("errors")(pytest.mark.parametrize("name,i", self.cases, ids=self.case_ids)(f))

    def check_headers(self, endpoint, r, limited=True):
        """What every answer must have."""
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,128}", r.header("x-request-id") or ""), "X-Request-Id: %s" % r.headers
        if endpoint["rate_limit"] is None:
            return
        values = [r.header(h["name"]) for h in self.app["response_headers"]]
        assert all(v is not None and v.isdigit() for v in values), "rate-limit headers %s: %s" % (values, r)
        if limited:
            assert int(values[0]) == endpoint["rate_limit"]["count"], "X-RateLimit-Limit is %s: %s" % (values[0], r)

    def check_response(self, name, who):
        """Plays the scene; the answer is compared by shape, with no null where the example has a value."""
        endpoint = self.endpoints[name]
        response = endpoint["responses"][0]
        r = SCENES[name](who).send(endpoint, who)
        assert r.status == response["status"], str(r)
        self.check_headers(endpoint, r)
        kind = (r.header("content-type") or "").replace(" ", "").lower()
        if response["body"] == "none":
            assert r.body == b"" and (r.status == 204 or r.header("content-length") == "0"), str(r.headers)
        elif response["body"] == "html":
            assert kind.split(";")[0] == "text/html", kind
        elif response["body"] == "redirect":
            assert r.header("location"), str(r.headers)
        elif response["body"] == "file":
            check_file(r, response["content_types"][0])
        else:
            assert kind in ("application/json", "application/json;charset=utf-8"), kind
            self.check_json(endpoint, response, r)
        return r

    def check_json(self, endpoint, response, r):
        wanted, value = expected(endpoint, response), r.json()
        check(wanted, value)
        assert value or not isinstance(wanted, list), "the scene made no items"
        if endpoint["paginated"]:
            assert all(member(value, k) for k in self.app["pagination"]["keys"]), "a list: %s" % r
            assert any(isinstance(v, list) and v for v in value.values()), "the scene made no items"
        if endpoint["method"] == "GET":
            assert re.fullmatch(r'"[^"]+"', r.header("etag") or ""), "ETag: %s" % r.headers

    def check_error(self, name, i, answers):
        """All answers, pairs of the answer and the fields that it must name, are the documented error."""
        endpoint = self.endpoints[name]
        error, seen = endpoint["errors"][i], 0
        for r, fields in answers:
            self.refused(r, error["status"], error["code"], *fields)
            self.check_headers(endpoint, r, limited=error["status"] != 401)
            if error["status"] == 429:
                most = endpoint["rate_limit"]["window_seconds"]
                assert 1 <= int(r.header("retry-after")) <= most, str(r.headers)
                assert r.header("x-ratelimit-remaining") == "0", str(r.headers)
            seen += 1
        assert seen

    def without_scene(self):
        return sorted(set(self.endpoints) - set(SCENES))

    def statuses_without_case(self):
        """Errors that the app documents and no endpoint has."""
        listed = {(e["status"], e["code"]) for e in self.app["errors"]}
        return listed - {(e["status"], e["code"]) for x in self.endpoints.values() for e in x["errors"]}
