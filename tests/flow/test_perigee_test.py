"""`perigee test` as its users run it: specs that ask the app, move the clock and look at what would have left; results for
people and for machines; specs that misbehave."""
import re
import shutil
import xml.etree.ElementTree as ET

import pytest

from support.server import REPO, command

SPECS = {
    "good": """
describe("sums", function()
    it("add", function() assert.equal(3, 1 + 2) end)
    it("are # signs \\\\ too", function() assert.equal(0, 0) end)
    pending("of matrices")
end)
""",
    "bad": """
describe("mistakes", function()
    it("differ", function()
        assert.equal("expected <this>", "got & that")
    end)
    it("raise", function() error { message = "in a table" } end)
    it("are told apart from what is right", function() end)
end)
""",
    "unreadable": "describe('x', function(\n",
    "setup": "describe('rooms', function() setup(function() error 'no key' end) it('are open', function() end) end)\n",
    "endless": "it('goes on for ever', function() while true do end end)\nit('comes after it', function() end)\n",
    "greedy": "it('wants it all', function() local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(2e7) .. i end end)\n"
              "it('is modest', function() end)\n",
    "killer": "it('kills its process', function() os.execute('kill -9 $PPID') end)\n",
    "quitter": "it('ends its process', function() os.exit(0) end)\nit('is never reached', function() end)\n",
}


def perigee_test(*args, env=None):
    return command("test", *args, env={"PERIGEE_SCRIPTS": str(REPO / "scripts"), "PERIGEE_DB": str(REPO / "db"), **(env or {})})


@pytest.fixture
def run(tmp_path):
    def run(*names, args=(), **env):
        folder = tmp_path / "specs"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name in names:
            (folder / (name + "_spec.lua")).write_text(SPECS.get(name, name), encoding="utf-8")
        return perigee_test("focusflow", "--spec", folder, *args, env=env)
    return run


def specs_of(folder, text, *args):
    folder.mkdir(exist_ok=True)
    (folder / "one_spec.lua").write_text(text, encoding="utf-8")
    return perigee_test("focusflow", "--spec", folder, *args)


# ---- what is said ----------------------------------------------------------------------------------------------------

def test_all_is_well(run):
    r = run("good")
    assert r.returncode == 0 and r.stdout.endswith("2 passed, 0 failed, 1 pending\n") and "\033" not in r.stdout


def test_a_failure_says_where_and_what(run):
    r = run("good", "bad")
    assert r.returncode == 1 and r.stdout.endswith("3 passed, 2 failed, 1 pending\n"), r.stdout
    assert "mistakes differ\n  " in r.stdout and "bad_spec.lua:4: Expected objects to be equal." in r.stdout
    assert "expected <this>" in r.stdout and "got & that" in r.stdout and "in a table" in r.stdout


def test_a_pattern_chooses(run):
    r = perigee_test("focusflow", "the task machine")
    assert r.returncode == 0 and re.search(r"^[1-9] passed, 0 failed$", r.stdout, re.M), r.stdout
    r = run("good", args=("--filter", "nothing is called so"))
    assert r.returncode == 1 and "no test's name matches" in r.stderr


def test_names_are_listed(run):
    r = run("good", "bad", args=("--list",))
    assert r.returncode == 0 and "good_spec.lua:3: sums add" in r.stdout and "mistakes raise" in r.stdout
    assert "passed" not in r.stdout


def test_tap(run):
    r = run("good", "bad", args=("--output", "tap"))
    lines = r.stdout.splitlines()
    results = [x for x in lines if re.match(r"(not )?ok ", x)]
    assert lines[0] == "TAP version 13" and lines[-1] == "1..6" and r.returncode == 1
    assert [int(re.search(r"ok (\d+) - ", x)[1]) for x in results] == [1, 2, 3, 4, 5, 6]
    assert sum(x.startswith("not ok") for x in results) == 2 and sum(x.endswith("# SKIP") for x in results) == 1
    assert any(r"are \# signs \\ too" in x for x in results), "a # would begin a directive"
    assert "      expected <this>" in r.stdout or "(string) 'expected <this>'" in r.stdout


def test_junit(run):
    r = run("good", "bad", args=("--output", "junit"))
    root = ET.fromstring(r.stdout)
    assert root.tag == "testsuites" and root.get("tests") == "6" and root.get("failures") == "2" and r.returncode == 1
    cases = {c.get("name"): c for c in root.iter("testcase")}
    assert "expected <this>" in cases["mistakes differ"].find("failure").get("message")
    assert cases["sums of matrices"].find("skipped") is not None and len(cases["sums add"]) == 0


@pytest.mark.parametrize("args", [("--output", "html"), ("--jobs", "0"), ("--jobs", "many"), ("a", "b"), ("--what",)])
def test_wrong_usage(args):
    r = perigee_test("focusflow", *args)
    assert r.returncode == 2 and "usage: perigee test" in r.stderr or "unknown option" in r.stderr, r.stderr


def test_unknown_app_and_folder():
    r = perigee_test("nobody")
    assert r.returncode == 1 and "there is no app nobody" in r.stderr
    r = perigee_test("focusflow", "--spec", "/nowhere")
    assert r.returncode == 1 and "there is no /nowhere" in r.stderr


def test_help():
    r = perigee_test("--help")
    assert r.returncode == 0 and "--output FORMAT" in r.stdout


# ---- specs that misbehave take nothing along -------------------------------------------------------------------------

def test_a_file_that_cannot_be_read(run):
    r = run("good", "unreadable")
    assert r.returncode == 1 and "unreadable_spec.lua" in r.stdout and "2 passed, 1 failed" in r.stdout, r.stdout


def test_a_setup_that_fails(run):
    r = run("good", "setup")
    assert r.returncode == 1 and "no key" in r.stdout and "2 passed, 1 failed" in r.stdout, r.stdout


def test_a_spec_that_never_ends(run):
    r = run("endless", PERIGEE_SCRIPT_MS="50")
    assert r.returncode == 1 and "goes on for ever" in r.stdout and "1 passed, 1 failed" in r.stdout, r.stdout


def test_a_spec_that_takes_all_memory(run):
    r = run("greedy")
    assert r.returncode == 1 and "not enough memory" in r.stdout and "1 passed, 1 failed" in r.stdout, r.stdout


@pytest.mark.parametrize("name, said", [("killer", "ended by signal 9"), ("quitter", "ends its process")])
def test_a_spec_that_ends_its_process(run, name, said):
    r = run(name)
    assert r.returncode == 1 and said in r.stdout, r.stdout + r.stderr


def test_files_are_shared_out(tmp_path):
    """Each file begins with an empty database, whoever runs it, in whatever order."""
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(14):
        (folder / ("f%d_spec.lua" % i)).write_text("""
it("file %d is alone", function()
    client:post("/api/v1/auth/register/", { email = "ann@x.example", username = "ann", password = "SecurePass123!" })
        :expect(201)
    assert.equal(1, db.value "SELECT COUNT(*) FROM users")
    clock.advance "2d"
end)
it("file %d begins now", function() assert.is_true(clock.now() > 0) end)
""" % (i, i))
    for jobs in ("1", "3"):
        r = perigee_test("focusflow", "--spec", folder, "--jobs", jobs, "--output", "tap")
        assert r.returncode == 0 and "1..28" in r.stdout, r.stdout + r.stderr
        assert sorted(int(n) for n in re.findall(r"file (\d+) is alone", r.stdout)) == list(range(14))


# ---- client, clock, captured -----------------------------------------------------------------------------------------

def test_what_a_spec_writes_its_requests_see(tmp_path):
    r = specs_of(tmp_path / "s", """
it("commits before it asks, and may write again", function()
    for i = 1, 3 do
        db.transaction(function(tx)
            tx.insert("projects", { user_id = 1, name = "p" .. i, created_at = time.now() })
        end)
        client:get("/api/v1/projects/"):expect(401)
    end
    assert.equal(3, db.value "SELECT COUNT(*) FROM projects")
end)
it("cannot ask inside db.transaction", function()
    local ok, why = pcall(db.transaction, function() client:get("/api/v1/projects/") end)
    assert.is_false(ok)
    assert.is_truthy(tostring(why):find "inside db.transaction")
end)
local user
before_each(function()
    user = client:post("/api/v1/auth/register/", { email = "a@x.example", username = "ann", password = "SecurePass123!" })
        .body or user
end)
""")
    assert "2 passed, 0 failed" in r.stdout, r.stdout + r.stderr


def test_the_clock(tmp_path):
    r = specs_of(tmp_path / "s", """
it("reads durations", function()
    local begin = clock.now()
    clock.advance "1h30m"
    clock.advance(30)
    clock.advance "1d2s"
    assert.is_true(math.abs(clock.now() - begin - 5400 - 30 - 86402) <= 1)
    for _, wrong in ipairs { "", "25", "25x", "m" } do
        assert.has_error(function() clock.advance(wrong) end)
    end
end)
it("goes to an instant, not back", function()
    clock.set "2100-01-01T00:00:00Z"
    assert.is_true(clock.now() - time.parse "2100-01-01T00:00:00Z" <= 1)
    assert.has_error(function() clock.set "2000-01-01T00:00:00Z" end)
    assert.has_error(function() clock.set "tomorrow" end)
end)
""")
    assert "2 passed, 0 failed" in r.stdout, r.stdout + r.stderr


def test_requests_are_real_ones(tmp_path):
    r = specs_of(tmp_path / "s", """
it("has headers, a large body, and keys that are used once", function()
    local reply = client:post("/api/v1/auth/register/", { email = "ann@x.example", username = "ann",
        password = "SecurePass123!" }, { ["Idempotency-Key"] = "k1", ["X-Request-Id"] = "my-request-1" }):expect(201)
    assert.equal("my-request-1", reply.headers["x-request-id"])
    local again = client:post("/api/v1/auth/register/", { email = "ann@x.example", username = "ann",
        password = "SecurePass123!" }, { ["Idempotency-Key"] = "k1" }):expect(201)
    assert.equal("true", again.headers["idempotent-replayed"])
    local ann = client:as(reply.body.tokens.access)
    ann:post("/api/v1/tasks/", { title = "x", description = ("d"):rep(500000) })
    client:post("/api/v1/tasks/", "{not json"):expect(401)
    ann:post("/api/v1/tasks/", "{not json"):expect(400)
    ann:post("/api/v1/tasks/", ("x"):rep(3 << 20)):expect(413)
    ann:request("PURGE", "/api/v1/tasks/"):expect(405)
    assert.has_error(function() ann:get("/api/v1/tasks/", { evil = "a\\r\\nb: c" }) end)
    assert.equal(2, ann:with({ accept = "text/plain" }):get("/api/v1/tasks/?page=99").status // 200)
end)
""")
    assert "1 passed, 0 failed" in r.stdout, r.stdout + r.stderr


def test_the_example_of_the_page(tmp_path):
    page = (REPO / "docs" / "SPECS.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```lua\n(.*?)^```$", page, re.M | re.S)
    r = specs_of(tmp_path / "s", example)
    assert "1 passed, 0 failed" in r.stdout, r.stdout + r.stderr
