"""A small HTTP/1.1 client on a bare socket.

The tests look at exact bytes (pipelining, 100-continue, bodies that must not be there), which
http.client hides. Connections are kept alive and never retried: what happened is what is seen.
"""
import contextlib
import json as jsonlib
import select
import socket
from urllib.parse import urlencode

TIMEOUT = 30
NOTHING = object()
BODYLESS = (204, 205, 304)


class Closed(Exception):
    """The server closed the connection; `got` is what it had sent since the last answer."""

    def __init__(self, got):
        super().__init__("connection closed by the server after %r" % got[:200])
        self.got = got


class Response:
    def __init__(self, status, headers, body, version, request):
        self.status, self.headers, self.body, self.version, self.request = status, headers, body, version, request

    def header(self, name, default=None):
        for k, v in self.headers:
            if k.lower() == name.lower():
                return v
        return default

    def all_headers(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return jsonlib.loads(self.text())

    def expect(self, status):
        """The JSON body (None without one) of an answer that must have this status."""
        assert self.status == status, "expected %s: %s" % (status, self)
        return self.json() if self.body else None

    def refused(self, status, code, *fields):
        """The `error` member of an answer that must be this error and name these fields in its details."""
        assert self.status == status, "expected %s %s: %s" % (status, code, self)
        kind = self.header("content-type", "")
        assert kind.startswith("application/json"), "an error of type %r: %s" % (kind, self)
        envelope = self.json()
        assert isinstance(envelope, dict) and "error" in envelope, "not the envelope: %s" % self
        error = envelope["error"]
        assert set(error) >= {"code", "message"}, "not the envelope: %s" % self
        assert error["code"] == code, "expected %s: %s" % (code, self)
        assert isinstance(error["message"], str) and error["message"].strip(), "no message: %s" % self
        for f in fields:
            messages = error.get("details", {}).get(f)
            assert isinstance(messages, list) and messages and all(isinstance(m, str) and m for m in messages), \
                "no messages for %r: %s" % (f, self)
        return error

    def error(self, status, code, *fields):
        """The same of FocusFlow, whose errors always have an object of details."""
        error = self.refused(status, code, *fields)
        assert isinstance(error.get("details"), dict), "details are no object: %s" % self
        if code != "VALIDATION_ERROR":
            assert error["details"] == {}, "details of %s must be {}: %s" % (code, self)
        return error

    def __repr__(self):
        return "%s -> %s %s" % (self.request, self.status, self.body[:600].decode("utf-8", "replace"))


class Connection:
    """One TCP connection: bytes out, answers in."""

    def __init__(self, port, host="127.0.0.1", timeout=TIMEOUT):
        self.sock = socket.create_connection((host, port), timeout=timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def stale(self):
        """True when the server has closed an idle connection."""
        return bool(self.buffer) or bool(select.select([self.sock], [], [], 0)[0])

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def _line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _exactly(self, n):
        while len(self.buffer) < n:
            self._more()
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def _chunks(self):
        out = b""
        while True:
            n = int(self._line().split(b";")[0], 16)
            if n == 0:
                while self._line():
                    pass
                return out
            out += self._exactly(n)
            assert self._line() == b"", "a chunk without its line end"

    def _rest(self):
        try:
            while True:
                self._more()
        except Closed as e:
            self.buffer = b""
            return e.got

    def response(self, method="GET", request=""):
        """The next answer, an interim one (100) included."""
        first = self._line().decode("latin-1")
        version, status = first.split(" ")[:2]
        assert version in ("HTTP/1.1", "HTTP/1.0"), "not an HTTP answer: %r" % first
        status, headers = int(status), []
        while True:
            line = self._line().decode("latin-1")
            if not line:
                break
            name, colon, value = line.partition(":")
            assert colon, "a header line without a colon: %r" % line
            headers.append((name, value.strip()))
        r = Response(status, headers, b"", version, request)
        if method == "HEAD" or status < 200 or status in BODYLESS:
            return r
        if (r.header("transfer-encoding") or "").lower() == "chunked":
            r.body = self._chunks()
        elif r.header("content-length") is not None:
            r.body = self._exactly(int(r.header("content-length")))
        else:
            r.body = self._rest()
        return r

    def closed(self):
        """Waits until the server closes; True when it did so without sending more."""
        try:
            while not self.buffer:
                self._more()
        except Closed:
            return True
        except ConnectionResetError:
            return True
        return False

    def rest(self):
        """What comes until the server closes."""
        with contextlib.suppress(Closed, ConnectionResetError):
            while True:
                self._more()
        return self.buffer

    def close(self):
        self.sock.close()


def encode(method, path, headers, body):
    lines = ["%s %s HTTP/1.1" % (method, path)] + ["%s: %s" % h for h in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Client:
    """Requests over one keep-alive connection; a closed one is opened again before the next request."""

    def __init__(self, port, host=None, token=None):
        self.port, self.host, self.token, self.conn = port, host or "127.0.0.1:%d" % port, token, None

    def prepare(self, method, path, json=NOTHING, body=None, headers=(), token=NOTHING, query=None):
        """The bytes of a request."""
        token = self.token if token is NOTHING else token
        if query:
            path += "?" + urlencode(query)
        given = list(headers.items()) if isinstance(headers, dict) else list(headers)
        names = {k.lower() for k, _ in given}
        out = [] if "host" in names else [("Host", self.host)]
        if token is not None and "authorization" not in names:
            out.append(("Authorization", "Bearer " + token))
        if json is not NOTHING:
            body = jsonlib.dumps(json, ensure_ascii=False).encode()
        if body is not None and "content-type" not in names:
            out.append(("Content-Type", "application/json"))
        if (body is not None or method in ("POST", "PUT", "PATCH")) and not names & {"content-length", "transfer-encoding"}:
            out.append(("Content-Length", str(len(body or b""))))
        return encode(method, path, out + given, body)

    def request(self, method, path, **kw):
        data = self.prepare(method, path, **kw)
        if self.conn is not None and self.conn.stale():
            self.close()
        if self.conn is None:
            self.conn = Connection(self.port)
        said = "%s %s %s" % (method, path, data.partition(b"\r\n\r\n")[2][:300].decode("utf-8", "replace"))
        try:
            self.conn.send(data)
            r = self.conn.response(method, said)
        except BaseException:
            self.close()
            raise
        if (r.header("connection") or "").lower() == "close" or r.version == "HTTP/1.0":
            self.close()
        return r

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, json=NOTHING, **kw):
        return self.request("POST", path, json=json, **kw)

    def patch(self, path, json=NOTHING, **kw):
        return self.request("PATCH", path, json=json, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def close(self):
        if self.conn is not None:
            self.conn.close()
        self.conn = None
