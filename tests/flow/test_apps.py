"""Apps side by side on one port (X-1 to X-5): separate worlds, and what befalls one of them leaves the other alone.

"right" is the app that must not notice.
"""
import json
import resource
import shutil
import threading

import pytest

from support.client import Client
from support.server import Server
from support.threads import together
from support.two_apps import APP, APPS, Folders, count, write


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return Folders(tmp_path_factory.mktemp("apps"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, folders):
    s = Server(tmp_path_factory.mktemp("data"), scripts=folders.scripts, db=folders.db,
               args=["--workers", "2"]).start()
    yield s
    s.stop()


@pytest.fixture
def client(server):
    return server.client


# -- one port, and by host

@pytest.mark.parametrize("host", [None, "127.0.0.1", "example.org", "localhost:8000", "left.localhost.example.org"])
def test_a_host_of_nobody_has_all_apps(client, host):
    for app in APPS:
        client.get("/%s/version" % app, headers={"Host": host} if host else {}).expect(200)


@pytest.mark.parametrize("host", ["left.localhost", "LEFT.localhost", "left.localhost:9999"])
def test_a_host_of_one_app_has_no_other(client, host):
    client.get("/left/version", headers={"Host": host}).expect(200)
    assert client.get("/right/version", headers={"Host": host}).status == 404


@pytest.mark.parametrize("path, owner", [("/left/none", "left"), ("/right/none/deep", "right"), ("/shared/left", "left"),
                                         ("/shared/right/a/b", "right"), ("/lefty", None), ("/shared", None), ("/", None),
                                         ("/none", None)])
def test_an_unknown_path_has_the_envelope_of_the_longest_prefix(client, path, owner):
    r = client.get(path)
    body = r.json()
    assert r.status == 404 and list(body) == [owner or "error"]
    assert body[owner or "error"]["code"] == "NOT_FOUND" and body[owner or "error"]["message"]


def test_a_wrong_method_names_the_right_ones(client):
    r = client.request("DELETE", "/right/notes")
    assert (r.status, list(r.json()), r.json()["right"]["code"]) == (405, ["right"], "METHOD_NOT_ALLOWED")
    assert {"GET", "HEAD", "POST"} <= {m.strip() for m in r.header("allow").split(",")}


def test_a_literal_wins_over_a_parameter(client):
    assert client.get("/shared/right/item").expect(200) == {"app": "right"}
    assert client.get("/shared/right/other").expect(200) == {"id": "other"}


@pytest.mark.parametrize("app", APPS)
def test_head_and_options(client, app):
    r = client.request("HEAD", "/%s/version" % app)
    assert (r.status, r.body) == (200, b"")
    assert client.request("OPTIONS", "/%s/version" % app).status == 204
    assert client.request("OPTIONS", "/%s/none" % app).status == 404


def test_the_setting_apps_selects(tmp_path, folders):
    s = Server(tmp_path, scripts=folders.scripts, db=folders.db, env={"PERIGEE_APPS": "right"}).start()
    s.client.get("/right/version").expect(200)
    r = s.client.get("/left/version")
    assert (r.status, list(r.json())) == (404, ["error"])
    assert not (tmp_path / "left.db").exists()
    s.stop()


# -- separate worlds

def test_a_token_is_good_in_its_own_app_only(client):
    for app, other in (APPS, APPS[::-1]):
        token = client.get("/%s/token" % app).expect(200)["token"]
        client.get("/%s/me" % app, token=token).expect(200)
        r = client.get("/%s/me" % other, token=token)
        assert (r.status, list(r.json())) == (401, [other])


def test_ids_begin_in_each_app(client):
    before = {app: count(client, app) for app in APPS}
    write(client, "left").expect(201)
    assert (count(client, "left"), count(client, "right")) == (before["left"] + 1, before["right"])


# -- what befalls one

def test_a_broken_release_does_not_hold_up_the_others(server, folders, client):
    folders.save("left", "return {")
    assert server.command("reload").returncode == 1
    folders.save("right", APP.replace("@", "right").replace("version = 1", "version = 2"))
    r = server.command("reload")
    assert "left/app.lua" in r.stdout + r.stderr, "the broken one is still named"
    assert client.get("/right/version").expect(200) == {"version": 2}
    assert client.get("/left/version").expect(200) == {"version": 1}, "its release before serves on"
    folders.save("left", APP.replace("@", "left").replace("version = 1", "version = 3"))
    assert server.command("reload").returncode == 0
    assert client.get("/left/version").expect(200) == {"version": 3}


def test_a_script_that_never_ends_fails_alone(server):
    """More of them at once than there are workers: each ends at its deadline, and the other app answers throughout."""
    over, answers = threading.Event(), []

    def ask():
        c = Client(server.port)
        while not over.is_set():
            answers.append(write(c, "right").status)
        c.close()

    def hog():
        c = Client(server.port)
        statuses = [c.get("/left/endless").status for _ in range(2)]
        c.close()
        return statuses

    other = threading.Thread(target=ask)
    other.start()
    try:
        hogs = together(hog, hog, hog, hog)
    finally:
        over.set()
        other.join()
    assert {s for statuses in hogs for s in statuses} == {500}
    assert answers and set(answers) == {201}


def test_a_full_database_fails_alone(tmp_path, folders):
    """A limit on the size of files stands for the full database: only the large app's files reach it."""
    s = Server(tmp_path / "data", scripts=folders.scripts, db=folders.db).start(restore_signals=False)
    try:
        write(s.client, "right").expect(201)
        limit = max(f.stat().st_size for f in (tmp_path / "data").iterdir() if f.is_file()) + 400000
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        written = 0
        while (r := write(s.client, "left", "x" * 60000)).status == 201:
            written += 1
            assert written < 1000, "never full"
        assert r.status in (500, 503) and list(r.json()) == ["left"]
        for _ in range(5):
            write(s.client, "right").expect(201)
        assert (count(s.client, "left"), count(s.client, "right")) == (written, 6)
        resource.prlimit(s.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        write(s.client, "left").expect(201)
        s.stop()
    finally:
        if s.running():
            s.kill()
        shutil.rmtree(tmp_path / "data")


# -- documentation of what is there

def test_the_index_has_every_app_with_its_documents(client):
    page = client.get("/-/")
    assert page.status == 200 and page.header("content-type") == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.header("content-security-policy")
    for app in APPS:
        for part in ("The %s API" % app, 'href="/%s/docs"' % app, 'href="/%s/docs?format=openapi"' % app,
                     'href="/%s/docs?format=postman"' % app, "%s.localhost" % app):
            assert part in page.text(), part
        assert client.get("/%s/docs" % app).status == 200
        assert client.get("/%s/docs?format=openapi" % app).expect(200)["info"] == {"title": "The %s API" % app, "version": "1"}
        assert client.get("/%s/docs?format=postman" % app).expect(200)["info"]["name"] == "The %s API" % app
    assert client.get("/%s/docs?format=x" % APPS[0]).status == 400


def test_the_index_of_a_host_has_its_app_alone(client):
    page = client.get("/-/", headers={"Host": "right.localhost"}).text()
    assert "The right API" in page and "The left API" not in page


def test_production_has_no_index(tmp_path, folders):
    s = Server(tmp_path, scripts=folders.scripts, db=folders.db, mode="production",
               env={"PERIGEE_JWT_SECRET": "x" * 40}).start()
    for path in ("/-/", "/-/index.css", "/-/icon.svg"):
        r = s.client.get(path)
        assert (r.status, r.json()["error"]["code"]) == (404, "NOT_FOUND")
    s.stop()


def test_the_commands_list_all_apps(server):
    r = server.command("openapi", "--json")
    assert '"left"' in r.stdout and '"right"' in r.stdout
    assert server.command("openapi").stdout.split()[0] == "left"
    apps = json.loads(server.command("apps", "--json").stdout)
    assert [(a["name"], a["hosts"], a["docs"], a["demo_login"]) for a in apps] == [
        (app, [app + ".localhost"], ["/%s/docs" % app], "any / where") for app in APPS]
    assert "  login  any / where" in server.command("apps").stdout
    assert {r["app"] for r in json.loads(server.command("routes", "--json").stdout)} == set(APPS)
    assert server.command("openapi", "right", "2").returncode == 1
    assert server.command("openapi", "nobody").returncode == 1
    assert server.command("openapi", "left", "x").returncode == 2
