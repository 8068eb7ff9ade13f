"""Behind a proxy (--trusted-proxies): whose address counts, and how links begin. Everybody else's claims are ignored."""
import pytest

from support.people import V1, User


def log_in(c, address):
    return c.post(V1 + "/auth/login/", {}, headers={"X-Forwarded-For": address}).status


def spend(c, address):
    assert [log_in(c, address) for _ in range(11)] == [400] * 10 + [429]


@pytest.fixture(scope="module")
def proxied(start_server):
    return start_server(limits="on", args=["--trusted-proxies", "10.0.0.0/8, 127.0.0.1"])


@pytest.fixture(scope="module")
def direct(start_server):
    return start_server(limits="on")


def test_each_client_behind_the_proxy_has_its_own_limit(proxied):
    proxied.new_window()
    c = proxied.connect()
    spend(c, "203.0.113.1")
    assert log_in(c, "203.0.113.2") == 400
    assert log_in(c, "9.9.9.9, 203.0.113.1") == 429, "only the last entry is the proxy's own"


def test_what_is_no_address_counts_as_the_proxy(proxied):
    proxied.new_window()
    c = proxied.connect()
    spend(c, "unknown")
    assert log_in(c, "also unknown") == 429


def test_a_client_cannot_choose_its_address(direct):
    direct.new_window()
    c = direct.connect()
    assert [log_in(c, "203.0.113.%d" % n) for n in range(11)] == [400] * 10 + [429]


@pytest.mark.parametrize("name,scheme", [("proxied", "https://"), ("direct", "http://")])
def test_links(request, name, scheme):
    server = request.getfixturevalue(name)
    server.new_window()
    u = User(server)
    for n in range(2):
        u.c.post(V1 + "/projects/", {"name": "p%d" % n}, token=u.access)
    r = u.c.get(V1 + "/projects/?page_size=1", token=u.access, headers={"X-Forwarded-Proto": "https"})
    assert r.json()["next"].startswith(scheme)
