"""A real Chromium for the tests of pages. It can reach the server on this machine and nothing else."""
import base64
import json
import os
import pathlib
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from support.server import REPO

PICTURES = REPO / "build" / "test"
SECONDS = 30
ARGUMENTS = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


class Browser:
    """What a person does with a page, and what the page did that nobody sees."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS + (["--no-sandbox"] if os.geteuid() == 0 else []):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.network = []       # what the performance log had so far

    def quit(self):
        self.driver.quit()

    def reset(self):
        old = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        new = self.driver.current_window_handle
        self.driver.switch_to.window(old)
        self.driver.close()
        self.driver.switch_to.window(new)
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.window(1280, 860)
        self.console()
        self.events("")
        self.network = []

    # -- looking
    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self, css):
        """The visible text, "" while there is no such element."""
        found = self.all(css)
        return found[0].text if found else ""

    def until(self, condition, what):
        """Waits until condition() is true; its value."""
        def look(_):
            try:
                return condition()
            except StaleElementReferenceException:
                return False
        return WebDriverWait(self.driver, SECONDS, poll_frequency=0.05).until(look, "the page never had: %s" % what)

    def until_shown(self, css):
        return self.until(lambda: next((e for e in self.all(css) if e.is_displayed()), None), css)

    def until_text(self, css, part):
        self.until(lambda: part in self.text(css), "%r in %s" % (part, css))

    def script(self, text, *args):
        return self.driver.execute_script(text, *args)

    # -- doing
    def open(self, url):
        self.driver.get(url)

    def type(self, css, text):
        field = self.one(css)
        field.clear()
        field.send_keys(text)

    def click(self, css):
        self.one(css).click()

    def keys(self, *keys):
        """To whatever has the focus."""
        self.driver.switch_to.active_element.send_keys(*keys)

    # -- the window
    def window(self, width, height, dark=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if width < 500 else 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})

    def picture(self, name, whole=True):
        """The page, or the visible part of it, as build/test/NAME.png."""
        size = self.script("const e = document.documentElement; return [e.scrollWidth, e.scrollHeight]")
        clip = {"captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1}}
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", clip if whole else {})
        PICTURES.mkdir(parents=True, exist_ok=True)
        pathlib.Path(PICTURES / (name + ".png")).write_bytes(base64.b64decode(shot["data"]))

    # -- what nobody sees
    def console(self):
        """Errors and warnings since the last call; policy violations are among them."""
        return [m["message"] for m in self.driver.get_log("browser") if m["level"] in ("SEVERE", "WARNING")]

    def events(self, method):
        """The parameters of all DevTools events of a kind so far."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"].startswith("Network."):
                self.network.append(message)
        return [m["params"] for m in self.network if m["method"] == method]

    def requested(self):
        """The addresses of all requests and sockets so far, without those that stay inside the browser."""
        urls = [p["request"]["url"] for p in self.events("Network.requestWillBeSent")]
        urls += [p["url"] for p in self.events("Network.webSocketCreated")]
        return [u for u in urls if urlsplit(u).scheme not in ("data", "blob", "chrome")]

    def elsewhere(self):
        return [u for u in self.requested() if urlsplit(u).hostname != "127.0.0.1"]

    def frames(self, direction):
        """The JSON values of the frames "Sent" or "Received"."""
        return [json.loads(p["response"]["payloadData"]) for p in self.events("Network.webSocketFrame" + direction)
                if p["response"]["opcode"] == 1]


@pytest.fixture(scope="session")
def chromium():
    b = Browser()
    yield b
    b.quit()


@pytest.fixture
def browser(chromium):
    """The browser as if just installed: a new tab, nothing stored, nothing logged."""
    chromium.reset()
    return chromium


@pytest.fixture
def clean(browser):
    """The browser of a test that must end without an error, a policy violation or a request to elsewhere."""
    yield browser
    assert browser.console() == []
    assert browser.elsewhere() == []
