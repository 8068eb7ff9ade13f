"""Mail through a real SMTP server (Debian's aiosmtpd): what arrives, when it is tried again, what never leaves."""
import email
import email.policy
import threading
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from support.certificate import make_certificate
from support.server import REPO, free_port

APPS = REPO / "tests" / "support" / "apps"
WAIT, PAUSE = 30, 0.02


class Smtp:
    """An SMTP server that answers RCPT and DATA as a test says: answers["rcpt"] is a list, the last one stays."""

    def __init__(self, port=None, **options):
        self.messages, self.commands, self.changed = [], [], threading.Condition()
        self.answers = {"rcpt": [None], "data": ["250 OK"]}
        self.controller = Controller(self, hostname="127.0.0.1", port=port or free_port(), **options)
        self.controller.start()
        self.port = self.controller.port

    def close(self):
        self.controller.stop()

    def _answer(self, name):
        known = self.answers[name]
        return known.pop(0) if len(known) > 1 else known[0]

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.commands.append("RCPT " + address)
        refusal = self._answer("rcpt")
        if refusal:
            with self.changed:
                self.changed.notify_all()
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        said = self._answer("data")
        with self.changed:
            if said.startswith("250"):
                m = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
                m.raw, m.sender, m.receivers, m.session = (envelope.original_content, envelope.mail_from,
                                                           envelope.rcpt_tos, session)
                self.messages.append(m)
            self.commands.append("DATA")
            self.changed.notify_all()
        return said

    def wait(self, count=1):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.messages) >= count, WAIT), "no mail came"
            return self.messages[count - 1]


@pytest.fixture(scope="module")
def smtp():
    s = Smtp()
    yield s
    s.close()


@pytest.fixture(autouse=True)
def as_new(smtp):
    smtp.messages.clear()
    smtp.answers = {"rcpt": [None], "data": ["250 OK"]}


@pytest.fixture(scope="module")
def start(start_server):
    def start(url, **options):
        env = {"PERIGEE_SMTP_URL": url, "PERIGEE_MAIL_FROM": "Müller & Co <no-reply@example.org>", **options.pop("env", {})}
        return start_server(scripts=APPS, env={"PERIGEE_APPS": "post", **env}, **options)
    return start


@pytest.fixture(scope="module")
def server(start, smtp):
    return start("smtp://127.0.0.1:%d" % smtp.port)


def send(server, **mail):
    mail = {"to": "ada@example.com", "subject": "Hello", "text": "Good day.\n", **mail}
    return server.client.post("/post/mail", mail).expect(200)["id"]


def entry(server, i, wanted):
    """The mail's row when wanted(row) is true."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        row = next(m for m in server.client.get("/post/mail").expect(200) if m["id"] == i)
        if wanted(row):
            return row
        time.sleep(PAUSE)
    raise AssertionError("still %s" % row)


# ---- what arrives ----------------------------------------------------------------------------------------------------

def test_a_text(server, smtp):
    text = "Grüße aus Köln.\n.\nA line that begins with a dot above.\nFrom here: = and trailing blanks  \n" + "long " * 60
    i = send(server, subject="Einladung: „Ümläute“ und mehr als sechzig Zeichen, damit umgebrochen wird 🎉", text=text)
    m = smtp.wait()
    assert (m.sender, m.receivers) == ("no-reply@example.org", ["ada@example.com"])
    assert m["Subject"] == "Einladung: „Ümläute“ und mehr als sechzig Zeichen, damit umgebrochen wird 🎉"
    assert str(m["To"]) == "ada@example.com"
    assert m["From"].addresses[0].display_name == "Müller & Co" and m["From"].addresses[0].addr_spec == "no-reply@example.org"
    assert m["Message-ID"] == "<%s@example.org>" % i and m["Auto-Submitted"] == "auto-generated"
    assert abs(m["Date"].datetime.timestamp() - server.now()) < 60
    assert m.get_content_type() == "text/plain" and m.get_content_charset() == "utf-8"
    assert m.get_content().replace("\r\n", "\n") == text + "\n"
    assert all(len(line) <= 78 for line in m.raw.split(b"\r\n")) and b"\n" not in m.raw.replace(b"\r\n", b"")
    row = entry(server, i, lambda r: r["status"] == "succeeded")
    assert row["text"] == "" and row["attempts"] == 1, "what was sent is forgotten"


def test_text_and_page(server, smtp):
    send(server, text="Plain ä", html="<p>Page ö</p>")
    m = smtp.wait()
    assert m.get_content_type() == "multipart/alternative"
    plain, page = m.iter_parts()
    assert plain.get_content_type() == "text/plain" and plain.get_content().strip() == "Plain ä"
    assert page.get_content_type() == "text/html" and page.get_content().strip() == "<p>Page ö</p>"
    assert not m.defects and not plain.defects and not page.defects


@pytest.mark.parametrize("bad", [{"to": "a@b.de\r\nBcc: x@y.z"}, {"to": "a@b.de>\r\nRCPT TO:<x@y.z"}, {"subject": "S\r\nBcc: x@y.z"},
                                 {"subject": "S\nX: y"}, {"to": "no address"}, {"to": "a@b.de, c@d.de"}])
def test_nothing_can_be_smuggled_in(server, smtp, bad):
    assert server.client.post("/post/mail", {"to": "a@b.de", "subject": "S", "text": "T", **bad}).status == 400
    send(server, subject="=?UTF-8?B?Qm9v?= <b>\"quoted\"", text="Bcc: x@y.z\r\n\r\nQUIT\r\n.\r\nRCPT TO:<x@y.z>\r\n")
    m = smtp.wait()
    assert len(smtp.messages) == 1 and m.receivers == ["ada@example.com"] and m["Bcc"] is None
    assert m["Subject"] == "=?UTF-8?B?Qm9v?= <b>\"quoted\"", "as it was meant, not decoded twice"
    assert "RCPT TO:<x@y.z>" in m.get_content()


def test_the_mail_of_a_rolled_back_transaction_is_never_sent(server, smtp):
    r = server.client.post("/post/mail", {"to": "a@b.de", "subject": "Lost", "text": "T", "fail": True})
    assert r.status == 409
    send(server, subject="Kept")
    assert smtp.wait()["Subject"] == "Kept" and len(smtp.messages) == 1


# ---- trying again ----------------------------------------------------------------------------------------------------

def test_a_temporary_refusal_is_tried_again(server, smtp):
    smtp.answers["rcpt"] = ["451 Later", None]
    i = send(server)
    row = entry(server, i, lambda r: r["attempts"] == 1)
    assert row["status"] == "pending" and "now" in row["error"] and not smtp.messages
    server.advance(40)
    assert smtp.wait()["Message-ID"].startswith("<" + i)
    assert entry(server, i, lambda r: r["status"] == "succeeded")["attempts"] == 2


@pytest.mark.parametrize("where, said", [("rcpt", "550 No such user"), ("data", "554 Spam")])
def test_a_permanent_refusal_is_final(server, smtp, where, said):
    smtp.answers[where] = [said]
    i = send(server)
    row = entry(server, i, lambda r: r["attempts"] == 1)
    assert row["status"] == "failed" and "refuses" in row["error"]
    server.log.wait_for("a mail is given up")


def test_a_server_that_is_down(start):
    """The mail waits, is tried again, and arrives when there is a server; a restart does not lose it."""
    port = free_port()
    own = start("smtp://127.0.0.1:%d" % port)
    i = send(own)
    assert entry(own, i, lambda r: r["attempts"] == 1)["status"] == "pending"
    own.log.wait_for("a mail could not be sent, it is tried again")
    own.restart(later=60)
    entry(own, i, lambda r: r["attempts"] == 2)
    later = Smtp(port)
    own.advance(400)
    assert later.wait()["Message-ID"].startswith("<" + i)
    later.close()


def test_a_hanging_server_does_not_hold_up_webhooks(start):
    import socket
    from support.receiver import Receiver
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(50)
    own = start("smtp://127.0.0.1:%d" % silent.getsockname()[1], env={"PERIGEE_OUTBOUND_ALLOW": "127.0.0.1"})
    for _ in range(5):
        send(own)
    receiver = Receiver()
    own.client.post("/post/hooks", {"url": receiver.url()}).expect(201)
    own.client.post("/post/events", {}).expect(200)
    receiver.wait("/")
    receiver.close()
    silent.close()


# ---- encryption and passwords ----------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def login(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"user", b"p@ss word")
    return AuthResult(success=good, handled=good)


def test_starttls_is_used_when_offered(start, certificate):
    """Without a password any certificate is better than none."""
    tls = Smtp(tls_context=certificate[0])
    own = start("smtp://localhost:%d" % tls.port)
    send(own)
    assert tls.wait().session.ssl is not None
    tls.close()


def test_a_password_is_sent_to_a_trusted_server_only(start, certificate):
    tls = Smtp(tls_context=certificate[0], authenticator=login, auth_required=True)
    url = "smtp://user:p%%40ss%%20word@localhost:%d" % tls.port
    own = start(url)
    i = send(own)
    assert "not trusted" in entry(own, i, lambda r: r["attempts"] == 1)["error"] and not tls.messages
    assert "p%40ss" not in own.log.text() and "p@ss" not in own.log.text()
    assert "p%40ss" not in own.command("config").stdout
    trusting = start(url, env={"SSL_CERT_FILE": str(certificate[1])})
    send(trusting)
    m = tls.wait()
    assert m.session.ssl is not None and m.session.authenticated
    tls.close()


def test_a_wrong_password_is_no_reason_to_give_up(start, certificate):
    tls = Smtp(tls_context=certificate[0], authenticator=login, auth_required=True)
    own = start("smtp://user:wrong@localhost:%d" % tls.port, env={"SSL_CERT_FILE": str(certificate[1])})
    row = entry(own, send(own), lambda r: r["attempts"] == 1)
    assert row["status"] == "pending" and "user or password" in row["error"]
    tls.close()


# ---- no server -------------------------------------------------------------------------------------------------------

def test_the_mailbox_of_development(start_server):
    own = start_server(scripts=APPS, env={"PERIGEE_APPS": "post"})
    i = send(own, text="the secret link")
    row = own.client.get("/post/mail", query={"to": "ada@example.com"}).expect(200)[0]
    assert row["id"] == i and row["status"] == "mailbox" and row["text"] == "the secret link"
    line = own.log.wait_for("mail kept in the mailbox")
    assert "ada@example.com" in line and "secret link" not in own.log.text()


def test_production_without_a_server(start_server, smtp, tmp_path):
    """A warning at the start and with each mail; nothing is lost: it leaves when a server is set."""
    own = start_server(scripts=APPS, env={"PERIGEE_APPS": "post"}, mode="production", data=tmp_path / "data")
    own.log.wait_for("there is no SMTP server (smtp-url)")
    i = send(own)
    own.log.wait_for("mail waits")
    assert entry(own, i, lambda r: True)["status"] == "pending"
    assert own.metrics()['perigee_outbox_pending{app="post",kind="mail"}'] == 1
    own.env.update({"PERIGEE_SMTP_URL": "smtp://127.0.0.1:%d" % smtp.port, "PERIGEE_MAIL_FROM": "a@example.org"})
    own.restart()
    assert smtp.wait()["Message-ID"].startswith("<" + i)
