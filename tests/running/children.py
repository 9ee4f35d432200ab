# SPDX-License-Identifier: Apache-2.0
"""Commands that are run, and the count of what they have found."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / "build-logs"
TELL = 30  # seconds after which one hears again how far something is


class Tally:
    """What has passed and failed so far, and where to read about what failed."""

    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed: int, failures: list) -> None:
        self.passed += passed
        self.failures += failures

    def close(self) -> int:
        for failure in self.failures:
            print(f"failed: {failure}")
        print(f"{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures else 0


class Child:
    """A command whose output goes to a log, unless it is to be seen. It has a process group of its
    own, so that an interrupt at the terminal reaches it once, through us."""

    running = []

    def __init__(self, name: str, command: list, environment: dict = None, nice: int = 0,
                 shown: bool = False):
        LOGS.mkdir(exist_ok=True)
        self.name, self.cpu = name, 0  # seconds, once it has ended
        self.log = None if shown else LOGS / f"{name.replace(' ', '-').replace('/', '-')}.log"
        output = {} if shown else {"stdout": self.log.open("w"), "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), *map(str, command)], cwd=ROOT, stdin=subprocess.DEVNULL,
            process_group=0, env={**os.environ, **(environment or {})}, **output)
        Child.running.append(self)

    def wait(self) -> int:
        """Its exit status. One that takes long is heard of now and then, by the last line that it has said."""
        start, ended = time.monotonic(), os.pidfd_open(self.process.pid)
        while not select.select([ended], [], [], TELL)[0]:
            if self.log:
                say(self.name, self.tail(1)[:100] or "has said nothing yet", start)
        os.close(ended)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = used.ru_utime + used.ru_stime
        Child.running.remove(self)
        return self.process.returncode

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def on_signal(number: int, _) -> None:
    """Unwinds to main(), which ends the children: waiting for one here, while it is being waited
    for already, would never end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(128 + number)


def end_children() -> None:
    """Each in good order: what it has made, clusters too, must not stay behind."""
    for child in Child.running:
        child.process.terminate()
    for child in Child.running:
        child.process.wait()


def say(name: str, what: str, start: float) -> None:
    print(f"{name:24} {what}  ({time.monotonic() - start:.0f} s)", flush=True)
