"""Scenes of the manager's dashboard, team analytics and their export (10.2 to 11.3), and what is wrong in a request."""
from examples import Ask, scene
from organization_errors import BAD
from scenes_organizations import organization, slug

BAD.update({
    "focusflow.employees.get": (Ask(query={"start_date": "yesterday"}), "start_date"),
    "focusflow.org-analytics.team": (Ask(query={"project": "x", "end_date": "2025-02-30"}), "project", "end_date"),
    "focusflow.org-analytics.project": (Ask(query={"end_date": "2025-02-30"}), "end_date"),
    "focusflow.org-analytics.export": (Ask(query={"format": "doc", "report_type": "all"}), "format", "report_type"),
})


def worked(u):
    """Jane has worked through a task of a project and is at the next one; the project."""
    organization(u)
    p = u.project(name="Client Project A")
    t = u.jane.task(title="Bug fix", project=p["id"])
    u.jane.pomodoro(t)
    u.jane.complete(t)
    u.jane.start(u.jane.task(title="Code review", project=p["id"]))
    return p


@scene("focusflow.dashboard.overview")
def _(u):
    worked(u)
    u.start(u.task(title="Planning"))       # the example has a task for everybody
    return Ask(slug(u))


@scene("focusflow.employees.get")
def _(u):
    worked(u)
    return Ask({**slug(u), "user_id": u.jane.id})


@scene("focusflow.org-analytics.team")
def _(u):
    return Ask(slug(u), query={"project": worked(u)["id"]})


@scene("focusflow.org-analytics.project")
def _(u):
    p = worked(u)
    return Ask({**slug(u), "project_id": p["id"]})


@scene("focusflow.org-analytics.export")
def _(u):
    worked(u)
    return Ask(slug(u))
