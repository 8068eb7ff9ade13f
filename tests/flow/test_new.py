# SPDX-License-Identifier: Apache-2.0
"""`perigee new`: an app to begin with. docs/SCRIPTING.md, which a test follows, makes one, checks it and asks it."""
import os
import shutil
import subprocess

import pytest

from support.server import REPO, command

FILES = ["db/APP/0001_create_tables.sql", "scripts/APP/app.lua", "scripts/APP/routes/notes.lua",
         "scripts/APP/routes/users.lua", "scripts/APP/rules/notes.lua", "scripts/APP/spec/notes_spec.lua",
         "scripts/APP/tokens.lua"]


def listed(top):
    return sorted(str(p.relative_to(top)) for p in top.rglob("*") if not p.is_dir())


def run(top, name, *args):
    return command(name, *args, "--scripts", top / "scripts", "--db", top / "db", "--data", top / "data")


@pytest.fixture
def top(tmp_path):
    for folder in ("scripts/lib", "db/runtime"):
        shutil.copytree(REPO / folder, tmp_path / folder)
    return tmp_path


@pytest.mark.parametrize("app", ["notes", "my_second_app", "x2"])
def test_it_is_checked_tested_and_served(top, start_server, app):
    before = listed(top)
    r = run(top, "new", app)
    assert r.returncode == 0, r.stderr
    assert sorted(set(listed(top)) - set(before)) == [f.replace("APP", app) for f in FILES]
    r = run(top, "check", app)
    assert r.returncode == 0, r.stdout + r.stderr
    r = run(top, "test", app)
    assert r.returncode == 0 and r.stdout.endswith("4 passed, 0 failed\n"), r.stdout
    server = start_server(scripts=top / "scripts", db=top / "db")
    path = "/" + app.replace("_", "-")
    token = server.client.post(path + "/users", {"name": "ada", "password": "SecurePass123!"}).expect(201)["token"]
    mine = {"Authorization": "Bearer " + token}
    for i in range(100):
        server.client.post(path + "/notes", {"text": "Note %d" % i}, headers=mine).expect(201)
    server.client.post(path + "/notes", {"text": "one too many"}, headers=mine).expect(409)
    assert server.client.get(path + "/notes?page_size=1", headers=mine).expect(200)["count"] == 100
    assert server.client.get("/nowhere", headers={"Host": path[1:] + ".localhost"}).status == 404
    server.stop()


def test_its_files_are_as_the_linter_wants_them(top):
    run(top, "new", "notes")
    shutil.copy(REPO / ".luacheckrc", top)
    r = subprocess.run(["luacheck", "-q", "scripts/notes"], cwd=top, capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stdout


def test_a_title_stands_in_the_document(top):
    assert run(top, "new", "notes", "--title", "Ünser Heft").returncode == 0
    assert "Ünser Heft API" in (top / "scripts/notes/app.lua").read_text()
    assert "Ünser Heft API" in run(top, "openapi", "notes").stdout


@pytest.mark.parametrize("name", ["", "N", "Notes", "9lives", "a", "a-b", "a b", "../x", "x/y", "lib", "types", "runtime",
                                  "releases", "x_", "é", "a" * 41, "a.b"])
def test_a_name_that_cannot_be_is_refused(top, name):
    before = listed(top)
    r = run(top, "new", name)
    assert r.returncode == 2 and "app" in r.stderr and listed(top) == before


@pytest.mark.parametrize("title", ["", 'a"b', "a\nb", "a\\", "x" * 81])
def test_a_title_that_would_break_the_files_is_refused(top, title):
    before = listed(top)
    r = run(top, "new", "notes", "--title", title)
    assert r.returncode == 2 and "title" in r.stderr and listed(top) == before


@pytest.mark.parametrize("there", ["scripts/notes", "db/notes"])
def test_what_is_there_is_not_touched(top, there):
    (top / there).mkdir()
    (top / there / "mine").write_text("mine")
    before = listed(top)
    r = run(top, "new", "notes")
    assert r.returncode == 1 and "is there already" in r.stderr and listed(top) == before


def test_a_failure_leaves_nothing(top):
    shutil.rmtree(top / "db")
    (top / "db").write_text("no folder")
    before = listed(top)
    r = run(top, "new", "notes")
    assert r.returncode == 1 and str(top / "db") in r.stderr and listed(top) == before
    assert not os.path.exists(top / "scripts/.new-notes")


def test_wrong_usage(top):
    for args in ((), ("one", "two")):
        r = run(top, "new", *args)
        assert r.returncode == 2 and "usage" in r.stderr
