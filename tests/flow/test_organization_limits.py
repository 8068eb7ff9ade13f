"""Limits of V2 (FF-56): 300 a minute per organization, 60 per user for dashboards; who counts for what."""
import pytest

from support.organizations import Organization, accept, v2
from support.people import User

SERVER = {"limits": "on"}


@pytest.fixture
def acme(server):
    server.new_window()
    o = Organization(server)
    o.jane = o.member("manager")
    server.new_window()
    return o


def left(r):
    return int(r.header("x-ratelimit-limit")), int(r.header("x-ratelimit-remaining"))


def spend(o, who, n, path="/"):
    for _ in range(n):
        assert o.ask(who, "GET", path).status == 200


def test_members_share_the_counter(acme):
    assert left(acme.ask(acme.owner, "GET")) == (300, 299)
    assert left(acme.ask(acme.jane, "GET", "/members/")) == (300, 298)
    spend(acme, acme.owner, 150), spend(acme, acme.jane, 148)
    for who in (acme.owner, acme.jane):
        r = acme.ask(who, "GET", "/members/")
        r.error(429, "RATE_LIMIT_EXCEEDED")
        assert left(r) == (300, 0) and 1 <= int(r.header("retry-after")) <= 60
    acme.ask(acme.jane, "POST", "/invites/", json={}).error(429, "RATE_LIMIT_EXCEEDED")
    acme.server.new_window()
    assert left(acme.ask(acme.jane, "GET")) == (300, 299)


def test_organizations_count_apart_for_one_user(server, acme):
    other = Organization(server, acme.owner)
    server.new_window()
    spend(acme, acme.owner, 300)
    acme.ask(acme.owner, "GET").error(429, "RATE_LIMIT_EXCEEDED")
    assert left(other.ask(acme.owner, "GET")) == (300, 299)


def test_who_is_refused_uses_nothing_of_the_organization(server, acme):
    outsider = User(server)
    server.new_window()
    for n in range(300):
        r = acme.ask(outsider, "GET", "/members/")
        r.error(403, "PERMISSION_DENIED")
        assert left(r) == (300, 299 - n), "counted for the user"
    acme.ask(outsider, "GET").error(429, "RATE_LIMIT_EXCEEDED")
    v2(outsider, "GET", "/organizations/no-such-thing/").error(429, "RATE_LIMIT_EXCEEDED")
    assert left(acme.ask(acme.owner, "GET")) == (300, 299)


def test_without_an_organization_in_the_path_users_count(server, acme):
    u = User(server)
    server.new_window()
    assert left(accept(u, "nothing")) == (300, 299)
    assert left(v2(u, "POST", "/organizations/", json={})) == (300, 298)
    assert left(accept(acme.jane, "nothing")) == (300, 299)


def test_a_role_too_low_counts_for_the_organization(acme):
    """Who is a member counts as one, whatever the answer: the counter is of the people in it."""
    assert left(acme.ask(acme.jane, "PATCH", json={})) == (300, 299)
    assert left(acme.ask(acme.owner, "PATCH", json={"name": ""})) == (300, 298)


def test_unchanged_answers_cost_nothing(acme):
    tag = acme.ask(acme.owner, "GET", "/members/").header("etag")
    r = acme.ask(acme.jane, "GET", "/members/", headers={"If-None-Match": tag})
    assert r.status == 304 and left(r) == (300, 299)


def test_dashboards_count_per_user(acme):
    path = "/dashboard/activity/"
    assert left(acme.ask(acme.owner, "GET", path)) == (60, 59)
    spend(acme, acme.owner, 59, path)
    acme.ask(acme.owner, "GET", path).error(429, "RATE_LIMIT_EXCEEDED")
    assert left(acme.ask(acme.jane, "GET", path)) == (60, 59)
    assert left(acme.ask(acme.owner, "GET")) == (300, 299)
    assert left(acme.owner.get("/tasks/")) == (100, 99)
