# SPDX-License-Identifier: Apache-2.0
"""The outside's view of a cluster's namespaces: start them, start parts in them, end them.

See init.py for what goes on inside.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from .errors import ClusterError
from .paths import CACHE

INIT = Path(__file__).with_name("init.py")


class Sandbox:
    """The processes of the cluster whose state is in `folder`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def open(self) -> None:
        for name in ("pids", "exits", "logs"):
            (self.folder / name).mkdir()
        command = [sys.executable, "-E", "-s", str(INIT), str(self.folder), str(CACHE)]
        with open(self.folder / "logs" / "init.log", "w", encoding="utf-8") as log:
            code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if code:
            raise ClusterError(f"the cluster's namespaces could not be made:\n{self.tail('init')}")

    def close(self) -> None:
        """Ends every process inside, whatever it is doing, and returns when the last is gone."""
        pid = self.pid("init")
        if pid:
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while self.pid("init"):
            if time.monotonic() > deadline:
                raise ClusterError(f"the cluster's first process, {pid}, does not end")
            time.sleep(0.01)

    def start(self, name: str, command, environment) -> None:
        request = {"name": name, "command": [str(word) for word in command],
                   "environment": environment}
        answer = self._ask(json.dumps(request) + "\n")
        if not answer.split()[:1] or not answer.split()[0].isdigit():
            raise ClusterError(f"{name} could not be started: {answer or 'no answer'}")

    def stop(self, name: str, sign: signal.Signals, patience: float = 10) -> None:
        """Sends the signal, and SIGKILL if that didn't do. Returns when it has been reaped: until
        then its last threads may still hold its ports."""
        pid = self.pid(name)
        if not pid:
            return
        os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while self.pid("init") and os.path.exists(f"/proc/{pid}"):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def pid(self, name: str) -> int:
        """0 when it isn't running."""
        try:
            pid, began = (self.folder / "pids" / name).read_text().split()
            stat = Path("/proc", pid, "stat").read_text(encoding="utf-8")
            threads = len(list(Path("/proc", pid, "task").iterdir()))
        except (OSError, ValueError):
            return 0
        fields = stat.rpartition(")")[2].split()
        # A first thread that has ended shows as a zombie while others still hold the ports.
        ended = fields[0] in "ZX" and threads <= 1
        alive = not ended and fields[19] == began
        return int(pid) if alive else 0

    def exit_of(self, name: str) -> str:
        """How it ended, or "" when it hasn't."""
        if self.pid(name):
            return ""
        file = self.folder / "exits" / name
        for _ in range(20):
            if file.exists():
                return file.read_text()
            time.sleep(0.01)  # init is just about to write it, if it is alive
        return "is gone" if (self.folder / "pids" / name).exists() else "was never started"

    def tail(self, name: str, lines: int = 15) -> str:
        try:
            text = (self.folder / "logs" / f"{name}.log").read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:]) or "(empty log)"

    def _ask(self, request: str) -> str:
        """A socket's address holds 108 bytes only; going through the folder keeps it short."""
        folder = os.open(self.folder, os.O_PATH)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
                client.connect(f"/proc/self/fd/{folder}/init.sock")
                with client.makefile("rw") as stream:
                    stream.write(request)
                    stream.flush()
                    return stream.read()
        except OSError as error:
            raise ClusterError(f"the cluster is not running ({error})") from error
        finally:
            os.close(folder)
