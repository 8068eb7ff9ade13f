"""Scenes of FocusFlow's V1."""
from examples import SCENES, Ask, example, scene
from support.people import PASSWORD, unique


@scene("focusflow.auth.register")
def _(u):
    name = "johndoe" + unique()
    return Ask(json=example("focusflow.auth.register", email=name + "@example.com", username=name))


@scene("focusflow.auth.login")
def _(u):
    return Ask(json=example("focusflow.auth.login", email=u.email, password=PASSWORD))


@scene("focusflow.auth.refresh")
def _(u):
    return Ask(json=example("focusflow.auth.refresh", refresh=u.refresh))


@scene("focusflow.auth.logout")
def _(u):
    return Ask(json=example("focusflow.auth.logout", refresh=u.refresh))


@scene("focusflow.profile.get")
def _(u):
    return Ask()


@scene("focusflow.profile.update")
def _(u):
    return Ask(json=example("focusflow.profile.update"))


def worked_project(u):
    """A project with a completed task of one whole pomodoro."""
    p = u.project(name="Personal Development", description="Self-improvement tasks", color_code="#FF5733")
    t = u.task(title="Write blog post", description="Complete Django tutorial", project=p["id"], estimated_pomodoros=3)
    u.pomodoro(t)
    u.complete(t)
    return p, t


@scene("focusflow.projects.list")
def _(u):
    worked_project(u)
    return Ask()


@scene("focusflow.projects.create")
def _(u):
    return Ask(json=example("focusflow.projects.create"))


@scene("focusflow.projects.get")
def _(u):
    return Ask({"id": worked_project(u)[0]["id"]})


@scene("focusflow.projects.update")
def _(u):
    return Ask({"id": worked_project(u)[0]["id"]}, json=example("focusflow.projects.update"))


@scene("focusflow.projects.delete")
def _(u):
    return Ask({"id": u.project()["id"]})


@scene("focusflow.tasks.list")
def _(u):
    p = u.project()
    for _ in range(25):
        u.task(project=p["id"], estimated_pomodoros=3)
    return Ask()


@scene("focusflow.tasks.create")
def _(u):
    return Ask(json=example("focusflow.tasks.create", project=u.project(name="Work Projects")["id"]))


@scene("focusflow.tasks.get")
def _(u):
    return Ask({"id": worked_project(u)[1]["id"]})


@scene("focusflow.tasks.update")
def _(u):
    return Ask({"id": worked_project(u)[1]["id"]}, json=example("focusflow.tasks.update"))


@scene("focusflow.tasks.delete")
def _(u):
    return Ask({"id": u.task()["id"]})


@scene("focusflow.tasks.start")
def _(u):
    return Ask({"id": u.task()["id"]}, json=example("focusflow.tasks.start"))


@scene("focusflow.tasks.pause")
def _(u):
    t = u.task()
    u.start(t)
    u.server.advance(900)
    return Ask({"id": t["id"]})


@scene("focusflow.tasks.resume")
def _(u):
    t = u.task()
    u.start(t)
    u.server.advance(900)
    u.pause(t)
    u.server.advance(300)
    return Ask({"id": t["id"]})


@scene("focusflow.tasks.complete")
def _(u):
    t = u.task()
    u.pomodoro(t)
    return Ask({"id": t["id"]})


@scene("focusflow.pomodoro.active")
def _(u):
    u.start(u.task())
    u.server.advance(900)
    return Ask()


@scene("focusflow.pomodoro.break-start")
def _(u):
    return Ask(json=example("focusflow.pomodoro.break-start"))


@scene("focusflow.pomodoro.session-complete")
def _(u):
    return Ask({"id": u.start(u.task())["pomodoro_session"]["id"]})


@scene("focusflow.pomodoro.sessions")
def _(u):
    u.pomodoro(u.task())
    return Ask()


@scene("focusflow.analytics.daily")
def _(u):
    worked_project(u)
    return Ask()


SCENES["focusflow.analytics.weekly"] = SCENES["focusflow.analytics.daily"]
SCENES["focusflow.analytics.monthly"] = SCENES["focusflow.analytics.daily"]
SCENES["focusflow.analytics.streaks"] = SCENES["focusflow.analytics.daily"]


@scene("focusflow.analytics.project")
def _(u):
    return Ask({"project_id": worked_project(u)[0]["id"]})


@scene("focusflow.export.data")
def _(u):
    worked_project(u)
    return Ask()


@scene("focusflow.docs.v1")
def _(u):
    return Ask()
