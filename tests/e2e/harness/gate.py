# SPDX-License-Identifier: Apache-2.0
"""A gate between a controller and the API server. It counts what the controller writes, and at one
of these writes it shuts: the controller is killed there, and the next one finds the gate open."""

import json
import threading
from contextlib import suppress
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR
from urllib.parse import parse_qs, urlsplit

import yaml

UNSENT = "unsent"    # the write never arrives at the server
UNHEARD = "unheard"  # the server has done it, and its answer never arrives
OWN_HOP = ("transfer-encoding", "connection", "content-length", "keep-alive")


class Shut(Exception):
    """Nothing goes through."""


class Relay:
    """Between a controller and the API server, as a user of whom a stage knows: all that is asked goes
    through as it is, and so do the answers. `kubeconfig` leads here."""

    def __init__(self, stage):
        self.stage = stage
        self.token = _token(stage.account)
        self._lock = threading.Lock()
        self._upstream = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self._server.daemon_threads = True
        self._server.gate = self
        self.kubeconfig = self._write_kubeconfig()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def handler(self) -> type:
        """Of its connections."""
        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._cut()

    def _write_kubeconfig(self):
        port = self._server.server_port
        path = self.stage.folder / f"gate-{port}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "gate",
            "clusters": [{"name": "gate", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "gate", "user": {}}],
            "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "gate"}}]}))
        return path

    def _cut(self) -> None:
        """What is still waited for."""
        with self._lock:
            connections, self._upstream = self._upstream, set()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)

    # In the threads of the connections

    def keep(self, socket) -> None:
        """To be closed with all others."""
        with self._lock:
            self._upstream.add(socket)

    def before_write(self, what: str) -> int:
        """The number of the write; Shut if it isn't to arrive."""
        return 0

    def after_write(self, number: int) -> None:
        """Shut if its answer isn't to arrive."""


class Gate(Relay):
    """For the one controller of a stage. Kills it while the stage's history waits for something."""

    def __init__(self, stage):
        self.written = []  # "VERB path" of every write that was sent on or stopped, all processes
        self.shut_at = None  # the number of the write, of those of this process, and how
        self.kills = 0
        self._of_this_process = 0
        self._again = False
        self._is_shut = False
        super().__init__(stage)
        stage.account = self.kubeconfig
        self._check, stage.history.check = stage.history.check, self._kill_if_shut

    def kill_at(self, number: int, way: str, again=False) -> None:
        """At the write of this number from now on; `again`: of the next process too, and so on."""
        with self._lock:
            self.shut_at, self._again, self._of_this_process = (number, way), again, 0

    def leave_open(self) -> None:
        with self._lock:
            self.shut_at = None

    def is_armed(self) -> bool:
        return self.shut_at is not None

    # In the thread of the test

    def _kill_if_shut(self) -> None:
        self._check()
        if not self._is_shut:
            return
        controller = self.stage.controllers[0]
        controller.kill()
        self._cut()
        with self._lock:
            self.kills += 1
            self._is_shut, self._of_this_process = False, 0
            if not self._again:
                self.shut_at = None
        controller.start()

    # In those of the connections

    def before_write(self, what: str) -> int:
        """The number of the write; Shut if it isn't to arrive."""
        with self._lock:
            self._pass()
            self.written.append(what)
            self._of_this_process += 1
            if self.shut_at == (self._of_this_process, UNSENT):
                self._shut()
            return self._of_this_process

    def after_write(self, number: int) -> None:
        """Shut if its answer isn't to arrive."""
        with self._lock:
            self._pass()
            if self.shut_at == (number, UNHEARD):
                self._shut()

    def _pass(self) -> None:
        if self._is_shut:
            raise Shut

    def _shut(self) -> None:
        """The thread of the test may hold the history's lock and want ours: it is woken by another."""
        self._is_shut = True
        threading.Thread(target=self._wake, daemon=True).start()
        raise Shut

    def _wake(self) -> None:
        with self.stage.history.changed:
            self.stage.history.changed.notify_all()


def _token(kubeconfig) -> str:
    """Of the account; a sandbox knows of none."""
    return yaml.safe_load(kubeconfig.read_text())["users"][0]["user"].get("token", "")


def is_write(method: str, path: str) -> bool:
    return method != "GET" and "dryRun" not in parse_qs(urlsplit(path).query)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.upstream = self.server.gate.stage.api.connect(None)

    def handle(self):
        with suppress(ConnectionError):  # the controller has been killed
            super().handle()

    def finish(self):
        self.upstream.close()
        with suppress(OSError):
            super().finish()

    def log_message(self, *_):
        """Says nothing."""

    def relay(self) -> None:
        try:
            self.pass_on()
        except (Shut, OSError, HTTPException, ValueError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = relay

    def pass_on(self) -> None:
        gate = self.server.gate
        body = self.take_body()
        write = is_write(self.command, self.path)
        number = gate.before_write(f"{self.command} {self.path}") if write else 0
        answer = self.ask(body)
        if write:
            text = answer.read()
            gate.after_write(number)
            self.begin(answer, len(text))
            self.wfile.write(text)
        else:
            self._stream(answer)

    def take_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def ask(self, body: bytes, **others: str):
        """The API server, with these headers instead of their own."""
        gate = self.server.gate
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in (*OWN_HOP, "host")}
        headers.update(others)
        if gate.token:
            headers["Authorization"] = f"Bearer {gate.token}"
        if not self.upstream.sock:
            self.upstream.connect()
            gate.keep(self.upstream.sock)
        self.upstream.request(self.command, self.path, body or None, headers)
        return self.upstream.getresponse()

    def begin(self, answer, length: int = None) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in OWN_HOP:
                self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _stream(self, answer) -> None:
        self.begin(answer)
        while piece := answer.read1(65536):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        answer.read()  # read1 leaves one of a known length open, and then no other may be asked for
        self.wfile.write(b"0\r\n\r\n")
