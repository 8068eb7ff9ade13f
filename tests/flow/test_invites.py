"""Invites (8.2, 8.3, FF-43, FF-44)."""
import sqlite3

import pytest

from support.days import seconds
from support.organizations import Organization, accept
from support.people import User, unique
from support.threads import together

WEEK = 7 * 86400


@pytest.fixture(scope="module")
def acme(server):
    return Organization(server)


@pytest.fixture
def invited(acme, user):
    """A user, and the token of an invite for them."""
    u = user()
    return u, acme.invite(acme.owner, u.email).expect(201)["invite_token"]


def test_an_invite(server, acme, user):
    u = user()
    v = acme.invite(acme.owner, u.email.upper(), message="Welcome to the team!").expect(201)
    assert v["email"] == u.email.upper() and v["role"] == "employee"
    assert v["invite_url"] == "https://focusflow.com/invite/" + v["invite_token"]
    assert seconds(v["expires_at"]) - seconds(v["created_at"]) == WEEK
    joined = accept(u, v["invite_token"]).expect(200)
    assert joined == {"message": "Successfully joined Acme Startup", "membership": {"role": "employee"},
                      "organization": {"id": acme.id, "name": "Acme Startup", "slug": acme.slug}}
    assert acme.members()[u.id]["role"] == "employee"


def test_the_token_is_not_to_be_kept_by_caches(acme, user):
    r = acme.invite(acme.owner, user().email)
    assert "no-store" in r.header("cache-control") and r.status == 201


def mailbox(server, address):
    """The mail for an address that is kept in development, oldest first: (subject, text)."""
    db = sqlite3.connect("file:%s?mode=ro" % (server.data / "focusflow.db"), uri=True)
    rows = db.execute("""SELECT m.subject, m.text FROM perigee_mail m JOIN perigee_outbox o ON o.seq = m.seq
        WHERE m.recipient = ? AND o.status = 'mailbox' ORDER BY m.seq""", [address]).fetchall()
    db.close()
    return rows


def test_the_mail(server, acme, user):
    u = user()
    v = acme.invite(acme.owner, u.email, "manager", message="Welcome to the team!\nSee you.").expect(201)
    ((subject, text),) = mailbox(server, u.email)
    assert subject == "Join Acme Startup on FocusFlow"
    assert v["invite_url"] in text and v["expires_at"][:10] in text and acme.owner.username in text
    assert "    Welcome to the team!\n    See you.\n" in text and "as a manager" in text


def test_names_make_no_header_of_their_own(server, user):
    tricky = Organization(server, name="Acme\nBcc: all@example.com")
    u = user()
    tricky.invite(tricky.owner, u.email).expect(201)
    ((subject, _),) = mailbox(server, u.email)
    assert "\n" not in subject


def test_refused_invites_send_no_mail(server, acme, user):
    jane = acme.member()
    before = len(mailbox(server, jane.email))
    acme.invite(acme.owner, jane.email).error(409, "CONFLICT")
    assert len(mailbox(server, jane.email)) == before


def test_who_may_invite_whom(acme):
    manager, employee = acme.member("manager"), acme.member()

    def status(by, role):
        return acme.invite(by, unique() + "@example.com", role).status
    assert [status(acme.owner, r) for r in ("employee", "manager", "admin")] == [201, 201, 201]
    assert [status(manager, r) for r in ("employee", "manager", "admin")] == [201, 201, 403]
    assert [status(employee, r) for r in ("employee", "manager", "admin")] == [403, 403, 403]


@pytest.mark.parametrize("body,field", [({}, "email"), ({"email": "nobody"}, "email"), ({"email": None}, "email"),
                                        ({"email": "a@example.com", "role": "boss"}, "role"),
                                        ({"email": "a@example.com", "message": "x" * 1001}, "message")])
def test_bad_invites(acme, body, field):
    acme.ask(acme.owner, "POST", "/invites/", json=body).error(400, "VALIDATION_ERROR", field)


def test_members_are_not_invited(acme):
    jane = acme.member()
    acme.invite(acme.owner, jane.email.title()).error(409, "CONFLICT")
    acme.remove(jane)
    acme.invite(acme.owner, jane.email).expect(201)


def test_a_forwarded_token_is_of_no_use(server, acme, invited, user):
    u, token = invited
    accept(user(), token).error(403, "PERMISSION_DENIED")
    accept(u, token).expect(200)
    accept(user(), token).error(403, "PERMISSION_DENIED")


def test_a_token_works_once(acme, invited):
    u, token = invited
    accept(u, token).expect(200)
    accept(u, token).error(409, "CONFLICT")
    acme.remove(u)
    accept(u, token).error(409, "CONFLICT")
    assert u.id not in acme.members()


def test_a_newer_invite_replaces_the_pending_one(acme, invited):
    u, token = invited
    newer = acme.invite(acme.owner, u.email.upper(), "manager").expect(201)["invite_token"]
    accept(u, token).error(409, "CONFLICT")
    assert accept(u, newer).expect(200)["membership"] == {"role": "manager"}


def test_unknown_and_bad_tokens(user, invited):
    u, token = invited
    for wrong in ("x", token[:-1], token + "a", token.swapcase(), "a7b8c9d0e1f2"):
        accept(u, wrong).error(404, "NOT_FOUND")
    for bad in (None, "", 7, "x" * 201):
        accept(u, bad).error(400, "VALIDATION_ERROR", "token")


def test_expiry(server, acme, user):
    late, last = user(), user()
    tokens = [acme.invite(acme.owner, u.email).expect(201)["invite_token"] for u in (late, last)]
    server.advance(WEEK - 60)
    accept(last, tokens[1]).expect(200)
    server.advance(120)
    accept(late, tokens[0]).error(400, "VALIDATION_ERROR", "token")
    again = acme.invite(acme.owner, late.email).expect(201)["invite_token"]
    accept(late, again).expect(200)


def test_a_member_by_another_invite(server, acme, user):
    """An invite stays pending when its user has become a member in another way."""
    u = user()
    acme.join(u)
    acme.remove(u)
    token = acme.invite(acme.owner, u.email).expect(201)["invite_token"]
    accept(u, token).expect(200)
    other = Organization(server, u)
    other.invite(u, u.email).error(409, "CONFLICT")


def test_two_accepts_at_once(acme, invited):
    u, token = invited
    twins = [u.another() for _ in range(4)]
    assert sorted(together(*[lambda t=t: accept(t, token).status for t in twins])) == [200, 409, 409, 409]
    assert acme.members()[u.id]["role"] == "employee"


def test_two_invites_at_once(acme, user):
    u = user()
    twins = [acme.owner.another() for _ in range(4)]
    made = together(*[lambda t=t: acme.invite(t, u.email).expect(201)["invite_token"] for t in twins])
    assert len(set(made)) == 4
    assert sorted(accept(u, t).status for t in made) == [200, 409, 409, 409], "one of them is the pending one"


def test_accepting_needs_a_user(server, invited):
    u, token = invited
    u.c.post("/api/v2/invites/accept/", {"token": token}, token=None).error(401, "AUTHENTICATION_FAILED")


def test_accepting_a_lost_answer_again(acme, invited):
    """X-13: a client that lost the answer repeats the request with its key."""
    u, token = invited
    key = {"Idempotency-Key": "accept-" + unique()}
    first = u.request("POST", "/invites/accept/", base="/api/v2", json={"token": token}, headers=key)
    again = u.request("POST", "/invites/accept/", base="/api/v2", json={"token": token}, headers=key)
    assert first.status == again.status == 200 and first.body == again.body
    assert again.header("idempotent-replayed") == "true"
