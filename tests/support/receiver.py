"""Receivers of webhooks: an HTTP server on bare sockets that answers as a test says, well or badly."""
import contextlib
import socket
import threading
import time

WAIT = 30


class Received:
    """One request, as it came."""

    def __init__(self, line, headers, body):
        self.method, self.path = line.split(" ")[:2]
        self.headers, self.body = headers, body

    @property
    def id(self):
        return self.headers["webhook-id"]


def answer(status, headers=(), body=b""):
    """The bytes of an answer."""
    lines = ["HTTP/1.1 %d X" % status, "Content-Length: %d" % len(body)] + ["%s: %s" % h for h in dict(headers).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Receiver:
    """answers[path] is a list: the first answer for the first request, the last one for all that follow. An answer is a
    status, bytes, or a function(socket, receiver), after which the connection is closed."""

    def __init__(self, host="127.0.0.1", tls=None):
        self.tls = tls
        self.answers, self.received, self.changed = {}, [], threading.Condition()
        self.connections, self.open, self.closing = 0, 0, threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.bind((host, 0))
        self.sock.listen(1024)
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path="/", host="127.0.0.1"):
        return "http://%s:%d%s" % (host, self.port, path)

    def close(self):
        self.closing.set()
        self.sock.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                s, _ = self.sock.accept()
                with self.changed:
                    self.connections += 1
                threading.Thread(target=self._serve, args=(s,), daemon=True).start()

    def _serve(self, s):
        with contextlib.suppress(OSError, ValueError), s:
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True)
            file = s.makefile("rb")
            while self._one(s, file):
                pass

    def _one(self, s, file):
        line = file.readline().decode().strip()
        if not line:
            return False
        headers = {}
        while True:
            h = file.readline().decode("latin-1").strip()
            if not h:
                break
            name, _, value = h.partition(":")
            headers[name.lower()] = value.strip()
        request = Received(line, headers, file.read(int(headers.get("content-length", 0))))
        with self.changed:
            known = self.answers.get(request.path, [200])
            wanted = known.pop(0) if len(known) > 1 else known[0]
            self.received.append(request)
            self.open += 1
            self.changed.notify_all()
        try:
            if callable(wanted):
                wanted(s, self)
                return False
            s.sendall(answer(wanted) if isinstance(wanted, int) else wanted)
            return True
        finally:
            with self.changed:
                self.open -= 1
                self.changed.notify_all()

    def of(self, path):
        with self.changed:
            return [r for r in self.received if r.path == path]

    def wait(self, path, count=1):
        """The requests for a path, when there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len([r for r in self.received if r.path == path]) >= count, WAIT), \
                "%d of %d requests for %s" % (len([r for r in self.received if r.path == path]), count, path)
        return self.of(path)

    def wait_open(self, count):
        """Until so many requests wait for their answer."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.open >= count, WAIT), "%d of %d are open" % (self.open, count)


# ---- answers that nobody wants ---------------------------------------------------------------------------------------

def hang(s, receiver):
    """No answer until the other side gives up or the test ends."""
    s.settimeout(0.1)
    while not receiver.closing.is_set():
        with contextlib.suppress(TimeoutError):
            if not s.recv(1):
                return


def endless_body(s, receiver):
    """10 GB, if somebody reads them."""
    s.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 10000000000\r\n\r\n")
    block = b"x" * 65536
    receiver.sent = 0
    while receiver.sent < 10_000_000_000:
        s.sendall(block)
        receiver.sent += len(block)


def endless_header(s, receiver):
    s.sendall(b"HTTP/1.1 200 X\r\n")
    n = 0
    while True:
        s.sendall(b"X-%d: %s\r\n" % (n, b"y" * 1000))
        n += 1


def drip(head):
    """One byte of it at a time."""
    def send(s, receiver):
        while not receiver.closing.is_set():
            for n in range(len(head)):
                s.sendall(head[n:n + 1])
                time.sleep(0.05)
    return send


def garbage(s, receiver):
    s.sendall(bytes(range(256)) * 20)


def close_at_once(s, receiver):
    s.shutdown(socket.SHUT_RDWR)
