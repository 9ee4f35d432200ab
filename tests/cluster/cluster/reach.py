# SPDX-License-Identifier: Apache-2.0
"""What one does with any cluster, once there is a kubeconfig for it."""

import json
import subprocess
import time
from pathlib import Path
from typing import Callable

from . import tools
from .api import Api
from .errors import ClusterError


class Reachable:
    """Has `kubeconfig`, its administrator's, and `api`."""

    kubeconfig: Path
    api: Api

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What it prints. ClusterError, with what it complained of, when it fails."""
        command = [str(tools.path("kubectl")), f"--kubeconfig={self.kubeconfig}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *things: dict) -> None:
        """Objects as Python knows them."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(things)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(listed))

    def apply_files(self, path: Path, namespace: str = "") -> list:
        """A file, or all of a folder, as they are; returns the objects as they are then. With a
        namespace, kubectl refuses objects that say another one."""
        where = ["--namespace", namespace] if namespace else []
        text = self.kubectl(*where, "apply", "--output=json", "-f", str(path))
        applied = json.loads(text)
        return applied["items"] if applied["kind"] == "List" else [applied]

    def define(self, folder: Path) -> None:
        """Applies a folder of CustomResourceDefinitions; their kinds are served then."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for name in [crd["metadata"]["name"] for crd in self.apply_files(folder)]:
            wait_for(f"{name} is established", lambda crd=f"{path}/{name}": any(
                each["type"] == "Established" and each["status"] == "True"
                for each in self.api.get(crd).get("status", {}).get("conditions", [])), 30)

    def make_namespace(self, name: str) -> None:
        """Unless it is there."""
        if not self.api.exists(f"/api/v1/namespaces/{name}"):
            self.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace",
                                                   "metadata": {"name": name}})


def wait_for(what: str, condition: Callable, seconds: float = 60):
    """Returns the condition's first true answer. ClusterError names what never came."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise ClusterError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)
