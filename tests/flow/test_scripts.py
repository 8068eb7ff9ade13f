"""A script can be wrong without hurting anybody else: errors, endless loops, memory, half-done writes.

The server runs on a copy of the scripts with one more unit, made for this.
"""
import re
import shutil

import pytest

from support.people import User, unique
from support.server import REPO

BODIES = {
    "raise": 'error("secret internals of the script")',
    "index": "local t = nil return 200, t.field",
    "loop": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "coroutine": "local c = coroutine.wrap(function() while true do end end) while true do c() end",
    "memory": "local t = {} while true do t[#t + 1] = string.rep('x', 100000) .. #t end",
    "string": "local s = 'x' while true do s = s .. s end",
    "recursion": "local function f(n) return 1 + f(n + 1) end return 200, { n = f(1) }",
    "pattern": "return 200, { n = string.find(string.rep('a', 100000), string.rep('a*', 30) .. 'b') }",
    "function": "return 200, { f = function() end }",
    "nothing": "return",
    "half": "db.transaction(function(tx) tx.run('UPDATE tasks SET title = ?', 'half done') error('after the write') end) return 200, {}",
    "late": "db.transaction(function(tx) tx.run('UPDATE tasks SET title = ?', 'half done') end) error('after the transaction')",
    "commit": "db.transaction(function(tx) tx.run('UPDATE tasks SET title = ?', 'half done') tx.run('COMMIT') error('x') end)",
    "write": "db.all('UPDATE tasks SET title = ? RETURNING id', 'half done') return 200, {}",
    "constraint": "db.transaction(function(tx) tx.run('INSERT INTO tasks (id) VALUES (1)') tx.run('INSERT INTO tasks (id) VALUES (1)') end) return 200, {}",
    "fail": "fail.conflict('said on purpose')",
    "good": "return 200, { ok = true }",
}
BROKEN = [n for n in BODIES if n not in ("fail", "good")]


def unit():
    routes = "".join("""  GET "/api/v1/zz/%s/" {
    summary = "A route of the tests", who = "anyone", limit = "auth", returns = { [200] = any },
    run = function() %s end,
  },
""" % x for x in BODIES.items())
    return "return {\n  name = \"zz\", summary = \"Made to go wrong\",\n" + routes + "}\n"


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    scripts = tmp_path_factory.mktemp("scripts") / "scripts"
    shutil.copytree(REPO / "scripts", scripts)
    manifest = scripts / "focusflow" / "app.lua"
    text = manifest.read_text()
    changed = re.sub(r"units\s*=\s*\{", 'units = { require "routes.zz",', text, count=1)
    assert changed != text
    manifest.write_text(changed)
    (scripts / "focusflow" / "routes" / "zz.lua").write_text(unit())
    return start_server(scripts=scripts, env={"PERIGEE_SCRIPT_MS": "300"})


@pytest.fixture(scope="module")
def bystander(server):
    u = User(server)
    for _ in range(3):
        u.task()
    return u


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_handler(server, bystander, name):
    """The app's 500, a log entry with the request id, and nothing half-written; others are served on."""
    before = bystander.every("/tasks/")
    i = "broken-" + unique()
    r = server.connect().get("/api/v1/zz/%s/" % name, headers={"X-Request-Id": i})
    if name == "pattern" and r.status == 200:
        return      # answered in time is as good
    r.error(500, "INTERNAL_ERROR") if r.status != 503 else r.error(503, r.json()["error"]["code"])
    assert r.header("x-request-id") == i
    for word in ("secret", "lua", "zz.lua", "traceback", "half done", "sql"):
        assert word not in r.text().lower(), str(r)
    server.log.wait_for(i)
    assert server.client.get("/api/v1/zz/good/").expect(200) == {"ok": True}
    assert bystander.every("/tasks/") == before
    bystander.task()


def test_the_log_has_file_line_and_traceback(server, client):
    i = "traced-" + unique()
    client.get("/api/v1/zz/raise/", headers={"X-Request-Id": i})
    server.log.wait_for(i)      # the error is written before the access log names the request
    said = "\n".join(line for line in server.log.text().splitlines() if i in line)
    line = unit().splitlines().index(next(x for x in unit().splitlines() if "secret internals" in x)) + 1
    assert re.search(r"zz\.lua:%d" % line, said) and "traceback" in said.lower(), said


def test_script_errors_are_counted(server):
    before = server.metrics()
    for _ in range(3):
        server.client.get("/api/v1/zz/raise/")
    after = server.metrics()
    assert any("error" in k and after[k] - before.get(k, 0) == 3 for k in after), "no counter grew by 3"


def test_failing_on_purpose_is_no_error(server):
    e = server.client.get("/api/v1/zz/fail/").error(409, "CONFLICT")
    assert e["message"] == "said on purpose"


def test_others_are_served_while_a_script_loops(server, bystander):
    """On other connections, at the latest after the deadline."""
    c = server.connect()
    data = c.prepare("GET", "/api/v1/zz/loop/")
    conns = [server.connect() for _ in range(4)]
    for x in conns:
        x.get("/healthz")
        x.conn.send(data)
    assert bystander.get("/tasks/").status == 200
    for x in conns:
        assert x.conn.response().status in (500, 503)
        x.close()
    assert bystander.get("/tasks/").status == 200
