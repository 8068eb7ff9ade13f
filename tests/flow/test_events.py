"""The socket of section 12 (FF-52 to FF-55): who hears what, when a socket ends, and coming back without a gap."""
import pytest

from support.organizations import Organization
from support.people import User
from support.sockets import TEXT, Socket, frame

PATH = "/ws/pomodoro/"
SERVER = {"args": ["--workers", "2"]}


@pytest.fixture
def acme(server):
    return Organization(server)


@pytest.fixture
def hear():
    """hear(user, …) -> the user's open, authenticated socket."""
    mine = []

    def make(user, message=None, path=PATH):
        s = Socket(user.server.port, path)
        mine.append(s)
        if message is not None or path == PATH:
            s.send(message or {"token": user.access})
        joined(user, s)
        return s

    yield make
    for s in mine:
        s.sock.close()


def joined(user, s):
    """Waits until the socket hears its user's events: messages are handled in order, and this one is answered."""
    s.send({"resume": {"room": "user:%d" % user.id, "after": 1}})
    assert s.json()["type"] == "resync"


def probe(user, s):
    """What the socket has heard until now: the last is an event of its user that nobody else cares for."""
    t = user.task(organization=None, title="probe")
    user.complete(t)
    seen = []
    while not seen or seen[-1]["type"] != "task_completed" or seen[-1]["data"]["task_id"] != t["id"]:
        seen.append(s.json())
    return seen[:-1]


def heard(user, s):
    """What the socket has heard until now, as types."""
    return [(e["type"], e["data"]) for e in probe(user, s)]


def types(user, s):
    return [t for t, _ in heard(user, s)]


# -- authenticating

def test_a_good_token_is_acknowledged_by_nothing(user, hear):
    u = user()
    s = hear(u)
    u.start(u.task())
    assert s.json()["type"] == "task_started"


def test_the_token_in_the_address(user, hear):
    u = user()
    s = hear(u, path=PATH + "?token=" + u.access)
    u.start(u.task())
    assert types(u, s) == ["task_started"]


@pytest.mark.parametrize("path", ["/ws/pomodoro", PATH])
def test_with_and_without_slash(user, path):
    s = Socket(user().server.port, path)
    assert s.status == 101
    s.sock.close()


@pytest.mark.parametrize("message", [{"token": "x.y.z"}, {"token": ""}, {"token": 7}, {"token": None}, {}, [], "text", 7, None, True,
                                     {"resume": {"room": "user:1", "after": 0}}])
def test_anything_but_a_token(server, message):
    s = Socket(server.port, PATH)
    s.send(message)
    refused(s)


def refused(s):
    e = s.json()
    assert e["type"] == "error" and e["data"]["code"] == "AUTHENTICATION_FAILED" and e["data"]["message"]
    assert s.close_code() == 4401


def test_no_json(server):
    s = Socket(server.port, PATH)
    s.send_raw(frame(b"{nonsense"))
    refused(s)


def test_a_bad_token_in_the_address(server):
    refused(Socket(server.port, PATH + "?token=x.y.z"))


def test_a_refresh_token_and_an_expired_one(server, user):
    u = user()
    s = Socket(server.port, PATH)
    s.send({"token": u.refresh})
    refused(s)
    old = u.access
    server.advance(2 * 3600)
    s = Socket(server.port, PATH)
    s.send({"token": old})
    refused(s)


def test_ten_seconds_for_a_token(server, user):
    s = Socket(server.port, PATH)
    server.advance(11)
    refused(s)


def test_api_keys_are_good(user, hear):
    u = user()
    key = u.post("/auth/api-keys/", {"name": "k"}).expect(201)
    s = hear(u, {"token": key["key"]})
    u.delete("/auth/api-keys/%d/" % key["id"]).expect(204)
    assert s.close_code() == 4401


def test_a_plain_get_is_told_to_upgrade(server):
    r = server.client.get(PATH)
    assert r.status == 426 and r.json()["error"]["code"], str(r)


def test_logging_out_closes_the_sockets_of_that_log_in_only(user, hear):
    u = user()
    other = User.__new__(User)
    other.__dict__.update(u.__dict__)
    other.login()
    mine, theirs = hear(u), hear(u, {"token": other.access})
    u.post("/auth/logout/", {"refresh": u.refresh}).expect(205)
    assert mine.close_code() == 4401
    u.access, u.refresh, u.expires, u.refresh_expires = other.access, other.refresh, other.expires, other.refresh_expires
    t = u.task()
    u.start(t)
    assert types(u, theirs) == ["task_started"]


# -- who hears what

def test_a_users_own_events(server, user, hear):
    u = user()
    s, second = hear(u), hear(u)
    t = u.task(title="Write blog post")
    started = u.start(t)
    server.advance(900)
    paused = u.pause(t)
    server.advance(300)
    resumed = u.resume(t)
    server.advance(600)
    u.rest()
    done = u.complete(t)
    for socket in (s, second):
        got = [x for x in heard(u, socket) if x[1].get("title") != "probe"]
        assert [x[0] for x in got] == ["task_started", "task_paused", "task_resumed", "pomodoro_completed", "break_started",
                                       "task_completed"]
        data = dict(got)
        assert data["task_started"]["started_at"] == started["pomodoro_session"]["started_at"]
        assert data["task_started"]["task"] == {"id": t["id"], "title": "Write blog post"}, "FF-63"
        elapsed, remaining = paused["active_session"]["paused_duration"], resumed["active_session"]["remaining_seconds"]
        assert elapsed >= 900 and elapsed + remaining == 1500
        assert (data["task_paused"]["elapsed_seconds"], data["task_paused"]["paused_at"]) == (elapsed, paused["paused_at"])
        assert (data["task_resumed"]["remaining_seconds"], data["task_resumed"]["resumed_at"]) == (remaining, resumed["resumed_at"])
        assert data["pomodoro_completed"]["play_sound"] is True
        assert data["task_completed"]["total_focus_seconds"] == done["total_focus_seconds"] == 1500


def test_others_hear_nothing(user, hear):
    a, b = user(), user()
    s = hear(a)
    b.start(b.task())
    assert types(a, s) == []


def test_managers_hear_of_their_employees(server, acme, hear):
    jane, manager, bob = acme.member(first_name="Jane"), acme.member("manager"), acme.member()
    boss, chief, colleague, own = hear(acme.owner), hear(manager), hear(bob), hear(jane)
    p = acme.owner.project(name="Client Project A")
    t = jane.task(title="Code review", project=p["id"])
    jane.start(t)
    done = jane.complete(t)
    for who, s in ((acme.owner, boss), (manager, chief)):
        (first, a), (second, b) = [x for x in heard(who, s) if x[0].startswith("employee")]
        assert (first, second) == ("employee_task_started", "employee_task_completed")
        assert a["user"] == {"id": jane.id, "username": jane.username, "first_name": "Jane"}
        assert a["task"] == {"id": t["id"], "title": "Code review", "project": "Client Project A"}
        assert (b["completed_at"], b["total_focus_seconds"]) == (done["ended_at"], done["total_focus_seconds"])
    assert types(bob, colleague) == []
    assert [x for x in types(jane, own) if x.startswith("employee")] == []


def test_not_of_themselves_nor_of_personal_work(acme, hear):
    jane = acme.member()
    boss = hear(acme.owner)
    t = acme.owner.task()
    acme.owner.start(t)
    acme.owner.complete(t)
    x = jane.task(organization=None)
    jane.start(x)
    assert [k for k in types(acme.owner, boss) if k.startswith("employee")] == []


def test_a_manager_is_reported_to_the_others(acme, hear):
    manager = acme.member("manager")
    boss, own = hear(acme.owner), hear(manager)
    manager.start(manager.task())
    assert types(acme.owner, boss) == ["employee_task_started"] and types(manager, own) == ["task_started"]


def test_the_assignee_is_told(acme, hear):
    jane = acme.member()
    s = hear(jane)
    t = acme.owner.task(title="Implement feature X")
    r = acme.assign(acme.owner, t, jane, priority="high").expect(200)
    ((kind, data),) = heard(jane, s)
    assert kind == "task_assigned" and data["task"] == {"id": t["id"], "title": "Implement feature X", "priority": "high"}
    assert data["assigned_by"] == r["assigned_by"] and data["assigned_at"] == r["assigned_at"]


def test_what_fails_is_not_told(user, hear):
    u = user()
    s = hear(u)
    t = u.task()
    u.start(t)
    u.post("/tasks/%d/start/" % t["id"]).error(409, "CONFLICT")
    assert types(u, s) == ["task_started"]


def test_further_messages_are_ignored(user, hear):
    u = user()
    s = hear(u)
    for m in ({"subscribe": "everything"}, [], "x", 7, {"token": "x.y.z"}, {"resume": 7}, {"resume": [7, {"room": 1}]},
              {"resume": {"room": "managers:1", "after": 0}}, {"resume": {"room": "user:1", "after": -1}}):
        s.send(m)
    assert types(u, s) == []


# -- leaving

def test_who_is_removed_hears_no_more_at_once(acme, hear):
    jane, manager = acme.member(), acme.member("manager")
    s = hear(manager)
    t = jane.task()
    jane.start(t)
    assert types(manager, s) == ["employee_task_started"]
    acme.remove(manager)
    jane.complete(t)
    assert types(manager, s) == [], "the socket stays open for the user's own events"
    s.send({"resume": {"room": "managers:%d" % acme.id, "after": 0}})
    assert types(manager, s) == []


def test_who_is_demoted_hears_no_more(acme, hear):
    jane, manager = acme.member(), acme.member("manager")
    s = hear(manager)
    acme.change(manager, "employee").expect(200)
    jane.start(jane.task())
    assert types(manager, s) == []


def test_who_is_promoted_connects_again(acme, hear):
    jane, bob = acme.member(), acme.member()
    s = hear(bob)
    acme.change(bob, "manager").expect(200)
    assert s.close_code() == 1012
    s = hear(bob)
    jane.start(jane.task())
    assert types(bob, s) == ["employee_task_started"]


def test_the_51st_connection_of_an_organization(server, acme, hear):
    jane = acme.member()
    crowd = [hear(jane if n % 2 else acme.owner) for n in range(50)]
    for who in (jane, acme.owner):
        s = Socket(server.port, PATH)
        s.send({"token": who.access})
        assert s.close_code(skip=True) == 4429
    hear(User(server))
    assert crowd.pop().close() == 1000
    for _ in range(200):        # until the server has noticed
        s = Socket(server.port, PATH)
        s.send({"token": jane.access})
        s.send({"resume": {"room": "user:%d" % jane.id, "after": 1}})
        opcode, _ = s.frame()
        s.sock.close()
        if opcode == TEXT:
            return
    raise AssertionError("the place of a closed connection is not free again")


# -- coming back

def test_resuming_without_a_gap(user, hear):
    u = user()
    s = hear(u)
    t = u.task()
    u.start(t)
    last = s.json()
    assert last["type"] == "task_started" and last["room"] == "user:%d" % u.id
    s.close()
    u.pause(t)
    u.resume(t)
    again = Socket(u.server.port, PATH)
    again.send({"token": u.access, "resume": {"room": last["room"], "after": last["seq"]}})
    got = [again.json(), again.json()]
    assert [e["type"] for e in got] == ["task_paused", "task_resumed"]
    assert [e["seq"] for e in got] == [last["seq"] + 1, last["seq"] + 2]
    u.complete(t)
    assert again.json()["type"] == "task_completed"
    again.sock.close()


def test_managers_resume_after_a_restart(start_server):
    server = start_server()
    acme = Organization(server)
    jane = acme.member()
    s = Socket(server.port, PATH)
    s.send({"token": acme.owner.access})
    joined(acme.owner, s)
    t = jane.task(title="before")
    jane.start(t)
    seen = s.json()
    assert seen["type"] == "employee_task_started"
    server.kill()
    server.start()
    jane.complete(t)
    s = Socket(server.port, PATH)
    s.send({"token": acme.owner.access, "resume": [{"room": "managers:%d" % acme.id, "after": seen["seq"]}]})
    missed = s.json()
    assert (missed["type"], missed["data"]["task"]["title"]) == ("employee_task_completed", "before")
    assert missed["seq"] == seen["seq"] + 1
    s.sock.close()


def test_too_long_ago(user, hear):
    u = user()
    s = hear(u)
    s.send({"resume": {"room": "user:%d" % u.id, "after": 1}})
    e = s.json()
    assert (e["type"], e["room"]) == ("resync", "user:%d" % u.id)
