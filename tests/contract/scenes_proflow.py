"""Scenes of ProFlow. Those of listing make what is listed by the documented request."""
from examples import Ask, example, scene
from support.people import unique


def create_project(u):
    return example("proflow.projects.create", team_id=u.team()["id"])


def create_task(u):
    return example("proflow.tasks.create", project_id=u.project()["id"], assignee_id=u.id)


def log_time(u):
    return example("proflow.time-entries.create", task_id=u.task()["id"], user_id=u.id)


@scene("proflow.projects.create")
def _(u):
    return Ask(json=create_project(u))


@scene("proflow.projects.list")
def _(u):
    body = create_project(u)
    u.post("/projects", body).expect(201)
    return Ask(query={"page": 1, "per_page": 10, "status": "active", "team_id": body["team_id"]})


@scene("proflow.tasks.create")
def _(u):
    return Ask(json=create_task(u))


@scene("proflow.tasks.list")
def _(u):
    body = create_task(u)
    u.post("/tasks", body).expect(201)
    return Ask(query={k: body[k] for k in ("project_id", "status", "assignee_id", "priority")})


@scene("proflow.teams.list")
def _(u):
    u.team(description="Team Description")
    return Ask(query={"organization_id": u.organization["id"], "status": "active"})


@scene("proflow.users.list")
def _(u):
    dev = u.colleague()
    return Ask(query={"team_id": u.team(dev)["id"], "role": "developer", "status": "active"})


@scene("proflow.time-entries.create")
def _(u):
    return Ask(json=log_time(u))


@scene("proflow.time-entries.list")
def _(u):
    body = log_time(u)
    u.post("/time-entries", body).expect(201)
    return Ask(query={"task_id": body["task_id"], "user_id": u.id})


@scene("proflow.webhooks.create")
def _(u):
    return Ask(json=example("proflow.webhooks.create"))


@scene("proflow.webhooks.list")
def _(u):
    u.webhook()
    return Ask()


@scene("proflow.webhooks.delete")
def _(u):
    return Ask({"id": u.webhook()["id"]})


@scene("proflow.auth.register")
def _(u):
    return Ask(json={"name": "Ada", "email": "a%s@example.com" % unique(), "password": u.password})


@scene("proflow.api-keys.create")
def _(u):
    return Ask(json={"name": "Deployment"})


@scene("proflow.api-keys.list")
def _(u):
    return Ask()


@scene("proflow.api-keys.delete")
def _(u):
    return Ask({"id": u.key()["id"]})


@scene("proflow.projects.get")
@scene("proflow.projects.update")
@scene("proflow.projects.delete")
def _(u):
    project = u.post("/projects", create_project(u)).expect(201)
    return Ask({"id": project["id"]}, json={"name": "New name"})


@scene("proflow.tasks.get")
@scene("proflow.tasks.update")
@scene("proflow.tasks.delete")
def _(u):
    return Ask({"id": u.post("/tasks", create_task(u)).expect(201)["id"]}, json={"title": "New title"})


@scene("proflow.teams.create")
def _(u):
    return Ask(json={"name": "Team Name", "description": "Team Description"})


@scene("proflow.teams.members-add")
def _(u):
    return Ask({"id": u.team()["id"]}, json={"user_id": u.colleague().id})


@scene("proflow.users.create")
def _(u):
    return Ask(json={"name": "User Name", "email": "u%s@example.com" % unique()})
