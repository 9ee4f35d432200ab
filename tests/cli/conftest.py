# SPDX-License-Identifier: Apache-2.0
"""The program as a person runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from apiserver import Server

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build")).resolve()


class Ran:
    """What became of a command."""

    def __init__(self, done: subprocess.CompletedProcess):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr


@pytest.fixture
def sluice(tmp_path):
    """Runs `sluice` in an empty folder, with no way to a cluster unless one is given."""
    def run(*arguments, stdin: str = "", **environment) -> Ran:
        settings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        return Ran(subprocess.run([BUILD / "core" / "sluice", *map(str, arguments)], text=True,
                                  input=stdin, cwd=tmp_path, env={**settings, **environment},
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60))
    return run


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def kubeconfig(server, tmp_path):
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": server.url()}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]}))
    return path
