"""A stand-in for the REST API of Gemini on this machine: speaks generateContent, and fails in every way that it is told to."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "AIzaSyTheKeyOfTheOwnerNeverToBeSeen0123"
MODELS = ("gemini-flash-latest", "gemini-3.5-flash")
ANSWER = {"points": [{"text": "현금 비중은 5.9%입니다.", "refs": []}], "holdings": []}


@dataclass
class Asked:
    """A request as it arrived."""

    path: str
    model: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass
class StandIn:
    """`replies` are taken one by one, the last one again and again; each gets the handler and does what it likes."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    replies: list[Any] = field(default_factory=list)
    #: Models that were looked up, and what is answered to that instead of the truth.
    looked_up: list[str] = field(default_factory=list)
    looks: Any = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def answers(self, *replies):
        self.replies[:] = replies

    def next_reply(self):
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def running():
    stand_in = StandIn(replies=[said(ANSWER)])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            path, _, call = self.path.partition("?")[0].rpartition(":")
            model = path.removeprefix("/v1beta/models/")
            stand_in.asked.append(
                Asked(self.path, model, {name.lower(): text for name, text in self.headers.items()}, body)
            )
            try:
                if call != "generateContent" or model not in MODELS:
                    status_of(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta")(self)
                elif self.headers["x-goog-api-key"] != KEY:
                    bad_key(self)
                else:
                    stand_in.next_reply()(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def do_GET(self):
            looked_up(stand_in, self)

        def pause(self, seconds):
            """Wait, but not longer than the stand-in stands."""
            return stand_in.stopping.wait(seconds)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stand_in.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        stand_in.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def looked_up(stand_in, handler):
    """Answer whether a model is there."""
    model = handler.path.removeprefix("/v1beta/models/")
    stand_in.looked_up.append(model)
    if handler.headers["x-goog-api-key"] != KEY:
        bad_key(handler)
    elif stand_in.looks:
        stand_in.looks(handler)
    elif model in MODELS:
        sent(200, json.dumps({"name": f"models/{model}", "inputTokenLimit": 1_048_576}))(handler)
    else:
        status_of(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta")(handler)


# --- what it answers -----------------------------------------------------------------------------------------------


def sent(status, body, *, content_type="application/json; charset=UTF-8", headers=()):
    payload = body if isinstance(body, bytes) else body.encode()

    def reply(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", content_type)
        handler.send_header("Content-Length", str(len(payload)))
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(payload)

    return reply


def reply_of(text, *, finish="STOP", tokens=(1500, 300, 200), **more):
    """Return a whole reply as Gemini writes it: prompt, answer and what it thought, in tokens."""
    prompt, answer, thought = tokens
    candidate = {
        "content": {"parts": [{"text": text}], "role": "model"},
        "finishReason": finish,
        "index": 0,
    }
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": answer,
            "totalTokenCount": prompt + answer + thought,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
            "thoughtsTokenCount": thought,
        },
        "modelVersion": "gemini-3.5-flash",
        "responseId": "r-1",
        **more,
    }


def said(answer, **more):
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    text = text.encode("utf-8", "backslashreplace").decode()  # half a character is an escape, as JSON has it
    return sent(200, json.dumps(reply_of(text, **more)))


def blocked(reason):
    return sent(
        200,
        json.dumps(
            {
                "promptFeedback": {"blockReason": reason},
                "usageMetadata": {"promptTokenCount": 1500, "totalTokenCount": 1500},
                "modelVersion": "gemini-3.5-flash",
            }
        ),
    )


def status_of(status, name, message, *, details=(), headers=()):
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return sent(status, json.dumps({"error": error}), headers=headers)


def too_many(*, delay="", header=""):
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}] if delay else []
    headers = [("Retry-After", header)] if header else []
    return status_of(
        429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", details=details, headers=headers
    )


def bad_key(handler):
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
    key = handler.headers["x-goog-api-key"]
    status_of(400, "INVALID_ARGUMENT", f"API key not valid: {key}", details=details)(handler)


def redirect(to):
    return sent(307, "", headers=[("Location", to)])


def drip(seconds, *, head_first=True):
    """Send a reply byte by byte; with `head_first` false not even its head is there in time."""

    def reply(handler):
        body = json.dumps(reply_of(json.dumps(ANSWER))).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        data = body if head_first else head.encode() + body
        if head_first:
            handler.wfile.write(head.encode())
        handler.close_connection = True
        ends_at = time.monotonic() + seconds
        for byte in data:
            if time.monotonic() > ends_at or handler.pause(0.05):
                return
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()

    return reply


def hangs(handler):
    handler.close_connection = True
    handler.pause(30)


def cut_off(handler):
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"candidates": [')
    handler.close_connection = True
