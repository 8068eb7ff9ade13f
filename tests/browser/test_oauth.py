"""The login and consent page of lib/oauth in a real browser, with and without JavaScript (tests/support/apps/door)."""
import http.server
import threading
from urllib.parse import urlencode, urlsplit

import pytest

from support import door
from support.door import Door
from support.oauth import answer_of

NAME = "Reports & <b>more</b>"


@pytest.fixture(scope="module")
def there(start_server, tmp_path_factory):
    return Door(start_server(args=["--apps", "door"], **door.folders(tmp_path_factory.mktemp("scripts"))))


@pytest.fixture(scope="module")
def back():
    """Where a client waits for its users: another origin, with a page that says so. And one that tries to frame."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = b"<!doctype html><title>Back</title><link rel=icon href='data:,'><h1>Back</h1>"
            if self.path.startswith("/frame?"):
                page = b"<!doctype html><link rel=icon href='data:,'><h1>Frame</h1><iframe></iframe>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield "http://127.0.0.1:%d/" % s.server_port
    s.shutdown()
    s.server_close()


@pytest.fixture(scope="module")
def client(there, back):
    return there.client(uris=[back], name=NAME)


@pytest.fixture
def address(there, client, back):
    query = urlencode(there.request(client, redirect_uri=back, state="a b&c"))
    return "http://127.0.0.1:%d/door/oauth/authorize?%s" % (there.server.port, query)


def sign_in(b, user, password=None):
    b.type("#email", user["email"])
    b.type("#password", password or user["password"])
    b.click("button[value=allow]")


def arrived(b, back):
    """The parameters that the browser brought back to the client."""
    b.until(lambda: urlsplit(b.driver.current_url).netloc == urlsplit(back).netloc, "the client's address")
    return answer_of(b.driver.current_url, back)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_signing_in_leads_back_with_a_code(clean, there, client, back, address, scripts):
    b = clean
    b.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
    b.open(address)
    assert NAME in b.text("h1") and "Open the doors that you can open." in b.text("main")
    sign_in(b, there.ada)
    answer = arrived(b, back)
    b.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert answer["state"] == "a b&c"
    assert there.exchange(client, answer["code"], redirect_uri=back).status == 200


def test_a_wrong_password_can_be_typed_again(browser, there, client, back, address):
    b = browser
    b.open(address)
    sign_in(b, there.ada, "wrong")
    b.until_text("[role=alert]", "do not match")
    assert b.one("#email").get_attribute("value") == there.ada["email"] and b.one("#password").get_attribute("value") == ""
    b.type("#password", there.ada["password"])
    b.click("button[value=allow]")
    assert there.exchange(client, arrived(b, back)["code"], redirect_uri=back).status == 200


def test_cancel_needs_no_password(clean, back, address):
    clean.open(address)
    clean.click("button[value=deny]")
    assert arrived(clean, back)["error"] == "access_denied"


def test_the_keyboard_is_enough(clean, there, client, back, address):
    clean.open(address)
    clean.one("#email").send_keys(there.ada["email"] + "\t" + there.ada["password"] + "\n")
    assert "code" in arrived(clean, back)


def test_a_form_of_another_browser_is_refused(browser, there, back, address):
    b = browser
    b.open(address)
    b.driver.delete_all_cookies()
    sign_in(b, there.ada)
    b.until_text("[role=alert]", "Please sign in again")
    sign_in(b, there.ada)       # the page has a new token
    assert "code" in arrived(b, back)


def test_another_site_can_neither_send_the_form_nor_show_the_page(browser, there, client, back, address):
    b = browser
    b.open(address)             # the browser has the cookie
    b.open(back + "frame?")
    fields = there.request(client, redirect_uri=back)
    fields.update(email=there.ada["email"], password=there.ada["password"])
    b.script("""const form = document.createElement("form");
        form.method = "post"; form.action = arguments[0];
        for (const [name, value] of Object.entries(arguments[1])) {
            const field = document.createElement("input");
            field.name = name; field.value = value; form.append(field);
        }
        document.body.append(form); form.submit();""", address.partition("?")[0], fields)
    b.until_text("[role=alert]", "Please sign in again")
    b.open(back + "frame?")
    b.console()
    b.script("document.querySelector('iframe').src = arguments[0]", address)
    said = b.until(lambda: " ".join(b.console()), "a refusal to frame")
    assert "frame" in said.lower() and "frame-ancestors" in said


def test_an_unregistered_address_is_not_visited(browser, there, client, back):
    b = browser
    query = urlencode(there.request(client, redirect_uri=back + "frame?"))
    b.open("http://127.0.0.1:%d/door/oauth/authorize?%s" % (there.server.port, query))
    assert "not one that the application has registered" in b.text("main")
    assert b.all("a, form, button") == []
    assert not any(u.startswith(back) for u in b.requested())


@pytest.mark.parametrize("name, width, dark", [("oauth", 1280, False), ("oauth-dark", 1280, True), ("oauth-phone", 360, False)])
def test_it_is_readable(clean, address, name, width, dark):
    b = clean
    b.window(width, 780, dark=dark)
    b.open(address)
    assert b.script("return document.documentElement.scrollWidth") <= width
    assert b.script("return document.documentElement.lang") == "en" and len(b.all("h1")) == 1
    for field in b.all("input:not([type=hidden])"):
        assert b.text("label[for=%s]" % field.get_attribute("id"))
    back, text = b.script("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    assert (luminance(back) < luminance(text)) == dark
    b.picture(name)


def luminance(color):
    return sum(int(x) for x in color.strip("rgba()").split(",")[:3])
