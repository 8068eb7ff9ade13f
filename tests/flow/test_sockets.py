"""WebSockets on the same port: the handshake, frames, handlers, limits, the end. The app is tests/support/chat."""
import asyncio
import json
import select
import socket
import struct
import time

import pytest
import websockets

from support.client import Connection
from support.server import REPO
from support.sockets import BINARY, CLOSE, PING, PONG, TEXT, Ended, Socket, frame, handshake, new_key

CHAT = {"scripts": REPO / "tests/support/chat/scripts", "db": REPO / "tests/support/chat/db"}
SERVER = {**CHAT, "args": ["--workers", "2"], "env": {"PERIGEE_SCRIPT_MS": "300"}}


def metric(server, name, **labels):
    label = ",".join('%s="%s"' % (k, v) for k, v in {"app": "chat", **labels}.items())
    return server.metrics().get("perigee_%s{%s}" % (name, label), 0)


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to be"
        select.select([], [], [], 0.01)


# ---- the handshake ---------------------------------------------------------------------------------------------------

def test_a_socket_opens_and_talks(server, opened):
    s = opened("/ws/caf%C3%A9?hello=1&who=me", headers=["X-Request-Id: my-own-request-id"])
    assert s.status == 101 and s.headers["x-request-id"] == "my-own-request-id"
    assert "sec-websocket-protocol" not in s.headers and "sec-websocket-extensions" not in s.headers
    assert s.json() == {"hello": "café", "id": "my-own-request-id", "path": "/ws/caf%C3%A9", "who": "me", "same": True,
                        "address": "127.0.0.1", "query_text": "hello=1&who=me"}
    s.do("echo", value=[1, 2.5, None, {"a": "ü"}])
    assert s.json() == [1, 2.5, None, {"a": "ü"}]
    assert s.close() == 1000


@pytest.mark.parametrize("path", ["/ws/first", "/ws/first/"])
def test_the_path_is_that_of_any_route(opened, path):
    """A literal segment before a parameter, with the slash at the end or without."""
    s = opened(path)
    s.send({"token": "user-5"})
    assert s.json() == {"welcome": "user 5"}


def test_a_protocol_and_extensions_are_not_negotiated(opened):
    s = opened(headers=["Sec-WebSocket-Protocol: chat, superchat", "Sec-WebSocket-Extensions: permessage-deflate"])
    assert s.status == 101
    assert "sec-websocket-protocol" not in s.headers and "sec-websocket-extensions" not in s.headers
    assert s.do("echo", value=1).json() == 1


def test_in_pieces(server, opened):
    s = opened(None)
    for i in range(0, len(handshake("/ws/a", s.key)), 7):
        s.send_raw(handshake("/ws/a", s.key)[i:i + 7])
        server.client.get("/healthz")
    assert s.answered().status == 101
    for b in frame(b'{"do":"echo","value":"byte by byte"}'):
        s.send_raw(bytes([b]))
    assert s.json() == "byte by byte"


def test_after_other_requests_on_the_connection(server, opened):
    c = Connection(server.port)
    for _ in range(3):
        c.send(b"GET /chat/lines HTTP/1.1\r\nHost: x\r\n\r\n")
        assert c.response().status == 200
    s = Socket(server.port, "/ws/a", sock=c.sock)
    assert s.status == 101 and s.do("echo", value=1).json() == 1
    s.sock.close()


def test_after_a_pipelined_request(server):
    s = Socket(server.port, None)
    s.send_raw(b"POST /chat/r/lines HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{\"said\":\"hi\"}"
               b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + handshake("/ws/a", s.key))
    c = Connection.__new__(Connection)
    c.sock, c.buffer = s.sock, b""
    assert [c.response().status, c.response().status] == [201, 200]
    s.buffer = c.buffer
    assert s.answered().status == 101 and s.do("echo", value=1).json() == 1
    s.sock.close()


def test_a_client_that_does_not_wait_for_the_answer(server):
    """What follows the handshake before its answer would be lost (RFC 6455, section 4.1 forbids it)."""
    s = Socket(server.port, None)
    s.send_raw(handshake("/ws/a", s.key) + frame(b"{}"))
    assert s.answered().status == 400
    s.sock.close()


def test_half_a_handshake(server):
    before = server.metrics()["perigee_connections"]
    for cut in (10, 60, 150):
        s = Socket(server.port, None)
        s.send_raw(handshake("/ws/a", s.key)[:cut])
        s.sock.shutdown(socket.SHUT_WR)
        while s.sock.recv(4096):
            pass
        s.sock.close()
    wait_until(lambda: server.metrics()["perigee_connections"] <= before)


def test_without_a_handshake(client):
    r = client.get("/ws/a")
    assert r.status == 426 and r.header("upgrade") == "websocket" and r.json()["error"]["code"] == "SOCKET"
    assert client.request("HEAD", "/ws/a").status == 426
    r = client.post("/ws/a", {})
    assert r.status == 405 and "GET" in r.header("allow")
    assert client.get("/ws/a/b").status == 404


REFUSED = {
    "version": (426, ("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8")),
    "no-version": (426, ("Sec-WebSocket-Version: 13", "X-Nothing: 1")),
    "no-key": (400, ("Sec-WebSocket-Key", "X-Nothing")),
    "upgrade": (426, ("Upgrade: websocket", "Upgrade: h2c")),
    "connection": (400, ("Connection: Upgrade", "Connection: keep-alive")),
    "two-lengths": (400, ("Host:", "Content-Length: 0\r\nContent-Length: 1\r\nHost:")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_handshake(server, name):
    status, (old, new) = REFUSED[name]
    s = Socket(server.port, None)
    s.send_raw(handshake("/ws/a", s.key).replace(old.encode(), new.encode()))
    assert s.answered().status == status
    if status == 426:
        assert s.headers["sec-websocket-version"] == "13" and s.headers["upgrade"] == "websocket"
    s.sock.close()


@pytest.mark.parametrize("key", ["", "short", "x" * 24, "AAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA=="])
def test_a_bad_key(server, key):
    s = Socket(server.port, None)
    s.send_raw(handshake("/ws/a", key))
    assert s.answered().status == 400
    s.sock.close()


def test_refusals_of_the_app_are_http_answers(server, opened):
    server.new_window()
    for headers, query in (((), ""), (["Authorization: Bearer nobody"], ""), ((), "?token=nobody")):
        s = opened("/ws/mine/a" + query, headers=headers)
        assert s.status == 401
    assert opened("/ws/" + "x" * 21).status == 404
    assert opened("/ws/a?who=" + "x" * 11).status == 400
    assert opened("/ws/mine/luck?token=user-13").status == 403


def test_a_token_in_header_or_query(server, opened):
    for s in (opened("/ws/mine/a", headers=["Authorization: Bearer user-21"]), opened("/ws/mine/a?token=user-21")):
        assert s.json() == {"welcome": "user 21"}
    assert "user-21" not in server.log.text()


def test_other_origins(start_server):
    server = start_server(**CHAT, args=["--cors-origins", "https://a.example, https://b.example"])
    for origin, status in (("https://b.example", 101), ("https://evil.example", 403), ("null", 403), (None, 101)):
        s = Socket(server.port, "/ws/a", headers=["Origin: " + origin] if origin else [])
        assert s.status == status, origin
        s.sock.close()


def test_limits_hold_for_handshakes(start_server):
    server = start_server(**CHAT, limits="on")
    server.new_window()
    got = [Socket(server.port, "/ws/mine/a?token=user-3").status for _ in range(4)]
    assert got == [101, 101, 101, 429]
    assert [Socket(server.port, "/ws/a").status for _ in range(6)] == [101] * 5 + [429]


def test_there_is_a_most_of_them(start_server):
    server = start_server(**CHAT, args=["--workers", "1", "--socket-connections", "3"])
    mine = [Socket(server.port) for _ in range(3)]
    assert [s.status for s in mine] == [101] * 3
    more = Socket(server.port)
    assert more.status == 503 and more.headers["retry-after"]
    assert server.client.get("/chat/lines").status == 200
    mine[0].close()
    wait_until(lambda: Socket(server.port).status == 101)


# ---- frames ----------------------------------------------------------------------------------------------------------

BAD_FRAMES = {
    "unmasked": (1002, frame(b"{}", mask=None)),
    "reserved bit": (1002, frame(b"{}", rsv=4)),
    "unknown opcode": (1002, frame(b"{}", opcode=3)),
    "unknown control opcode": (1002, frame(b"", opcode=11)),
    "long control": (1002, frame(b"x" * 126, opcode=PING)),
    "control in pieces": (1002, frame(b"x", opcode=PING, fin=False)),
    "nothing to continue": (1002, frame(b"x", opcode=0)),
    "not continued": (1002, frame(b"x", fin=False) + frame(b"y")),
    "bad close code": (1002, frame(struct.pack(">H", 1006), opcode=CLOSE)),
    "one byte of close": (1002, frame(b"x", opcode=CLOSE)),
    "bad close reason": (1007, frame(struct.pack(">H", 1000) + b"\xff", opcode=CLOSE)),
    "bad text": (1007, frame(b"\xff\xfe")),
    "cut text": (1007, frame("é".encode()[:1])),
    "surrogate": (1007, frame(b"\xed\xa0\x80")),
    "binary": (1003, frame(b"\x00\x01", opcode=BINARY)),
    "too long": (1009, frame(b"x" * 65537)),
    "too long in pieces": (1009, frame(b"x" * 40000, fin=False) + frame(b"x" * 40000, opcode=0)),
    "endless": (1009, b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"mask"),
    "garbage": (1002, b"\xee" * 100000),
    "http": (1002, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_bad_frames_have_their_close_code(server, opened, name):
    code, data = BAD_FRAMES[name]
    s, bystander = opened(), opened()
    s.send_raw(data)
    assert s.close_code() == code
    assert bystander.do("echo", value="well").json() == "well"


def test_good_frames_of_all_sizes(opened):
    s = opened()
    for n in (0, 1, 125 - 24, 126, 127, 200, 4096, 8192, 65536 - 30):
        text = "ü" * (n // 2) + "x" * (n % 2)
        s.send_raw(frame(json.dumps({"do": "echo", "value": text}, ensure_ascii=False).encode()))
        assert s.json() == text
    whole = frame(b'{"do":"echo",', fin=False) + frame(b"p", opcode=PING) + frame(b"", opcode=0, fin=False) + \
        frame(b'"value":"in pieces"}', opcode=0)
    for cut in (1, 5, 20, len(whole)):
        for i in range(0, len(whole), cut):
            s.send_raw(whole[i:i + cut])
        assert s.frame() == (PONG, b"p")
        assert s.json() == "in pieces"


def test_text_that_is_no_json_is_itself(opened):
    s = opened()
    for text in ("hello", "{", "", "nul", "1e999999x"):
        s.send_raw(frame(text.encode()))
        assert s.json() == {"heard": text}
    s.send_raw(frame(b"12"))
    assert s.text() == '{"heard":12}'
    s.do("type", value=3)
    assert s.json() == {"type": "number", "math": "integer"}


def test_a_flood_of_pings(server, opened):
    s = opened()
    s.send_raw(b"".join(frame(b"%d" % i, opcode=PING) for i in range(20000)))
    s.do("echo", value="done")
    pongs = 0
    while True:
        opcode, payload = s.frame()
        if opcode == TEXT:
            break
        assert opcode == PONG
        pongs += 1
    assert json.loads(payload) == "done" and pongs >= 1


def test_a_client_that_vanishes(server, opened):
    before = metric(server, "sockets_closed_total", code="1006")
    s = opened()
    s.abort()
    wait_until(lambda: metric(server, "sockets_closed_total", code="1006") >= before + 1)


# ---- handlers --------------------------------------------------------------------------------------------------------

def test_models_shape_what_is_sent(opened):
    assert opened().do("model").text() == '{"room":"r","said":"s","at":"1970-01-01T00:00:00Z"}'


def test_handlers_run_one_after_the_other_in_order(opened):
    s = opened()
    s.send_raw(b"".join(frame(json.dumps(m).encode()) for m in
                        [{"do": "slow", "said": "first"}] + [{"do": "count", "m": i} for i in range(300)]))
    assert s.json()["slow"] == "first"
    for i in range(300):
        assert s.json() == {"n": i + 1, "m": i}


def test_what_is_sent_after_a_transaction_waits_for_it(server, opened):
    before = server.client.get("/chat/lines").expect(200)["lines"]
    s = opened()
    s.do("undone", why="no reason")
    assert s.json() == {"before": True}
    assert s.close_code() == 1011
    assert server.client.get("/chat/lines").expect(200)["lines"] == before


@pytest.mark.parametrize("word", ["raise", "loop", "memory", "fail"])
def test_a_handler_that_fails(server, opened, word):
    failed, errors = metric(server, "socket_errors_total"), metric(server, "lua_errors_total")
    i = "socket-that-fails-" + word
    s, bystander = opened(headers=["X-Request-Id: " + i]), opened()
    s.do(word)
    assert s.close_code() == 1011 and s.reason == ""
    assert bystander.do("echo", value="well").json() == "well"
    assert metric(server, "socket_errors_total") == failed + 1
    assert metric(server, "lua_errors_total") == errors + 1
    server.log.wait_for(i)
    said = "\n".join(x for x in server.log.text().splitlines() if i in x and "script error" in x)
    assert "events.lua" in said and "traceback" in said and '"handler":"message"' in said


def test_an_open_handler_that_fails(opened):
    s = opened("/ws/broken")
    assert s.status == 101 and s.close_code() == 1011


def test_closed_runs_once_and_may_write(server, opened):
    a, b, c = (opened("/ws/a?who=leaver") for _ in range(3))
    for _ in range(3):
        a.do("count").json()
    a.close()
    b.abort()
    c.do("raise").close_code()

    def now():
        return server.client.get("/chat/lines?who=leaver").expect(200)
    wait_until(lambda: now()["departures"] == 3)
    assert now()["said"] == 3


def test_messages_before_a_close_are_handled(server, opened):
    s = opened("/ws/a?who=hasty")
    s.send_raw(frame(b'{"do":"count"}') * 5 + frame(struct.pack(">H", 1000), opcode=CLOSE))
    wait_until(lambda: server.client.get("/chat/lines?who=hasty").expect(200)["said"] == 5)


def test_close_codes_of_the_app(opened):
    s = opened()
    s.do("close", code=4403, reason="not here")
    assert s.close_code() == 4403 and s.reason == "not here"
    s = opened()
    s.do("close")
    assert s.close_code() == 1000


def test_the_first_message_authenticates(server, opened):
    s = opened("/ws/first")
    s.send({"token": "bad"})
    assert s.json() == {"type": "error", "data": {"code": "WHO", "message": "that token is nobody's"}}
    assert s.close_code() == 4401
    s = opened("/ws/first")
    s.send({"token": "user-8"})
    assert s.json() == {"welcome": "user 8"}
    late = opened("/ws/first")
    server.advance(11)
    assert late.close_code() == 4401 and late.reason == "no token"
    s.send({"token": "user-8"})     # its timeout was cancelled
    assert s.json() == {"welcome": "user 8"}


def test_a_timeout_can_be_set_again(server, opened):
    s = opened()
    s.do("timeout", seconds=5).do("timeout", seconds=100).do("echo", value=1).json()
    server.advance(20)
    assert s.do("echo", value=2).json() == 2
    server.advance(90)
    assert s.json() == {"timeout": True}


def test_misuse_says_what_is_wrong(opened):
    s = opened()
    got = s.do("bad").json()
    assert "not a close code" in got["code"] and "socket.data" in got["field"]
    assert "no model" in got["model"] and "function" in got["value"] and "transaction" in got["inside"]


# ---- many, slow, the end ---------------------------------------------------------------------------------------------

def test_a_slow_reader_is_closed_and_others_are_not_delayed(server, opened):
    overflows = server.metrics()["perigee_socket_queue_overflows_total"]
    slow, quick = opened(small=True), opened()
    slow.do("flood", bytes=2000, times=10000)
    wait_until(lambda: server.metrics()["perigee_socket_queue_overflows_total"] == overflows + 1)
    assert quick.do("echo", value="quick").json() == "quick"
    assert slow.close_code(skip=True) == 1008 and slow.reason == "too slow"


def test_silent_clients_are_pinged_and_dropped(start_server):
    server = start_server(**CHAT, args=["--socket-ping-seconds", "1"])
    good, dead = Socket(server.port), Socket(server.port)
    for _ in range(3):
        assert good.frame() == (PING, b"")
        good.send_raw(frame(b"", opcode=PONG))
    with pytest.raises((Ended, ConnectionResetError)):
        while True:
            assert dead.frame()[0] == PING
    assert good.frame() == (PING, b"")


def test_figures(server, opened):
    wait_until(lambda: metric(server, "sockets") == 0)
    before = {n: metric(server, n) for n in ("socket_messages_in_total", "socket_messages_out_total", "sockets_opened_total")}
    mine = [opened() for _ in range(5)]
    assert metric(server, "sockets") == 5
    for s in mine:
        s.do("echo", value=1).json()
    after = {n: metric(server, n) for n in before}
    assert {n: after[n] - before[n] for n in before} == {
        "socket_messages_in_total": 5, "socket_messages_out_total": 5, "sockets_opened_total": 5}
    key = 'perigee_requests_total{app="chat",method="GET",route="/ws/{room}",status="1xx"}'
    assert server.metrics()[key] >= 5
    closed = metric(server, "sockets_closed_total", code="1000")
    for s in mine:
        s.close()
    wait_until(lambda: metric(server, "sockets") == 0)
    assert metric(server, "sockets_closed_total", code="1000") == closed + 5


def test_a_stop_closes_sockets(start_server):
    server = start_server(**CHAT, args=["--workers", "2", "--drain-seconds", "10"])
    mine = [Socket(server.port) for _ in range(10)]
    silent = Socket(server.port)
    mine[0].do("slow", said="still")
    mine[0].json()
    server.proc.terminate()
    for s in mine:
        assert s.close_code() == 1012
    assert silent.frame()[0] == CLOSE       # and never answers
    assert server.ended() == 0


def test_an_independent_client(server):
    """websockets from Debian, which checks what the server does."""
    async def talk():
        uri = "ws://127.0.0.1:%d/ws/lib?hello=1" % server.port
        async with websockets.connect(uri, compression="deflate", subprotocols=["x"]) as s:
            assert json.loads(await s.recv())["hello"] == "lib"
            await s.send(json.dumps({"do": "echo", "value": "é" * 5000}))
            assert json.loads(await s.recv()) == "é" * 5000
            await s.send([json.dumps({"do": "echo", "value": "x"})[i:i + 5] for i in range(0, 28, 5)])
            assert json.loads(await s.recv()) == "x"
            await (await s.ping(b"are you there"))
            await s.send(json.dumps({"do": "close", "code": 4001, "reason": "bye"}))
            with pytest.raises(websockets.ConnectionClosedError) as e:
                await s.recv()
            assert (e.value.code, e.value.reason) == (4001, "bye")
        with pytest.raises(websockets.InvalidStatusCode) as e:
            await websockets.connect("ws://127.0.0.1:%d/ws/mine/a" % server.port)
        assert e.value.status_code == 401
    asyncio.run(talk())


def test_many_at_once(server):
    async def one(i):
        async with websockets.connect("ws://127.0.0.1:%d/ws/many" % server.port) as s:
            for k in range(20):
                await s.send(json.dumps({"do": "count", "m": [i, k]}))
            return [json.loads(await s.recv()) for _ in range(20)]

    async def all_of_them():
        return await asyncio.gather(*(one(i) for i in range(100)))
    for i, got in enumerate(asyncio.run(all_of_them())):
        assert got == [{"n": k + 1, "m": [i, k]} for k in range(20)]
    assert new_key() != new_key()
