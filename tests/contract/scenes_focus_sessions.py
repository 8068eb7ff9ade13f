"""Scenes of Focus Sessions."""
from examples import Ask, example, scene
from support.people import unique


@scene("focus-sessions.sessions.start")
def _(u):
    return Ask(json=example("focus-sessions.sessions.start", quest_id=u.quest()["id"]))


def worked(u):
    """A session as in the example, after its 25 minutes."""
    session = u.start(description="Writing Chapter 1")
    u.server.advance(25 * 60)
    return session


@scene("focus-sessions.sessions.update")
def _(u):
    return Ask({"id": worked(u)["id"]}, json=example("focus-sessions.sessions.update"))


@scene("focus-sessions.sessions.list")
def _(u):
    u.change(worked(u), "completed").expect(200)
    return Ask(query={"status": "completed"})


@scene("focus-sessions.sessions.delete")
def _(u):
    return Ask({"id": u.start()["id"]})


@scene("focus-sessions.auth.register")
def _(u):
    return Ask(json={"email": "new%s@example.com" % unique(), "password": u.password, "name": "Ada"})


@scene("focus-sessions.auth.login")
def _(u):
    return Ask(json={"email": u.email, "password": u.password})


@scene("focus-sessions.quests.create")
def _(u):
    return Ask(json={"title": "Write a novel"})


@scene("focus-sessions.quests.list")
def _(u):
    u.quest()
    return Ask()
