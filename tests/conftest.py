"""Fixtures of the HTTP tests and the contract report."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import pytest  # noqa: E402

from support import server as servers  # noqa: E402
from support.people import User  # noqa: E402
from support.server import Server  # noqa: E402
from support.sockets import Socket  # noqa: E402

collect_ignore = ["unit", "spec", "fuzz", "bench", "browser"]
figures = []        # lines that tests want in the summary


def pytest_configure(config):
    config.addinivalue_line("markers", "contract(kind): a documented example; counted per kind in the summary")


@pytest.fixture(scope="module")
def start_server(tmp_path_factory):
    """start_server(**options) -> a ready server; all are stopped in the end and must end with status 0."""
    mine = []

    def start(wait=True, **options):
        options.setdefault("data", tmp_path_factory.mktemp("data"))
        s = Server(**options)
        mine.append(s)
        return s.start() if wait else s

    yield start
    problems = []
    for s in mine:
        if s.running():
            try:
                s.stop()
            except AssertionError as e:
                problems.append(str(e))
        if s in servers.live:
            servers.live.remove(s)
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="module")
def server(request, start_server):
    """The module's server; a module sets its options in SERVER. With VERIFY its analytics are checked in the end."""
    s = start_server(**getattr(request.module, "SERVER", {}))
    yield s
    if getattr(request.module, "VERIFY", False) and s.running():
        s.stop()
        s.verify_analytics()


@pytest.fixture
def user(server):
    """user() -> a new user of the module's server; user("Asia/Kathmandu") one who lives there."""
    made = []

    def make(zone=None, **fields):
        made.append(User(server, zone, **fields))
        return made[-1]

    yield make
    for u in made:
        u.c.close()


@pytest.fixture
def client(server):
    c = server.connect()
    yield c
    c.close()


@pytest.fixture
def figure():
    """figure("text"): a line for the summary at the end of the run."""
    return figures.append


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    for s in servers.live:
        s.mark = (len(s.logs), len(s.log.lines)) if s.log else (0, 0)
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    mark = item.get_closest_marker("contract")
    report.contract = mark.args[0] if mark else None
    if report.failed:
        for s in servers.live:
            runs, lines = getattr(s, "mark", (0, 0))
            if s.log is None:
                continue
            text = s.log.lines[lines:] if runs == len(s.logs) else s.log.lines
            if text:
                report.sections.append(("server log, %s" % s.data, "\n".join(text[-40:])))


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):     # one of several processes (pytest -n): the first one has the summary
        session.config.workeroutput["figures"] = figures


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    figures.extend(getattr(node, "workeroutput", {}).get("figures", ()))


def pytest_terminal_summary(terminalreporter):
    passed, every = {}, {}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            kind = getattr(report, "contract", None)
            if kind is None or (report.when != "call" and outcome == "passed"):
                continue
            every.setdefault(kind, set()).add(report.nodeid)
            if outcome == "passed":
                passed.setdefault(kind, set()).add(report.nodeid)
            elif report.when != "call":
                passed.setdefault(kind, set()).discard(report.nodeid)
    if every:
        terminalreporter.section("contract")
        for kind in sorted(every):
            terminalreporter.line("%-42s %d / %d" % (kind + ":", len(passed.get(kind, ())), len(every[kind])))
        terminalreporter.line("documented examples: %d / %d" % (
            sum(map(len, passed.values())), sum(map(len, every.values()))))
    if figures:
        terminalreporter.section("figures")
        for line in figures:
            terminalreporter.line(line)


@pytest.fixture
def opened(server):
    """opened(path, …) -> a Socket; all are dropped in the end."""
    mine = []

    def make(path="/ws/a", **kw):
        mine.append(Socket(server.port, path, **kw))
        return mine[-1]
    yield make
    for s in mine:
        s.sock.close()
