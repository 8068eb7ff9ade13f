"""The generated docs pages in a real browser."""
import pytest


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_docs_load_without_errors(clean, server, version):
    b = clean
    b.open("http://127.0.0.1:%d/api/%s/docs/" % (server.port, version))
    articles = b.all("article")
    assert len(articles) > 10 and articles[0].is_displayed()
    b.picture("docs-" + version, whole=False)


def test_the_filter_hides_what_does_not_match(clean, server):
    b = clean
    b.open("http://127.0.0.1:%d/api/v1/docs/" % server.port)
    b.type("#filter", "streaks")
    b.until(lambda: [e for e in b.all("nav a[href]") if e.is_displayed() and "reak" in e.text], "the streaks")
    b.until(lambda: not [e for e in b.all("nav a[href]") if e.is_displayed() and "Log in" in e.text], "no other entry")


def test_the_docs_fit_a_phone(clean, server):
    b = clean
    b.window(360, 780)
    b.open("http://127.0.0.1:%d/api/v1/docs/" % server.port)
    assert b.script("return document.documentElement.scrollWidth") <= 360
    b.picture("docs-phone", whole=False)
