"""A disk that fills up while a file is being made: an error for that request, nothing left behind, and it works after.

Reports are written below the limit of the process's file size (see test_disk.py), which the databases do not reach.
"""
import csv
import io
import os
import pathlib
import resource
import shutil

import pytest

from support.client import Connection
from support.server import REPO, Server

ROWS = 200000
APP = """
local MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i, hex(randomblob(20)) FROM n"
local ROUTE = { n = integer }
local function rows_of(n)
    local i = 0
    return function()
        i = i + 1
        if i <= n then return { i, "text of a row that is not short" } end
    end
end
return {
    name = "rep", title = "Reports", prefixes = { "/rep" }, trailing_slash = false,
    units = { { name = "r", summary = "s",
        GET "/rep/csv" { summary = "s", who = "anyone", query = ROUTE, returns = { [200] = "file" }, run = function(req)
            return 200, report.csv { name = "x.csv", columns = { "a", "b" }, rows = { sql = MANY, req.query.n } } end },
        GET "/rep/function" { summary = "s", who = "anyone", query = ROUTE, returns = { [200] = "file" }, run = function(req)
            return 200, report.csv { name = "x.csv", columns = { "a", "b" }, rows = rows_of(req.query.n) } end },
        GET "/rep/xlsx" { summary = "s", who = "anyone", query = ROUTE, returns = { [200] = "file" }, run = function(req)
            return 200, report.xlsx { name = "x.xlsx", sheets = { { name = "s", columns = { "a", "b" },
                rows = { sql = MANY, req.query.n } } } } end },
    } },
}
"""


@pytest.fixture
def server(tmp_path):
    (tmp_path / "scripts" / "rep").mkdir(parents=True)
    (tmp_path / "scripts" / "rep" / "app.lua").write_text(APP)
    shutil.copytree(REPO / "db" / "runtime", tmp_path / "db" / "runtime")
    s = Server(tmp_path / "data", scripts=tmp_path / "scripts", db=tmp_path / "db", args=["--script-ms", "20000", "--drain-seconds", "1"])
    s.start(restore_signals=False)
    yield s
    s.stop()


def open_files(server):
    """Descriptors of the process that lead into its folder of temporary files."""
    links = [os.readlink(f) for f in pathlib.Path("/proc/%d/fd" % server.proc.pid).iterdir()]
    return [x for x in links if str(server.data / "tmp") in x]


@pytest.mark.parametrize("kind", ["csv", "function", "xlsx"])
def test_a_disk_that_fills_up_under_a_file(server, kind):
    c = server.client
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (1 << 21, resource.RLIM_INFINITY))
    r = c.get("/rep/%s?n=%d" % (kind, ROWS))
    assert r.status == 503 and r.json()["error"]["message"] == "The file could not be stored", str(r)
    assert "EFBIG" not in r.text() and "/" not in r.json()["error"]["message"]
    server.log.wait_for("a report could not be written")
    server.nothing_in_tmp()
    assert c.get("/rep/%s?n=10" % kind).status == 200, "what fits is still made"
    resource.prlimit(server.proc.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    r = c.get("/rep/%s?n=%d" % (kind, ROWS))
    assert r.status == 200
    server.nothing_in_tmp()
    if kind != "xlsx":
        assert sum(1 for _ in csv.reader(io.StringIO(r.text()))) == ROWS + 1


def test_a_server_that_stops_while_a_file_is_made(server):
    """It waits as for any request (--drain-seconds), then ends the export."""
    c = Connection(server.port)
    c.send(b"GET /rep/xlsx?n=1000000 HTTP/1.1\r\nHost: x\r\n\r\n")
    while not [x for x in open_files(server) if "/book-" in x]:      # it has begun
        assert server.running()
    server.stop()
    c.close()
    assert os.listdir(server.data / "tmp") == []
    server.start(restore_signals=False)
    assert server.client.get("/rep/csv?n=10").status == 200
