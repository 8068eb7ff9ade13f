"""Scenes of V2. The user of a scene owns the organization."""
from examples import SCENES, Ask, example, scene
from scenes import worked_project
from support.organizations import Organization, v2
from support.people import unique


def organization(u, **fields):
    """The user's organization, with Jane as its manager; the same in every step of one scene."""
    if not hasattr(u, "acme"):
        u.acme = Organization(u.server, u, **fields)
        u.jane = u.acme.member("manager", first_name="Jane")
    return u.acme


def slug(u):
    return {"slug": organization(u).slug}


@scene("focusflow.orgs.create")
def _(u):
    return Ask(json=example("focusflow.orgs.create", slug="acme-" + unique()))


@scene("focusflow.orgs.get")
def _(u):
    return Ask(slug(u))


@scene("focusflow.orgs.update")
def _(u):
    return Ask(slug(u), json=example("focusflow.orgs.update"))


@scene("focusflow.members.list")
def _(u):
    acme = organization(u)
    t = u.jane.task(title="Code review")
    u.jane.start(t)
    return Ask({"slug": acme.slug}, query={"role": "manager"})


@scene("focusflow.invites.create")
def _(u):
    return Ask(slug(u), json=example("focusflow.invites.create", email=unique() + "@acme.com"))


@scene("focusflow.invites.accept")
def _(u):
    other = Organization(u.server)
    token = other.invite(other.owner, u.email).expect(201)["invite_token"]
    return Ask(json=example("focusflow.invites.accept", token=token))


@scene("focusflow.members.update")
def _(u):
    member = organization(u).member()
    return Ask({**slug(u), "user_id": member.id}, json=example("focusflow.members.update"))


@scene("focusflow.members.remove")
def _(u):
    member = organization(u).member()
    return Ask({**slug(u), "user_id": member.id})


@scene("focusflow.org-tasks.list")
def _(u):
    organization(u)
    p = u.project(name="Client Project A")
    t = u.jane.task(title="Code review", project=p["id"], estimated_pomodoros=2)
    u.jane.start(t)
    return Ask(slug(u))


@scene("focusflow.org-tasks.assign")
def _(u):
    organization(u)
    t = u.task(title="Code review")
    return Ask(slug(u), json=example("focusflow.org-tasks.assign", task_id=t["id"], assigned_to=u.jane.id))


@scene("focusflow.org-projects.list")
def _(u):
    organization(u)
    worked_project(u)
    return Ask(slug(u))


@scene("focusflow.dashboard.activity")
def _(u):
    organization(u)
    t = u.jane.task(title="Code review")
    u.jane.start(t)
    return Ask(slug(u))


def webhook(u):
    path = "/organizations/%s/webhooks/" % organization(u).slug
    return v2(u, "POST", path, json=example("focusflow.webhooks.create")).expect(201)


@scene("focusflow.webhooks.create")
def _(u):
    return Ask(slug(u), json=example("focusflow.webhooks.create"))


@scene("focusflow.webhooks.list")
def _(u):
    webhook(u)
    return Ask(slug(u))


@scene("focusflow.webhooks.delete")
def _(u):
    return Ask({**slug(u), "id": webhook(u)["id"]})


SCENES["focusflow.docs.v2"] = lambda u: Ask()
