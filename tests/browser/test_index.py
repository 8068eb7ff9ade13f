"""The host's index of its APIs in a real browser."""
import pytest


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_index_loads_without_errors(clean, server, dark):
    b = clean
    b.window(1280, 860, dark=dark)
    b.open("http://127.0.0.1:%d/-/" % server.port)
    assert b.text("h1") and len(b.all("section[aria-labelledby]")) >= 2
    back, text = b.script("const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]")
    assert (luminance(back) < luminance(text)) == dark
    b.picture("index-dark" if dark else "index")


def luminance(color):
    return sum(int(x) for x in color.strip("rgba()").split(",")[:3])


def test_the_index_leads_to_the_documents(clean, server):
    b = clean
    b.open("http://127.0.0.1:%d/-/" % server.port)
    links = [e.get_attribute("href") for e in b.all("main a[href]")]
    assert any(x.endswith("format=postman") for x in links) and any(x.endswith("format=openapi") for x in links)
    for link in links:
        assert server.client.get(link.split(str(server.port), 1)[1]).status == 200, link
    b.all("main a[href$='/docs/'], main a[href$='/docs']")[0].click()
    b.until_shown("article")


def test_the_index_fits_a_phone(clean, server):
    b = clean
    b.window(360, 780)
    b.open("http://127.0.0.1:%d/-/" % server.port)
    assert b.script("return document.documentElement.scrollWidth") <= 360
    b.picture("index-phone")


def test_the_index_can_be_read_by_headings_and_landmarks(clean, server):
    """Every section is named by its heading, levels leave none out, every link has a text."""
    b = clean
    b.open("http://127.0.0.1:%d/-/" % server.port)
    assert b.script("return document.documentElement.lang") == "en"
    levels = [int(e.tag_name[1]) for e in b.all("h1, h2, h3, h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    for section in b.all("section"):
        assert b.text("#" + section.get_attribute("aria-labelledby"))
    assert all(a.text for a in b.all("a"))
