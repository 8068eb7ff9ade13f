"""Work in organizations: how it gets in (FF-39, FF-40, FF-64), who sees it (9.1), assigning (9.2), the feed (10.1)."""
import pytest

from support.days import iso
from support.organizations import Organization
from support.threads import together

VERIFY = True


@pytest.fixture
def acme(server):
    return Organization(server)


@pytest.fixture
def manager(acme):
    return acme.member("manager")


@pytest.fixture
def jane(acme):
    return acme.member(first_name="Jane")


def listed(acme, who, **query):
    v = acme.ask(who, "GET", "/tasks/", query={"page_size": 100, **query}).expect(200)
    assert v["count"] == len(v["results"])
    return [t["id"] for t in v["results"]]


# -- how work gets in

def test_what_existed_before_joining_stays_personal(acme, user):
    u = user()
    t, p = u.task(), u.project()
    acme.join(u)
    assert u.show(t)["organization"] is None and u.get("/projects/%d/" % p["id"]).expect(200)["organization"] is None
    assert listed(acme, acme.owner) == []


def test_new_work_goes_to_the_organization_joined_last(server, acme, jane):
    assert jane.task()["organization"] == acme.slug and jane.project()["organization"] == acme.slug
    second = Organization(server)
    server.advance(1)
    second.join(jane)
    assert jane.task()["organization"] == second.slug and jane.project()["organization"] == second.slug
    second.remove(jane)
    assert jane.task()["organization"] == acme.slug


def test_new_work_of_an_owner_goes_there(acme):
    assert acme.owner.task()["organization"] == acme.slug


def test_new_work_may_name_its_organization(server, acme, jane):
    server.advance(1)
    second = Organization(server)
    second.join(jane)
    for make in (jane.task, jane.project):
        assert make(organization=acme.slug)["organization"] == acme.slug
        assert make(organization=None)["organization"] is None
    for make in ("/tasks/", "/projects/"):
        body = {"title": "x", "name": "x"}
        for bad in ("no-such-thing", Organization(server).slug, 7, "", "x" * 51):
            jane.post(make, {**body, "organization": bad}).error(400, "VALIDATION_ERROR", "organization")


def test_the_project_decides_first(server, acme, jane):
    server.advance(1)
    second = Organization(server)
    second.join(jane)
    p, own = jane.project(organization=acme.slug), jane.project(organization=None)
    assert jane.task(project=p["id"])["organization"] == acme.slug
    assert jane.task(project=p["id"], organization=second.slug)["organization"] == acme.slug
    assert jane.task(project=p["id"], organization=None)["organization"] == acme.slug
    assert jane.task(project=own["id"])["organization"] == second.slug
    assert jane.task(project=own["id"], organization=None)["organization"] is None


def test_an_inactive_organization_gets_no_new_work_by_itself(acme, jane):
    acme.ask(acme.owner, "PATCH", json={"is_active": False}).expect(200)
    assert jane.task()["organization"] is None
    assert jane.task(organization=acme.slug)["organization"] == acme.slug


def test_projects_of_the_organization_are_shared(acme, manager, jane, user):
    p = manager.project(name="Client Project A")
    mine = jane.project(organization=None)
    t = jane.task(project=p["id"])
    assert t["project"]["name"] == "Client Project A"
    v = acme.ask(jane, "GET", "/projects/").expect(200)
    assert [x["id"] for x in v["results"]] == [p["id"]] and v["count"] == 1
    assert v["results"][0]["owner"] == {"id": manager.id, "username": manager.username}
    assert v["results"][0]["task_count"] == 1 and v["results"][0]["organization"] == acme.slug
    assert [x["id"] for x in jane.every("/projects/")] == [mine["id"]], "V1's list keeps to the own ones"
    for method in ("GET", "PATCH", "DELETE"):
        jane.request(method, "/projects/%d/" % p["id"]).error(404, "NOT_FOUND")
    outsider = user()
    outsider.post("/tasks/", {"title": "x", "project": p["id"]}).error(400, "VALIDATION_ERROR", "project")
    acme.remove(jane)
    jane.post("/tasks/", {"title": "x", "project": p["id"]}).error(400, "VALIDATION_ERROR", "project")


def test_an_own_project_left_behind_in_an_organization(acme, jane):
    """Who has left an organization puts nothing into it, also not by a project of the own."""
    p = jane.project()
    acme.remove(jane)
    jane.post("/tasks/", {"title": "x", "project": p["id"]}).error(400, "VALIDATION_ERROR", "project")
    assert jane.get("/projects/%d/" % p["id"]).expect(200)["organization"] == acme.slug


def test_moving_a_task_into_a_project_of_the_organization(acme, manager, jane):
    p, own = manager.project(), jane.project(organization=None)
    t = jane.task(organization=None, project=own["id"])
    jane.pomodoro(t, 5)
    jane.complete(t)
    assert listed(acme, manager) == []
    assert jane.patch("/tasks/%d/" % t["id"], {"project": p["id"]}).expect(200)["organization"] == acme.slug
    assert listed(acme, manager) == [t["id"]]
    assert jane.patch("/tasks/%d/" % t["id"], {"project": None}).expect(200)["organization"] == acme.slug
    jane.patch("/tasks/%d/" % t["id"], {"project": 99999999}).error(400, "VALIDATION_ERROR", "project")


def test_estimates_may_be_required(acme, jane):
    acme.ask(acme.owner, "PATCH", json={"require_task_estimates": True}).expect(200)
    p = jane.project()
    for body in ({}, {"project": p["id"]}, {"organization": acme.slug}):
        jane.post("/tasks/", {"title": "x", **body}).error(400, "VALIDATION_ERROR", "estimated_pomodoros")
        assert jane.task(estimated_pomodoros=3, **body)["estimated_pomodoros"] == 3
    assert jane.task(organization=None)["estimated_pomodoros"] == 1


def test_the_organizations_duration(acme, jane):
    """FF-22: the request's, the user's own, the organization's, 25."""
    acme.ask(acme.owner, "PATCH", json={"default_pomodoro_duration": 40}).expect(200)

    def minutes(t, *given):
        s = jane.start(t, *given)["pomodoro_session"]
        jane.complete(t)
        return s["duration_minutes"]
    assert minutes(jane.task()) == 40
    assert minutes(jane.task(), 10) == 10
    assert minutes(jane.task(organization=None)) == 25
    jane.patch("/auth/profile/", {"pomodoro_settings": {"focus_duration": 15}}).expect(200)
    assert minutes(jane.task()) == 15


# -- the list of the organization's tasks

def test_managers_see_what_belongs_to_the_organization(server, acme, manager, jane):
    a, b = jane.task(title="Code review", estimated_pomodoros=2), manager.task()
    jane.task(organization=None)
    Organization(server).owner.task()
    assert listed(acme, manager) == [b["id"], a["id"]], "newest first"
    jane.start(a)
    (item,) = acme.ask(manager, "GET", "/tasks/", query={"owner": jane.id}).expect(200)["results"]
    assert item["owner"] == {"id": jane.id, "username": jane.username, "first_name": "Jane"}
    assert (item["status"], item["estimated_pomodoros"], item["completed_pomodoros"]) == ("in_progress", 2, 0)
    assert item["started_at"] == jane.show(a)["started_at"] and item["project"] is None


def test_a_personal_project_stays_hidden(acme, manager, jane):
    own = jane.project(organization=None, name="Secret")
    t = jane.task(project=own["id"])
    assert t["organization"] == acme.slug
    (item,) = acme.ask(manager, "GET", "/tasks/").expect(200)["results"]
    assert item["project"] is None


def test_filters(server, acme, manager, jane):
    p = manager.project()
    a, b, c = jane.task(project=p["id"]), jane.task(), manager.task()
    jane.start(a), manager.complete(c)
    assert listed(acme, manager, owner=jane.id) == [b["id"], a["id"]]
    assert listed(acme, manager, status="in_progress") == [a["id"]]
    assert listed(acme, manager, status="completed") == [c["id"]]
    assert listed(acme, manager, project=p["id"]) == [a["id"]]
    today = iso(server.now())[:10]
    assert len(listed(acme, manager, date=today)) == 3 and listed(acme, manager, date="2020-01-01") == []
    assert listed(acme, manager, owner=99999999) == [] and listed(acme, manager, project=99999999) == []
    for query in ({"owner": "x"}, {"status": "open"}, {"project": "x"}, {"date": "2025-02-30"}, {"page": "x"}):
        acme.ask(manager, "GET", "/tasks/", query=query).error(400, "VALIDATION_ERROR", *query)
    acme.ask(manager, "GET", "/tasks/", query={"page": 2}).error(404, "NOT_FOUND")


# -- assigning

def test_assigning(server, acme, manager, jane):
    t = manager.task()
    r = acme.assign(manager, t, jane, priority="high").expect(200)
    assert r == {"id": t["id"], "assigned_to": {"id": jane.id, "username": jane.username}, "priority": "high",
                 "assigned_by": {"id": manager.id, "username": manager.username}, "assigned_at": r["assigned_at"]}
    assert jane.show(t)["priority"] == "high"
    manager.get("/tasks/%d/" % t["id"]).error(404, "NOT_FOUND")
    jane.start(t)
    assert listed(acme, manager, owner=jane.id) == [t["id"]]
    assert ("task_assigned", manager.username, t["title"]) in acme.happened()


def test_assigning_keeps_the_priority(acme, manager, jane):
    t = jane.task(priority="low")
    assert acme.assign(manager, t, acme.owner).expect(200)["priority"] == "low"
    assert acme.assign(manager, t, jane).expect(200)["priority"] == "low"


def test_a_personal_project_does_not_go_along(acme, manager, jane):
    own, shared = manager.project(organization=None, name="Secret"), manager.project()
    a, b = manager.task(project=own["id"]), manager.task(project=shared["id"])
    acme.assign(manager, a, jane).expect(200), acme.assign(manager, b, jane).expect(200)
    assert jane.show(a)["project"] is None and jane.show(b)["project"]["id"] == shared["id"]


def test_what_cannot_be_assigned(server, acme, manager, jane, user):
    gone, t = acme.member(), manager.task()
    acme.remove(gone)
    for nobody in (user(), gone):
        acme.assign(manager, t, nobody).error(400, "VALIDATION_ERROR", "assigned_to")
    for elsewhere in (jane.task(organization=None), Organization(server).owner.task(), {"id": 99999999}):
        acme.assign(manager, elsewhere, jane).error(404, "NOT_FOUND")
    acme.assign(manager, t, jane, priority="extreme").error(400, "VALIDATION_ERROR", "priority")
    acme.ask(manager, "POST", "/tasks/assign/", json={}).error(400, "VALIDATION_ERROR", "task_id", "assigned_to")
    acme.ask(manager, "POST", "/tasks/assign/", json={"task_id": "1", "assigned_to": True}).error(
        400, "VALIDATION_ERROR", "task_id", "assigned_to")


@pytest.mark.parametrize("state", ["in_progress", "paused", "completed"])
def test_only_pending_tasks_are_assigned(acme, manager, jane, state):
    t = manager.task()
    manager.start(t)
    if state == "paused":
        manager.pause(t)
    elif state == "completed":
        manager.complete(t)
    acme.assign(manager, t, jane).error(409, "CONFLICT")
    assert manager.show(t)["status"] == state


def test_starting_and_assigning_at_once(acme, manager, jane):
    """Whoever comes first: the task is started by its owner or belongs to the assignee, never both."""
    for _ in range(5):
        t = jane.task()
        other = acme.member()
        started, assigned = together(lambda: jane.another().post("/tasks/%d/start/" % t["id"]).status,
                                     lambda: acme.assign(manager.another(), t, other).status)
        assert (started, assigned) in ((200, 409), (404, 200)), (started, assigned)
        if started == 200:
            jane.complete(t)


# -- the feed

def test_the_feed(server, acme, manager, jane):
    t = jane.task(title="Code review")
    jane.start(t)
    server.advance(60)
    jane.pause(t)
    jane.resume(t)
    server.advance(24 * 60)
    jane.rest()
    server.advance(300)
    jane.complete(t)
    acme.assign(manager, manager.task(title="Bug fix"), jane).expect(200)
    j, m = jane.username, manager.username
    assert acme.happened() == [
        ("task_created", j, "Code review"), ("task_started", j, "Code review"), ("task_paused", j, "Code review"),
        ("task_resumed", j, "Code review"), ("pomodoro_completed", j, "Code review"), ("break_started", j, None),
        ("task_completed", j, "Code review"), ("task_created", m, "Bug fix"), ("task_assigned", m, "Bug fix")]


def test_the_end_of_a_session_has_its_own_time(server, acme, jane):
    t = jane.task()
    s = jane.start(t, 25)["pomodoro_session"]
    server.advance(3600)
    (entry,) = [a for a in acme.feed() if a["type"] == "pomodoro_completed"]
    assert entry["timestamp"] == s["ends_at"] and entry["user"]["first_name"] == "Jane"


def test_ended_early_counts_and_ended_by_the_task_does_not(acme, jane):
    a, b = jane.task(title="a"), jane.task(title="b")
    jane.finish(jane.start(a)["pomodoro_session"])
    jane.start(b)
    jane.complete(b)
    assert [x[2] for x in acme.happened() if x[0] == "pomodoro_completed"] == ["a"]


def test_personal_work_leaves_no_trace(server, acme, jane):
    t = jane.task(organization=None)
    jane.pomodoro(t, 5)
    jane.rest()
    server.advance(300)
    jane.complete(t)
    assert acme.feed() == []


def test_a_deleted_task_takes_its_activities_along(acme, jane):
    a, b = jane.task(title="a"), jane.task(title="b")
    jane.start(a)
    jane.delete("/tasks/%d/" % a["id"]).expect(204)
    assert acme.happened() == [("task_created", jane.username, "b")]
    assert b["organization"] == acme.slug


def test_work_of_a_former_member_is_not_reported(acme, jane):
    t = jane.task(title="a")
    acme.remove(jane)
    jane.start(t)
    jane.complete(t)
    assert acme.happened() == [("task_created", jane.username, "a")]


def test_the_limit_of_the_feed(acme, jane):
    for _ in range(60):
        jane.task()
    assert len(acme.feed()) == 50 and len(acme.feed(limit=200)) == 60 and len(acme.feed(limit=1)) == 1
    for bad in (0, 201, -1, "x"):
        acme.ask(acme.owner, "GET", "/dashboard/activity/", query={"limit": bad}).error(400, "VALIDATION_ERROR", "limit")


def test_a_break_before_any_work_is_the_organizations(server, acme, jane):
    jane.rest()
    assert acme.happened() == [("break_started", jane.username, None)]
