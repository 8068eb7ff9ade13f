"""docs/SCRIPTING.md, docs/REFERENCE.md and the README keep their word: their snippets are run here, in the order of
the page.

A marker in an HTML comment stands directly before each fenced block:
  file: PATH            the block is that file from here on
  edit: PATH            a diff of that file; @@ stands between its parts
  run, run: STATUS      the shell runs it; STATUS is its exit status (0)
  output                what the run before it prints; … stands for anything
  serve                 the server starts (again) with these options; port 8000 is a free one
  socket: PATH [NAME]   a conversation: > sent, < received (… stands for anything), closed CODE; $TOKEN is that of a new user NAME
  handler, handler: STATUS [TEXT]    the body of a handler of the finished app; TEXT is in the answer or the log
  load                  runs while the files of the finished app are loaded
  manifest              keys of a manifest, for `perigee check`
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from support.people import User
from support.saving import Load
from support.server import BINARY, REPO, command, environment
from support.sockets import Listener, Socket, frame

CHANGES = "Three changes to a running product"
GUIDE, REFERENCE, README = REPO / "docs" / "SCRIPTING.md", REPO / "docs" / "REFERENCE.md", REPO / "README.md"
FENCE = re.compile(r"(?:^<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<lang>\w*)\n(?P<text>.*?)^```$", re.M | re.S)
IN_ORDER = ("file", "edit", "run", "output", "serve", "socket")


class Block:
    def __init__(self, page, match):
        mark = match["mark"] or ""
        self.kind, _, self.argument = (x.strip() for x in mark.partition(":"))
        self.lang, self.text = match["lang"], match["text"]
        before = page.read_text(encoding="utf-8")[:match.start("text")]
        self.where = "%s:%d" % (page.name, before.count("\n") + 1)
        self.part = (re.findall(r"^# (.*)$", FENCE.sub("", before), re.M) or [""])[-1]


def blocks(page):
    return [Block(page, m) for m in FENCE.finditer(page.read_text(encoding="utf-8"))]


def of_kind(kind):
    return [pytest.param(b, id=b.where) for b in blocks(GUIDE) + blocks(REFERENCE) if b.kind == kind]


class Walk:
    """A folder like the repository's top, in which the blocks of a page are followed."""

    def __init__(self, root, start_server):
        self.root, self.start_server, self.server, self.printed = root, start_server, None, None
        (root / "build").mkdir(parents=True)
        os.symlink(pathlib.Path(BINARY).resolve(), root / "build" / "perigee")
        for folder in ("scripts", "db"):
            shutil.copytree(REPO / folder, root / folder)

    def serve(self, options):
        given = vars(options)
        if self.server:
            self.server.stop()
            self.server = self.start_server(data=self.server.data, scripts=self.root / "scripts", db=self.root / "db",
                                            limits=None, **given)
        else:
            self.server = self.start_server(scripts=self.root / "scripts", db=self.root / "db", limits=None, **given)

    def follow(self, block):
        if block.kind == "file":
            path = self.root / block.argument
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(block.text), encoding="utf-8")
            self.until_live()
        elif block.kind == "edit":
            for part in block.text.split("@@\n"):
                old, new = ("".join(x[1:] + "\n" for x in part.splitlines() if x[0] in " " + sign) for sign in "-+")
                edit(self.root / block.argument, old, new)
            self.until_live()
        elif block.kind == "serve":
            self.serve(ServeLine(block.text))
        elif block.kind == "run":
            self.printed = self.run(block)
            self.until_live()
        elif block.kind == "socket":
            self.talk(block)
        elif block.kind == "output":
            assert re.fullmatch(pattern_of(block.text.strip()), self.printed.strip(), re.S), \
                "%s says:\n%s\nprinted was:\n%s" % (block.where, block.text, self.printed)

    def until_live(self):
        """A reader takes longer to the next step than the server to notice a saved file; refusals are the page's matter."""
        if self.server and self.server.mode == "development":
            self.server.command("reload")

    def talk(self, block):
        path, _, name = block.argument.partition(" ")
        sign_up = {"name": name, "password": "difference"}
        token = self.server.client.post("/hello/users/", sign_up).expect(201)["token"] if name else ""
        s = Socket(self.server.port, path)
        for line in block.text.splitlines():
            if line.startswith("> "):
                s.send_raw(frame(line[2:].replace("$TOKEN", token).encode()))
            elif line.startswith("< "):
                got = s.text()
                assert re.fullmatch(pattern_of(line[2:]), got), "%s: %s, not %s" % (block.where, got, line)
            else:
                assert "closed %d" % s.close_code() == line
        s.sock.close()

    def here(self, text):
        return text.replace("127.0.0.1:8000", "127.0.0.1:%d" % self.server.port) if self.server else text

    def run(self, block):
        script, env = self.here(block.text), environment()
        if self.server:
            script = script.replace("--data /tmp/hello", "--data %s" % self.server.data)
            env["PERIGEE_DATA"] = str(self.server.data)
        r = subprocess.run(["bash", "-eu", "-o", "pipefail", "-c", script], cwd=self.root, capture_output=True, text=True,
                           env=env, timeout=60)
        assert r.returncode == int(block.argument or 0), "%s: status %d\n%s%s" % (block.where, r.returncode, r.stdout,
                                                                                 r.stderr)
        return r.stdout + r.stderr


def pattern_of(text):
    return ".*".join(re.escape(part) for part in text.split("…"))


class ServeLine:
    """The options that a page gives `perigee serve`; the data folder is one of the test's."""

    def __init__(self, text):
        words = shlex.split(text)
        if words == ["./tools/run"]:
            words = shlex.split("build/perigee serve --env development --demo on")
        self.env = dict(w.split("=", 1) for w in words[:words.index("build/perigee")])
        args = words[words.index("build/perigee") + 2:]
        self.mode = args[args.index("--env") + 1]
        self.args = []
        for name, value in zip(args[::2], args[1::2]):
            if name not in ("--env", "--data", "--port"):
                self.args += [name, value]


@pytest.fixture(scope="module")
def guide(tmp_path_factory, start_server):
    """The guide, followed to its end."""
    walk = Walk(tmp_path_factory.mktemp("guide") / "top", start_server)
    for block in blocks(GUIDE) + blocks(REFERENCE):
        if block.part != CHANGES and block.kind in IN_ORDER:
            walk.follow(block)
    return walk


def test_the_guide_can_be_followed(guide):
    assert guide.server.running()


def test_three_changes_to_a_running_product(tmp_path, start_server):
    """Word by word, while others ask without pause and sockets stay open: nobody notices but by the rules."""
    walk = Walk(tmp_path / "top", start_server)
    first, *rest = [b for b in blocks(GUIDE) if b.part == CHANGES]
    walk.follow(first)
    user = User(walk.server)
    sockets = [Listener(Socket(walk.server.port, "/ws/pomodoro/?token=" + user.access)) for _ in range(5)]
    with Load(walk.server, ["/api/v1/docs/?format=openapi", "/healthz", "/board/main.js"]) as load:
        for block in rest:
            walk.follow(block)
    assert load.count > 100 and not load.failed, load.failed[:3]
    for s in sockets:
        assert s.open(), "it answers a ping"
        s.close()


def test_the_readme_can_be_followed(tmp_path, start_server):
    walk = Walk(tmp_path / "top", start_server)
    followed = [b for b in blocks(README) if b.kind in IN_ORDER]
    assert [b.kind for b in followed].count("run") >= 3
    for block in followed:
        walk.follow(block)
    user = User(walk.server)
    assert user.start(user.task())["pomodoro_session"]["duration_minutes"] == 50, "the rule was changed"


# ---- snippets of the reference ---------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def snippets(guide, tmp_path_factory, start_server):
    """The finished app and its data with a unit more: each snippet is the body of a handler."""
    top = tmp_path_factory.mktemp("snippets")
    scripts, data = top / "scripts", top / "data"
    for step in (guide.server.command("backup", top / "backup", "--apps", "hello"), command(
            "restore", top / "backup", "--data", data, "--scripts", guide.root / "scripts", "--apps", "hello")):
        assert step.returncode == 0, step.stderr
    shutil.copytree(guide.root / "scripts", scripts)
    routes = []
    for block in blocks(GUIDE) + blocks(REFERENCE):
        if block.kind == "handler":
            routes.append('POST "/hello/snippets/%s/" { summary = "A snippet", who = "anyone", query = { page = optional('
                          'integer) }, body = { text = optional(text) }, returns = { [200] = any, [201] = any, '
                          '[204] = "none", [302] = "none" }, run = function(req)\n%s\n%s end },'
                          % (slug(block), block.text, "" if "\nreturn" in "\n" + block.text else "return 200, {}"))
    (scripts / "hello" / "routes" / "snippets.lua").write_text(
        'return { name = "snippets", summary = "Of the guide.",\n%s\n}\n' % "\n".join(routes))
    edit(scripts / "hello" / "app.lua", "units = {", 'units = { require "routes.snippets",')
    return start_server(data=data, scripts=scripts, db=guide.root / "db", args=["--apps", "hello"], limits=None)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, "%s once in %s" % (old, path)
    path.write_text(text.replace(old, new))


def slug(block):
    return block.where.replace(":", "-").lower()


@pytest.mark.parametrize("block", of_kind("handler"))
def test_a_snippet_of_a_handler(snippets, block):
    status, _, said = block.argument.partition(" ")
    r = snippets.client.post("/hello/snippets/%s/" % slug(block), {"text": "hi"}, headers={"X-Request-Id": slug(block)})
    log = "\n".join(x for x in snippets.log.text().splitlines() if slug(block) in x)
    assert r.status == int(status or 200), "%s\n%s\n%s" % (block.text, r.text(), log)
    assert said in r.text() or said in log or (said and snippets.log.wait_for(said)), "no %r in %s" % (said, r)


@pytest.mark.parametrize("block", of_kind("load"))
def test_a_snippet_of_loading(guide, tmp_path, block):
    shutil.copytree(guide.root / "scripts", tmp_path / "scripts")
    (tmp_path / "scripts" / "hello" / "loaded.lua").write_text(block.text, encoding="utf-8")
    edit(tmp_path / "scripts" / "hello" / "app.lua", "units = {", 'loaded = nil, _loaded = require "loaded", units = {')
    check(tmp_path, "hello")


@pytest.mark.parametrize("block", of_kind("manifest"))
def test_a_snippet_of_a_manifest(tmp_path, block):
    folder = tmp_path / "scripts" / "some"
    folder.mkdir(parents=True)
    keys = set(re.findall(r"^(\w+) =", block.text, re.M))
    given = {"name": '"some"', "units": '{ { name = "u", summary = "s", GET "/some/" { summary = "s", who = "anyone", '
             'returns = { [200] = any }, run = function() return 200, {} end } } }'}
    rest = ", ".join("%s = %s" % x for x in given.items() if x[0] not in keys)
    (folder / "app.lua").write_text("return {\n%s\n%s\n}\n" % (block.text, rest))
    check(tmp_path, "some")


def check(root, app):
    """Without a folder of migrations: the tables of a snippet are nowhere."""
    r = command("check", app, "--scripts", root / "scripts", "--data", root / "data", "--db", root / "none")
    assert r.returncode == 0, r.stdout + r.stderr


# ---- nothing is missing ----------------------------------------------------------------------------------------------

def test_every_snippet_is_run():
    kinds = IN_ORDER + ("handler", "load", "manifest")
    idle = [b.where for b in blocks(GUIDE) + blocks(REFERENCE) if b.kind not in kinds]
    assert not idle, "blocks without a marker: %s" % idle


def test_every_host_function_is_explained():
    text = REFERENCE.read_text(encoding="utf-8")
    libraries = json.loads(command("api").stdout)
    names = [f["signature"].partition("(")[0] for lib in libraries for f in lib["functions"]]
    assert len(names) > 40
    assert [n for n in names if n not in text] == []


@pytest.mark.parametrize("prelude, pattern", [
    ("manifest.lua", r"local MANIFEST = set \[\[(.*?)\]\]"),
    ("routes.lua", r"local ROUTE = set \[\[(.*?)\]\]"),
    ("routes.lua", r"local SOCKET = set \[\[(.*?)\]\]"),
    ("kit.lua", r"M.MESSAGES = M.set \[\[(.*?)\]\]"),
])
def test_every_key_is_explained(prelude, pattern):
    source = (REPO / "runtime" / "lua" / "prelude" / prelude).read_text(encoding="utf-8")
    keys = set(re.search(pattern, source, re.S)[1].split()) - {"method", "path", "line"}
    text = REFERENCE.read_text(encoding="utf-8")
    assert sorted(k for k in keys if not re.search(r"\b%s\b" % k, text)) == []
