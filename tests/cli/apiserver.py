# SPDX-License-Identifier: Apache-2.0
"""So much of the Kubernetes API as the terminal's verbs use, over objects that a test hands in: get,
list, watch, JSON patch and merge patch. It says no where a test tells it to."""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COLLECTIONS = {
    "AppRollout": "/apis/core.oam.dev/v1beta1/namespaces/default/approllouts",
    "Rollout": "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
}
DISCOVERY = {"/apis/apps/v1": {"resources": [{"name": "deployments/scale", "kind": "Scale"},
                                             {"name": "deployments", "kind": "Deployment"}]}}


def failure(code: int, reason: str, message: str) -> tuple:
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                  "reason": reason, "message": message}


class Server:
    def __init__(self):
        self.collections = {kind: {} for kind in COLLECTIONS}
        self.objects = self.collections["AppRollout"]
        self.version = 100
        self.denied = set()  # verbs of the API; "list KIND"
        self.before_patch = None  # called before a patch is looked at
        self.answers = {}  # to a GET of a path that isn't an object's, list or not
        self.requests = []  # (method, path with query, body)
        self.changed = threading.Condition()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                server.get(self)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                server.answer(self, *failure(404, "NotFound", "the server could not find it"))

            def do_PATCH(self):
                server.patch(self)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def put(self, thing: dict) -> None:
        """New or changed; who watches is told."""
        with self.changed:
            self.version += 1
            thing["metadata"]["resourceVersion"] = str(self.version)
            self.collections[thing["kind"]][thing["metadata"]["name"]] = thing
            self.changed.notify_all()

    def delete(self, name: str) -> None:
        with self.changed:
            self.version += 1
            self.objects[name]["metadata"]["resourceVersion"] = str(self.version)
            self.objects[name]["gone"] = True
            self.changed.notify_all()

    # ── answers ──

    @staticmethod
    def place(path: str) -> tuple:
        """(kind, name) of a path; the name is empty for the collection."""
        for kind, prefix in COLLECTIONS.items():
            if path == prefix.replace("/namespaces/default", ""):
                return kind, ""
            if path == prefix or path.startswith(prefix + "/"):
                return kind, path.removeprefix(prefix).strip("/")
        return None, ""

    def get(self, handler) -> None:
        url = urllib.parse.urlsplit(handler.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.requests.append(("GET", handler.path, None))
        kind, name = self.place(url.path)
        objects = self.collections.get(kind, {})
        if "watch" in query:
            self.watch(handler, query, objects)
        elif url.path in DISCOVERY:
            self.answer(handler, 200, DISCOVERY[url.path])
        elif url.path == "/version" and url.path in self.answers:  # everybody may
            self.answer(handler, 200, self.answers[url.path])
        elif "get" in self.denied or not name and {"list", f"list {kind}"} & self.denied:
            self.answer(handler, *failure(403, "Forbidden",
                        'approllouts.core.oam.dev is forbidden: User "jo" cannot list resource '
                        '"approllouts" in API group "core.oam.dev" in the namespace "default"'))
        elif url.path in self.answers:
            self.answer(handler, 200, self.answers[url.path])
        elif not kind:
            self.answer(handler, *failure(404, "NotFound", "the server could not find it"))
        elif name and name not in objects:
            self.answer(handler, *failure(404, "NotFound", f'{kind} "{name}" not found'))
        elif name:
            self.answer(handler, 200, objects[name])
        else:
            items = [item for item in objects.values() if self.selected(item, query)]
            self.answer(handler, 200, {
                "kind": f"{kind}List", "apiVersion": "any",
                "metadata": {"resourceVersion": str(self.version)}, "items": items})

    @staticmethod
    def selected(item: dict, query: dict) -> bool:
        wanted = query.get("fieldSelector", "").removeprefix("metadata.name=")
        return not wanted or item["metadata"]["name"] == wanted

    def watch(self, handler, query: dict, objects: dict) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        seen = int(query["resourceVersion"])
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.version > seen)
                news = [item for item in objects.values() if self.selected(item, query)
                        and int(item["metadata"]["resourceVersion"]) > seen]
                seen = self.version
            for item in news:
                line = json.dumps({"type": "DELETED" if item.get("gone") else "MODIFIED",
                                   "object": item}).encode() + b"\n"
                try:
                    handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    handler.wfile.flush()
                except OSError:
                    return

    def patch(self, handler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))
        self.requests.append(("PATCH", handler.path, body))
        if self.before_patch:
            self.before_patch()
        if "patch" in self.denied:
            self.answer(handler, *failure(403, "Forbidden",
                        'approllouts.core.oam.dev "shop" is forbidden: User "jo" cannot patch '
                        'resource "approllouts" in API group "core.oam.dev" in the namespace '
                        '"default"'))
            return
        kind, name = self.place(urllib.parse.urlsplit(handler.path).path)
        thing = json.loads(json.dumps(self.collections[kind][name]))
        if not self.patched(thing, body):
            self.answer(handler, *failure(422, "Invalid",
                        "the server rejected our request due to an error in our request"))
            return
        self.put(thing)
        self.answer(handler, 200, thing)

    def patched(self, thing: dict, body) -> bool:
        if isinstance(body, list):
            return all(self.apply(thing, step) for step in body)
        self.merge(thing, body)
        return True

    def merge(self, thing: dict, patch: dict) -> None:
        for name, value in patch.items():
            if isinstance(value, dict):
                self.merge(thing.setdefault(name, {}), value)
            else:
                thing[name] = value

    @staticmethod
    def apply(thing: dict, step: dict) -> bool:
        *way, last = [part.replace("~1", "/").replace("~0", "~")
                      for part in step["path"].split("/")[1:]]
        at = thing
        for part in way:
            if part not in at:
                return False
            at = at[part]
        if step["op"] == "test":
            return last in at and at[last] == step["value"]
        if step["op"] == "remove":
            return at.pop(last, None) is not None
        if step["op"] == "replace" and last not in at:
            return False
        at[last] = step["value"]
        return True

    def answer(self, handler, code: int, body: dict) -> None:
        data = json.dumps(body).encode()
        handler.send_response(code)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
