"""11.3: a valid file of each format, whose numbers are those of the figures (FF-51)."""
import csv
import datetime as dt
import io
import subprocess

import openpyxl
import pytest

from support.days import seconds
from support.organizations import Organization

SERVER = {"shift": seconds("2025-01-06T08:00:00Z") - int(dt.datetime.now().timestamp())}
TYPES = {"csv": "text/csv", "pdf": "application/pdf",
         "excel": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ENDINGS = {"csv": "csv", "pdf": "pdf", "excel": "xlsx"}
JANUARY = {"start_date": "2025-01-01", "end_date": "2025-01-20"}


class Acme:
    """Jane: 90 minutes on Alpha in two tasks on the 6th, one of them completed; 30 minutes without a project on the 7th.
    Bob: an hour on Alpha on the 7th, and has left. =Eve has done nothing."""

    def __init__(self, server):
        self.org = Organization(server, zone="Europe/Berlin", name="Acme Startup")
        self.jane = self.org.member(first_name="Jane", last_name="Doe")
        self.bob = self.org.member(first_name="Bob", last_name="")
        self.eve = self.org.member(first_name="=Eve", last_name="1+1")
        self.alpha = self.org.owner.project(name="Alpha")
        self.beta = self.org.owner.project(name="Beta")
        done = self.jane.task(project=self.alpha["id"])
        self.jane.pomodoro(done, 60)
        self.jane.complete(done)
        self.jane.pomodoro(self.jane.task(project=self.alpha["id"]), 30)
        server.advance(86400)
        self.jane.pomodoro(self.jane.task(), 30)
        self.bob.pomodoro(self.bob.task(project=self.alpha["id"]), 60)
        self.org.remove(self.bob)

    def export(self, **query):
        return self.org.ask(self.org.owner, "GET", "/analytics/export/", query={**JANUARY, **query})

    def rows(self, **query):
        r = self.export(format="csv", **query)
        assert r.status == 200, r
        return list(csv.DictReader(io.StringIO(r.text())))

    def workbook(self, **query):
        r = self.export(format="excel", **query)
        assert r.status == 200, r
        return openpyxl.load_workbook(io.BytesIO(r.body))

    def paper(self, **query):
        r = self.export(format="pdf", **query)
        assert r.status == 200, r
        return subprocess.run(["pdftotext", "-layout", "-", "-"], input=r.body, capture_output=True, check=True).stdout.decode()


@pytest.fixture(scope="module")
def acme(server):
    return Acme(server)


def some(rows, *keys):
    return [tuple(r[k] for k in keys) for r in rows]


@pytest.mark.parametrize("kind", ["team", "project", "individual"])
@pytest.mark.parametrize("form", ["csv", "pdf", "excel"])
def test_every_format_of_every_report_is_a_file(acme, form, kind):
    r = acme.export(format=form, report_type=kind)
    assert r.status == 200 and r.header("Content-Type").split(";")[0] == TYPES[form]
    name = "%s-%s-2025-01-01-2025-01-20.%s" % (acme.org.slug, kind, ENDINGS[form])
    assert r.header("Content-Disposition") == 'attachment; filename="%s"' % name
    assert r.body[:4] == {"csv": b"Empl" if kind != "project" else b"Proj", "pdf": b"%PDF", "excel": b"PK\x03\x04"}[form]


def test_a_team_is_the_default_and_csv_the_format(acme):
    r = acme.org.ask(acme.org.owner, "GET", "/analytics/export/")
    assert r.status == 200 and r.header("Content-Type").split(";")[0] == "text/csv" and "-team-2025-01-01-" in r.header("Content-Disposition")


def test_the_csv_of_a_team(acme):
    rows = acme.rows(report_type="team")
    assert some(rows, "Employee", "Focus hours", "Share", "Tasks", "Completed", "Rate", "Status") == [
        ("Jane Doe", "2", "0.6667", "3", "1", "0.3333", "active"), ("Bob", "1", "0.3333", "1", "0", "0", "left"),
        *sorted([("John Doe", "0", "0", "0", "0", "0", "active"), ("'=Eve 1+1", "0", "0", "0", "0", "0", "active")],
                key=lambda r: {"John Doe": acme.org.owner.username}.get(r[0], acme.eve.username))]
    assert rows[0]["Username"] == acme.jane.username
    rows = acme.rows(report_type="team", project=acme.alpha["id"])
    assert some(rows, "Employee", "Focus hours")[:2] == [("Jane Doe", "1.5"), ("Bob", "1")]


def test_the_csv_of_projects(acme):
    assert some(acme.rows(report_type="project"), "Project", "Focus hours", "Share", "Tasks", "Completed", "Rate") == [
        ("Alpha", "2.5", "0.8333", "3", "1", "0.3333"), ("No project of the organization", "0.5", "0.1667", "1", "0", "0")]


def test_the_csv_of_individuals_has_their_days(acme):
    keys = "Employee", "Date", "Focus hours", "Completed"
    assert some(acme.rows(report_type="individual"), *keys) == [
        ("Jane Doe", "2025-01-06", "1.5", "1"), ("Jane Doe", "2025-01-07", "0.5", "0"), ("Bob", "2025-01-07", "1", "0")]
    assert some(acme.rows(report_type="individual", employee=acme.eve.id), *keys) == []
    assert len(acme.rows(report_type="individual", employee=acme.jane.id)) == 2


def test_the_workbook_has_all_tables_with_typed_cells(acme):
    book = acme.workbook(report_type="team")
    assert book.sheetnames == ["Employees", "Busiest hours", "Days"]
    cells = [[c.value for c in row] for row in book["Employees"].iter_rows()]
    assert cells[0] == ["Employee", "Username", "Focus hours", "Share", "Tasks", "Completed", "Rate", "Status"]
    assert cells[1][2:3] + cells[1][4:6] == [2, 3, 1] and abs(cells[1][3] - 2 / 3) < 1e-9
    assert any(row[0] == "=Eve 1+1" for row in cells) and all(c.data_type != "f" for row in book["Employees"] for c in row)
    days = [[c.value for c in row] for row in book["Days"].iter_rows()]
    assert days[1:] == [[dt.datetime(2025, 1, 6), 1.5, 1], [dt.datetime(2025, 1, 7), 1.5, 0]]
    hours = [[c.value for c in row] for row in book["Busiest hours"].iter_rows()][1:]
    assert hours[0] == ["10:00", 0.1]       # on two of twenty days, in Berlin
    assert acme.workbook(report_type="individual").sheetnames == ["Employees", "Days"]
    assert acme.workbook(report_type="project").sheetnames == ["Projects", "Contributors", "Days"]


def test_the_pdf_is_a_page_to_hand_on(acme):
    text = acme.paper(report_type="team")
    for words in ("Team report", "Acme Startup", "1–20 January 2025", "Europe/Berlin", "3.00 h", "Focus by day", "Jane Doe", "left"):
        assert words in text, (words, text)
    assert acme.jane.username not in text
    text = acme.paper(report_type="individual", employee=acme.jane.id)
    assert "Report on Jane Doe" in text and "2025-01-07" in text and "Bob" not in text
    text = acme.paper(report_type="project", project=acme.alpha["id"])
    assert "Acme Startup · Alpha" in text and "Contributors" in text and "2.50 h" in text


@pytest.mark.parametrize("first,title", [("2024-12-30", "Focus by day"), ("2024-06-01", "Focus by week"), ("2015-01-01", "Focus by month")])
def test_the_chart_suits_the_range(acme, first, title):
    assert title in acme.paper(start_date=first)


def test_an_empty_organization_has_reports_too(server, acme):
    org = Organization(server)
    for form in TYPES:
        for kind in ("team", "project", "individual"):
            r = org.ask(org.owner, "GET", "/analytics/export/", query={"format": form, "report_type": kind})
            assert r.status == 200 and len(r.body) > 20, r


def test_what_is_refused(server, acme):
    other = Organization(server)
    foreign = other.owner.project()
    for bad in ({"format": "doc"}, {"report_type": "all"}, {"project": "x"}, {"employee": "x"}, {"start_date": "2025-02-01"}):
        assert list(acme.export(**bad).error(400, "VALIDATION_ERROR")["details"]) == list(bad)
    for unknown in ({"project": foreign["id"]}, {"employee": other.owner.id}, {"employee": acme.bob.id}):
        acme.export(**unknown).error(404, "NOT_FOUND")
    acme.org.ask(acme.eve, "GET", "/analytics/export/").error(403, "PERMISSION_DENIED")
