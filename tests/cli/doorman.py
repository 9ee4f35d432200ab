# SPDX-License-Identifier: Apache-2.0
"""A door before a sandbox, which has no rights and no moments of its own: it says no to what a test
denies, in the words of a real API server, and lets somebody else in just before a patch."""

import contextlib
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

VERBS = {"POST": "create", "PATCH": "patch", "PUT": "update", "DELETE": "delete"}


class Asked:
    """A request as rights see it: /apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE/NAME."""

    def __init__(self, method: str, path: str):
        url = urlsplit(path)
        parts = url.path.strip("/").split("/")
        head, *rest = (parts[1:2], *parts[3:]) if parts[0] == "apis" else ([], *parts[2:])
        self.group = "".join(head)
        self.namespace = rest.pop(1) if rest[:1] == ["namespaces"] and len(rest) > 2 else ""
        rest = rest[1:] if self.namespace else rest
        self.resource, self.name = [*rest, "", ""][:2]
        watched = "watch" in parse_qs(url.query)
        reads = "watch" if watched else "get" if self.name else "list"
        self.verb = VERBS.get(method, reads)

    def refusal(self) -> str:
        whole = f"{self.resource}.{self.group}" if self.group else self.resource
        name = f' "{self.name}"' if self.name else ""
        where = f'in the namespace "{self.namespace}"' if self.namespace else "at the cluster scope"
        return (f'{whole}{name} is forbidden: User "jo" cannot {self.verb} resource '
                f'"{self.resource}" in API group "{self.group}" {where}')


class Doorman:
    def __init__(self, port: int):
        self.denied = set()  # "patch", or "patch deployments"
        self.before_patch = None  # called once
        doorman = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def pass_on(self):
                doorman.pass_on(self, port)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = pass_on

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def pass_on(self, handler, port: int) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        asked = Asked(handler.command, handler.path)
        if asked.resource and {asked.verb, f"{asked.verb} {asked.resource}"} & self.denied:
            self.answer(handler, 403, json.dumps({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
                "reason": "Forbidden", "message": asked.refusal()}).encode())
            return
        if asked.verb == "patch" and self.before_patch:
            somebody, self.before_patch = self.before_patch, None
            somebody()
        behind = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        behind.request(handler.command, handler.path, body or None, {
            name: handler.headers[name] for name in ("Content-Type", "Accept")
            if name in handler.headers})
        answer = behind.getresponse()
        self.answer(handler, answer.status, answer.read())
        behind.close()

    @staticmethod
    def answer(handler, status: int, body: bytes) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(OSError):  # who has asked may have been ended meanwhile
            handler.end_headers()
            handler.wfile.write(body)
