# SPDX-License-Identifier: Apache-2.0
"""`sluice adapters`: asked of a running controller, and of a config, as a person does."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from conftest import BUILD

HOSTILE = BUILD / "tests" / "hostile"
SLUICE = BUILD / "core" / "sluice"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sluice(*arguments) -> tuple:
    """(exit status, output, errors)"""
    done = subprocess.run([SLUICE, "adapters", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr


def entry(name: str, file: str, **more) -> dict:
    return {"name": name, "adapter": "hostile", "file": str(HOSTILE / f"{file}.so"), **more}


class Site:
    """A config, and a controller with it. There is no cluster, which adapters don't mind."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "sluice.yaml"
        self.log = folder / "sluice.log"
        self.server = f"127.0.0.1:{free_port()}"

    def write(self, *entries) -> None:
        """In one step, as editors and Kubernetes do."""
        draft = self.folder / "draft.yaml"
        draft.write_text(json.dumps({"serve": {"listen": self.server},
                                     "adapters": {"enabled": entries}}))
        draft.replace(self.config)

    @contextmanager
    def running(self):
        kubeconfig = self.folder / "kubeconfig"
        kubeconfig.write_text(json.dumps({
            "current-context": "x", "users": [{"name": "x", "user": {"token": "t"}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
            "clusters": [{"name": "x",
                          "cluster": {"server": f"http://127.0.0.1:{free_port()}"}}]}))
        with self.log.open("w") as log:
            process = subprocess.Popen([SLUICE, "controller", "--config", self.config,
                                        "--kubeconfig", kubeconfig], stderr=log)
        try:
            self.until(lambda: sluice("--server", self.server)[0] == 0)
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait()

    def until(self, condition):
        deadline = time.monotonic() + 20
        while not (found := condition()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return found

    def ask(self, *arguments) -> str:
        """What it prints of the running controller; errors and all."""
        status, printed, errors = sluice("--server", self.server, *arguments)
        assert status == 0, errors
        return printed + errors

    def adapter(self, name: str) -> dict:
        return json.loads(self.ask(name, "-o", "json"))


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def rows(table: str) -> list:
    return [line.split() for line in table.splitlines()]


# ── Of a running controller ─────────────────────────────────────────────────────────────────


def test_what_is_loaded(site):
    site.write(entry("good", "sound1"), entry("bad", "size"))
    with site.running():
        status, table, notes = sluice("--server", site.server)
        assert status == 0
        assert rows(table) == [
            ["NAME", "VERSION", "STATE", "ISOLATION", "ROLLOUTS", "CALLS", "P99"],
            ["good", "1.0.0", "InUse", "process", "0", "0", "-"],
            ["bad", "-", "Refused", "process", "0", "-", "-"]]
        assert "bad is refused: size: expected at least 88 bytes, found 64" in notes
        assert site.ask("-o", "name") == "good\nbad\n"
        assert str(HOSTILE / "sound1.so") in site.ask("-o", "wide")
        about = json.loads(site.ask("-o", "json"))
        assert about["config"]["file"] == str(site.config)
        assert [found["state"] for found in about["adapters"]] == ["inUse", "refused"]
        assert "- name: good\n" in site.ask("--output=yaml")


def test_everything_about_one(site):
    site.write(entry("good", "sound1"))
    with site.running():
        told = site.ask("good")
        assert "State:         InUse\nVersion:       1.0.0\n" in told
        assert "Kinds:         x.io/v1 X\n" in told
        assert site.adapter("good")["sha256"] in told
        status, printed, errors = sluice("--server", site.server, "god")
        assert (status, printed) == (1, "")
        assert 'there is no adapter "god"; there are: good' in errors


def test_a_version_that_is_refused(site):
    """What goes on, and what doesn't, and why; until the config asks for what is in force."""
    first = entry("good", "sound1")
    site.write(first)
    with site.running():
        site.write(entry("good", "smoke"))
        site.until(lambda: "manifest: smoke" in site.adapter("good")
                   .get("next", {}).get("refusal", ""))
        found = site.adapter("good")
        assert (found["version"], found["state"]) == ("1.0.0", "inUse")
        assert found["file"] == first["file"]
        assert found["next"]["file"] == str(HOSTILE / "smoke.so")
        printed = site.ask()
        assert ["good", "1.0.0", "NextRefused"] in [row[:3] for row in rows(printed)]
        assert f"good: version 1.0.0 goes on; version 1.0.0 from {HOSTILE / 'smoke.so'}" in printed
        site.write(first)
        site.until(lambda: "next" not in site.adapter("good"))
        assert "manifest: smoke" in site.adapter("good")["lastRefusal"]["message"]


def test_a_config_that_is_refused(site):
    site.write(entry("good", "sound1"))
    with site.running():
        site.config.write_text("adapters:\n  enabled: [}\n")
        site.until(lambda: "the config has changed and is refused" in site.ask())
        assert f"{site.config}:2:" in site.ask()
        assert ["good", "1.0.0", "InUse"] in [row[:3] for row in rows(site.ask())]


def test_nobody_answers():
    server = f"127.0.0.1:{free_port()}"
    status, printed, errors = sluice("--server", server)
    assert (status, printed) == (1, "")
    assert f"sluice adapters: no controller answers: GET http://{server}/adapters: " in errors
    assert "--server ADDRESS" in errors and "--config FILE" in errors


def test_somebody_else_answers(tmp_path):
    command = [sys.executable, "-um", "http.server", "--bind", "127.0.0.1", "0"]
    server = subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL)
    port = server.stdout.readline().split()[5]
    status, _, errors = sluice("--server", f"localhost:{port}")
    server.kill()
    server.wait()
    assert status == 1
    assert f"GET http://localhost:{port}/adapters: answered with status 404, expected 200" in errors


# ── Of a config ─────────────────────────────────────────────────────────────────────────────


def test_what_a_config_would_load(site):
    site.write(entry("good", "sound1"))
    status, table, notes = sluice("--config", site.config)
    assert (status, notes) == (0, "")
    assert rows(table) == [["NAME", "VERSION", "STATE", "KINDS"],
                           ["good", "1.0.0", "InUse", "x.io/v1", "X"]]
    site.write(entry("good", "sound1"), entry("bad", "size"))
    status, _, notes = sluice("--config", site.config)
    assert status == 1
    assert "bad is refused: size: expected at least 88 bytes, found 64" in notes


def test_native_functions(site):
    """They stand beside the adapter that may use them, and make that a process of its own."""
    library = BUILD / "tests" / "unit" / "adapter" / "quality.so"
    function = {"name": "tastes", "library": str(library), "symbol": "tastes", "returns": "bool",
                "arguments": [{"bool": True}, {"string": "/spec/recipe"}]}
    bakeries = {"name": "bakeries", "adapter": "generic", "native": [function],
                "file": str(BUILD / "plugins" / "generic" / "generic.so"),
                "options": {"apiVersion": "example.com/v1", "kind": "Bakery", "resource": "bakeries",
                            "paused": "/spec/paused", "pods": {"label": "recipe"},
                            "status": {"healthy": {"native": "tastes"}}}}
    site.write(bakeries)
    status, output, _ = sluice("bakeries", "--config", site.config)
    assert status == 0
    assert re.search(rf"^Native: +tastes: tastes of {library}, sha256 [0-9a-f]{{12}}$", output, re.M)
    assert re.search("^Isolation: +process$", output, re.M)
    function["symbol"] = "smells"
    site.write(bakeries)
    status, _, errors = sluice("--config", site.config)
    assert status == 1
    assert ('bakeries is refused: native[0]: symbol: expected a function of the library, found no '
            '"smells"') in errors


def test_a_config_that_is_wrong(site):
    site.config.write_text("adaptors: {}\n")
    status, printed, errors = sluice("--config", site.config)
    assert (status, printed) == (1, "")
    assert f"{site.config}:1:1" in errors and "adapters" in errors


def test_a_file_that_others_may_change(site):
    """Refused by name: whose it is, who may write it, and what is in it."""
    file = site.folder / "good.so"
    file.write_bytes((HOSTILE / "sound1.so").read_bytes())
    file.chmod(0o664)
    told = {"name": "good", "adapter": "hostile", "file": str(file)}
    site.write(told)
    assert "mode: expected" in sluice("--config", site.config)[2]
    file.chmod(0o755)
    site.write({**told, "sha256": "0" * 64})
    assert "sha256: expected 0000" in sluice("--config", site.config)[2]
    if os.geteuid() == 0:
        os.chown(file, 65534, -1)
        site.write(told)
        assert "owner: expected" in sluice("--config", site.config)[2]


# ── As people call it ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments, status, text", [
    (["--help"], 0, "usage: sluice adapters"),
    (["-o", "xml"], 2, '--output: expected wide, name, json or yaml, found "xml"'),
    (["one", "two"], 2, 'unexpected "two"'),
    (["--server", "x", "--config", "y"], 2, "expected --server or --config, found both"),
    (["--server", "127.0.0.1:port"], 1, "expected an address and a port, such as 127.0.0.1:8474"),
    (["--sever", "x"], 2, 'unknown option --sever; did you mean "server"?'),
])
def test_usage(arguments, status, text):
    found, printed, errors = sluice(*arguments)
    assert found == status and text in printed + errors
