"""A notification service on this machine, and the outbox as a test looks at it."""

import json
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aegis.alerts.collecting import collect
from aegis.alerts.models import Alert, AlertDelivery
from aegis.alerts.sending import send_due
from kis.korean import SEOUL

#: A business day, ten o'clock at the market.
TEN = datetime(2026, 11, 20, 10, 0, tzinfo=SEOUL)
#: In the addresses, where it must never be seen.
TOKEN = "S3cretT0kenCanary"


@dataclass
class Service:
    """Takes what apprise posts. `status` is what it answers, `hangs` keeps it from answering at all."""

    messages: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    status: int = 200
    before: "threading.Event | None" = None
    port: int = 0

    @property
    def url(self):
        return f"json://user:{TOKEN}@127.0.0.1:{self.port}/hook/{TOKEN}"

    @property
    def texts(self):
        return [f"{message['title']}\n{message['message']}" for message in self.messages]


@contextmanager
def service():
    """Run a service as long as the context is open."""
    state = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if state.before is not None:
                state.before.wait(20)
            state.messages.append(body)
            state.paths.append(self.path)
            self.send_response(state.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mail_host():
    """Run a host that takes mail as long as the context is open; yields its address and what it has taken."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().strip().upper():
                if line == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append(b"".join(self.lines_of_mail()).decode())
                self.wfile.write(b"221 bye\r\n" if line == b"QUIT" else b"250 fine\r\n")

        def lines_of_mail(self):
            while (line := self.rfile.readline()) != b".\r\n":
                if not line:
                    raise ConnectionResetError("left in the middle of a mail")
                yield line

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        port = server.server_address[1]
        try:
            yield (
                f"mailto://127.0.0.1:{port}?from=aegis@example.com&to=owner@example.com&mode=insecure",
                mails,
            )
        finally:
            server.shutdown()
            thread.join()


def minute(at=TEN, *, market_at=None):
    """Do what the job of every minute does, at a moment of a test's; returns the titles of what is new."""
    fresh = collect(at=at, market_at=market_at or at)
    send_due(at=at)
    return [alert.title for alert in fresh]


def waiting():
    return list(AlertDelivery.objects.filter(status="waiting").values_list("alert__title", flat=True))


def written(kind=None):
    """Return the titles of alerts that were for somebody, the oldest first."""
    alerts = Alert.objects.exclude(kind="start").order_by("pk")
    return list((alerts.filter(kind=kind) if kind else alerts).values_list("title", flat=True))


def everything_stored():
    """Return every value of the outbox as one text."""
    return "\n".join(str(row) for model in (Alert, AlertDelivery) for row in model.objects.values_list())
