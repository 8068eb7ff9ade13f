"""The docs page and the OpenAPI document (FF-62)."""
import html.parser
import re
import sys
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from support.openapi import check_endpoint, check_operation, operations, plain, resolve
from support.organizations import V2
from support.people import V1, User
from support.server import find

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract"))
from catalogue import of  # noqa: E402

SERVER = {"limits": "on"}
ADDED = [("POST", V1 + "/auth/api-keys/"), ("GET", V1 + "/auth/api-keys/"), ("DELETE", V1 + "/auth/api-keys/{id}/")]
_, ENDPOINTS = of("focusflow")
ALL = [(e["method"], e["full_path"]) for n, e in ENDPOINTS.items() if not n.startswith("focusflow.docs.")] + ADDED


class Assets(html.parser.HTMLParser):
    """Everything that a browser would load for a page."""

    def __init__(self, text):
        super().__init__()
        self.loaded, self.inline, self.tag = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        a, self.tag = dict(attrs), tag
        if tag == "link" and a.get("rel") not in ("canonical", "alternate", "help", "license"):
            self.loaded.append(a["href"])
        if tag in ("script", "img", "iframe", "embed", "source", "audio", "video", "object"):
            self.loaded += [a[k] for k in ("src", "data", "srcset") if a.get(k)]

    def handle_data(self, data):
        if self.tag in ("script", "style"):
            self.inline += data


@pytest.fixture(scope="module", params=[V1, V2])
def version(request):
    return request.param


@pytest.fixture(scope="module")
def page(server, version):
    return server.client.get(version + "/docs/")


@pytest.fixture(scope="module")
def documents(server):
    return {v: server.client.get(v + "/docs/?format=openapi").expect(200) for v in (V1, V2)}


@pytest.fixture(scope="module")
def openapi(documents, version):
    return documents[version]


# -- the page

def test_the_page_is_public_html(page):
    assert page.status == 200 and page.header("content-type").lower().replace(" ", "") == "text/html;charset=utf-8"
    assert page.text().lstrip().lower().startswith("<!doctype html>")


def test_the_page_lists_every_endpoint(page, openapi, server, version):
    """In its HTML, or in the document that it loads from this server."""
    text = page.text()
    for a in Assets(text).loaded:
        text += server.client.get(urljoin(version + "/docs/", a)).text()
    if "format=openapi" in text:
        text += "".join(openapi["paths"])
    for method, path in ALL:
        assert (plain(path) in plain(text)) == path.startswith(version), path


def test_no_external_assets(page, server, version):
    assets = Assets(page.text())
    for a in assets.loaded:
        assert not urlsplit(a).netloc and not a.startswith("//"), "loaded from elsewhere: %s" % a
        if not a.startswith("data:"):
            r = server.client.get(urljoin(version + "/docs/", a))
            assert r.status == 200 and r.body, "missing: %s" % a
            assert not re.search(rb"@import\s+(url\()?['\"]?(https?:)?//|url\(['\"]?(https?:)?//", r.body), a
    assert not re.search(r"@import\s+(url\()?['\"]?(https?:)?//|url\(['\"]?(https?:)?//|fetch\(['\"](https?:)?//", assets.inline)
    assert "<base" not in page.text().lower()


def test_formats(server, version):
    c = server.client
    assert c.get(version + "/docs/?format=html").header("content-type").startswith("text/html")
    assert c.get(version + "/docs?format=openapi").expect(200)["openapi"]


# -- the document

def test_version(openapi):
    assert re.fullmatch(r"3\.1\.\d+", openapi["openapi"])
    assert openapi["info"]["title"] and openapi["info"]["version"]


@pytest.mark.parametrize("method,path", ALL, ids=["%s %s" % e for e in ALL])
def test_operation(documents, method, path):
    openapi = documents[path[:len(V1)]]
    endpoint = next((e for e in ENDPOINTS.values() if (e["method"], e["full_path"]) == (method, path)), None)
    if endpoint:
        check_endpoint(openapi, endpoint)
    else:
        check_operation(openapi, method, path)


def test_references_resolve(openapi):
    for holder in find(openapi, lambda o: isinstance(o.get("$ref"), str)):
        assert resolve(openapi, holder)


def test_operation_ids_are_unique(openapi):
    ids = [o["operationId"] for _, _, o in operations(openapi).values() if "operationId" in o]
    assert len(ids) == len(set(ids)) == len(operations(openapi))


def test_only_this_version(openapi, version):
    assert all(path.startswith(version) for _, path in operations(openapi))


def test_the_documents_schemas_hold_for_real_answers(documents, server):
    """The declared fields of a task are those that come."""
    openapi = documents[V1]
    server.new_window()
    u = User(server)
    t = u.task()
    operation = operations(openapi)["GET", V1 + "/tasks/{}/"][2]
    schema = resolve(openapi, operation["responses"]["200"]["content"]["application/json"]["schema"])
    assert set(schema["properties"]) == set(u.show(t))
