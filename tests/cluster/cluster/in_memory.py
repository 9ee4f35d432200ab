# SPDX-License-Identifier: Apache-2.0
"""A cluster in memory: sluice-sandbox, with what is used of a real one. It needs neither root nor
any tool; there are no rights and no audit log, and nothing runs on its nodes."""

import subprocess
from pathlib import Path

import yaml

from .api import Api
from .errors import ClusterError
from .reach import Reachable


class SandboxCluster(Reachable):
    """Runs from its creation until `down`. All of it is in a folder of the caller's."""

    name = "sandbox"
    is_real = False

    def __init__(self, program: Path, folder: Path, *options: str):
        self.dir = folder
        self.kubeconfig = folder / "kubeconfig"
        self._log = folder / "sandbox.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen([program, "--kubeconfig", self.kubeconfig, *options],
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             stderr=log, text=True, start_new_session=True)
        line = self._process.stdout.readline()
        if not line.startswith("http://"):
            raise ClusterError(f"{program} hasn't started: {self._log.read_text()}")
        self.server = line.strip()
        self.pid = self._process.pid
        self.api = Api(int(line.rpartition(":")[2]))

    def down(self) -> None:
        """ClusterError when it hasn't ended well."""
        self._process.terminate()
        self._process.stdout.close()
        if self._process.wait(20):
            raise ClusterError(f"the sandbox ended with {self._process.returncode}: "
                               f"{self._log.read_text()}")

    def apply(self, *things: dict) -> None:
        """As kubectl would; it isn't there on every machine."""
        for thing in things:
            self._apply(thing, "")

    def apply_files(self, path: Path, namespace: str = "") -> list:
        """Likewise."""
        files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        return [self._apply(thing, namespace) for file in files
                for thing in yaml.safe_load_all(file.read_text())]

    def _apply(self, thing: dict, namespace: str) -> dict:
        path = f"{self._path(thing, namespace)}?fieldManager=kubectl&force=true"
        return self.api.patch(path, thing, "apply")

    def _path(self, thing: dict, namespace: str) -> str:
        version, meta = thing["apiVersion"], thing["metadata"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        kind = next((each for each in self.api.get(root)["resources"]
                     if each["kind"] == thing["kind"] and "/" not in each["name"]), None)
        if not kind:
            raise ClusterError(f"there is no kind {thing['kind']} in {version}")
        if kind["namespaced"]:
            root += f"/namespaces/{meta.get('namespace', namespace or 'default')}"
        return f"{root}/{kind['name']}/{meta['name']}"
