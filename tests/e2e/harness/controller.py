# SPDX-License-Identifier: Apache-2.0
"""The program under test, as a process: started, stopped, killed, and watched for misbehaviour."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from cluster import wait_for

BUILD = Path(os.environ.get("SLUICE_BUILD", Path(__file__).parents[3] / "build")).resolve()
SLUICE = BUILD / "core" / "sluice"
CLONESET = BUILD / "plugins" / "cloneset" / "cloneset.so"
RENDERER = BUILD / "plugins" / "cue" / "sluice-cue"

SANITIZER_MARKS = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "ThreadSanitizer")


def config_text(adapters=None, renderer_settings=None, **settings) -> str:
    """A config file. JSON is YAML, so nothing here depends on a YAML library."""
    entries = [{"name": "cloneset"}] if adapters is None else [_as_installed(it) for it in adapters]
    renderer = {"program": str(RENDERER), **(renderer_settings or {})}
    hooks = {"allow": ["127.0.0.0/8"], **settings.pop("hooks", {})}  # receivers are on loopback
    return json.dumps({"hooks": hooks, "adapters": {"directory": str(CLONESET.parent), "enabled": entries},
                       "renderer": renderer, **settings}, indent=2) + "\n"


def _as_installed(entry: dict) -> dict:
    """Each of Sluice's own adapters is built in a folder of its own, but they are installed in one, and
    what stands there runs in the controller's process."""
    ours = Path(entry.get("file", CLONESET)).is_relative_to(BUILD / "plugins")
    return {"isolation": "inProcess", **entry} if ours else entry


class Controller:
    """Not running until `start`. `kubeconfig` is the one of its service account, `arguments` are
    further ones of the command."""

    def __init__(self, folder: Path, kubeconfig: Path, config: str, *arguments: str):
        self.arguments = arguments
        self.config = folder / "sluice.yaml"
        self.config.write_text(config)
        self.log = folder / "sluice.log"
        self.kubeconfig = kubeconfig
        self.process = None
        self.starts = 0

    def start(self) -> "Controller":
        assert self.process is None, "it runs already"
        environment = {**os.environ, "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
                       "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0"}
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [SLUICE, "controller", f"--config={self.config}", f"--kubeconfig={self.kubeconfig}",
                 *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.starts += 1
        return self

    def kill(self) -> None:
        """As a power cut would end it: no handler runs, and its helper has to notice by itself."""
        helpers = self._helpers()
        self._end(signal.SIGKILL, -signal.SIGKILL)
        _wait_gone(helpers)

    def stop(self) -> None:
        """Asks it to end, as Kubernetes would; one that has just begun, once it can hear that."""
        wait_for("the controller listens for SIGTERM", self._hears, 15)
        helpers = self._helpers()
        self._end(signal.SIGTERM, 0)
        _wait_gone(helpers)

    def freeze(self) -> None:
        """Nothing of it runs until `thaw`."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ends_with(self, expected: int) -> None:
        """By itself, and soon."""
        process, self.process = self.process, None
        assert process.wait(15) == expected, self.log_text()[-6000:]

    def configure(self, config: str) -> None:
        """Replaces the config in one step, as editors and Kubernetes do."""
        draft = self.config.with_name("draft.yaml")
        draft.write_text(config)
        draft.replace(self.config)

    def hang_up(self) -> None:
        """Tells it to look at the adapters' files."""
        self.process.send_signal(signal.SIGHUP)

    def restart_after_kill(self) -> None:
        self.kill()
        self.start()

    def close(self) -> None:
        """At the end of a test: it must still be running, if it was, and must not have complained."""
        if self.process:
            self.stop()
        complaints = [line for line in self.log_text().splitlines()
                      if any(mark in line for mark in SANITIZER_MARKS)]
        assert not complaints, f"the sanitizers have found something:\n{self.log_text()[-6000:]}"

    def check(self) -> None:
        """Raises when it has ended by itself."""
        if self.process and self.process.poll() is not None:
            raise AssertionError(f"the controller has ended by itself with "
                                 f"{self.process.returncode}:\n{self.log_text()[-6000:]}")

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_text(self) -> str:
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def log_lines(self) -> list:
        """Those that are JSON, decoded."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def resident_kib(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def _end(self, how: signal.Signals, expected: int) -> None:
        self.check()
        process, self.process = self.process, None
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # one that is frozen hears nothing
        try:
            status = process.wait(15)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise AssertionError(f"it didn't end on {how.name}") from error
        assert status == expected, \
            f"{how.name} ended it with {status}, expected {expected}:\n{self.log_text()[-6000:]}"

    def _hears(self) -> bool:
        self.check()
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        masks = dict(line.split(":\t", 1) for line in status.splitlines() if line.startswith("Sig"))
        heard = int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)  # blocked, it is read from a descriptor
        return bool(heard >> signal.SIGTERM - 1 & 1)

    def _helpers(self) -> list:
        pid = self.process.pid
        try:
            return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            return []


def _is_renderer(pid: str) -> bool:
    try:
        return RENDERER.name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _wait_gone(pids: list) -> None:
    deadline = time.monotonic() + 5
    while any(_is_renderer(pid) for pid in pids):
        assert time.monotonic() < deadline, "the renderer has outlived the controller"
        time.sleep(0.02)
