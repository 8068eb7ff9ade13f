"""Export of everything a user has (FF-35)."""
import csv
import io
import re

import pytest

from support.people import PASSWORD, User

SERVER = {}
RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://x\")", "-2+3"]
PLAIN = ["plain", "comma, \"quote\"", "two\nlines", "ünïcödé \U0001F345", "semi;colon", "'quoted"]


@pytest.fixture(scope="module")
def writer(server):
    u = User(server, "Asia/Kathmandu", first_name="=cmd|' /C calc'!A0")
    for n, text in enumerate(RISKY + PLAIN):
        p = u.project(name="p%d %s" % (n, text), description=text)
        u.task(title="%s t%d" % (text, n), description=text, project=p["id"])
    t = u.task()
    u.pomodoro(t)
    u.complete(t)
    u.rest()
    server.advance(300)
    u.post("/auth/api-keys/", {"name": "k"}).expect(201)
    return u


def rows(r):
    out = list(csv.reader(io.StringIO(r.text(), newline="")))
    return out[0], [dict(zip(out[0], row)) for row in out[1:]], out


def test_json(writer):
    u = writer
    v = u.get("/export/data/").expect(200)
    assert {k: v["user"][k] for k in ("id", "email", "username", "timezone")} == \
        {"id": u.id, "email": u.email, "username": u.username, "timezone": "Asia/Kathmandu"}
    assert {t["id"]: t["title"] for t in v["tasks"]} == {t["id"]: t["title"] for t in u.every("/tasks/")}
    assert {p["id"]: p["name"] for p in v["projects"]} == {p["id"]: p["name"] for p in u.every("/projects/")}
    assert {s["id"] for s in v["pomodoro_sessions"]} == {s["id"] for s in u.every("/pomodoro/sessions/")}
    assert abs(len(v["exported_at"]) - 20) == 0


def test_json_is_the_default(writer):
    one, two = writer.get("/export/data/").expect(200), writer.get("/export/data/", format="json").expect(200)
    one.pop("exported_at"), two.pop("exported_at")
    assert one == two


def test_csv(writer):
    u = writer
    r = u.get("/export/data/", format="csv")
    assert r.status == 200 and r.header("content-type").split(";")[0] == "text/csv"
    assert r.header("content-disposition").startswith("attachment") and ".csv" in r.header("content-disposition")
    names, items, table = rows(r)
    assert names[0] == "record_type" and len(set(names)) == len(names)
    assert all(len(row) == len(names) for row in table), "every row has every column"
    kinds = [i["record_type"] for i in items]
    assert kinds.count("user") == 1 and set(kinds) == {"user", "project", "task", "pomodoro_session"}
    tasks, projects = u.every("/tasks/"), u.every("/projects/")
    assert kinds.count("task") == len(tasks) and kinds.count("project") == len(projects)
    assert kinds.count("pomodoro_session") == len(u.every("/pomodoro/sessions/"))
    assert {i["id"] for i in items if i["record_type"] == "task"} == {str(t["id"]) for t in tasks}
    titles = {i["id"]: i["title"] for i in items if i["record_type"] == "task"}
    for t in tasks:
        assert titles[str(t["id"])].removeprefix("'") == t["title"].removeprefix("'")


def test_csv_cells_are_no_formulas(writer):
    _, items, table = rows(writer.get("/export/data/", format="csv"))
    for row in table:
        for cell in row:
            number = re.fullmatch(r"[+-]\d+(\.\d+)?", cell)
            assert number or cell[:1] not in ("=", "+", "-", "@", "\t", "\r"), "a cell that a spreadsheet would run: %r" % cell
    described = [i["description"] for i in items if i["record_type"] == "project"]
    assert len(described) == len(RISKY + PLAIN)
    for text in PLAIN:
        assert any(d.removeprefix("'") == text.removeprefix("'") for d in described), text


@pytest.mark.parametrize("form", ["json", "csv"])
def test_no_secrets(writer, form):
    text = writer.get("/export/data/", format=form).text()
    for word in (PASSWORD, "argon2", "password", "ff_", writer.access, writer.refresh, writer.access.split(".")[2]):
        assert word not in text, word


@pytest.mark.parametrize("value", ["xml", "JSON", "", "csv,json"])
def test_other_formats(writer, value):
    writer.get("/export/data/", format=value).error(400, "VALIDATION_ERROR", "format")


def test_an_empty_account(user):
    u = user()
    v = u.get("/export/data/").expect(200)
    assert (v["projects"], v["tasks"], v["pomodoro_sessions"]) == ([], [], [])
    _, items, _ = rows(u.get("/export/data/", format="csv"))
    assert [i["record_type"] for i in items] == ["user"]


def test_a_large_account(user):
    u = user()
    p = u.project()
    for n in range(400):
        u.task(title="task %d" % n, description="x" * 200, project=p["id"])
    assert len(u.get("/export/data/").expect(200)["tasks"]) == 400
    _, items, _ = rows(u.get("/export/data/", format="csv"))
    assert sum(i["record_type"] == "task" for i in items) == 400
