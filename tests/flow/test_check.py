"""`perigee check`: what can be known before running. tests/flow/broken has one small mistake per file: a patch of the
app in tests/flow/broken/app, and what is said about it."""
import json
import pathlib
import re
import shutil
import time

import pytest

from support.server import REPO, command

HERE = pathlib.Path(__file__).parent / "broken"
EXAMPLES = sorted(p.stem for p in HERE.glob("*.txt"))


def write(root):
    """The sound app."""
    shutil.copytree(HERE / "app", root / "scripts")
    shutil.copytree(HERE / "db", root / "db")
    (root / "db" / "runtime").symlink_to(REPO / "db" / "runtime")
    return root


def check(root, *args, **kw):
    return command("check", *args, "--scripts", root / "scripts", "--db", root / "db", "--data", root / "data", **kw)


def spoil(root, text):
    """An example: blocks of `--- FILE` with a whole file, or `--- FILE` and `- old` and `+ new` lines; the last block is
    `=== said`, all of what is said."""
    body, _, said = text.partition("\n=== said\n")
    for block in re.split(r"^--- ", body, flags=re.M)[1:]:
        name, _, content = block.partition("\n")
        path = root / name.strip()
        olds = re.findall(r"^- (.*)$", content, re.M)
        if olds:
            new = "\n".join(re.findall(r"^\+ (.*)$", content, re.M))
            old, before = "\n".join(olds), path.read_text()
            assert before.count(old) == 1, "%s: %r is there %d times" % (name, old, before.count(old))
            path.write_text(before.replace(old, new))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return said


def test_the_sound_app_has_no_problems(tmp_path):
    r = check(write(tmp_path))
    assert (r.returncode, r.stderr, r.stdout) == (0, "", "demo: 3 routes, no problems\n")


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mistake_is_found(tmp_path, name):
    root = write(tmp_path)
    said = spoil(root, (HERE / (name + ".txt")).read_text(encoding="utf-8"))
    r = check(root)
    assert r.stderr == said
    places = [line for line in said.splitlines() if not line.startswith("    ")]
    assert places and all(re.match(r"[\w/.]+:\d+:\d+: .", line) for line in places)
    assert r.returncode == (0 if all(": warning: " in line for line in places) else 1)


def test_there_are_enough_examples():
    assert len(EXAMPLES) >= 25


def test_all_problems_at_once_in_order(tmp_path):
    root = write(tmp_path)
    for name in ("unknown_column", "unknown_global", "rule_reads", "unknown_measure"):
        spoil(root, (HERE / (name + ".txt")).read_text(encoding="utf-8"))
    r = check(root)
    places = [(m[1], int(m[2]), int(m[3])) for m in re.finditer(r"^([\w/.]+):(\d+):(\d+): ", r.stderr, re.M)]
    assert len(places) >= 4 and places == sorted(places)
    assert r.stdout == "demo: 3 routes, %d errors\n" % len(places)


def test_json_for_editors(tmp_path):
    root = write(tmp_path)
    spoil(root, (HERE / "unknown_column.txt").read_text(encoding="utf-8"))
    r = check(root, "demo", "--json")
    (problem,) = json.loads(r.stdout)
    assert (r.returncode, r.stderr) == (1, "")
    assert problem == {"app": "demo", "file": "demo/notes.lua", "line": 6, "column": 12, "severity": "error",
                       "message": "db.one: no such column: txt", "hint": 'did you mean "text"?', "rule": "sql"}


def test_json_of_an_app_without_problems(tmp_path):
    r = check(write(tmp_path), "--json")
    assert (r.returncode, json.loads(r.stdout)) == (0, [])


def test_wrong_usage(tmp_path):
    root = write(tmp_path)
    assert check(root, "demo", "more").returncode == 2
    r = check(root, "dmeo")
    assert r.returncode == 1 and "there is no app dmeo" in r.stderr


def test_without_luacheck_the_rest_is_checked(tmp_path):
    root = write(tmp_path)
    spoil(root, (HERE / "unknown_rule.txt").read_text(encoding="utf-8"))
    (tmp_path / "lua" / "luacheck").mkdir(parents=True)
    (tmp_path / "lua" / "luacheck" / "init.lua").write_text('error("not today")')
    r = check(root, env={"LUA_PATH_5_4": "%s/lua/?/init.lua" % tmp_path})
    first, *rest = r.stderr.splitlines()
    assert "luacheck (package lua-check) cannot be loaded" in first and "not today" in first
    assert 'can = "note.sea" is not in rules' in rest[0] and r.returncode == 1


def test_scripts_are_read_not_run_in_the_checking_state(tmp_path):
    """What has all of Lua's libraries never runs a script."""
    root = write(tmp_path)
    (root / "scripts" / "demo" / "extra.lua").write_text('return io.open("%s/made", "w")\n' % tmp_path)
    r = check(root)
    assert "demo/extra.lua:1:8: there is no global 'io'" in r.stderr
    assert not (tmp_path / "made").exists()


STRANGE = {
    "brackets": "return " + "(" * 100000 + "1" + ")" * 100000, "tables": "return " + "{" * 100000 + "}" * 100000,
    "negations": "return " + "not " * 99999 + "1", "control characters": "\0\1\2", "bytecode": "\x1bLua",
    "a long word": "x" * 500000,
}


@pytest.mark.parametrize("what", STRANGE)
def test_a_strange_file_does_not_hide_the_problems_of_others(tmp_path, what):
    root = write(tmp_path)
    spoil(root, (HERE / "unknown_column.txt").read_text(encoding="utf-8"))
    (root / "scripts" / "demo" / "extra.lua").write_text(STRANGE[what])
    r = check(root)
    assert "demo/notes.lua:6:12: db.one: no such column: txt" in r.stderr
    assert r.returncode == 1 and "demo/extra.lua:1:" in r.stderr


def test_the_apps_of_this_repository_have_no_problems():
    began = time.monotonic()
    r = command("check")
    print("check took %.2f s" % (time.monotonic() - began))
    assert (r.returncode, r.stderr) == (0, "")
    apps = sorted(f.parent.name for f in (REPO / "scripts").glob("*/app.lua"))
    assert apps == re.findall(r"^(\w+): \d+ routes.*, no problems$", r.stdout, re.M)
