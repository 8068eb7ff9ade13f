"""Pages, links, order, filters (FF-12, FF-13, FF-14)."""
from urllib.parse import parse_qsl, urlsplit

import pytest

from support.days import iso, local_date, seconds
from support.people import V1, User

SERVER = {}


class Shelf:
    """45 tasks of one user, made at 15 different seconds (so that ties occur), in known states."""

    def __init__(self, server):
        self.u = u = User(server)
        self.projects = [u.project(name=n) for n in ("beta", "Alpha", "gamma")]
        self.tasks = []
        for i in range(45):
            if i % 3 == 0:
                server.advance(1)
            self.tasks.append(u.task(title="%s %02d" % (("apple", "Banana", "cherry", "100%_done", "back\\slash")[i % 5], i),
                                     description="every %s" % ("third" if i % 3 == 0 else "other"),
                                     project=self.projects[i % 4]["id"] if i % 4 < 3 else None,
                                     estimated_pomodoros=1 + i % 7))
        u.start(self.tasks[4])
        u.complete(self.tasks[4])
        u.start(self.tasks[5])
        u.complete(self.tasks[6])
        self.tasks = [u.show(t) for t in self.tasks]

    def ids(self, wanted=lambda t: True):
        """Newest first, ties by descending id."""
        return [t["id"] for t in sorted(self.tasks, key=lambda t: (t["created_at"], t["id"]), reverse=True) if wanted(t)]


@pytest.fixture(scope="module")
def shelf(server):
    return Shelf(server)


def listed(u, **query):
    return [t["id"] for t in u.every("/tasks/", **query)]


def page_of(link):
    return dict(parse_qsl(urlsplit(link).query))


# -- pages

def test_twenty_by_default(shelf):
    v = shelf.u.get("/tasks/").expect(200)
    assert (v["count"], len(v["results"]), v["previous"]) == (45, 20, None)
    assert [t["id"] for t in v["results"]] == shelf.ids()[:20]


def test_walking_the_links(shelf):
    u, got, path = shelf.u, [], "/tasks/?ordering=title"
    while path:
        v = u.get(path).expect(200)
        got += [t["id"] for t in v["results"]]
        path = v["next"] and v["next"].removeprefix("http://%s%s" % (u.c.host, V1))
    assert sorted(got) == sorted(shelf.ids()) and len(got) == 45
    for back in ("3", "2", "1"):
        path = "/tasks/?ordering=title&page=%s" % back
        v = u.get(path).expect(200)
        assert (v["previous"] and page_of(v["previous"])["page"]) == (str(int(back) - 1) if back != "1" else None)


def test_links_keep_the_other_parameters(shelf):
    query = {"status": "pending", "search": "a & b=ü+%", "ordering": "-title,created_at", "page": "1", "page_size": "5",
             "extra": "kept", "date": local_date("UTC", shelf.u.server.now()).isoformat()}
    v = shelf.u.get("/tasks/", **query).expect(200)
    assert v["count"] == 0 and v["next"] is None
    query["search"] = "e"
    v = shelf.u.get("/tasks/", **query).expect(200)
    assert page_of(v["next"]) == {**query, "page": "2"}
    url = urlsplit(v["next"])
    assert (url.scheme, url.netloc, url.path) == ("http", shelf.u.c.host, V1 + "/tasks/")
    again = shelf.u.get(v["next"].removeprefix("http://%s%s" % (shelf.u.c.host, V1))).expect(200)
    assert page_of(again["previous"]) == {**query, "page": "1"}


def test_links_name_the_host_of_the_request(shelf):
    u = shelf.u
    for host in ("api.focusflow.com", "Example.org:8080"):
        v = u.request("GET", "/tasks?page=2", headers={"Host": host}).expect(200)
        assert v["next"].lower() == "http://%s/api/v1/tasks/?page=3" % host.lower(), "canonical path, same host"


@pytest.mark.parametrize("size,pages,last", [(1, 45, 1), (7, 7, 3), (44, 2, 1), (45, 1, 45), (100, 1, 45), (1000, 1, 45)])
def test_page_size(shelf, size, pages, last):
    v = shelf.u.get("/tasks/", page_size=size, page=pages).expect(200)
    assert (v["count"], len(v["results"]), v["next"]) == (45, last, None)
    assert (v["previous"] is None) == (pages == 1)
    shelf.u.get("/tasks/", page_size=size, page=pages + 1).error(404, "NOT_FOUND")


def test_a_page_size_above_100_counts_as_100(server, user):
    u = user()
    for i in range(101):
        u.task(title="t%d" % i)
    assert len(u.get("/tasks/", page_size=5000).expect(200)["results"]) == 100
    assert len(u.get("/tasks/", page_size=5000, page=2).expect(200)["results"]) == 1


@pytest.mark.parametrize("path", ["/tasks/", "/projects/", "/pomodoro/sessions/"])
@pytest.mark.parametrize("field", ["page", "page_size"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "1e2", "0x1", "99999999999999999999999"])
def test_wrong_pages(shelf, path, field, value):
    r = shelf.u.get(path, **{field: value})
    if value.startswith("999"):      # an integer all the same
        assert r.status in ((400, 404) if field == "page" else (200, 400)), str(r)
    else:
        r.error(400, "VALIDATION_ERROR", field)


@pytest.mark.parametrize("path", ["/tasks/", "/projects/", "/pomodoro/sessions/"])
def test_an_empty_list(user, path):
    u = user()
    assert u.get(path, page=1).expect(200) == {"count": 0, "next": None, "previous": None, "results": []}
    u.get(path, page=2).error(404, "NOT_FOUND")


def test_the_last_of_a_repeated_parameter_counts(shelf):
    assert shelf.u.get("/tasks/?page_size=3&page_size=5").expect(200)["results"][4]


# -- filters

@pytest.mark.parametrize("status", ["pending", "in_progress", "paused", "completed"])
def test_status(shelf, status):
    assert listed(shelf.u, status=status) == shelf.ids(lambda t: t["status"] == status)


def test_project(shelf):
    for p in shelf.projects:
        want = shelf.ids(lambda t: t["project"] and t["project"]["id"] == p["id"])
        assert want and listed(shelf.u, project=p["id"]) == want
    assert listed(shelf.u, project=99999999) == []


@pytest.mark.parametrize("text", ["apple", "APPLE", "bANANA", "third", "every", "%", "_", "\\", "100%_", "0", "1", "no such",
                                  "'", '"', "--", "apple 00", "*", "?"])
def test_search(shelf, text):
    want = shelf.ids(lambda t: text.lower() in t["title"].lower() or text.lower() in t["description"].lower())
    assert listed(shelf.u, search=text) == want


def test_search_beyond_ascii(user):
    u = user()
    t = u.task(title="Ein Café in Zürich \U0001F345", description="über allem")
    for text in ("café", "Café", "CAFÉ", "zürich", "ZÜRICH", "\U0001F345", "über", "ÜBER ALLEM"):
        assert listed(u, search=text) == [t["id"]]
    assert listed(u, search="cafe") == []
    greek = u.task(title="ΣΊΣΥΦΟΣ")
    assert listed(u, search="σίσυφος") == [greek["id"]]


def test_filters_together(shelf):
    p = shelf.projects[0]["id"]
    want = shelf.ids(lambda t: t["status"] == "pending" and t["project"] and t["project"]["id"] == p and "third" in t["description"])
    assert want and listed(shelf.u, status="pending", project=p, search="third") == want


@pytest.mark.parametrize("query", [
    {"status": "done"}, {"status": ""}, {"status": "Pending"}, {"project": "x"}, {"project": "1.5"}, {"project": ""},
    {"date": "2025-02-30"}, {"date": "20250101"}, {"date": "yesterday"}, {"date": ""}, {"ordering": "owner"},
    {"ordering": "--title"}, {"ordering": "title,nonsense"}, {"ordering": "title;drop table tasks"}, {"ordering": "password"},
], ids=repr)
def test_wrong_filters_of_tasks(shelf, query):
    shelf.u.get("/tasks/", **query).error(400, "VALIDATION_ERROR", *query)


@pytest.mark.parametrize("path,query", [
    ("/projects/", {"is_active": "maybe"}), ("/projects/", {"is_active": ""}), ("/projects/", {"is_active": "2"}),
    ("/projects/", {"ordering": "title"}), ("/pomodoro/sessions/", {"is_break": "x"}), ("/pomodoro/sessions/", {"task": "x"}),
    ("/pomodoro/sessions/", {"date": "2025-1-1"}),
], ids=repr)
def test_wrong_filters_elsewhere(shelf, path, query):
    shelf.u.get(path, **query).error(400, "VALIDATION_ERROR", *query)


def test_all_wrong_filters_are_named(shelf):
    query = {"status": "x", "project": "x", "date": "x", "ordering": "x", "page": "x", "page_size": "x"}
    shelf.u.get("/tasks/", **query).error(400, "VALIDATION_ERROR", *query)


def test_unknown_parameters_are_ignored(shelf):
    assert shelf.u.get("/tasks/", nonsense="1", owner="2").expect(200)["count"] == 45


def test_dates_are_days_of_the_user(server, user):
    """One second after midnight in Kathmandu it is still yesterday in UTC."""
    u = user("Asia/Kathmandu")
    now = server.now()
    server.go_to(now - now % 86400 + 86400 + 18 * 3600 + 15 * 60 + 1)
    t = u.task()
    s = u.start(t)["pomodoro_session"]
    today = local_date("Asia/Kathmandu", seconds(t["created_at"])).isoformat()
    assert t["created_at"][:10] < today
    assert listed(u, date=today) == [t["id"]] and listed(u, date=t["created_at"][:10]) == []
    assert [x["id"] for x in u.sessions(date=today)] == [s["id"]] and u.sessions(date=t["created_at"][:10]) == []
    assert iso(seconds(t["created_at"])) == t["created_at"]


# -- order

FIELDS = ["created_at", "title", "status", "estimated_pomodoros"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_ordering(shelf, field, sign):
    got = shelf.u.every("/tasks/", ordering=sign + field)
    keys = [t[field] for t in got]
    assert keys == sorted(keys, reverse=bool(sign)) or sorted(map(str.lower, map(str, keys)), reverse=bool(sign)) == \
        [str(k).lower() for k in keys]
    for a, b in zip(got, got[1:]):
        if a[field] == b[field]:
            assert a["id"] > b["id"], "ties by -id"


@pytest.mark.parametrize("field", ["started_at", "ended_at"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_ordering_of_dates_that_may_be_missing(shelf, field, sign):
    got = shelf.u.every("/tasks/", ordering=sign + field)
    present = [t[field] for t in got if t[field]]
    assert len(present) == 2 and present == sorted(present, reverse=bool(sign))
    assert len(got) == 45
    missing = [i for i, t in enumerate(got) if t[field] is None]
    assert missing == list(range(missing[0], missing[0] + 43)), "those without stand together"


def test_several_fields(shelf):
    got = shelf.u.every("/tasks/", ordering="status,-estimated_pomodoros,title")
    want = sorted(shelf.tasks, key=lambda t: t["title"])
    want = sorted(want, key=lambda t: t["estimated_pomodoros"], reverse=True)
    want = sorted(want, key=lambda t: t["status"])
    assert [(t["status"], t["estimated_pomodoros"]) for t in got] == [(t["status"], t["estimated_pomodoros"]) for t in want]
    assert sorted(t["id"] for t in got) == sorted(t["id"] for t in want)


def test_projects_in_order(shelf):
    u = shelf.u
    by_name = [p["name"] for p in u.get("/projects/", ordering="name").expect(200)["results"]]
    assert by_name == ["Alpha", "beta", "gamma"]
    assert [p["name"] for p in u.get("/projects/", ordering="-name").expect(200)["results"]] == by_name[::-1]
    newest = [p["id"] for p in u.get("/projects/").expect(200)["results"]]
    assert newest == sorted((p["id"] for p in shelf.projects), reverse=True)


@pytest.mark.parametrize("value,active", [("true", True), ("TRUE", True), ("1", True), ("false", False), ("False", False),
                                          ("0", False)])
def test_active_projects(user, value, active):
    u = user()
    on, off = u.project(), u.project()
    u.patch("/projects/%d/" % off["id"], {"is_active": False}).expect(200)
    got = u.get("/projects/", is_active=value).expect(200)
    assert [p["id"] for p in got["results"]] == [on["id"] if active else off["id"]] and got["count"] == 1


def test_counts_of_projects_in_a_list(shelf):
    for p in shelf.u.get("/projects/").expect(200)["results"]:
        assert p["task_count"] == sum(t["project"] is not None and t["project"]["id"] == p["id"] for t in shelf.tasks)
