"""Files that scripts make (report.csv, .xlsx, .pdf), read by other programs than the one that wrote them.

The server runs an app made for this: a route hands each kind of report what the test posts.
"""
import contextlib
import csv
import datetime
import io
import os
import re
import shutil
import subprocess
import threading

import openpyxl
import pytest

from support.client import Connection
from support.server import REPO

HOSTILE = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "two\nlines", "a\x00b", "x\x01\x1f\x7fy", "<b>&amp;</b>",
           "http://example.com", "_x0041_", "\u202eevil", "李小龍", "محمد", "\U0001F345", "'quoted'", "x" * 10000]
APP = """
local function fields(req)      -- columns come as { title =, type = }
    for _, list in ipairs { req.body.t.sheets or {}, req.body.t.tables or {} } do
        for _, t in ipairs(list) do
            for i, c in ipairs(t.columns) do
                t.columns[i] = type(c) == "table" and { c.title, type = c.type, width = c.width } or c
            end
        end
    end
    return req.body.t
end
local MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ?) SELECT i, 'row ' || i AS text FROM n"
local COUNT = { n = optional(integer) }
return {
    name = "rep", title = "Reports Inc.", prefixes = { "/rep" }, trailing_slash = false,
    units = { { name = "r", summary = "s",
        POST "/rep/xlsx" { summary = "s", who = "anyone", body = { t = any }, returns = { [200] = "file" },
            run = function(req) return 200, report.xlsx(fields(req)) end },
        POST "/rep/pdf" { summary = "s", who = "anyone", body = { t = any }, returns = { [200] = "file" },
            run = function(req) return 200, report.pdf(fields(req)) end },
        POST "/rep/csv" { summary = "s", who = "anyone", body = { t = any }, returns = { [200] = "file" },
            run = function(req) return 200, report.csv(fields(req)) end },
        GET "/rep/many/csv" { summary = "s", who = "anyone", query = COUNT, returns = { [200] = "file" },
            run = function(req) return 200, report.csv { name = "many.csv", columns = { "i", "text" },
                rows = { sql = MANY, req.query.n } } end },
        GET "/rep/many/xlsx" { summary = "s", who = "anyone", query = COUNT, returns = { [200] = "file" },
            run = function(req) return 200, report.xlsx { name = "many.xlsx", sheets = { { name = "Many",
                columns = { { "i", type = "integer" }, "text" }, rows = { sql = MANY, req.query.n } } } } end },
        GET "/rep/many/pdf" { summary = "s", who = "anyone", query = COUNT, returns = { [200] = "file" },
            run = function(req) return 200, report.pdf { name = "many.pdf", title = "Many", tables = { {
                columns = { { "i", type = "integer" }, "text" }, rows = { sql = MANY, req.query.n } } } } end },
        POST "/rep/keyed" { summary = "s", who = "anyone", query = COUNT, body = {}, returns = { [200] = "file" },
            run = function(req) return 200, report.csv { name = "keyed " .. crypto.uuid() .. ".csv",
                columns = { "i", "text" }, rows = { sql = MANY, req.query.n } } end },
    } },
}
"""


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    top = tmp_path_factory.mktemp("reports")
    (top / "scripts" / "rep").mkdir(parents=True)
    (top / "scripts" / "rep" / "app.lua").write_text(APP)
    shutil.copytree(REPO / "db" / "runtime", top / "db" / "runtime")
    return start_server(scripts=top / "scripts", db=top / "db", args=["--workers", "2"])


def book(response):
    assert response.status == 200, str(response)
    assert response.header("content-type") == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return openpyxl.load_workbook(io.BytesIO(response.body))


def run(tool, response, *args):
    assert response.status == 200, str(response)
    assert response.header("content-type") == "application/pdf"
    r = subprocess.run([tool, *args], input=response.body, capture_output=True, timeout=60)
    assert r.returncode == 0 and not r.stderr, r.stderr
    return r.stdout.decode()


def text_of(response):
    return run("pdftotext", response, "-layout", "-", "-")


def info_of(response):
    return dict(re.findall(r"^(\w+): +(.*)$", run("pdfinfo", response, "-"), re.M))


# ---- workbooks -------------------------------------------------------------------------------------------------------

def test_texts_stay_texts(client):
    r = client.post("/rep/xlsx", {"t": {"name": "h.xlsx", "sheets": [
        {"name": "Hostile", "columns": ["a"], "rows": [[x] for x in HOSTILE]}]}})
    sheet = book(r)["Hostile"]
    cells = [row[0] for row in sheet.iter_rows(min_row=2)]
    assert all(c.data_type == "s" and c.hyperlink is None for c in cells), "formulas or links"
    for text, cell in zip(HOSTILE, cells, strict=True):
        expected = re.sub("[\x00-\x08\x0b-\x1f\x7f]", "\ufffd", text).replace("_x0041_", "_x005F_x0041_")
        assert cell.value == expected


def typed(*columns):
    return [dict(zip(("title", "type"), c)) if isinstance(c, tuple) else c for c in columns]


COLUMNS = typed("Name", ("Tasks", "integer"), ("Cost", "number"), ("Focus", "hours"), ("Share", "percent"), ("Day", "date"),
                ("Seen", "time"))
ROW = ["Ada", 1234, 2.5, 5400, 0.25, "2025-01-20", 1737363600]


def test_values_have_their_types(client):
    r = client.post("/rep/xlsx", {"t": {"name": "team.xlsx", "title": "Team", "zone": "Asia/Kathmandu", "sheets": [
        {"name": "Team: A/B?", "columns": COLUMNS, "rows": [ROW, ["Bob"], ["Cy", "n/a", None, True]]},
        {"name": "team- A-B-", "columns": ["x"], "rows": []}]}})
    workbook = book(r)
    assert workbook.sheetnames == ["Team- A-B-", "team- A-B- (2)"]
    ada, bob, cy = [[c.value for c in row] for row in workbook.worksheets[0].iter_rows(min_row=2)]
    assert ada == ["Ada", 1234, 2.5, 1.5, 0.25, datetime.datetime(2025, 1, 20), datetime.datetime(2025, 1, 20, 14, 45)]
    assert bob == ["Bob"] + 6 * [None] and cy[:4] == ["Cy", "n/a", None, True]
    formats = [c.number_format for c in workbook.worksheets[0][2]]
    assert formats == ["General", "#,##0", "#,##0.00", "#,##0.00", "0.0%", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss"]
    assert workbook.properties.title == "Team"


def test_a_sheet_is_ready_to_work_with(client):
    r = client.get("/rep/many/xlsx?n=3")
    assert r.header("content-disposition") == 'attachment; filename="many.xlsx"'
    workbook = book(r)
    sheet = workbook["Many"]
    assert [[c.value for c in row] for row in sheet.iter_rows()] == [["i", "text"], [1, "row 1"], [2, "row 2"], [3, "row 3"]]
    assert sheet["A2"].number_format == "#,##0" and sheet["A1"].font.bold
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:B4"
    assert workbook.properties.creator == "Reports Inc."


def test_an_empty_sheet(client):
    sheet = book(client.get("/rep/many/xlsx?n=0"))["Many"]
    assert sheet.max_row <= 2


def test_a_large_sheet_is_sent_from_a_file(client):
    r = client.get("/rep/many/xlsx?n=100000")
    assert len(r.body) > 1 << 20 and int(r.header("content-length")) == len(r.body)
    rows = 0
    workbook = openpyxl.load_workbook(io.BytesIO(r.body), read_only=True)
    for rows, row in enumerate(workbook["Many"].iter_rows(values_only=True)):
        assert row == ((rows, "row %d" % rows) if rows else ("i", "text"))
    assert rows == 100000


# ---- PDF -------------------------------------------------------------------------------------------------------------

PAPER = {"name": "team.pdf", "title": "Team report", "subtitle": "Acme", "period": "January 2025",
         "facts": [["Focus time", "412.5 h"], ["Tasks", 318]], "footer": "Confidential", "zone": "Asia/Kathmandu",
         "chart": {"kind": "bars", "title": "Per day", "labels": ["Mon", "Tue", "Wed"], "values": [3, 0, -1.5], "unit": "hours"},
         "tables": [{"title": "People", "columns": COLUMNS, "rows": [ROW]}]}


def test_a_page_for_a_manager(client):
    r = client.post("/rep/pdf", {"t": PAPER})
    text, info = text_of(r), info_of(r)
    for part in ("Team report", "Acme", "January 2025", "Focus time", "412.5 h", "318", "Per day", "hours", "Tue", "\u22121.5",
                 "People", "Ada", "1,234", "2.50", "1.50", "25.0%", "2025-01-20 14:45", "Confidential", "Asia/Kathmandu"):
        assert part in text, "no %r in\n%s" % (part, text)
    assert re.search(r"1 ?/ ?1", text) and info["Pages"] == "1"
    assert (info["Title"], info["Author"], info["Subject"]) == ("Team report", "Reports Inc.", "January 2025")
    assert "A4" in run("pdfinfo", r, "-")


def test_a_table_goes_over_pages(client):
    r = client.get("/rep/many/pdf?n=500")
    text, pages = text_of(r), int(info_of(r)["Pages"])
    assert pages > 5 and len(re.findall(r"^ +i +text$", text, re.M)) == pages, "headings on every page"
    assert re.findall(r"row (\d+)$", text, re.M) == [str(n) for n in range(1, 501)]
    for n in range(1, pages + 1):
        assert re.search(r"\b%d ?/ ?%d$" % (n, pages), text, re.M), "page numbers"


def test_hostile_text_on_paper(client):
    r = client.post("/rep/pdf", {"t": {"name": "h.pdf", "title": "=cmd\x00\n", "facts": [["\u202e", "x" * 10000]],
        "chart": {"title": "\t=1", "labels": HOSTILE, "values": [0] * len(HOSTILE)},
        "tables": [{"columns": HOSTILE[:4], "rows": [[x] * 4 for x in HOSTILE]}, {"columns": ["none"], "rows": []}]}})
    text = text_of(r)
    assert "=cmd|' /C calc'!A0" in text and "<b>&amp;</b>" in text and "\x00" not in text and "\u2026" in text
    assert info_of(r)["JavaScript"] == "no"


def test_too_many_rows_are_a_clear_error(client):
    r = client.get("/rep/many/pdf?n=10001")
    assert r.status == 400 and "at most 10000 rows" in r.json()["error"]["message"]


# ---- CSV and answers from files --------------------------------------------------------------------------------------

def test_csv_from_rows(client):
    r = client.post("/rep/csv", {"t": {"name": "a\"b/c ü.csv", "columns": ["a", "b"], "rows": [[x, 1] for x in HOSTILE]}})
    assert r.status == 200 and r.header("content-type") == "text/csv; charset=utf-8"
    assert r.header("content-disposition") == 'attachment; filename="a_b_c __.csv"; filename*=UTF-8\'\'a_b_c%20%C3%BC.csv'
    rows = list(csv.reader(io.StringIO(r.text().replace("\x00", "\u2400"), newline="")))
    assert len(rows) == len(HOSTILE) + 1
    for text, (cell, one) in zip(HOSTILE, rows[1:], strict=True):
        risky = text[0] in "=+-@\t" and not re.fullmatch(r"[+-]\d+", text)
        assert cell == "'" * risky + text.replace("\x00", "\u2400") and one == "1"


def expected_csv(n):
    return ("i,text\r\n" + "".join("%d,row %d\r\n" % (i, i) for i in range(1, n + 1))).encode()


@pytest.mark.parametrize("n", [0, 1, 3000, 300000])
def test_csv_from_a_query(server, client, n):
    r = client.get("/rep/many/csv?n=%d" % n)
    assert r.status == 200 and r.body == expected_csv(n)
    server.nothing_in_tmp()


def test_head_announces_the_length(client):
    for n in (10, 300000):
        r = client.request("HEAD", "/rep/many/csv?n=%d" % n)
        assert r.status == 200 and r.body == b"" and int(r.header("content-length")) == len(expected_csv(n))
        assert client.get("/rep/many/csv?n=1").status == 200, "the connection goes on"


def test_a_slow_reader_and_one_that_leaves(server):
    """An answer that is not read holds a descriptor, nothing else; one whose reader leaves is dropped."""
    raw = b"GET /rep/many/csv?n=300000 HTTP/1.1\r\nHost: x\r\n\r\n"
    slow, gone = Connection(server.port), Connection(server.port)
    slow.send(raw)
    gone.send(raw)
    with contextlib.closing(server.connect()) as other:
        assert other.get("/rep/many/csv?n=300000").body == expected_csv(300000)
    gone.close()
    assert slow.response().body == expected_csv(300000)
    slow.close()
    server.nothing_in_tmp()


def test_reports_beside_each_other(server):
    """Many at once: each is its own file, and other requests are served meanwhile."""
    answers, served = {}, []

    def one(k):
        c = server.connect()
        kind = ("csv", "xlsx", "pdf")[k % 3]
        answers[k] = kind, c.get("/rep/many/%s?n=%d" % (kind, 500 + k))
        c.close()
    threads = [threading.Thread(target=one, args=(k,)) for k in range(18)]
    for t in threads:
        t.start()
    c = server.connect()
    while any(t.is_alive() for t in threads):
        served.append(c.get("/healthz").status)
    c.close()
    for t in threads:
        t.join()
    assert set(served) == {200}
    for k, (kind, r) in answers.items():
        if kind == "csv":
            assert r.body == expected_csv(500 + k)
        elif kind == "xlsx":
            assert book(r)["Many"].max_row == 501 + k
        else:
            assert "row %d" % (500 + k) in text_of(r)


def test_a_keyed_file_is_kept(client):
    """Also one that is too large for memory elsewhere: the repetition gets the same bytes."""
    for n in (3, 100000):
        key = {"Idempotency-Key": "file-%d" % n}
        first = client.post("/rep/keyed?n=%d" % n, {}, headers=key)
        again = client.post("/rep/keyed?n=%d" % n, {}, headers=key)
        assert first.status == again.status == 200 and first.body == again.body == expected_csv(n)
        assert again.header("idempotent-replayed") == "true"
        assert first.header("content-disposition") == again.header("content-disposition")


def test_a_folder_of_temporary_files_begins_empty(server):
    (server.data / "tmp" / "left-over").write_text("x")
    server.restart()
    assert os.listdir(server.data / "tmp") == []
    assert server.client.get("/rep/many/csv?n=1").status == 200
