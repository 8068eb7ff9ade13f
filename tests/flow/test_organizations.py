"""Organizations (7, FF-36 to FF-38), their members (8.1, 8.4, 8.5, FF-41, FF-42) and what user_type says (FF-9)."""
import pytest

from support.organizations import Organization, v2
from support.people import User, unique
from support.threads import together


@pytest.fixture
def acme(server):
    return Organization(server)


def create(user, **body):
    return v2(user, "POST", "/organizations/", json={"name": "Acme Startup", **body})


# -- creating

def test_the_creator_is_owner_and_admin(server, user):
    u = user()
    o = Organization(server, u)
    assert o.created["owner"] == {"id": u.id, "username": u.username, "email": u.email}
    assert o.created["member_count"] == 1 and o.created["is_active"] is True
    (member,) = o.members().values()
    assert member["user"]["id"] == u.id and member["role"] == "admin" and member["id"] > 0


def test_defaults(user):
    o = create(user(), slug="d-" + unique()).expect(201)
    assert o["default_pomodoro_duration"] == 25 and o["require_task_estimates"] is False


@pytest.mark.parametrize("name,slug", [("Big & Bold, Ltd.", "big-bold-ltd"), ("  Acme  Two ", "acme-two"),
                                       ("-x-" + "y" * 80, "x-" + "y" * 48), ("Café " + "A" * 50, None)])
def test_the_slug_is_made_from_the_name(user, name, slug):
    made = create(user(), name=name).expect(201)["slug"]
    assert made == slug or slug is None
    assert len(made) <= 50 and made.strip("-") == made


@pytest.mark.parametrize("body,field", [
    ({"name": ""}, "name"), ({"name": "x" * 101}, "name"), ({"name": None}, "name"), ({"name": 7}, "name"),
    ({"slug": "Acme"}, "slug"), ({"slug": "a--b"}, "slug"), ({"slug": "-a"}, "slug"), ({"slug": "a-"}, "slug"),
    ({"slug": "a_b"}, "slug"), ({"slug": "a" * 51}, "slug"), ({"slug": "é"}, "slug"), ({"slug": "a\nb"}, "slug"),
    ({"name": "日本"}, "slug"), ({"default_pomodoro_duration": 0}, "default_pomodoro_duration"),
    ({"default_pomodoro_duration": 181}, "default_pomodoro_duration"),
    ({"default_pomodoro_duration": "25"}, "default_pomodoro_duration"),
    ({"require_task_estimates": 1}, "require_task_estimates")])
def test_bad_organizations(user, body, field):
    create(user(), **body).error(400, "VALIDATION_ERROR", field)


def test_a_slug_is_taken_once(server, user, acme):
    create(user(), slug=acme.slug).error(409, "CONFLICT")
    slug = "race-" + unique()
    people = [user() for _ in range(4)]
    found = together(*[lambda u=u: create(u, slug=slug).status for u in people])
    assert sorted(found) == [201, 409, 409, 409]


# -- seeing and changing

def test_unknown_is_404_and_foreign_is_403(user, acme):
    outsider = user()
    v2(outsider, "GET", "/organizations/no-such-thing/").error(404, "NOT_FOUND")
    v2(outsider, "GET", "/organizations/No%20Slug/").error(404, "NOT_FOUND")
    acme.ask(outsider, "GET").error(403, "PERMISSION_DENIED")
    acme.ask(outsider, "PATCH", json={"name": 7}).error(403, "PERMISSION_DENIED")


# -- finding one's own

def own(user, **query):
    return v2(user, "GET", "/organizations/", query=query).expect(200)


def test_everybody_finds_the_organizations_that_he_is_in(server, user, acme):
    u = user()
    assert own(u) == {"count": 0, "next": None, "previous": None, "results": []}
    acme.join(u, "manager")
    server.advance(1)
    mine = Organization(server, u, name="Mine")
    found = own(u)
    assert found["count"] == 2 and found["results"] == [
        {"id": mine.id, "name": "Mine", "slug": mine.slug, "role": "admin", "member_count": 1},
        {"id": acme.id, "name": "Acme Startup", "slug": acme.slug, "role": "manager", "member_count": 2}]
    first = own(u, page_size=1)
    assert first["next"].endswith("/api/v2/organizations/?page_size=1&page=2") and first["previous"] is None
    assert [o["slug"] for o in own(u, page_size=1, page=2)["results"]] == [acme.slug]
    v2(u, "GET", "/organizations/", query={"page": 3}).error(404, "NOT_FOUND")
    acme.remove(u)
    assert [o["slug"] for o in own(u)["results"]] == [mine.slug]
    assert own(acme.owner)["results"][0]["member_count"] == 1


def test_update(acme):
    r = acme.ask(acme.owner, "PATCH", json={"name": "Acme Inc", "require_task_estimates": True,
                                            "default_pomodoro_duration": 50, "is_active": False, "slug": "other",
                                            "working_hours": {"start": "08:30", "end": "18:00"}}).expect(200)
    assert (r["name"], r["slug"], r["is_active"]) == ("Acme Inc", acme.slug, False)
    assert r["settings"] == {"default_pomodoro_duration": 50, "require_task_estimates": True,
                             "working_hours": {"start": "08:30", "end": "18:00"}}
    assert acme.ask(acme.owner, "GET").expect(200) == r


def test_settings_may_be_nested(acme):
    v = acme.ask(acme.owner, "GET").expect(200)["settings"]
    assert v["working_hours"] == {"start": "09:00", "end": "17:00"}
    r = acme.ask(acme.owner, "PATCH", json={"settings": {"working_hours": {"start": "07:00", "end": "23:59"},
                                                         "default_pomodoro_duration": 40}}).expect(200)
    assert r["settings"] == {"default_pomodoro_duration": 40, "require_task_estimates": False,
                             "working_hours": {"start": "07:00", "end": "23:59"}}


@pytest.mark.parametrize("body,field", [
    ({"working_hours": {"start": "17:00", "end": "09:00"}}, "working_hours"),
    ({"working_hours": {"start": "09:00", "end": "09:00"}}, "working_hours"),
    ({"working_hours": {"start": "09:00", "end": "24:00"}}, "working_hours"),
    ({"working_hours": {"start": "09:00", "end": "29:00"}}, "working_hours"),
    ({"working_hours": {"start": "9:00", "end": "17:00"}}, "working_hours.start"),
    ({"working_hours": {"start": "09:60", "end": "17:00"}}, "working_hours.start"),
    ({"working_hours": {"start": "09:00"}}, "working_hours.end"),
    ({"working_hours": None}, "working_hours"), ({"working_hours": "always"}, "working_hours"),
    ({"settings": {"working_hours": {"start": "17:00", "end": "09:00"}}}, "settings.working_hours"),
    ({"settings": {"default_pomodoro_duration": 0}}, "settings.default_pomodoro_duration"),
    ({"name": ""}, "name"), ({"is_active": "yes"}, "is_active")])
def test_bad_updates(acme, body, field):
    before = acme.ask(acme.owner, "GET").expect(200)
    acme.ask(acme.owner, "PATCH", json=body).error(400, "VALIDATION_ERROR", field)
    assert acme.ask(acme.owner, "GET").expect(200) == before


def test_statistics(server, user):
    acme = Organization(server, zone="Asia/Kathmandu")
    jane, bob = acme.member(), acme.member()
    acme.remove(bob)
    jane.project()
    done, jane_today = jane.task(), jane.task()
    jane.complete(done)
    jane.task(organization=None)
    v = acme.ask(acme.owner, "GET").expect(200)["statistics"]
    assert v == {"total_members": 3, "active_members": 2, "total_projects": 1, "total_tasks_today": 2,
                 "completed_tasks_today": 1}
    server.advance(2 * 86400)
    assert acme.ask(acme.owner, "GET").expect(200)["statistics"]["total_tasks_today"] == 0
    jane.complete(jane_today)
    v = acme.ask(acme.owner, "GET").expect(200)["statistics"]
    assert (v["total_tasks_today"], v["completed_tasks_today"]) == (1, 1)


# -- members

def test_members_are_listed_by_role_and_activity(acme):
    jane, bob = acme.member("manager", first_name="Jane"), acme.member()
    assert set(acme.members()) == {acme.owner.id, jane.id, bob.id}
    assert set(acme.members(role="manager")) == {jane.id}
    assert acme.members()[jane.id]["user"] == {"id": jane.id, "username": jane.username, "email": jane.email,
                                               "first_name": "Jane", "last_name": "Doe"}
    acme.remove(bob)
    assert set(acme.members()) == {acme.owner.id, jane.id}
    assert set(acme.members(is_active="false")) == {bob.id}
    assert set(acme.members(is_active="true", role="employee")) == set()
    assert acme.ask(jane, "GET", "/members/").expect(200)["count"] == 2
    for query in ({"role": "boss"}, {"is_active": "maybe"}, {"page": "0"}):
        acme.ask(jane, "GET", "/members/", query=query).error(400, "VALIDATION_ERROR", *query)


def test_the_status_of_a_member(server, acme):
    jane = acme.member()

    def now():
        m = acme.members()[jane.id]
        return m["current_status"], m["current_task"] and m["current_task"]["id"]
    assert now() == ("idle", None)
    t = jane.task()
    jane.start(t)
    assert now() == ("focused", t["id"])
    jane.pause(t)
    assert now() == ("paused", t["id"])
    jane.resume(t)
    jane.complete(t)
    assert now() == ("idle", None)
    jane.rest()
    assert now() == ("on_break", None)
    server.advance(300)
    assert now() == ("idle", None)


def test_personal_work_shows_as_idle(acme):
    jane = acme.member()
    t = jane.task(organization=None)
    jane.start(t)
    assert acme.members()[jane.id]["current_status"] == "idle"
    jane.complete(t)
    jane.rest()
    assert acme.members()[jane.id]["current_status"] == "idle", "a break from personal work is personal"


def test_roles_change(acme):
    jane = acme.member()
    acme.ask(jane, "GET", "/tasks/").error(403, "PERMISSION_DENIED")
    r = acme.change(jane, "manager").expect(200)
    assert (r["user"]["id"], r["role"], r["current_status"]) == (jane.id, "manager", "idle")
    acme.ask(jane, "GET", "/tasks/").expect(200)
    acme.change(jane, "employee").expect(200)
    acme.ask(jane, "GET", "/tasks/").error(403, "PERMISSION_DENIED")
    acme.change(jane, "boss").error(400, "VALIDATION_ERROR", "role")
    acme.ask(acme.owner, "PATCH", "/members/%d/" % jane.id, json={}).error(400, "VALIDATION_ERROR", "role")


def test_owner_and_last_admin_stay(acme):
    jane = acme.member("admin")
    for who in (acme.owner, jane):
        acme.ask(who, "PATCH", "/members/%d/" % acme.owner.id, json={"role": "employee"}).error(409, "CONFLICT")
        acme.ask(who, "DELETE", "/members/%d/" % acme.owner.id).error(409, "CONFLICT")
    acme.change(acme.owner, "admin").expect(200)
    acme.ask(jane, "PATCH", "/members/%d/" % jane.id, json={"role": "manager"}).expect(200)
    acme.ask(jane, "PATCH", "/members/%d/" % jane.id, json={"role": "admin"}).error(403, "PERMISSION_DENIED")


def test_removal_ends_access_at_once(server, user, acme):
    jane = acme.member("admin")
    acme.ask(jane, "GET").expect(200)
    acme.remove(jane)
    for method, path in (("GET", "/"), ("GET", "/members/"), ("GET", "/tasks/"), ("GET", "/dashboard/activity/")):
        acme.ask(jane, method, path).error(403, "PERMISSION_DENIED")
    acme.ask(acme.owner, "DELETE", "/members/%d/" % jane.id).error(404, "NOT_FOUND")
    acme.change(jane, "employee").error(404, "NOT_FOUND")
    assert jane.task()["organization"] is None, "new work is personal again"
    jane.post("/tasks/", {"title": "x", "organization": acme.slug}).error(400, "VALIDATION_ERROR", "organization")


def test_a_removed_member_can_come_back(acme):
    jane = acme.member("admin")
    first = acme.members()[jane.id]
    acme.remove(jane)
    acme.join(jane, "employee")
    again = acme.members()[jane.id]
    assert again["role"] == "employee" and again["id"] == first["id"] and again["is_active"] is True


def test_unknown_members(user, acme):
    outsider = user()
    for uid in (outsider.id, 99999999, "abc", 0):
        acme.ask(acme.owner, "DELETE", "/members/%s/" % uid).error(404, "NOT_FOUND")
        acme.ask(acme.owner, "PATCH", "/members/%s/" % uid, json={"role": "manager"}).error(404, "NOT_FOUND")


def test_user_type_follows_memberships(server, user):
    u, jane = user(), user()

    def kind(who):
        return who.get("/auth/profile/").expect(200)["user_type"]
    assert kind(u) == "individual"
    first, second = Organization(server, u), Organization(server)
    assert kind(u) == "organization"
    first.join(jane), second.join(jane)
    first.remove(jane)
    assert kind(jane) == "organization"
    second.remove(jane)
    assert kind(jane) == "individual"
    assert jane.c.post("/api/v1/auth/login/", {"email": jane.email, "password": jane.password}).expect(200)["user"][
        "user_type"] == "individual"
