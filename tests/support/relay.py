"""A wire between a client and the server that a test can cut."""
import socket
import threading


class Relay:
    """Listens on a port of its own and passes bytes to `target`; while it is cut, connections end at once."""

    def __init__(self, target):
        self.target, self.whole, self.pairs, self.lock = target, True, set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        with self.lock:
            self.whole = False
            pairs, self.pairs = self.pairs, set()
        for pair in pairs:
            self._end(pair)

    def mend(self, target):
        with self.lock:
            self.target, self.whole = target, True

    def close(self):
        self.cut()
        self.listener.close()

    @staticmethod
    def _end(pair):
        for s in pair:
            try:
                s.shutdown(socket.SHUT_RDWR)        # wakes the thread that reads from it
            except OSError:
                pass
            s.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                target = self.target if self.whole else None
            try:
                far = socket.create_connection(("127.0.0.1", target)) if target else None
            except OSError:
                far = None
            if far is None:
                near.close()
                continue
            pair = (near, far)
            with self.lock:
                self.pairs.add(pair)
            for a, b in (pair, pair[::-1]):
                threading.Thread(target=self._pass, args=(a, b, pair), daemon=True).start()

    def _pass(self, a, b, pair):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        with self.lock:
            mine = pair in self.pairs
            self.pairs.discard(pair)
        if mine:
            self._end(pair)
