# SPDX-License-Identifier: Apache-2.0
"""Adapters seen, refused, replaced, removed and put back in a running controller, while they roll.
What is in force is asked of the controller itself, as `sluice adapters` does."""

import hashlib
import json
import os
import shutil
import socket
import subprocess

import pytest
from cluster import tools
from cluster.cluster import wait_for
from harness import apps
from harness.apps import watched  # noqa: F401
from harness.controller import BUILD, SLUICE, config_text
from harness.objects import rollout

DEPLOYMENT = BUILD / "plugins" / "deployment" / "deployment.so"
HOSTILE = BUILD / "tests" / "hostile"
SIZE = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def digest(file) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class Site:
    """A Deployment that is rolled pod by pod, by an adapter whose file and config may change."""

    def __init__(self, stage, folder):
        self.stage = stage
        self.file = folder / "deployment.so"
        self.server = f"127.0.0.1:{free_port()}"
        self.entry = {"name": "deployment", "file": str(self.file)}
        shutil.copy(DEPLOYMENT, self.file)
        self.controller = stage.controller_with(self.text(self.entry)).start()

    def text(self, *entries) -> str:
        return config_text(entries, namespace=self.stage.namespace,
                           serve={"listen": self.server})

    def enable(self, *entries) -> None:
        self.controller.configure(self.text(*entries))

    def about(self, *arguments) -> dict:
        """What `sluice adapters` says; nothing while the controller is starting."""
        command = [SLUICE, "adapters", "--server", self.server, "-o", "json", *arguments]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def adapter(self) -> dict:
        return self.about("deployment")

    def wait_refused(self, words: str) -> None:
        """Until the version that the config asks for is refused so; the first one is in force."""
        wait_for(f"the next version is refused: {words}", lambda: words in self.adapter()
                 .get("next", {}).get("refusal", ""), 20)
        found = self.adapter()
        assert (found["state"], found["file"]) == ("inUse", str(self.file))
        assert words in found["lastRefusal"]["message"]
        assert self.said(f"refused: {found['lastRefusal']['message']}; version "
                         f"{found['version']} goes on")

    def said(self, words: str) -> bool:
        return any(words in line.get("message", "") for line in self.controller.log_lines())

    # The roll

    def begin(self) -> None:
        """One pod of four is at the second version, and a person is waited for."""
        stage = self.stage
        apps.define(stage, "Deployment", "replicas: parameter.replicas")
        stage.record(1, apps.app("4.0.6", replicas=SIZE))
        stage.put(rollout("shop-v1", numBatches=1))
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "4.0.6", SIZE)
        stage.record(2, apps.app("5.0.2", replicas=SIZE))
        stage.put(rollout("shop-v2", "shop-v1", batches=[1] * SIZE, batchPartition=0))
        stage.wait_reason("PartitionReached")
        assert len(apps.at(stage, "5.0.2")) == 1

    def go_on(self, batch: int) -> None:
        self.stage.plan(batchPartition=batch)
        self.stage.wait_status(currentBatch=batch, batchRollingState="batchReady")
        self.stage.wait_reason("PartitionReached")
        assert len(apps.at(self.stage, "5.0.2")) == batch + 1

    def end(self) -> None:
        """All batches, each one pod, whatever was done meanwhile."""
        self.stage.plan(batchPartition=None)
        self.stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(self.stage, "5.0.2", SIZE)
        assert self.controller.alive()


@pytest.fixture
def site(stage, tmp_path):
    return Site(stage, tmp_path)


@pytest.fixture
def rolling(site):
    site.begin()
    return site


def test_versions_that_are_refused(rolling, tmp_path):
    """The present one rolls on to the end, whatever the config asks for instead."""
    other = tmp_path / "other.so"
    shutil.copy(DEPLOYMENT, other)
    entry = {"name": "deployment", "file": str(other)}
    hostile = {"name": "deployment", "adapter": "hostile"}

    rolling.enable({**rolling.entry, "sha256": "0" * 64})
    rolling.wait_refused(f"sha256: expected {'0' * 64}, found {digest(rolling.file)}")
    rolling.enable({**hostile, "file": str(HOSTILE / "major.so")})
    rolling.wait_refused("major: expected 1, found 2")
    rolling.go_on(1)
    rolling.enable({**hostile, "file": str(HOSTILE / "smoke.so")})
    rolling.wait_refused("manifest: smoke")
    other.chmod(0o664)
    rolling.enable(entry)
    rolling.wait_refused(f"mode: expected {other} to be writable by its owner only, found 0664")
    rolling.go_on(2)
    other.chmod(0o644)
    os.chown(other, 65534, -1)
    rolling.enable({**entry, "sha256": digest(other)})
    rolling.wait_refused(f"owner: expected {other} to belong to root or to user {os.geteuid()}, "
                      "found user 65534")
    rolling.end()


def test_a_refused_version_after_a_restart(rolling):
    """There is no version left to go on with: the rollout says why it waits, the pods stay."""
    rolling.enable({**rolling.entry, "sha256": "0" * 64})
    rolling.wait_refused("sha256: expected")
    rolling.controller.kill()
    rolling.controller.start()
    rolling.stage.plan(batchPartition=None)
    why = rolling.stage.wait_reason("KindUnknown")
    assert f"adapter deployment is refused: sha256: expected {'0' * 64}" in why["message"]
    rolling.stage.event("KindUnknown", "adapter deployment is refused: sha256")
    apps.assert_quiet(rolling.stage, "Deployment")
    rolling.enable({**rolling.entry, "sha256": digest(rolling.file)})
    rolling.end()


def test_a_file_replaced_in_place(rolling):
    """SIGHUP looks at the files; nothing else does. What is loaded doesn't mind that it is written
    over."""
    first = digest(rolling.file)
    with rolling.file.open("ab") as file:
        file.write(b"\0")  # after all that an ELF file's headers know of
    rolling.go_on(1)
    assert rolling.adapter()["sha256"] == first
    rolling.controller.hang_up()
    wait_for("the new file is in force",
             lambda: rolling.adapter()["sha256"] == digest(rolling.file), 20)
    rolling.go_on(2)
    rolling.file.write_bytes(b"no shared object, but as long as an ELF header or longer: " * 2)
    rolling.controller.hang_up()
    rolling.wait_refused("format: expected an ELF shared object, found something else")
    rolling.end()


def test_a_config_with_an_error(rolling):
    """The old one stays in force as a whole, and where the error is, is said."""
    read_at = rolling.about()["config"]["readAt"]
    rolling.controller.configure("adapters:\n  enabled:\n    - name: deployment\n   file: /x.so\n")
    refusal = wait_for("the config is refused",
                       lambda: rolling.about()["config"].get("refusal"), 20)
    assert refusal["message"].startswith(f"{rolling.controller.config}:4:4: ")
    assert rolling.said(f"refused, the former one stays in force: {refusal['message']}")
    assert rolling.adapter()["state"] == "inUse"
    rolling.go_on(1)
    rolling.enable(rolling.entry)
    wait_for("the config is in force", lambda: "refusal" not in rolling.about()["config"], 20)
    assert rolling.about()["config"]["readAt"] >= read_at
    rolling.end()


def test_an_adapter_removed_and_put_back(rolling):
    """Its rollouts wait with the reason, and their pods stay as they are."""
    rolling.enable()
    rolling.stage.plan(batchPartition=None)
    why = rolling.stage.wait_reason("KindUnknown")
    assert "no adapter handles apps/v1 Deployment; kinds handled: none" in why["message"]
    assert rolling.about()["adapters"] == []
    apps.assert_quiet(rolling.stage, "Deployment")
    rolling.enable(rolling.entry)
    rolling.end()


def test_kubectl_finds_it(site, tmp_path):
    """On PATH as kubectl-sluice, as `meson install` puts it."""
    wait_for("it answers", site.adapter, 20)
    folder = tmp_path / "installed"
    subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--tags", "runtime",
                    "--destdir", folder], check=True)
    found = next(folder.rglob("kubectl-sluice"))
    assert os.readlink(found) == "sluice"
    environment = {**os.environ, "PATH": f"{found.parent}:{os.environ['PATH']}"}
    printed = subprocess.run([tools.path("kubectl"), "sluice", "adapters", "--server", site.server],
                             env=environment, text=True, check=True, stdout=subprocess.PIPE).stdout
    assert [line.split()[:3] for line in printed.splitlines()] == [
        ["NAME", "VERSION", "STATE"], ["deployment", site.adapter()["version"], "InUse"]]
