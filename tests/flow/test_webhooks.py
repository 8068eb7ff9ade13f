"""Webhooks against real receivers: signatures, retries, limits, and addresses that may not be reached.

The app (tests/support/apps/post) is the host's functions and nothing else. Time is moved, not waited for.
"""
import base64
import email.utils
import hashlib
import hmac
import os
import subprocess
import time

import pytest

from support.certificate import make_certificate
from support.receiver import (Receiver, answer, close_at_once, drip, endless_body, endless_header, garbage, hang)
from support.server import REPO
from support.threads import together

APPS = REPO / "tests" / "support" / "apps"
SCHEDULE = [0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
SECRET = "a secret of the tests"
PAUSE = 0.02


@pytest.fixture(scope="module")
def start(start_server):
    def start(**env):
        return Post(start_server(scripts=APPS, env={"PERIGEE_APPS": "post", "PERIGEE_OUTBOUND_ALLOW": "127.0.0.1/32, ::1",
                                                           "PERIGEE_SCRIPT_MS": "10000", **env}))
    return start


@pytest.fixture(scope="module")
def post(start):
    return start()


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


class Post:
    """The app of the tests."""

    def __init__(self, server):
        self.server = server

    def __getattr__(self, name):
        return getattr(self.server, name)

    def hook(self, url, **more):
        return self.client.post("/post/hooks", {"url": url, "secret": SECRET, **more}).expect(201)

    def send(self, **more):
        return self.client.post("/post/events", more).expect(200)["sent"]

    def log(self, hook):
        return self.client.get("/post/hooks/%d/log" % hook["id"]).expect(200)["entries"]

    def settled(self, hook, count=1, status=("succeeded", "failed")):
        """The log of a hook whose newest entries have come to one of these ends."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            entries = self.log(hook)
            if len(entries) >= count and all(e["status"] in status for e in entries[:count]):
                return entries
            time.sleep(PAUSE)
        raise AssertionError("not settled: %s" % entries)

    def attempted(self, hook, attempts):
        """The newest entry of the log when it has had so many attempts."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            entry = self.log(hook)[0]
            if entry["attempts"] >= attempts:
                return entry
            time.sleep(PAUSE)
        raise AssertionError("not attempted: %s" % entry)

    def forget_hooks(self):
        """So that an event goes to the hooks of one test."""
        for h in self.client.get("/post/hooks").expect(200):
            self.client.delete("/post/hooks/%d" % h["id"]).expect(200)


@pytest.fixture(autouse=True)
def no_hooks(request):
    if "post" in request.fixturenames:
        request.getfixturevalue("post").forget_hooks()


def hex_hmac(text):
    return hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()


def standard(request, key):
    text = ("%s.%s." % (request.id, request.headers["webhook-timestamp"])).encode() + request.body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


# ---- what is sent ----------------------------------------------------------------------------------------------------

def test_a_delivery(post, receiver):
    """One POST with the app's bytes and headers, both signatures, and an entry in the log."""
    hook = post.hook(receiver.url("/in?x=1"))
    assert set(hook) == {"id", "owner", "url", "events", "active", "created_at"}
    assert post.send(data={"title": "Grüße"}) == 1
    r = receiver.wait("/in?x=1")[0]
    assert r.method == "POST" and r.headers["content-type"] == "application/json" and "expect" not in r.headers
    assert r.headers["user-agent"].startswith("Perigee/")
    assert r.headers["x-post-event"] == "done" and r.headers["x-post-signature"] == "sha256=" + hex_hmac(r.body)
    unsigned, _, signature = r.body.partition(b',"signature":"')
    assert signature == b"sha256=" + hex_hmac(unsigned + b"}").encode() + b'"}', "over the body without its last member"
    assert "Grüße".encode() in r.body
    assert r.id.startswith("dlv_") and len(r.id) == 36
    assert r.headers["webhook-signature"] == standard(r, SECRET.encode())
    assert abs(int(r.headers["webhook-timestamp"]) - post.now()) < 60
    entry = post.settled(hook)[0]
    assert entry["id"] == r.id and entry["event"] == "done" and entry["status"] == "succeeded"
    assert entry["attempts"] == 1 and entry["response_status"] == 200 and entry["latency_ms"] >= 0
    assert "next_at" not in entry and "error" not in entry


def test_a_whsec_secret_stands_for_bytes(post, receiver):
    key = bytes(range(32))
    post.hook(receiver.url(), secret="whsec_" + base64.b64encode(key).decode())
    post.send()
    r = receiver.wait("/")[0]
    assert r.headers["webhook-signature"] == standard(r, key)


def test_only_wanted_events_of_the_owner(post, receiver):
    post.hook(receiver.url("/done"))
    post.hook(receiver.url("/both"), events=["begun", "done"])
    post.hook(receiver.url("/other"), owner="team:2")
    assert post.send(event="begun") == 1 and post.send() == 2
    receiver.wait("/done")
    receiver.wait("/both", 2)
    assert not receiver.of("/other")


def test_a_rolled_back_event_is_never_sent(post, receiver):
    hook = post.hook(receiver.url())
    assert post.client.post("/post/events", {"fail": True, "data": {"n": "lost"}}).status == 409
    post.send(data={"n": "kept"})
    assert b"kept" in receiver.wait("/")[0].body
    assert len(post.log(hook)) == 1 and len(receiver.of("/")) == 1


def test_in_order_while_all_is_well(post, receiver):
    post.hook(receiver.url())
    for n in range(5):
        post.send(data={"n": n})
        receiver.wait("/", n + 1)
    assert [r.body.partition(b'"n":')[2][:1] for r in receiver.of("/")] == [b"0", b"1", b"2", b"3", b"4"]


# ---- trying again ----------------------------------------------------------------------------------------------------

def test_the_same_again_after_a_failure(post, receiver):
    receiver.answers["/"] = [answer(500, body=b"sorry"), 200]
    hook = post.hook(receiver.url())
    post.send()
    entry = post.attempted(hook, 1)
    assert entry["status"] == "pending" and entry["response_status"] == 500 and entry["response_excerpt"] == "sorry"
    assert 4 <= entry["next_at"] - post.now() <= 7
    post.advance(7)
    first, second = receiver.wait("/", 2)
    assert first.id == second.id and first.body == second.body
    assert first.headers["x-post-signature"] == second.headers["x-post-signature"]
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    entry = post.settled(hook)[0]
    assert entry["status"] == "succeeded" and entry["attempts"] == 2 and entry["response_status"] == 200


def test_the_whole_schedule(post, receiver):
    """Each attempt comes when its delay has passed, at most a fifth later and never before; after the last it is over."""
    receiver.answers["/"] = [503]
    hook, other = post.hook(receiver.url()), post.hook(receiver.url("/other"), events=["begun"])
    post.send()
    for n, delay in enumerate(SCHEDULE[1:], 1):
        entry = post.attempted(hook, n)
        wait = entry["next_at"] - post.now()
        assert delay - 3 <= wait <= delay * 1.2 + 2, "attempt %d after %d s" % (n + 1, wait)
        post.go_to(entry["next_at"] - 2 if delay > 5 else post.now())
        post.send(event="begun")
        receiver.wait("/other", n)
        assert len(receiver.of("/")) == n, "too early"
        post.go_to(entry["next_at"] + 1)
        receiver.wait("/", n + 1)
    entry = post.settled(hook)[0]
    assert entry["status"] == "failed" and entry["attempts"] == len(SCHEDULE) == len(receiver.of("/"))
    assert len({(r.id, r.body) for r in receiver.of("/")}) == 1
    assert other["id"] != hook["id"]


def test_a_schedule_of_ones_own(start, receiver):
    own = start(PERIGEE_WEBHOOK_SCHEDULE="0, 60")
    receiver.answers["/"] = [500]
    hook = own.hook(receiver.url())
    own.send()
    own.attempted(hook, 1)
    own.advance(75)
    assert own.settled(hook)[0]["attempts"] == 2


@pytest.mark.parametrize("value, least, most", [
    ("60", 58, 62), ("1", 4, 7), ("99999999", 86398, 86402), ("soon", 4, 7), ("-5", 4, 7), ("Tue, 32 Foo", 4, 7)])
def test_retry_after(post, receiver, value, least, most):
    """Not earlier than the receiver asks for, at most a day later; nonsense is ignored."""
    receiver.answers["/"] = [answer(503, {"Retry-After": value}), 200]
    hook = post.hook(receiver.url())
    post.send()
    entry = post.attempted(hook, 1)
    assert least <= entry["next_at"] - post.now() <= most
    post.go_to(entry["next_at"] + 1)
    receiver.wait("/", 2)


def test_retry_after_as_a_date(post, receiver):
    receiver.answers["/"] = [answer(429, {"Retry-After": email.utils.formatdate(post.now() + 600, usegmt=True)}), 200]
    hook = post.hook(receiver.url())
    post.send()
    assert 595 <= post.attempted(hook, 1)["next_at"] - post.now() <= 605


def test_a_retry_does_not_hold_up_later_events(post, receiver):
    receiver.answers["/"] = [500, 200]
    hook = post.hook(receiver.url())
    post.send(data={"n": 1})
    post.attempted(hook, 1)
    post.send(data={"n": 2})
    assert b'"n":2' in receiver.wait("/", 2)[1].body
    assert [e["status"] for e in post.settled(hook)] == ["succeeded", "pending"]


# ---- receivers that go wrong -----------------------------------------------------------------------------------------

def test_redirects_are_not_followed(post, receiver):
    receiver.answers["/"] = [answer(302, {"Location": receiver.url("/elsewhere")})]
    hook = post.hook(receiver.url())
    post.send()
    entry = post.attempted(hook, 1)
    assert entry["status"] == "pending" and entry["response_status"] == 302 and not receiver.of("/elsewhere")


def test_gone_disables_and_tells_the_owner(post, receiver):
    receiver.answers["/"] = [410]
    hook = post.hook(receiver.url())
    post.send(count=3)
    post.settled(hook, 3)
    now = post.client.get("/post/hooks").expect(200)[0]
    assert now["active"] is False and "410" in now["disabled_why"] and now["disabled_at"] >= now["created_at"]
    assert post.send() == 0
    assert post.client.post("/post/hooks/%d/test" % hook["id"]).status == 409
    assert mail_about(post, hook)["text"] == now["disabled_why"]


def mail_about(post, hook):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = [m for m in post.client.get("/post/mail").expect(200) if m["subject"] == "Webhook %d is off" % hook["id"]]
        if found:
            assert len(found) == 1 and found[0]["to"] == "owner@example.com" and found[0]["status"] == "mailbox"
            return found[0]
        time.sleep(PAUSE)
    raise AssertionError("no mail")


def test_failing_for_five_days_disables(post, receiver):
    """At the first failure five days after the first one without a success between."""
    receiver.answers["/"] = [500, 200, 500]
    hook = post.hook(receiver.url(), events=["begun"])

    def fail():
        post.send(event="begun")
        return post.attempted(hook, 1)
    fail()
    post.advance(4 * 86400)
    receiver.wait("/", 2)
    post.settled(hook)
    for days in (0, 3, 1):
        post.advance(days * 86400)
        fail()
        assert post.client.get("/post/hooks").expect(200)[0]["active"] is True
    post.advance(86400)
    post.send(event="begun")    # or a repetition of the earlier ones, which are due by now: whichever fails first
    post.settled(hook)
    now = post.client.get("/post/hooks").expect(200)[0]
    assert now["active"] is False and now["disabled_at"] - now["failing_since"] >= 5 * 86400
    mail_about(post, hook)


@pytest.fixture(scope="module")
def hasty(start):
    return start(PERIGEE_WEBHOOK_TIMEOUT="2")


@pytest.mark.parametrize("name, behaviour, status, error", [
    ("hang", hang, None, "no answer in time"),
    ("head", drip(b"HTTP/1.1 200 X\r\n" + b"X-A: y\r\n" * 1000), None, "no answer in time"),
    ("body", drip(b"HTTP/1.1 500 X\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000), None, "no answer in time"),
    ("header", endless_header, None, "header is too long"),
    ("garbage", garbage, None, None),
    ("closed", close_at_once, None, "closed"),
])
def test_a_bad_receiver(hasty, receiver, name, behaviour, status, error):
    receiver.answers["/" + name] = [behaviour]
    hook = hasty.hook(receiver.url("/" + name), owner="team:1", events=["begun"])
    hasty.client.post("/post/hooks/%d/test" % hook["id"]).expect(202)
    entry = hasty.attempted(hook, 1)
    assert entry["status"] == "pending" and entry.get("response_status") == status and entry["error"]
    if error:
        assert error in entry["error"]
    hasty.client.delete("/post/hooks/%d" % hook["id"]).expect(200)


def test_an_endless_answer(post, receiver):
    """The status counts; of the body a kilobyte is kept and not much more is read."""
    receiver.answers["/"] = [endless_body]
    hook = post.hook(receiver.url())
    post.send()
    entry = post.settled(hook)[0]
    assert entry["status"] == "succeeded" and entry["response_excerpt"] == "x" * 1024
    assert receiver.sent < 20_000_000, "what fits into the kernel's buffers"


def test_an_answer_that_is_no_text(post, receiver):
    receiver.answers["/"] = [answer(200, body=b"a\x00b\xff\xfe" + "ä".encode() * 600)]
    hook = post.hook(receiver.url())
    post.send()
    excerpt = post.settled(hook)[0]["response_excerpt"]
    assert excerpt.startswith("a?b??ää") and excerpt.endswith("ä") and 1000 < len(excerpt.encode()) <= 1024


def test_hanging_receivers_do_not_delay_others(start, receiver):
    """A hundred receivers that take requests and never answer; another gets its events meanwhile, and again after."""
    own = start()
    dead = Receiver()
    dead.answers = {"/%d" % n: [hang] for n in range(100)}
    fast = own.hook(receiver.url("/fast"))
    for n in range(100):
        own.hook(dead.url("/%d" % n), owner="team:2")
    own.send(owner="team:2", count=5)
    dead.wait_open(100)
    for n in range(1, 4):
        own.send(count=20)
        receiver.wait("/fast", n * 20)
        assert dead.open >= 100, "and they still hang"
    assert len(own.settled(fast, 20)) >= 20
    dead.close()


NAME_SERVER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

/* A name server that does not answer for names with "tarpit" in them. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
    if (name && strstr(name, "tarpit"))
        for (;;)
            pause();
    return real(name, service, hints, list);
}
"""


def test_silent_name_servers_do_not_delay_others(start, receiver, tmp_path):
    """Transfers that are given up while their name is still being looked up: nobody waits for that to end."""
    (tmp_path / "name.c").write_text(NAME_SERVER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "name.so", tmp_path / "name.c", "-ldl"], check=True)
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    own = start(LD_PRELOAD=str(tmp_path / "name.so"), PERIGEE_WEBHOOK_TIMEOUT="1", ASAN_OPTIONS=asan)
    lost = [own.hook("http://tarpit%d.example/" % n, events=["begun"]) for n in range(10)]
    fast = own.hook(receiver.url())
    own.send(event="begun")
    for hook in lost:
        assert "in time" in own.attempted(hook, 1)["error"]
    own.send()
    receiver.wait("/")
    own.settled(fast)


def test_at_most_four_at_a_time(post, receiver):
    """To one endpoint, also when much waits."""
    receiver.answers["/"] = [200, hang]
    post.hook(receiver.url())
    post.send()
    receiver.wait("/")
    post.send(count=20)
    receiver.wait_open(4)
    other = Receiver()
    post.hook(other.url(), events=["begun"])
    post.send(event="begun")
    other.wait("/")
    assert receiver.open == 4 and len(receiver.of("/")) == 5
    other.close()


# ---- addresses -------------------------------------------------------------------------------------------------------

def test_private_addresses_are_refused(start, receiver):
    """By address and by name, at connect time; nothing arrives and the log does not say what was found."""
    own = start(PERIGEE_OUTBOUND_ALLOW="")
    urls = [receiver.url(), receiver.url(host="localhost"), receiver.url(host="2130706433"), receiver.url(host="0x7f.1"),
            receiver.url(host="0"), receiver.url(host="[::ffff:127.0.0.1]"), "http://10.0.0.1/", "http://169.254.169.254/",
            "http://[::1]:%d/" % receiver.port, "http://[fd00:ec2::254]/"]
    hooks = [own.hook(u) for u in urls]
    own.send()
    for hook in hooks:
        entry = own.attempted(hook, 1)
        assert entry["status"] == "pending" and "response_status" not in entry
        assert "not allowed" in entry["error"], (hook["url"], entry)
        assert "127.0" not in entry["error"] and "::1" not in entry["error"]
    assert receiver.connections == 0


def test_allowed_networks(post):
    """127.0.0.1/32 and ::1 are allowed here, 127.0.0.2 is not."""
    near, six, far = Receiver(), Receiver("::1"), Receiver("127.0.0.2")
    post.hook(near.url(host="localhost"))
    post.hook(six.url(host="[::1]"))
    hook = post.hook(far.url(host="127.0.0.2"))
    post.send()
    near.wait("/")
    six.wait("/")
    assert "not allowed" in post.attempted(hook, 1)["error"] and far.connections == 0
    for r in near, six, far:
        r.close()


def test_a_redirect_to_a_private_address(post, receiver):
    far = Receiver("127.0.0.2")
    receiver.answers["/"] = [answer(307, {"Location": far.url(host="127.0.0.2")})]
    hook = post.hook(receiver.url())
    post.send()
    assert post.attempted(hook, 1)["response_status"] == 307 and far.connections == 0
    far.close()


def test_proxies_of_the_environment_are_ignored(start, receiver):
    proxy = Receiver()
    own = start(**{n: proxy.url() for n in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy", "https_proxy")})
    own.hook(receiver.url())
    own.send()
    receiver.wait("/")
    assert proxy.connections == 0
    proxy.close()


def test_certificates_are_checked(start, tmp_path):
    context, file = make_certificate(tmp_path)
    secure = Receiver(tls=context)
    url = secure.url(host="localhost").replace("http:", "https:")
    own = start()
    hook = own.hook(url)
    own.send()
    assert "not trusted" in own.attempted(hook, 1)["error"] and not secure.received
    own = start(SSL_CERT_FILE=str(file))
    own.hook(url)
    own.send()
    secure.wait("/")
    secure.close()


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "example.com/x", "http://", "gopher://x/",
                                 "http://user:password@example.com/", "http://exa mple.com/", "javascript:alert(1)",
                                 "http:///example.com/", "https:////example.com"])
def test_addresses_that_are_none(post, url):
    assert post.client.post("/post/hooks", {"url": url}).status == 400


def test_open_networks_are_named_at_the_start(post):
    post.server.log.wait_for("127.0.0.1/32, ::1")


# ---- the owner's side ------------------------------------------------------------------------------------------------

def test_a_test_event(post, receiver):
    hook = post.hook(receiver.url(), events=["begun"])
    i = post.client.post("/post/hooks/%d/test" % hook["id"]).expect(202)["id"]
    r = receiver.wait("/")[0]
    assert r.id == i and r.headers["x-post-event"] == "webhook.test" and b'"event":"webhook.test"' in r.body
    assert post.settled(hook)[0]["event"] == "webhook.test"


def test_redelivery(post, receiver):
    """Same id and bytes, whatever became of the first."""
    hook = post.hook(receiver.url())
    post.send()
    first = receiver.wait("/")[0]
    post.settled(hook)
    for n in (2, 3):
        post.client.post("/post/hooks/%d/again/%s" % (hook["id"], first.id)).expect(202)
        again = receiver.wait("/", n)[-1]
        assert again.id == first.id and again.body == first.body
        assert post.attempted(hook, n)["attempts"] == n
        post.settled(hook)
    assert len(post.log(hook)) == 1
    assert post.client.post("/post/hooks/%d/again/dlv_nothing" % hook["id"]).status == 404
    assert post.client.post("/post/hooks/%d/again/%s" % (hook["id"] + 1, first.id)).status == 404


def test_a_deleted_hook_gets_nothing_more(post, receiver):
    receiver.answers["/"] = [500, 200]
    hook = post.hook(receiver.url())
    post.send()
    post.attempted(hook, 1)
    assert post.client.delete("/post/hooks/%d" % hook["id"]).expect(200) == {"deleted": True}
    post.advance(7)
    post.hook(receiver.url("/new"))
    post.send()
    receiver.wait("/new")
    assert len(receiver.of("/")) == 1


def test_the_log_forgets_after_a_month(start, receiver):
    own = start()
    hook = own.hook(receiver.url())
    own.send(count=300)
    own.settled(hook, 50)
    receiver.wait("/", 300)
    own.advance(29 * 86400)
    own.send()
    own.settled(hook)
    assert own.client.get("/post/hooks/%d/log" % hook["id"]).json()["count"] == 301
    own.advance(2 * 86400)
    end = time.monotonic() + 30
    while (count := own.client.get("/post/hooks/%d/log" % hook["id"]).json()["count"]) != 1:
        assert time.monotonic() < end, "%d are left" % count
        own.advance(1)


def test_metrics(start, receiver):
    own = start()
    receiver.answers["/"] = [500, 200]
    hook = own.hook(receiver.url())
    own.send()
    own.attempted(hook, 1)
    m = own.metrics()
    of = '{app="post",kind="webhook"%s}'
    assert m["perigee_outbox_attempts_total" + of % ',outcome="failed"'] == 1
    assert m["perigee_outbox_pending" + of % ""] == 1 and m["perigee_outbox_late_seconds" + of % ""] == 0
    own.advance(7)
    own.settled(hook)
    m = own.metrics()
    assert m["perigee_outbox_deliveries_total" + of % ',outcome="succeeded"'] == 1
    assert m["perigee_outbox_pending" + of % ""] == 0 and m['perigee_webhooks_disabled_total{app="post"}'] == 0


def test_settings_that_make_no_sense(start_server):
    for name, value, word in (("OUTBOUND_ALLOW", "10.0.0.0/33", "outbound-allow"), ("WEBHOOK_SCHEDULE", "0,x", "webhook-schedule"),
                              ("SMTP_URL", "http://x", "smtp-url"), ("SMTP_URL", "smtp://localhost", "mail-from")):
        s = start_server(wait=False, scripts=APPS, env={"PERIGEE_APPS": "post", "PERIGEE_" + name: value}).spawn()
        assert s.ended() != 0
        assert word in s.log.text()


def test_many_owners_at_once(post, receiver):
    """Events of parallel requests all arrive, once."""
    post.hook(receiver.url())
    clients = [post.connect() for _ in range(8)]

    def send(c, k):
        for n in range(25):
            c.post("/post/events", {"data": {"n": "%d-%d" % (k, n)}}).expect(200)
    together(*(lambda c=c, k=k: send(c, k) for k, c in enumerate(clients)))
    received = receiver.wait("/", 200)
    assert len({r.body for r in received}) == 200 == len(received) and len({r.id for r in received}) == 200
    for c in clients:
        c.close()
