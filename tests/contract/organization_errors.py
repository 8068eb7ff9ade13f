"""How each documented error of V2 is brought about: provoke(endpoint, error, user, tokens) yields answers and fields."""
from catalogue import EVERY
from examples import Ask, example
from scenes_organizations import organization
from support.client import NOTHING
from support.organizations import Organization, accept
from support.people import User, unique

MISSING = 99999999
BAD = {      # endpoint -> what is wrong, and the fields that must be named
    "focusflow.orgs.create": (Ask(json={}), "name"),
    "focusflow.orgs.update": (Ask(json={"default_pomodoro_duration": 0}), "default_pomodoro_duration"),
    "focusflow.members.list": (Ask(query={"role": "boss"}), "role"),
    "focusflow.invites.create": (Ask(json={}), "email"),
    "focusflow.invites.accept": (Ask(json={}), "token"),
    "focusflow.members.update": (Ask(json={"role": "boss"}), "role"),
    "focusflow.org-tasks.list": (Ask(query={"status": "nonsense"}), "status"),
    "focusflow.org-tasks.assign": (Ask(json={}), "task_id", "assigned_to"),
    "focusflow.org-projects.list": (Ask(query={"page": "0"}), "page"),
    "focusflow.webhooks.create": (Ask(json={}), "url", "events", "secret"),
    "focusflow.webhooks.list": (Ask(query={"page": "x"}), "page"),
    "focusflow.dashboard.activity": (Ask(query={"limit": "0"}), "limit"),
}
WEEK = 7 * 86400


def params(endpoint, u):
    """Path parameters that are right for the user's organization."""
    acme = organization(u)
    out = {}
    for p in endpoint["path_params"]:
        out[p["name"]] = acme.slug if p["name"] == "slug" else acme.member().id if p["name"] == "user_id" else MISSING
    return out


def good_body(endpoint, u):
    """A body that would be right."""
    if endpoint["request_example"] is None:
        return NOTHING
    changes = {"focusflow.invites.create": {"email": unique() + "@acme.com"},
               "focusflow.orgs.create": {"slug": "s-" + unique()}}.get(endpoint["id"], {})
    if endpoint["id"] == "focusflow.org-tasks.assign":
        organization(u)
        changes = {"task_id": u.task()["id"], "assigned_to": u.jane.id}
    return example(endpoint["id"], **changes)


def invalid(endpoint, error, u, tokens):
    if "expired" in error["when"]:
        other = Organization(u.server)
        token = other.invite(other.owner, u.email).expect(201)["invite_token"]
        u.server.advance(WEEK + 1)
        u.server.new_window()
        u.login()
        yield accept(u, token), ["token"]
        return
    ask, *fields = BAD[endpoint["id"]]
    yield Ask(params(endpoint, u), ask.json, ask.query).send(endpoint, u), fields


def unauthenticated(endpoint, error, u, tokens):
    ids = {p["name"]: 1 for p in endpoint["path_params"]}
    for token in (None, "x.y.z", u.refresh):
        yield Ask(ids, good_body(endpoint, u), token=token).send(endpoint, u), []


def expired(endpoint, error, u, tokens):
    ids = {p["name"]: 1 for p in endpoint["path_params"]}
    yield Ask(ids, good_body(endpoint, u), token=tokens["access"]).send(endpoint, u), []


def forbidden(endpoint, error, u, tokens):
    if endpoint["id"] == "focusflow.invites.accept":
        acme = organization(u)
        token = acme.invite(u, unique() + "@example.com").expect(201)["invite_token"]
        yield accept(User(u.server), token), []
        return
    ids, body = params(endpoint, u), good_body(endpoint, u)
    yield Ask(ids, body).send(endpoint, User(u.server)), []
    if "role too low" in error["when"]:
        yield Ask(ids, body).send(endpoint, u.acme.member()), []


def absent(endpoint, error, u, tokens):
    if "page past" in error["when"]:
        yield Ask(params(endpoint, u), query={"page": 999}).send(endpoint, u), []
        return
    if endpoint["id"] == "focusflow.invites.accept":
        yield accept(u, "a7b8c9d0e1f2"), []
        return
    ids, body = params(endpoint, u), good_body(endpoint, u)
    yield Ask({**ids, "slug": "no-such-organization"}, body).send(endpoint, u), []
    for name in set(ids) - {"slug"}:
        for wrong in (MISSING, "abc"):
            yield Ask({**ids, name: wrong}, body).send(endpoint, u), []
    if endpoint["id"] == "focusflow.org-tasks.assign":
        yield Ask(ids, {**body, "task_id": MISSING}).send(endpoint, u), []


def conflict(endpoint, error, u, tokens):
    acme, name = organization(u), endpoint["id"]
    if name == "focusflow.orgs.create":
        yield Ask(json=example(name, slug=acme.slug)).send(endpoint, u), []
    elif name == "focusflow.invites.create":
        yield Ask({"slug": acme.slug}, example(name, email=u.jane.email)).send(endpoint, u), []
    elif name == "focusflow.invites.accept":
        guest = User(u.server)
        tokens = [acme.invite(u, guest.email).expect(201)["invite_token"] for _ in range(2)]
        yield accept(guest, tokens[0]), []
        accept(guest, tokens[1]).expect(200)
        yield accept(guest, tokens[1]), []
    elif name in ("focusflow.members.update", "focusflow.members.remove"):
        body = {"role": "employee"} if name.endswith("update") else NOTHING
        yield Ask({"slug": acme.slug, "user_id": u.id}, body).send(endpoint, acme.member("admin")), []
    elif name == "focusflow.org-tasks.assign":
        running, done = u.task(), u.task()
        u.complete(done)
        u.start(running)
        for t in (running, done):
            yield Ask({"slug": acme.slug}, example(name, task_id=t["id"], assigned_to=u.jane.id)).send(endpoint, u), []
    else:
        raise AssertionError("no way to a conflict of " + name)


def rejected(endpoint, error, u, tokens):
    """Uses the counter up, then asks for what would be answered otherwise."""
    limit, ids, body = endpoint["rate_limit"], params(endpoint, u), good_body(endpoint, u)
    if limit["rule"] == "focusflow.rate.org-analytics":
        spend = "GET", "/api/v2/organizations/%s/dashboard/activity/" % u.acme.slug, NOTHING
    elif limit["per"] == "organization" and ids:
        spend = "GET", "/api/v2/organizations/%s/" % u.acme.slug, NOTHING
    else:
        spend = "POST", "/api/v2/invites/accept/", {"token": "nothing"}
    u.server.new_window()
    for _ in range(limit["count"]):
        assert u.c.request(spend[0], spend[1], json=spend[2], token=u.access).status in (200, 404)
    yield Ask(ids, body).send(endpoint, u), []


PROVOKE = {400: invalid, 403: forbidden, 404: absent, 409: conflict, 429: rejected}


def provoke(endpoint, error, u, tokens):
    if error["code"] == "TOKEN_EXPIRED":
        return expired(endpoint, error, u, tokens)
    return (unauthenticated if error["status"] == 401 else PROVOKE[error["status"]])(endpoint, error, u, tokens)


assert set(BAD) <= set(EVERY)
