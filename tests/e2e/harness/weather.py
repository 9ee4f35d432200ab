# SPDX-License-Identifier: Apache-2.0
"""What networks, proxies and API servers do to requests and answers, between controllers and a real
API server: as much of it as there is weather. What the test itself asks doesn't go this way."""

import json
import os
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from .gate import Handler, Relay, Shut, is_write
from .judge import Write

READ, LIST, WATCH, EVENT, WRITE = "read", "list", "watch", "event", "write"
EVERY = (READ, LIST, WATCH, WRITE)

# What it may strike. EVENT is one of a watch that has begun.
FAULTS = {
    "delay": (*EVERY, EVENT),    # comes late to the server, an event to the controller
    "late": (READ, LIST, WRITE),  # the answer does
    "lost": EVERY,               # nothing comes there, and nothing is said
    "reset": (*EVERY, EVENT),    # the connection, before anything has come there
    "unheard": (WRITE,),         # it is done, and the connection reset
    "cut": (*EVERY, EVENT),      # the answer, in the middle of its body
    "twice": (EVENT,),
    "stale": (LIST,),            # as it was once
    "409": (WRITE,),
    "410": (LIST, WATCH, EVENT),
    "429": EVERY,
    "500": EVERY,
    "503": EVERY,
}

# A request that is held up on its way is the one thing that can come from a leader that isn't one any
# more: shorter than what is between its last write and the next one's first (TERMS in crew.py).
DELAY, LATE, LOST = 0.5, 1.5, 1.5

REASONS = {409: "Conflict", 410: "Expired", 429: "TooManyRequests", 500: "InternalError",
           503: "ServiceUnavailable"}


@dataclass
class Weather:
    """For all gates of a stage. `blowing` are the faults that there are now, by their numbers, each with
    how many of a hundred it strikes."""

    dice: random.Random
    blowing: dict = field(default_factory=dict)
    struck: Counter = field(default_factory=Counter)
    writes: list = field(default_factory=list)  # all that was answered to, as a gate sees it
    _lists: dict = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, number: int, fault: str, percent: int) -> None:
        with self._lock:
            self.blowing[number] = (fault, percent)

    def end(self, number: int) -> None:
        with self._lock:
            self.blowing.pop(number, None)

    def calm(self) -> None:
        with self._lock:
            self.blowing.clear()

    def strikes(self, sort: str) -> str:
        """The fault that this request, or event, meets; "" for none."""
        with self._lock:
            for fault, percent in self.blowing.values():
                if sort in FAULTS[fault] and self.dice.randrange(100) < percent:
                    self.struck[fault] += 1
                    return fault
        return ""

    def between(self, least: float, most: float) -> float:
        with self._lock:
            return self.dice.uniform(least, most)

    def remember(self, key, answer: bytes) -> None:
        """Of what is listed again and again, now one and now another is the old one."""
        with self._lock:
            if key not in self._lists or self.dice.random() < 0.3:
                self._lists[key] = answer

    def once(self, key) -> bytes:
        """As it was listed some time; b"" when it never was."""
        with self._lock:
            return self._lists.get(key, b"")

    def note(self, write: Write) -> None:
        with self._lock:
            self.writes.append(write)


class Exposed(Relay):
    """A gate for one process. The API server knows it by `agent`, the end of its user agent."""

    def __init__(self, stage, weather: Weather, agent: str):
        self.weather, self.agent = weather, agent
        super().__init__(stage)

    def handler(self) -> type:
        return _Handler


def sort_of(method: str, path: str) -> str:
    query = parse_qs(urlsplit(path).query)
    if method != "GET":
        return WRITE
    if "watch" in query:
        return WATCH
    return LIST if "limit" in query else READ


class _Handler(Handler):
    def pass_on(self) -> None:
        sort, self.weather = sort_of(self.command, self.path), self.server.gate.weather
        body, fault = self.take_body(), self.weather.strikes(sort)
        if fault.isdigit():
            self._refuse(int(fault))
        elif fault == "stale" and self.weather.once(self._key()):
            self._say(200, self.weather.once(self._key()))
        else:
            self._arrive(sort, body, fault)

    def _arrive(self, sort: str, body: bytes, fault: str) -> None:
        if fault == "reset":
            self._reset()
        if fault in ("delay", "lost"):
            time.sleep(self.weather.between(0, DELAY if fault == "delay" else LOST))
        if fault == "lost":
            raise Shut
        began = time.time()
        answer = self.ask(body, **{"User-Agent": f"{self.headers['User-Agent']} {self.server.gate.agent}"})
        if sort == WATCH and answer.status == 200:
            self._watch(answer, fault)
        else:
            self._return(sort, answer, answer.read(), fault, began)

    def _return(self, sort: str, answer, text: bytes, fault: str, began: float) -> None:
        if is_write(self.command, self.path):
            self._note(answer.status, text, began)
        if sort == LIST and answer.status == 200:
            self.weather.remember(self._key(), text)
        if fault == "unheard":
            self._reset()
        if fault == "late":
            time.sleep(self.weather.between(0, LATE))
        self.begin(answer, len(text))
        self._write(text, fault)

    def _write(self, text: bytes, fault: str) -> None:
        if fault == "cut":
            self.wfile.write(text[:int(self.weather.between(0, len(text)))])
            raise Shut
        self.wfile.write(text)

    # Watches

    def _watch(self, answer, fault: str) -> None:
        self.begin(answer)
        for line in answer:
            self._event(line, fault or self.weather.strikes(EVENT))
            fault = ""
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, line: bytes, fault: str) -> None:
        if fault == "delay":
            time.sleep(self.weather.between(0, DELAY))
        if fault == "reset":
            self._reset()
        if fault == "cut":
            self._chunk(line[:int(self.weather.between(0, len(line)))])
            raise Shut
        if fault == "410":
            self._chunk(json.dumps({"type": "ERROR", "object": _status(410)}).encode() + b"\n")
            raise Shut
        self._chunk(line * (2 if fault == "twice" else 1))

    def _chunk(self, piece: bytes) -> None:
        if piece:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    # What isn't asked for

    def _refuse(self, code: int) -> None:
        self._say(code, json.dumps(_status(code)).encode())

    def _say(self, code: int, text: bytes) -> None:
        self.send_response_only(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if code == 429:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(text)

    def _reset(self) -> None:
        """As a proxy that dies does: without a farewell."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        raise Shut

    def _key(self) -> tuple:
        return self.path, self.headers.get("Accept")

    def _note(self, code: int, text: bytes, began: float) -> None:
        """For clusters without an audit log."""
        self.weather.note(Write(self.server.gate.agent, began, time.time(), *_about(self.path), code,
                                _holder(text)))


def _status(code: int) -> dict:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
            "message": "as the seed says", "reason": REASONS[code]}


def _about(path: str) -> tuple:
    """Resource and name."""
    parts = urlsplit(path).path.split("/")
    after = parts[parts.index("namespaces") + 2:] if "namespaces" in parts else parts[-1:]
    return after[0] if after else "namespaces", after[1] if len(after) > 1 else ""


def _holder(text: bytes) -> str:
    """Of a Lease that was written."""
    try:
        return json.loads(text).get("spec", {}).get("holderIdentity", "")
    except ValueError:
        return ""
