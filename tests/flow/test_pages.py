"""Pages: files of an app that the host serves as they are."""
import pytest

from support.client import encode
from support.server import command

APP = """return {
    name = "site",
    prefixes = { "/site/api" },
    units = { { name = "u", summary = "s", GET "/site/api/{x}" { summary = "s", who = "anyone", params = { x = text },
        returns = { [200] = any }, run = function(req) return 200, { x = req.params.x } end } } },
    pages = {
        { path = "/", file = "www/index.html", development = true },
        { path = "/about", file = "www/about.html" },
        { path = "/www/", folder = "www" },
    },
}
"""
FILES = {"index.html": "<!doctype html><title>Site</title>", "about.html": "<p>about", "js/a.js": "export {}\n"}


def write(root, app=APP):
    folder = root / "site"
    for name, text in FILES.items():
        path = folder / "www" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "app.lua").write_text(app)
    return root


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    return write(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def server(start_server, scripts):
    return start_server(scripts=scripts)


@pytest.fixture(scope="module")
def production(start_server, scripts):
    return start_server(scripts=scripts, mode="production",
                        env={"PERIGEE_JWT_SECRET": "x" * 40})


@pytest.mark.parametrize("path, name, kind", [
    ("/", "index.html", "text/html; charset=utf-8"), ("/about", "about.html", "text/html; charset=utf-8"),
    ("/www/js/a.js", "js/a.js", "text/javascript; charset=utf-8"),
])
def test_a_file_is_served_as_it_is(client, path, name, kind):
    r = client.get(path)
    assert (r.status, r.text(), r.header("content-type")) == (200, FILES[name], kind)


def test_headers(server, client):
    r = client.get("/")
    policy = r.header("content-security-policy")
    for part in ("default-src 'self'", "ws://127.0.0.1:%d" % server.port, "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy, policy
    assert "unsafe" not in policy and "*" not in policy
    assert r.header("x-content-type-options") == "nosniff" and r.header("referrer-policy") == "no-referrer"
    assert r.header("cache-control") == "no-cache" and r.header("x-request-id")


def test_a_hostile_host_header_adds_nothing_to_the_policy(client):
    for host in ("x;script-src", "x'y", "x,y"):
        r = client.get("/", headers={"Host": host})
        if r.status == 200:
            assert "connect-src" not in r.header("content-security-policy"), host
        else:
            assert r.status == 400 and r.header("content-security-policy") is None, r


def test_head_has_the_same_headers(client):
    get, head = client.get("/about"), client.request("HEAD", "/about")
    assert head.status == 200 and head.body == b""
    for name in ("etag", "content-type", "content-length", "content-security-policy"):
        assert head.header(name) == get.header(name), name


def test_an_unchanged_page_is_not_sent_again(client):
    tag = client.get("/").header("etag")
    assert tag.startswith('"') and len(tag) == 34
    for given in (tag, "W/%s" % tag, '"other", %s' % tag, "*"):
        r = client.get("/", headers={"If-None-Match": given})
        assert (r.status, r.body, r.header("etag")) == (304, b"", tag), given
        assert r.header("content-security-policy")
    assert client.get("/", headers={"If-None-Match": '"other"'}).status == 200
    assert client.get("/about").header("etag") != tag


@pytest.mark.parametrize("path", ["/", "/www/js/a.js"])
def test_other_methods(client, path):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        r = client.request(method, path, json={})
        assert (r.status, r.header("allow")) == (405, "GET, HEAD, OPTIONS"), method
    assert client.request("OPTIONS", path).status == 204


@pytest.mark.parametrize("path", [
    "/www", "/www/", "/www/js", "/www/js/", "/about/", "/www/app.lua", "/www/none.html", "/www/../app.lua", "/www//js/a.js",
    "/www/%2e%2e/app.lua", "/www/..%2fapp.lua", "/www/js/..", "/www/js/../index.html", "/www/js%2fa.js", "/www/index.html%00",
    "/www/index.html/", "/WWW/index.html", "//www/index.html", "/www/./index.html",
])
def test_nothing_else_is_there(server, path):
    """The router knows the listed files; a path is never joined with a folder."""
    c = server.connect()
    c.get("/")
    c.conn.send(encode("GET", path, [("Host", c.host)], None))
    r = c.conn.response()
    assert r.status == 404 and b"pages" not in r.body, r
    c.close()


def test_a_query_changes_nothing(client):
    assert client.get("/?x=1#y").status in (200, 400)
    assert client.get("/?x=1").text() == FILES["index.html"]


def test_routes_keep_their_numbers(server, client):
    assert client.get("/site/api/7").expect(200) == {"x": "7"}
    counted = server.metrics()
    assert counted['perigee_requests_total{app="site",method="GET",route="/about",status="2xx"}'] > 0
    assert counted['perigee_requests_total{app="site",method="GET",route="/site/api/{x}",status="2xx"}'] > 0


def test_development_pages_do_not_exist_in_production(production):
    r = production.client.get("/")
    assert r.status == 404 and r.json()["error"]["code"] == "NOT_FOUND"
    assert production.client.request("POST", "/").status == 404
    assert production.client.get("/about").text() == FILES["about.html"]
    assert production.client.get("/site/api/7").expect(200) == {"x": "7"}


def test_only_on_the_hosts_of_the_app(start_server, scripts, tmp_path_factory):
    root = write(tmp_path_factory.mktemp("hosts"), APP.replace("prefixes", 'hosts = { "site.test" }, prefixes'))
    other = root / "other"
    other.mkdir()
    (other / "app.lua").write_text(APP.replace("prefixes", 'hosts = { "other.test" }, _').replace('"site"', '"other"')
                                    .replace("pages", "_pages"))
    s = start_server(scripts=root)
    assert s.client.get("/about", headers={"Host": "site.test"}).status == 200
    assert s.client.get("/about", headers={"Host": "other.test"}).status == 404


@pytest.mark.parametrize("pages, said", [
    ('{ { path = "/x", file = "www/none.html" } }', "there is no file www/none.html"),
    ('{ { path = "/x", file = "../site/app.lua" } }', "'../site/app.lua' is not a name inside the app's folder"),
    ('{ { path = "/x", file = "app.lua" } }', "app.lua: files of this type are not served"),
    ('{ { path = "/x/{y}", file = "www/index.html" } }', "page '/x/{y}': a path has"),
    ('{ { path = "/x/" } }', "pages[1]: either file or folder"),
    ('{ { file = "www/index.html" } }', "pages[1]: path is missing"),
    ('{ { path = "/x", folders = "www" } }', 'unknown key "folders"\n    did you mean "folder"?'),
    ('{ 5 }', "pages[1] must be a table"),
])
def test_mistakes_are_found_by_check(tmp_path, pages, said):
    root = write(tmp_path, APP.replace("pages = {", "pages = %s, _old = {" % pages))
    r = command("check", "site", "--scripts", root, "--data", tmp_path / "data")
    assert r.returncode == 1 and said in r.stderr, r.stderr


def test_check_counts_them(scripts, tmp_path):
    r = command("check", "site", "--scripts", scripts, "--data", tmp_path)
    assert r.stdout == "site: 1 routes and 5 page files, no problems\n"


def test_a_path_that_is_taken(tmp_path, start_server):
    root = write(tmp_path, APP.replace('"/about", file = "www/about.html"', '"/www/index.html", file = "www/about.html"'))
    s = start_server(scripts=root, wait=False)
    s.spawn()
    assert s.ended() == 1
    assert "GET /www/index.html is declared twice" in s.log.text()
