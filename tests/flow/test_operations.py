"""Running the server: health, metrics, start, stop, commands."""
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from support.client import Client, Closed, Connection
from support.people import PASSWORD, V1, User, unique
from support.server import REPO, Server, command, find

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import of  # noqa: E402

SERVER = {}
HOST = b"Host: 127.0.0.1\r\n"
SECRET = {"PERIGEE_JWT_SECRET": "a-secret-of-the-tests-0123456789-abcdefghij"}


def refused_start(server, *parts, status=None):
    """A server that must not start: its exit status is not 0 and it says why."""
    server.spawn()
    code = server.ended()
    text = server.log.wait_end()
    assert code != 0 and (status is None or code == status), "status %s:\n%s" % (code, text)
    for p in parts:
        assert re.search(p, text, re.I), "%r is not in:\n%s" % (p, text)
    assert "Sanitizer" not in text and "Segmentation" not in text
    return text


# -- health and metrics

@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(client, path):
    assert client.get(path).status == 200
    assert client.request("HEAD", path).status == 200


def test_metrics(server, user):
    u = user()
    before = server.metrics()
    for _ in range(7):
        u.get("/tasks/").expect(200)
    u.task()
    r = server.client.get("/metrics")
    assert r.status == 200 and r.header("content-type").startswith("text/plain")
    for line in r.text().splitlines():
        assert line.startswith("#") or re.fullmatch(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? (-?[0-9.]+(e[+-]?\d+)?|\+Inf|-Inf|NaN)', line), line
    after = server.metrics()
    listed = [k for k in after if "/api/v1/tasks/" in k and "GET" in k and after[k] - before.get(k, 0) == 7]
    assert any("count" in k or "total" in k for k in listed), "requests by route: %s" % listed
    assert any("_bucket{" in k and 'le="+Inf"' in k for k in listed), "latency histogram by route"
    names = {k.split("{")[0] for k in after}
    for word in ("commit", "batch", "lua", "park"):
        assert any(word in n for n in names), "no metric about %s: %s" % (word, sorted(names))
    assert not any(u.username in k or u.email in k for k in after)


def test_ids_are_no_labels(server, user):
    """A metric per object would grow without end."""
    u = user()
    before = len(server.metrics())
    for _ in range(30):
        u.show(u.task())
    for n in range(30):
        server.client.get(V1 + "/nothing-%d/" % n)
    assert len(server.metrics()) - before < 60


# -- stopping

def half_request(server, title, token):
    """A connection whose request is under way: the server has said 100 Continue and waits for the body."""
    c, body = Connection(server.port), json.dumps({"title": title}).encode()
    c.send(b"POST /api/v1/tasks/ HTTP/1.1\r\n" + HOST + b"Authorization: Bearer " + token.encode() +
           b"\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body))
    assert c.response().status == 100
    return c, body


def test_sigterm_finishes_requests(start_server):
    s = start_server()
    u = User(s)
    title = "under way " + unique()
    under_way = [half_request(s, title, u.access) for _ in range(3)]
    idle = [Connection(s.port) for _ in range(5)]
    idle[0].send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert idle[0].response().status == 200
    s.proc.send_signal(signal.SIGTERM)
    assert all(c.closed() for c in idle), "idle connections do not hold a stop up"
    for c, body in under_way:
        c.send(body)
        r = c.response()
        assert r.expect(201)["title"] == title and r.header("connection").lower() == "close"
    assert s.ended() == 0
    s.start()
    assert u.get("/tasks/", search=title).expect(200)["count"] == 3


def test_sigterm_takes_no_new_connections(start_server):
    s = start_server()
    u = User(s)
    c, body = half_request(s, "last", u.access)
    s.proc.send_signal(signal.SIGTERM)
    refused = False
    while not refused:      # each worker learns of the signal by itself; the open request keeps the process there
        try:
            late = Connection(s.port)
            late.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
            assert late.response().status in (200, 503)
        except ConnectionRefusedError:
            refused = True
        except (ConnectionError, Closed):
            pass
    assert s.running()
    c.send(body)
    c.response().expect(201)
    assert s.ended() == 0


def test_sigterm_does_not_wait_for_ever(start_server):
    s = start_server(env={"PERIGEE_DRAIN_SECONDS": "1"})
    u = User(s)
    c, _ = half_request(s, "never sent", u.access)
    s.proc.send_signal(signal.SIGTERM)
    assert s.ended() == 0
    c.close()


def test_sigterm_under_load(start_server):
    """Every answer that was begun is whole; what was acknowledged is there."""
    s = start_server()
    u = User(s)
    wave = [Connection(s.port) for _ in range(20)]
    for n, c in enumerate(wave):
        c.send(u.c.prepare("POST", V1 + "/tasks/", json={"title": "wave %d" % n}, token=u.access))
    s.proc.send_signal(signal.SIGTERM)
    acknowledged = set()
    for c in wave:
        try:
            r = c.response()
            assert r.status in (201, 503)
            if r.status == 201:
                acknowledged.add(r.json()["id"])
        except (Closed, ConnectionError) as e:
            assert not getattr(e, "got", b"")
    assert s.ended() == 0
    s.start()
    assert acknowledged <= {t["id"] for t in u.every("/tasks/")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_that_stop(start_server, number):
    s = start_server()
    s.proc.send_signal(number)
    assert s.ended() == 0


# -- refusing to start

def test_a_second_server_on_the_same_data(server):
    second = Server(server.data)
    refused_start(second, r"in use|already|locked|another", re.escape(str(server.data)))
    assert server.client.get("/healthz").status == 200
    User(server).task()


def test_a_port_in_use(tmp_path):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = Server(tmp_path / "data", args=["--port", str(s.getsockname()[1])])
        refused_start(taken, r"in use|bind|listen", str(s.getsockname()[1]))


def test_data_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    refused_start(Server(tmp_path / "file" / "data"), "file")
    refused_start(Server(tmp_path / "file"), "file")


@pytest.mark.parametrize("option,value", [("--port", "http"), ("--port", "70000"), ("--workers", "-1"), ("--env", "staging"),
                                          ("--nonsense", "1"), ("--data", "")])
def test_wrong_options(tmp_path, option, value):
    refused_start(Server(tmp_path / "data", args=[option, value]), re.escape(option.lstrip("-")))


@pytest.mark.parametrize("name,value", [("PERIGEE_PORT", "http"), ("PERIGEE_WORKERS", "many"), ("PERIGEE_ENV", "staging")])
def test_wrong_environment(tmp_path, name, value):
    r = command("serve", "--data", tmp_path / "data", "--scripts", REPO / "scripts", "--db", REPO / "db", env={name: value})
    assert r.returncode != 0 and name in r.stdout + r.stderr and value in r.stdout + r.stderr


def test_a_short_jwt_secret(tmp_path):
    refused_start(Server(tmp_path / "data", env={"PERIGEE_JWT_SECRET": "short"}), "jwt.secret")


# -- broken scripts

@pytest.fixture
def broken(tmp_path):
    """broken(name, change) -> a server on a copy of the scripts in which one file is changed."""
    def make(name, change):
        shutil.copytree(REPO / "scripts", tmp_path / "scripts", dirs_exist_ok=True)
        path = tmp_path / "scripts" / name
        path.write_text(change(path.read_text() if path.exists() else ""))
        return Server(tmp_path / "data", scripts=tmp_path / "scripts")
    return make


def first_route_file():
    return sorted((REPO / "scripts/focusflow/routes").glob("*.lua"))[0].relative_to(REPO / "scripts").as_posix()


def lines(text):
    return text.count("\n") + 1


@pytest.mark.parametrize("wrong", ["syntax", "global", "call", "no table"])
def test_a_broken_script(broken, wrong):
    """Exit status 1, file and line."""
    name = first_route_file()
    text = (REPO / "scripts" / name).read_text()
    change, line = {
        "syntax": (lambda t: t + "\nlocal x = = 1\n", r"%s:\d+" % re.escape(name)),
        "global": (lambda t: "undeclared_global = 1\n" + t, r"%s:1\b" % re.escape(name)),
        "call": (lambda t: "\n\nlocal x = nothing_of_that_name()\n" + t, r"%s:3\b" % re.escape(name)),
        "no table": (lambda t: "do return 5 end\n" + t, r"%s|units\[\d+\]" % re.escape(name)),
    }[wrong]
    assert text
    refused_start(broken(name, change), line, status=1)


def test_a_broken_manifest(broken):
    refused_start(broken("focusflow/app.lua", lambda t: "local x = {\n" + t + "\n"), r"app\.lua:\d+", status=1)


def test_a_rule_that_does_not_exist(broken):
    def change(text):
        changed = re.sub(r"units\s*=\s*\{", 'units = { require "routes.zz_wrong",', text, count=1)
        assert changed != text
        return changed
    s = broken("focusflow/app.lua", change)
    (Path(s.scripts) / "focusflow/routes/zz_wrong.lua").write_text(
        'return {\n  name = "wrong", summary = "x",\n  GET "/api/v1/wrong/" {\n    summary = "x", who = "user", limit = "standard",\n'
        '    can = "no.such.rule", returns = { [200] = any },\n    run = function() return 200, {} end,\n  },\n}\n')
    refused_start(s, r"no\.such\.rule", r"zz_wrong\.lua", status=1)


def test_two_routes_of_one_path(broken):
    s = broken("focusflow/app.lua", lambda t: re.sub(r"units\s*=\s*\{", 'units = { require "routes.zz_wrong",', t, count=1))
    (Path(s.scripts) / "focusflow/routes/zz_wrong.lua").write_text(
        'return {\n  name = "wrong", summary = "x",\n  GET "/api/v1/tasks/" {\n    summary = "x", who = "user", limit = "standard",\n'
        '    returns = { [200] = any },\n    run = function() return 200, {} end,\n  },\n}\n')
    refused_start(s, r"/api/v1/tasks/", r"zz_wrong\.lua|routes", status=1)


# -- migrations

def test_a_changed_migration_is_refused(start_server, tmp_path):
    """What was applied must not be another text today."""
    shutil.copytree(REPO / "db", tmp_path / "db")
    s = start_server(db=tmp_path / "db")
    s.stop()
    first = sorted((tmp_path / "db/focusflow").glob("*.sql"))[0]
    first.write_text(first.read_text() + "\n-- changed later\n")
    refused_start(s, re.escape(first.name))


def test_a_broken_migration_changes_nothing(start_server, tmp_path):
    shutil.copytree(REPO / "db", tmp_path / "db")
    s = start_server(db=tmp_path / "db")
    u = User(s)
    s.stop()
    bad = tmp_path / "db/focusflow/9999_break_everything.sql"
    bad.write_text("CREATE TABLE half_done (id INTEGER);\nCREATE TABLE nonsense (;\n")
    refused_start(s, re.escape(bad.name))
    bad.unlink()
    s.start()
    u.get("/auth/profile/").expect(200)
    with contextlib.closing(sqlite3.connect("file:%s?mode=ro" % (s.data / "focusflow.db"), uri=True)) as db:
        assert not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'half_done'").fetchall()


# -- the data folder

def test_data_is_readable_by_the_owner_only(server):
    User(server)
    files = [f for f in server.data.rglob("*") if f.is_file() and not f.is_symlink()]
    assert any(f.suffix == ".db" for f in files)
    for f in files:
        assert stat.S_IMODE(os.stat(f).st_mode) & 0o077 == 0, f


def test_tokens_survive_a_restart_without_a_given_secret(start_server):
    s = start_server()
    u = User(s)
    token = u.access
    s.restart()
    u.request("GET", "/auth/profile/", token=token).expect(200)


# -- production and development

def test_production(start_server):
    """No door of development is open."""
    s = start_server(mode="production", env=SECRET)
    assert s.client.post("/-/clock", {"advance_seconds": 60}).status in (404, 405)
    s.client.post(V1 + "/auth/login/", {"email": "demo@focusflow.com", "password": "DemoPass123!"}).error(401, "AUTHENTICATION_FAILED")
    User(s).task()


def test_no_demo_data_in_production(tmp_path):
    refused_start(Server(tmp_path / "data", mode="production", args=["--demo", "on"], env=SECRET), "demo")


@pytest.mark.parametrize("body", [{}, {"advance_seconds": "x"}, {"advance_seconds": 1.5}, [], {"advance_seconds": None}], ids=repr)
def test_wrong_moves_of_the_clock(server, body):
    before = server.client.get("/healthz").status
    assert 400 <= server.client.post("/-/clock", body).status < 500
    assert before == server.client.get("/healthz").status == 200


def test_demo_data(start_server):
    s = start_server(args=["--demo", "on"])
    for _ in range(2):      # the second start finds it there
        v = s.client.post(V1 + "/auth/login/", {"email": "demo@focusflow.com", "password": "DemoPass123!"}).expect(200)
        assert v["user"]["username"] == "demo"
        token = v["tokens"]["access"]
        counts = [s.client.get(V1 + p, token=token).expect(200)["count"] for p in ("/tasks/", "/projects/", "/pomodoro/sessions/")]
        assert counts[0] >= 20 and counts[1] >= 2 and counts[2] >= 20
        streaks = s.client.get(V1 + "/analytics/streaks/", token=token).expect(200)
        assert streaks["total_active_days"] >= 10
        s.restart()
    assert [s.client.get(V1 + p, token=token).expect(200)["count"] for p in ("/tasks/", "/projects/", "/pomodoro/sessions/")] == counts
    acme = "/api/v2/organizations/acme"
    members = s.client.get(acme + "/members/", token=token).expect(200)
    assert members["count"] == 5 and [m["current_status"] for m in members["results"]].count("focused") == 2
    assert s.client.get(acme + "/tasks/?status=completed", token=token).expect(200)["count"] >= 40
    assert len(s.client.get(acme + "/dashboard/activity/?limit=200", token=token).expect(200)["activities"]) == 200
    s.client.post(V1 + "/auth/login/", {"email": "janedoe@acme.example", "password": "DemoPass123!"}).expect(200)
    s.stop()
    s.verify_analytics()


def test_development_is_announced(start_server):
    """Settings that open a door are named in the log."""
    s = start_server()
    assert re.search("development", s.log.text(), re.I)


def test_log_lines_are_json(start_server):
    """JSON wherever it is not read on a terminal."""
    s = start_server(mode="production", env={**SECRET, "PERIGEE_ACCESS_LOG": "on"})
    s.client.get(V1 + "/tasks/", headers={"X-Request-Id": "json-line-1"})
    line = s.log.wait_for("json-line-1")
    assert any(v == "json-line-1" for v in json.loads(line).values())
    s.stop()
    for line in s.log.text().splitlines():
        assert isinstance(json.loads(line), dict)


# -- commands

def test_version():
    r = command("version")
    assert r.returncode == 0 and re.search(r"\d+\.\d+", r.stdout)


def test_help():
    r = command("--help")
    assert r.returncode == 0
    for word in ("serve", "backup", "restore", "routes", "analytics"):
        assert word in r.stdout, word
    serve = command("serve", "--help").stdout
    for word in ("--port", "--data", "--scripts", "--env", "--workers", "PERIGEE_"):
        assert word in serve, word
    for name in ("serve", "backup", "restore", "routes", "analytics", "migrate", "version"):
        r = command(name, "--help")
        assert r.returncode == 0 and r.stdout.strip(), name


@pytest.mark.parametrize("args", [["nonsense"], ["serve", "extra"], ["backup"], ["restore"], ["analytics"], ["analytics", "nonsense"]],
                         ids=" ".join)
def test_wrong_commands(tmp_path, args):
    r = command(*args, "--data", tmp_path / "data", "--scripts", REPO / "scripts", "--db", REPO / "db", seconds=20)
    assert r.returncode != 0 and (r.stderr + r.stdout).strip()
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").glob("*.db"))


def test_routes(server):
    r = server.command("routes", "--json")
    assert r.returncode == 0, r.stderr
    routes = find(json.loads(r.stdout), lambda o: "method" in o and "path" in o)
    got = {(x["method"], re.sub(r"\{[^}]*\}", "{}", x["path"])) for x in routes}
    for app in json.loads(server.command("apps", "--json").stdout):
        for e in of(app["name"].replace("_", "-"))[1].values():
            if not e["id"].startswith("focusflow.docs."):
                assert (e["method"], re.sub(r"\{[^}]*\}", "{}", e["full_path"])) in got, e["id"]
    plain = server.command("routes")
    assert plain.returncode == 0 and "/api/v1/tasks/" in plain.stdout


def test_backup_and_restore(start_server, tmp_path):
    """Online; the copy is the state at one instant, checked, readable by the owner only, and serves again."""
    s = start_server()
    u = User(s)
    p = u.project()
    done = u.task(project=p["id"])
    u.pomodoro(done)
    u.complete(done)
    before = u.get("/export/data/").expect(200)
    copy = tmp_path / "copy.backup"
    r = s.command("backup", copy)
    assert r.returncode == 0, r.stdout + r.stderr
    assert copy.is_file(), "one file, as the command says"
    assert copy.stat().st_size > 0 and stat.S_IMODE(copy.stat().st_mode) & 0o077 == 0
    later = u.task(title="after the backup")
    assert s.command("backup", copy).returncode != 0, "an existing file is not overwritten"
    assert s.client.get("/healthz").status == 200

    busy = s.command("restore", copy)
    assert busy.returncode != 0 and (busy.stdout + busy.stderr).strip(), "not into the data of a running server"
    assert u.show(later)["title"] == "after the backup"

    other = Server(tmp_path / "restored", env=s.env)
    r = other.command("restore", copy)
    assert r.returncode == 0, r.stdout + r.stderr
    other.shift = s.shift
    other.start()
    twin = u.another()
    twin.server, twin.c = other, Client(other.port)
    twin.login()
    after = twin.get("/export/data/").expect(200)
    assert {**after, "exported_at": 0} == {**before, "exported_at": 0}
    twin.task()
    other.stop()
    other.verify_analytics()


def test_restoring_something_else(tmp_path):
    bad = tmp_path / "bad.backup"
    bad.write_bytes(b"no backup at all" * 1000)
    for path in (bad, tmp_path / "missing"):
        r = command("restore", path, "--data", tmp_path / "data", "--scripts", REPO / "scripts", "--db", REPO / "db")
        assert r.returncode != 0 and path.name in r.stdout + r.stderr
        assert not list((tmp_path / "data").glob("*.db")) if (tmp_path / "data").exists() else True


def test_a_damaged_backup_is_noticed(start_server, tmp_path):
    s = start_server()
    u = User(s)
    for n in range(50):
        u.task(description="x" * 2000)
    s.stop()
    copy = tmp_path / "copy.backup"
    assert s.command("backup", copy).returncode == 0
    part = copy if copy.is_file() else max(copy.rglob("*.db"), key=lambda f: f.stat().st_size)
    whole = part.read_bytes()
    for cut in (len(whole) // 2, len(whole) - 1):
        part.write_bytes(whole[:cut])
        r = s.command("restore", copy)
        assert r.returncode != 0, "cut at %d of %d" % (cut, len(whole))
    s.start()
    assert u.get("/tasks/").expect(200)["count"] == 50, "a failed restore leaves the data as it was"


def test_analytics_verify_finds_what_is_wrong(start_server):
    """A verification that cannot fail would prove nothing."""
    s = start_server()
    u = User(s)
    u.pomodoro(u.task(), 25)
    s.stop()
    s.verify_analytics()
    with contextlib.closing(sqlite3.connect(s.data / "focusflow.db")) as db:
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        spans = next(t for t in tables if "span" in t)
        assert db.execute("DELETE FROM %s" % spans).rowcount == 1
        db.commit()
    r = s.command("analytics", "verify")
    assert r.returncode != 0 and "focus_seconds" in r.stdout + r.stderr


def test_analytics_rebuild(start_server):
    s = start_server()
    u = User(s, "Asia/Kathmandu")
    for _ in range(3):
        u.pomodoro(u.task(), 25)
    before = [u.get("/analytics/%s/" % k).body for k in ("daily", "weekly", "monthly", "streaks")]
    s.stop()
    r = s.command("analytics", "rebuild", "focusflow")
    assert r.returncode == 0, r.stdout + r.stderr
    s.verify_analytics()
    s.start()
    assert [u.get("/analytics/%s/" % k).body for k in ("daily", "weekly", "monthly", "streaks")] == before


def test_migrate_makes_the_schema(tmp_path):
    s = Server(tmp_path / "data")
    for _ in range(2):
        r = s.command("migrate")
        assert r.returncode == 0, r.stdout + r.stderr
    assert (tmp_path / "data/focusflow.db").exists()
    s.start()
    User(s).task()
    s.stop()


def test_hash_passwords():
    r = command("hash-passwords", stdin="%s\nsecond one\n" % PASSWORD)
    hashes = r.stdout.splitlines()
    assert r.returncode == 0 and len(hashes) == 2 and all(h.startswith("$argon2id$") for h in hashes)
