# SPDX-License-Identifier: Apache-2.0
"""The console on a terminal: what is typed into a pseudo-terminal, and what comes back."""
import contextlib
import os
import pty
import re
import select
import stat
import time

import pytest

from support.server import BINARY, environment

SERVER = {"args": ["--demo", "on", "--workers", "1"]}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """`perigee console` with a terminal of its own and a home of its own."""

    def __init__(self, server, home, *args):
        env = environment({"HOME": str(home), "TERM": "xterm", "NO_COLOR": "1", "LANG": "C.UTF-8"})
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BINARY, ["perigee", "console", "focusflow", "--data", str(server.data), *args], env)
        self.raw, self.at = "", 0
        self.until("focusflow> ")

    def until(self, text, seconds=20):
        """What came after the last such text, up to this one, without colours."""
        end = time.monotonic() + seconds
        while True:
            seen = ESCAPES.sub("", self.raw)
            found = seen.find(text, self.at)
            if found >= 0:
                begun, self.at = self.at, found + len(text)
                return seen[begun:self.at]
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], seen[self.at:]
            self.raw += os.read(self.fd, 65536).decode("utf-8", "replace")

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def line(self, code):
        """Types a line; what is printed until the next prompt."""
        self.type(code + "\r")
        return self.until("\nfocusflow> ")

    def end(self):
        self.type("\x03")
        self.until("^C")
        self.until("focusflow> ")
        self.type("\x04")
        with contextlib.suppress(OSError):      # its last words, without which it waits, and its end
            while os.read(self.fd, 65536):
                pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def home(tmp_path):
    return tmp_path


@pytest.fixture
def terminal(server, home):
    t = Terminal(server, home)
    yield t
    t.end()


def test_values_tables_and_several_lines(terminal):
    assert "\n3\n" in terminal.line("1 + 2")
    assert "demo" in terminal.line('db.all "SELECT username FROM users ORDER BY id LIMIT 1"')
    terminal.type("for i = 1, 2 do\r")
    terminal.until("…")
    terminal.type("print('line ' .. i)\r")
    terminal.until("…")
    assert "line 1\nline 2\n" in terminal.line("end")
    assert "1 of 6" in terminal.line("tutorial()")


def test_tab_completes(terminal):
    terminal.type("timer.ca\t")
    terminal.until("timer.cancel")
    terminal.type("\x15timer.\t\t")      # several: they are listed
    assert "timer.at(" in terminal.until("timer.cancel(")


def test_ctrl_c_leaves_the_line_and_ends_what_runs(server, terminal):
    terminal.line("1")
    terminal.type("this is half a thought")
    terminal.until("thought")
    terminal.type("\x03")
    terminal.until("^C")
    terminal.until("focusflow> ")
    terminal.type("print 'it has begun' while true do end\r")
    terminal.until("it has begun\n")
    terminal.type("\x03")
    assert "interrupted" in terminal.until("\nfocusflow> ")
    assert "\n2\n" in terminal.line("1 + 1") and server.running()


def test_a_write_is_shown_and_asked_for(server, terminal):
    def zone():
        return terminal.line('db.value "SELECT timezone FROM users WHERE id = 2"')
    code = 'write(function(tx) return tx.update("users", { timezone = "Asia/Kathmandu" }, "id = ?", 2) end)'
    for answer, kept in (("n", False), ("", False), ("y", True)):
        terminal.type(code + "\r")
        assert "1 row" in terminal.until("[y/N] ")
        terminal.type(answer + "\r")
        terminal.until("\nfocusflow> ")
        assert ("Asia/Kathmandu" in zone()) is kept, answer


def test_the_history_is_kept_for_oneself(server, home):
    t = Terminal(server, home)
    t.line("40 + 2")
    t.line(" 'a line that begins with a blank is not kept'")
    assert t.end() == 0
    kept = home / ".perigee_history"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and "not" not in kept.read_text()
    t = Terminal(server, home)
    t.type("\x1b[A\r")
    assert "\n42\n" in t.until("\nfocusflow> ")
    assert t.end() == 0


def test_the_server_may_go(start_server, home):
    s = start_server(args=["--workers", "1"])
    t = Terminal(s, home)
    s.stop()
    t.type("1\r")
    _, status = os.waitpid(t.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 1
