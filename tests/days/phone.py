"""Where the alerts of a run arrive: counts what was received, word for word."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Phone:
    """A service on this machine that takes every message."""

    def __init__(self) -> None:
        received: Counter[tuple[str, str]] = Counter()

        class Door(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                received[body["title"], body["message"]] += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Keep the terminal for the run."""

        self.received = received
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"json://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
