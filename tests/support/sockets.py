"""A WebSocket client on a bare socket: it sends what it is told, valid or not, and shows every frame that comes."""
import base64
import contextlib
import hashlib
import json
import os
import socket
import struct
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TIMEOUT = 30


def handshake(path, key, headers=(), host="localhost"):
    lines = ["GET %s HTTP/1.1" % path, "Host: " + host, "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + key, *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def new_key():
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def frame(payload, opcode=TEXT, fin=True, mask=b"\x12\x34\x56\x78", rsv=0):
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask is not None else 0
    n = len(payload)
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if mask is None:
        return head + payload
    return head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))


class Ended(Exception):
    """The connection ended without a close frame."""


class Socket:
    """Opened with its handshake done; `status` is what was answered to it."""

    def __init__(self, port, path="/ws/a", headers=(), sock=None, small=False):
        self.sock, self.buffer, self.closed = sock, b"", None
        if sock is None:
            self.sock = socket.socket()
            if small:       # a reader that can fall behind
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.sock.connect(("127.0.0.1", port))
            self.sock.settimeout(TIMEOUT)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.key = new_key()
        if path is not None:
            self.send_raw(handshake(path, self.key, headers))
            self.answered()

    def answered(self):
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        if self.status == 101:
            assert self.headers["sec-websocket-accept"] == accept_of(self.key)
            assert self.headers["upgrade"].lower() == "websocket" and self.headers["connection"].lower() == "upgrade"
        return self

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise Ended()
        self.buffer += data

    def _take(self, n):
        while len(self.buffer) < n:
            self._more()
        out, self.buffer = self.buffer[:n], self.buffer[n:]
        return out

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, value):
        self.send_raw(frame(json.dumps(value).encode()))

    def do(self, word, **fields):
        self.send({"do": word, **fields})
        return self

    def frame(self):
        """(opcode, payload) of the next frame, whatever it is."""
        first, second = self._take(2)
        assert first & 0x80, "the server does not send in pieces"
        assert not second & 0x80, "a server's frame is not masked"
        n = second
        if n == 126:
            n, = struct.unpack(">H", self._take(2))
        elif n == 127:
            n, = struct.unpack(">Q", self._take(8))
        return first & 0x0F, self._take(n)

    def text(self):
        """The next message; pings are answered."""
        while True:
            opcode, payload = self.frame()
            if opcode == PING:
                self.send_raw(frame(payload, PONG))
                continue
            assert opcode == TEXT, "no text but opcode %d: %r" % (opcode, payload)
            return payload.decode("utf-8")

    def json(self):
        return json.loads(self.text())

    def close_code(self, skip=False):
        """Waits for the server's close frame, answers it and waits for the end; its code. `skip`: over messages."""
        while True:
            opcode, payload = self.frame()
            if opcode == CLOSE:
                break
            assert skip or opcode == PING, "no close but opcode %d: %r" % (opcode, payload)
        code = struct.unpack(">H", payload[:2])[0] if payload else 1005
        self.reason = payload[2:].decode("utf-8")
        try:
            self.send_raw(frame(payload[:2], CLOSE))
        except OSError:
            pass
        self.end()
        return code

    def end(self):
        """Waits for the end of the connection, which must be an orderly one."""
        try:
            while True:
                self._more()
        except Ended:
            self.sock.close()

    def close(self, code=1000):
        """The client's own close: the server repeats the code."""
        self.send_raw(frame(struct.pack(">H", code), CLOSE))
        while True:
            opcode, payload = self.frame()
            if opcode == CLOSE:
                break
        self.end()
        return struct.unpack(">H", payload[:2])[0]

    def abort(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Listener(threading.Thread):
    """Reads a socket to its end as a client would, beside the test: an open one has to answer the server's pings."""

    def __init__(self, opened):
        super().__init__(daemon=True)
        self.socket, self.answered = opened, threading.Event()
        opened.sock.settimeout(None)
        self.start()

    def run(self):
        with contextlib.suppress(Ended, OSError):
            while True:
                opcode, payload = self.socket.frame()
                if opcode == PING:
                    self.socket.send_raw(frame(payload, PONG))
                elif opcode == PONG:
                    self.answered.set()
                elif opcode == CLOSE:
                    break

    def open(self, seconds=20):
        """The server answers a ping on it."""
        self.answered.clear()
        with contextlib.suppress(OSError):
            self.socket.send_raw(frame(b"x", PING))
        return self.answered.wait(seconds)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.sock.shutdown(socket.SHUT_RDWR)
        self.join()
        self.socket.sock.close()
