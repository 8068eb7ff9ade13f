"""HTTP/1.1 byte by byte: sizes, pipelining, chunks, 100-continue, smuggling, slow and silent clients."""
import contextlib
import resource
import socket

import pytest

from support.client import Closed, Connection
from support.people import V1, User, unique

SERVER = {}
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture
def conn(server):
    c = Connection(server.port)
    yield c
    c.close()


@pytest.fixture(scope="module")
def asker(server):
    return User(server)


def alive(server):
    assert server.client.get("/healthz").status == 200


def task(asker, title, **kw):
    """The bytes of a request that creates a task."""
    return asker.c.prepare("POST", V1 + "/tasks/", json={"title": title}, token=asker.access, **kw)


def refused(conn, *statuses, malformed=False):
    """A refusal or just a closed connection; nothing else is answered on it. The refusal is a JSON error; what is
    `malformed` belongs to no app and may get a plain page instead."""
    try:
        r = conn.response()
    except (Closed, ConnectionResetError) as e:
        assert not getattr(e, "got", b""), "part of an answer"
        return None
    assert r.status in statuses, str(r)
    if malformed and r.body.startswith(b"HTTP/1.1 4"):
        # libmicrohttpd answers a Content-Length that it cannot read with a page of its own and repeats its head.
        conn.rest()
        return r
    if not (malformed and (r.body == b"" or r.body.startswith(b"<html>"))):
        assert "error" in r.json(), str(r)
        assert r.header("x-request-id"), str(r.headers)
    assert conn.closed(), "the connection must not be used any more"
    return r


# -- keep-alive, pipelining, pieces

def test_keep_alive(conn):
    for _ in range(50):
        conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert conn.response().status == 200


def test_connection_close(conn):
    conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    r = conn.response()
    assert r.status == 200 and r.header("connection").lower() == "close" and conn.closed()


def test_http_1_0(conn):
    conn.send(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert conn.response().status == 200 and conn.closed()


def test_pipelining(conn, asker):
    """Twenty requests in one packet: twenty answers in their order."""
    ids = ["pipelined-%d" % n for n in range(20)]
    data = b""
    for n, i in enumerate(ids):
        if n % 3 == 0:
            data += task(asker, "pipelined %d" % n, headers={"X-Request-Id": i})
        else:
            data += b"GET %s HTTP/1.1\r\n" % (b"/healthz" if n % 3 == 1 else b"/api/v1/nothing/") + HOST
            data += b"X-Request-Id: %s\r\n\r\n" % i.encode()
    conn.send(data)
    for n, i in enumerate(ids):
        r = conn.response()
        assert r.header("x-request-id") == i
        assert r.status == (201, 200, 404)[n % 3], str(r)


def test_a_request_in_single_bytes(conn, asker):
    data = task(asker, "slow but whole")
    for i in range(len(data)):
        conn.send(data[i:i + 1])
    assert conn.response().expect(201)["title"] == "slow but whole"


def test_leading_empty_lines(conn):
    conn.send(b"\r\n\r\nGET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert conn.response().status == 200


def test_an_absolute_uri(conn):
    conn.send(b"GET http://focusflow.localhost/api/v1/docs/ HTTP/1.1\r\n" + HOST + b"\r\n")
    assert conn.response().status in (200, 400, 404)
    conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert conn.response().status == 200


def chunked(asker, *pieces, end=b"0\r\n\r\n"):
    head = asker.c.prepare("POST", V1 + "/tasks/", token=asker.access, headers={"Transfer-Encoding": "chunked"})
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + end


def test_a_chunked_body(conn, asker):
    body = ('{"title": "%s"}' % ("ü" * 200)).encode()
    for size in (1, 7, 100, len(body)):
        pieces = [body[i:i + size] for i in range(0, len(body), size)]
        conn.send(chunked(asker, *pieces))
        assert conn.response().expect(201)["title"] == "ü" * 200
    conn.send(chunked(asker, body, end=b"0\r\nTrailer-Field: x\r\n\r\n"))
    assert conn.response().status == 201


def test_100_continue(conn, asker):
    data = task(asker, "continued", headers={"Expect": "100-continue"})
    head, _, body = data.partition(b"\r\n\r\n")
    conn.send(head + b"\r\n\r\n")
    assert conn.response().status == 100
    conn.send(body)
    assert conn.response().expect(201)["title"] == "continued"
    conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert conn.response().status == 200


def test_100_continue_is_not_said_to_a_body_that_is_too_large(conn):
    conn.send(b"POST /api/v1/tasks/ HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    refused(conn, 413)


# -- sizes

PIECE = b"10000\r\n" + b"x" * 65536 + b"\r\n"


def memory(server):
    """Resident bytes of the server."""
    with open("/proc/%d/statm" % server.proc.pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def test_a_body_that_says_it_is_too_large(server, conn):
    conn.send(b"POST /api/v1/tasks/ HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n\r\n{")
    r = refused(conn, 413)
    assert r is not None and set(r.json()["error"]) >= {"code", "message", "details"}
    alive(server)


def test_a_chunked_body_without_end(server, conn, asker):
    """Never buffered beyond the cap: refused at once or thrown away until its end comes."""
    conn.send(chunked(asker, end=b""))
    before = memory(server)
    with contextlib.suppress(Closed, ConnectionError):
        for _ in range(1024):      # 64 MB
            conn.send(PIECE)
        assert memory(server) - before < 16e6
        alive(server)
        conn.send(b"0\r\n\r\n")
        conn.response().error(413, "PAYLOAD_TOO_LARGE")
    alive(server)


@pytest.mark.parametrize("size", [9000, 100000, 1000000])
def test_a_long_url(server, conn, size):
    with contextlib.suppress(ConnectionError):
        conn.send(b"GET /api/v1/tasks/?search=" + b"x" * size + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    refused(conn, 414, 431, malformed=size > 9000)
    alive(server)


@pytest.mark.parametrize("size", [17000, 1000000])
def test_long_headers(server, conn, size):
    with contextlib.suppress(ConnectionError):
        conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-Filler: " + b"x" * size + b"\r\n\r\n")
    refused(conn, 431, malformed=True)
    alive(server)


def test_many_headers(server, conn):
    with contextlib.suppress(ConnectionError):
        conn.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"".join(b"X-%d: y\r\n" % n for n in range(50000)) + b"\r\n")
    refused(conn, 431, malformed=True)
    alive(server)


def test_what_fits_is_served(conn, asker):
    conn.send(asker.c.prepare("GET", V1 + "/tasks/?nonsense=" + "x" * 4000, token=asker.access, headers={"X-Filler": "y" * 2000}))
    assert conn.response().status == 200


# -- shapes that two readers could read differently

BODY = b'{"title": "smuggled"}'
HIDDEN = b"GET /api/v1/hidden HTTP/1.1\r\nHost: x\r\nX-Request-Id: smuggled-request\r\n\r\n"
SHAPES = {
    "length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "two lengths in one": b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "negative length": b"Content-Length: -1\r\n\r\n" + HIDDEN,
    "signed length": b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "hexadecimal length": b"Content-Length: 0x0\r\n\r\n" + HIDDEN,
    "no number": b"Content-Length: many\r\n\r\n" + HIDDEN,
    "length with a blank": b"Content-Length: 1 0\r\n\r\n" + HIDDEN,
    "length beyond 64 bits": b"Content-Length: 18446744073709551616\r\n\r\n" + HIDDEN,
    "unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "two codings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "coding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "compressed": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "blank before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "length with blank before the colon": b"Content-Length : %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "tab before the colon": b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "folded header": b"X-Folded: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HIDDEN,
    "NUL in a value": b"X-Nul: a\x00b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "wrong chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + HIDDEN,
    "negative chunk size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + HIDDEN,
    "huge chunk size": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n" + HIDDEN,
    "chunk longer than said": b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n" + HIDDEN,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_smuggling(server, conn, shape):
    """Refused or at least closed: the request hidden behind is never seen."""
    before = server.log.text().count("smuggled-request")
    conn.send(b"POST /api/v1/auth/login/ HTTP/1.1\r\n" + HOST + SHAPES[shape])
    r = refused(conn, 400, 411, 413, 501, malformed=True)
    assert r is None or r.header("x-request-id") != "smuggled-request"
    assert server.log.text().count("smuggled-request") == before
    alive(server)


@pytest.mark.parametrize("first", [b"GET /healthz HTTP/1.1\r\n\r\n", b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"],
                         ids=["no host", "two hosts"])
def test_host_headers(server, conn, first):
    conn.send(first)
    refused(conn, 400)
    alive(server)


GARBAGE = {
    "binary": bytes(range(256)) * 4 + b"\r\n\r\n", "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200 + b"\r\n\r\n",
    "no version": b"GET /healthz\r\n\r\n", "version 2": b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", "one word": b"HELLO\r\n\r\n",
    "version 9.9": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n", "no path": b"GET  HTTP/1.1\r\nHost: x\r\n\r\n",
    "blank in the path": b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "header without colon": b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
    "empty header name": b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n", "bare CR": b"GET / HTTP/1.1\rHost: x\r\r\n\r\n",
    "h2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage(server, what):
    """Whatever is answered, nothing breaks and others are served."""
    c = Connection(server.port)
    try:
        c.send(GARBAGE[what])
        r = c.response()
        assert 400 <= r.status < 600 and r.status != 500, str(r)
    except (Closed, ConnectionError):
        pass
    finally:
        c.close()
    alive(server)


@pytest.mark.parametrize("path", ["/tasks/?search=%zz", "/tasks/?search=%", "/tasks/?search=%ff", "/tasks/?search=a%00b",
                                  "/tasks/?%ff=1", "/tasks/?search=%c3%28"])
def test_broken_escapes_in_the_query(conn, asker, path):
    conn.send(asker.c.prepare("GET", V1 + path, token=asker.access))
    conn.response().error(400, "VALIDATION_ERROR")


@pytest.mark.parametrize("path", ["/tasks/?", "/tasks/?&&&", "/tasks/?=x", "/tasks/?search", "/tasks/?search=%41+b", "/tasks/?a=b=c"])
def test_odd_but_valid_queries(conn, asker, path):
    conn.send(asker.c.prepare("GET", V1 + path, token=asker.access))
    assert conn.response().status == 200


# -- clients that are slow or gone

def test_a_client_that_leaves_early(server, asker):
    """Half requests, closed connections, resets: others do not notice."""
    data = task(asker, "never finished " + unique())
    for n in (1, 10, len(data) // 2, len(data) - 1):
        c = Connection(server.port)
        c.send(data[:n])
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        c.close()
    for _ in range(20):      # gone before the answer
        c = Connection(server.port)
        c.send(asker.c.prepare("GET", V1 + "/tasks/", token=asker.access))
        c.close()
    alive(server)
    assert asker.get("/tasks/", search="never finished").expect(200)["count"] == 0


@pytest.mark.parametrize("begun", [b"\r\n", b"GET /heal", b"GET /healthz HTTP/1.1\r\nX-Filler: " + b"x" * 8000,
                                   b"POST /api/v1/auth/login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 9000\r\n\r\n" + b" " * 5000],
                         ids=["a line end", "half a line", "half a header", "half a body"])
def test_the_end_of_what_a_client_sends_is_noticed(server, begun):
    """The end may come with the last bytes or right behind them; either way the connection is closed at once,
    not when its time is over."""
    conns = [Connection(server.port, timeout=5) for _ in range(150)]
    for c in conns:
        c.send(begun)
        c.sock.shutdown(socket.SHUT_WR)
    for c in conns:
        with contextlib.suppress(Closed, ConnectionError):
            assert c.response().status == 400
        c.close()


def test_slow_and_idle_clients_are_closed(start_server):
    s = start_server(env={"PERIGEE_IDLE_SECONDS": "1", "PERIGEE_REQUEST_SECONDS": "1"})
    idle, head, body, drip = (Connection(s.port) for _ in range(4))
    idle.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    assert idle.response().status == 200
    head.send(b"GET /healthz HTTP/1.1\r\nHost: 127")
    body.send(b"POST /api/v1/auth/login/ HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{")
    assert s.client.get("/healthz").status == 200, "others are served meanwhile"
    for c in (head, body):
        try:
            assert c.response().status == 408
        except (Closed, ConnectionError):
            pass
    assert idle.closed()
    endless = Connection(s.port)      # nor does sending without end
    endless.send(b"POST /api/v1/auth/login/ HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
    endless.sock.settimeout(.2)
    while not endless.stale():      # until an answer or the end is there
        with contextlib.suppress(ConnectionError, socket.timeout):
            endless.send(PIECE)
    try:      # one byte now and then does not help: the request as a whole has its time
        while True:
            drip.send(b"x")
            drip.sock.settimeout(.2)
            try:
                if not drip.sock.recv(1000):
                    break
            except socket.timeout:
                pass
    except ConnectionError:
        pass
    for c in (idle, head, body, drip, endless):
        c.close()
    assert s.connect().get("/healthz").status == 200


def test_a_client_that_does_not_read(server, asker):
    """Asks again and again for a large page and reads nothing."""
    for n in range(20):
        asker.task(title="page filler", description="x" * 5000)
    c = Connection(server.port)
    c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    c.sock.settimeout(.5)
    request = asker.c.prepare("GET", V1 + "/tasks/?search=filler", token=asker.access)
    try:
        for _ in range(500):
            c.send(request)
    except (socket.timeout, ConnectionError):
        pass
    alive(server)
    assert asker.get("/tasks/").status == 200
    c.close()
    alive(server)


def test_many_idle_connections(server):
    idle = [Connection(server.port) for _ in range(300)]
    for c in idle[::3]:
        c.send(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
    for c in idle[::3]:
        assert c.response().status == 200
    alive(server)
    for c in idle:
        c.close()
    alive(server)
