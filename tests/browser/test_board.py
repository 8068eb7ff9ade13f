"""The live board in a real browser: a manager looks, employees work through the API."""
import pytest
from selenium.webdriver.common.keys import Keys

from support.organizations import Organization
from support.people import unique
from support.relay import Relay

HOSTILE = """<img src=x onerror="document.title='taken over'"><script>document.title='taken over'</script> & "more" it's"""


class Board:
    """The page as its manager uses it."""

    def __init__(self, browser, organization, port=None):
        self.b, self.organization = browser, organization
        self.manager = organization.owner
        self.url = "http://127.0.0.1:%d/" % (port or organization.server.port)

    def log_in(self, password=None, user=None):
        self.b.open(self.url)
        self.b.until_shown("#login")
        self.b.type("#email", (user or self.manager).email)
        self.b.type("#password", password or self.manager.password)
        self.b.click("#login .primary")

    def choose(self, slug=None):
        self.b.until_shown("#choose")
        self.b.type("#slug", slug or self.organization.slug)
        self.b.click("#choose .primary")

    def open(self):
        self.log_in()
        self.choose()
        return self.ready()

    def ready(self):
        self.b.until_shown("#people .person")
        self.until_connected("live")
        self.b.until(lambda: self.b.all("#plot svg g") and not self.b.all("#plot .waiting"), "all days")
        return self

    def until_connected(self, state):
        self.b.until(lambda: self.b.one("#connection").get_attribute("data-state") == state, "a connection that is " + state)

    # -- what it shows
    def figure(self, name):
        return float(self.b.text("#" + name))

    def until_figure(self, name, value):
        self.b.until(lambda: self.b.text("#" + name) == str(value), "%s = %s" % (name, value))

    def person(self, user, part):
        return self.b.text('.person[data-user="%s"] .%s' % (user.username, part))

    def until_person(self, user, part, value):
        self.b.until(lambda: self.person(user, part) == value, "%s of %s = %s" % (part, user.username, value))

    def feed(self):
        return [" ".join(e.text.split()) for e in self.b.all("#feed .event p")]

    def until_feed(self, *sentence):
        self.b.until(lambda: " ".join(sentence) in self.feed(), " ".join(sentence))

    def received(self, kind):
        return [f for f in self.b.frames("Received") if f["type"] == kind]


@pytest.fixture(scope="module")
def team(server):
    o = Organization(server, name="Acme Startup")
    o.ada = o.member(first_name="Ada", last_name="Lovelace")
    o.alan = o.member(first_name="Alan", last_name="Turing")
    return o


@pytest.fixture
def board(clean, team):
    return Board(clean, team).open()


# -- the doors

def test_a_wrong_password_is_said(browser, team):
    board = Board(browser, team)
    board.log_in(password="not this one")
    browser.until_text("#login .error", "password is wrong")
    assert not browser.one("#board").is_displayed()
    board.log_in()
    browser.until_shown("#choose")
    assert [m for m in browser.console() if "401" not in m] == []


def test_it_can_be_used_by_keyboard_alone(clean, team):
    b = clean
    b.open(Board(b, team).url)
    b.until_shown("#login")
    b.keys(team.owner.email, Keys.TAB)
    b.keys(team.owner.password, Keys.ENTER)
    b.until_shown("#choose")
    b.keys(Keys.CONTROL, "a")
    b.keys(team.slug, Keys.ENTER)
    Board(b, team).ready()
    reached = []
    for _ in range(4):
        b.keys(Keys.TAB)
        reached.append(b.script("const e = document.activeElement; return e.textContent.trim() || e.id"))
    assert reached[0] == "Skip to the team" and "Log out" in reached, reached


def test_a_login_outlives_a_reload_and_ends_with_logging_out(board):
    b = board.b
    b.open(board.url)
    board.ready()
    assert not b.one("#login").is_displayed()
    b.click("#board [data-action=logout]")
    b.until_shown("#login")
    assert b.script("return sessionStorage.length") == 0
    b.open(board.url)
    b.until_shown("#login")


@pytest.mark.parametrize("slug, said", [(None, "not a manager"), ("no-such-organization", "no organization")])
def test_who_may_not_look_is_told_so(browser, team, slug, said):
    board = Board(browser, team)
    board.log_in(user=team.ada)
    board.choose(slug)
    browser.until_text("#choose .error", said)
    assert [m for m in browser.console() if "403" not in m and "404" not in m] == []


def test_the_own_organizations_are_offered(clean, team):
    """Those whose board the user may see, by their names."""
    second = Organization(team.server, team.owner, name="Second & Co")
    elsewhere = Organization(team.server, name="As an employee")
    elsewhere.join(team.owner)
    board = Board(clean, team)
    board.log_in()
    clean.until_shown("#choose")
    offered = [" ".join(e.text.split()) for e in clean.all("#choose .choices button")]
    assert offered == ["Second & Co %s · 1 person" % second.slug, "Acme Startup %s · 3 people" % team.slug]
    clean.picture("board-choose")
    clean.click('#choose .choices [data-slug="%s"]' % second.slug)
    clean.until(lambda: clean.text("#organization") == "Second & Co", "the name of the second")
    clean.click("#change")
    clean.until_shown("#choose")
    clean.click('#choose .choices [data-slug="%s"]' % team.slug)
    board.ready()
    assert clean.text("#organization") == "Acme Startup"
    elsewhere.remove(team.owner)


def test_an_access_token_that_ran_out_is_renewed_unnoticed(browser, team):
    board = Board(browser, team).open()
    team.server.advance(3700)
    task = team.ada.task(title="After an hour")
    team.ada.start(task)
    browser.until(lambda: [u for u in browser.requested() if u.endswith("/auth/refresh/")], "a renewal")
    board.until_feed("Ada Lovelace created", "After an hour")       # of the server's list: no event tells it
    team.ada.complete(task)
    assert not browser.one(".notice").is_displayed()


# -- what happens is seen

def test_a_task_is_seen_from_its_start_to_its_end(board, team):
    title = "Review the plan " + unique()
    before = {name: board.figure(name) for name in ("focused", "completed", "progress")}
    task = team.ada.task(title=title)
    team.ada.start(task)
    board.until_person(team.ada, "status", "Focusing")
    board.until_figure("focused", int(before["focused"] + 1))
    assert board.person(team.ada, "task") == title
    board.until_feed("Ada Lovelace started", title)
    assert [e["data"]["task"]["title"] for e in board.received("employee_task_started")][-1] == title

    shown = board.person(team.ada, "timer")
    board.b.until(lambda: board.person(team.ada, "timer") not in ("", shown), "a running timer")

    team.ada.complete(task)
    board.until_person(team.ada, "status", "Idle")
    board.until_figure("focused", int(before["focused"]))
    board.until_figure("completed", int(before["completed"] + 1))
    board.until_feed("Ada Lovelace completed", title)
    assert board.person(team.ada, "task") == "No open task" and board.person(team.ada, "timer") == ""
    assert [e["data"]["task"]["title"] for e in board.received("employee_task_completed")][-1] == title


def test_an_entry_is_not_shown_twice_when_the_server_confirms_it(board, team):
    title = "Once " + unique()
    task = team.alan.task(title=title)
    team.alan.start(task)
    board.until_feed("Alan Turing started", title)
    board.until_feed("Alan Turing created", title)      # only the server's list has this one
    assert board.feed().count("Alan Turing started " + title) == 1
    team.alan.complete(task)


def test_those_who_focus_come_first(board, team):
    task = team.alan.task()
    team.alan.start(task)
    board.until_person(team.alan, "status", "Focusing")
    assert board.b.all("#people .name")[0].text == "Alan Turing"
    assert "AT" in board.b.script("return document.getElementById('faces').textContent")
    team.alan.complete(task)


def test_the_days_have_what_the_api_says(board, team):
    rows = board.b.script("return [...document.querySelectorAll('#days tr')].map(r => [...r.children].map(c => c.textContent))")
    assert len(rows) == 14
    for date, hours in (rows[0], rows[-1]):
        report = team.ask(team.owner, "GET", "/analytics/team/", query={"start_date": date, "end_date": date}).expect(200)
        assert float(hours) == pytest.approx(report["team_statistics"]["total_focus_hours"], abs=0.051)


# -- hostile and unlucky

def test_a_hostile_title_is_text(board, team):
    title = HOSTILE + unique()
    task = team.ada.task(title=title)
    team.ada.start(task)
    board.until_person(team.ada, "task", title)
    board.until_feed("Ada Lovelace started", title)
    assert board.b.all("#board .person img, #board .event img, #board .event script") == []
    assert "taken over" not in board.b.driver.title
    team.ada.complete(task)


def test_a_phone_has_no_horizontal_scroll(board, team):
    task = team.ada.task(title="Averylongword" * 19)
    team.ada.start(task)
    board.until_person(team.ada, "status", "Focusing")
    board.b.window(360, 780)
    board.b.until(lambda: board.b.one("#plot svg").size["width"] < 360, "a narrow chart")
    assert board.b.script("return document.documentElement.scrollWidth") <= 360
    feed, last = board.b.one(".feed").rect, [e for e in board.b.all(".event") if e.is_displayed()][-1].rect
    assert last["y"] + last["height"] <= feed["y"] + feed["height"], "the feed is in its box"
    for e in board.b.all(".card, .box, .person, .event, .bar > *"):
        place = e.rect
        assert not e.is_displayed() or place["x"] >= 0 and place["x"] + place["width"] <= 360, e.text
    team.ada.complete(task)


def test_after_a_restart_of_the_server_nothing_is_missing(browser, start_server):
    """The socket resumes where it was: what happened while the wire was cut comes as events."""
    server = start_server()
    o = Organization(server)
    ada = o.member(first_name="Ada", last_name="Lovelace")
    wire = Relay(server.port)
    board = Board(browser, o, wire.port).open()
    first, second = ada.task(title="Before the break"), ada.task(title="During the break")
    ada.start(first)
    board.until_feed("Ada Lovelace started", "Before the break")
    seen = board.received("employee_task_started")[-1]

    wire.cut()
    board.until_connected("waiting")
    ada.complete(first)
    server.restart()
    ada.start(second)
    wire.mend(server.port)
    board.until_connected("live")

    board.until_feed("Ada Lovelace started", "During the break")
    browser.until(lambda: board.received("employee_task_started")[-1]["data"]["task"]["title"] == "During the break",
                  "the missed event")
    assert {"room": seen["room"], "after": seen["seq"]} in browser.frames("Sent")[-1]["resume"]
    missed = [f["seq"] for f in browser.frames("Received") if f.get("room") == seen["room"] and f["seq"] > seen["seq"]]
    assert missed == [seen["seq"] + 1, seen["seq"] + 2]
    board.until_person(ada, "status", "Focusing")
    assert not browser.one(".notice").is_displayed()
    wire.close()


def test_a_server_that_is_away_is_said_and_forgiven(browser, start_server):
    server = start_server()
    o = Organization(server)
    wire = Relay(server.port)
    board = Board(browser, o, wire.port).open()
    wire.cut()
    board.until_connected("waiting")
    assert "Reconnecting" in browser.text("#connection")
    wire.mend(server.port)
    board.until_connected("live")
    wire.close()


# -- looks

@pytest.fixture(scope="module")
def demo(start_server):
    return start_server(args=["--demo", "on"])


@pytest.mark.parametrize("name, width, dark", [("board-light", 1280, False), ("board-dark", 1280, True),
                                               ("board-phone", 360, False)])
def test_the_demo_looks(clean, demo, name, width, dark):
    b = clean
    b.window(width, 860, dark)
    b.open("http://127.0.0.1:%d/" % demo.port)
    b.until_shown("#login")
    b.picture(name + "-login")
    b.click("#demo")
    b.click("#login .primary")
    b.until_shown("#choose")
    b.click("#choose .primary")
    b.until_shown("#people .person")
    b.until(lambda: b.all("#plot svg g") and not b.all("#plot .waiting"), "all days")
    b.until(lambda: b.one("#connection").get_attribute("data-state") == "live", "a live connection")
    assert float(b.text("#hours")) >= 0 and len(b.all("#plot svg .bar-of-day")) == 14
    assert b.script("return document.documentElement.scrollWidth") <= width
    b.picture(name)
