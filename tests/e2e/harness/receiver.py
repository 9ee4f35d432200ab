# SPDX-License-Identifier: Apache-2.0
"""A webhook receiver on loopback that remembers what it was told and answers as a test wants."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    headers: dict
    body: object
    at: float


class Receiver:
    """Answers 200 but where `answers` has a list of statuses for a path: they are used up one by
    one, the last one stays. The status None is no answer, for as long as the receiver is there."""

    def __init__(self):
        self.calls = []
        self.answers = {}
        self.changed = threading.Condition()
        self.closing = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{path}"

    def hook(self, kind: str, path: str = "", **more) -> dict:
        """A webhook of a plan that comes here; its path is its type, unless said otherwise."""
        return {"type": kind, "name": path or kind, "url": self.url(path or kind), **more}

    def paths(self) -> list:
        return [call.path for call in self.calls]

    def wait(self, what: str, condition, seconds: float = 30):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                assert left > 0, f"{what}: not within {seconds:.0f} s; called were {self.paths()}"
                self.changed.wait(left)

    def _answer_to(self, path: str):
        left = self.answers.get(path, [200])
        return left.pop(0) if len(left) > 1 else left[0]

    def _take(self, call: Call):
        with self.changed:
            self.calls.append(call)
            answer = self._answer_to(call.path)
            self.changed.notify_all()
        if answer is None:
            self.closing.wait()
        return answer

    def _handler(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = receiver._take(Call(
                    self.command, self.path.lstrip("/"), dict(self.headers),
                    json.loads(text) if text else None, time.monotonic()))
                if answer is not None:
                    self.send_response(answer)
                    self.send_header("Content-Length", "9")
                    self.end_headers()
                    self.wfile.write(b"so it is\n")

            do_GET = do_POST = do_PUT = do_PATCH = handle_any

            def log_message(self, *_):
                """Only what is asked for is printed."""

        return Handler
