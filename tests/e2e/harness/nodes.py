# SPDX-License-Identifier: Apache-2.0
"""Fake nodes of a stage's own, for workloads that have a pod on every node.

They carry the namespace's name as a label, so that each stage has nodes that are only its own.
"""

from contextlib import contextmanager

from cluster.api import ApiError
from cluster.cluster import wait_for
from cluster.kwok import APART, TAINT

OWNER = "sluice.test/stage"


class Nodes:
    def __init__(self, stage):
        self.api = stage.api
        self.stage = stage.namespace
        self.names = []

    def join(self, *letters: str) -> None:
        """Node a is <namespace>-a."""
        for letter in letters:
            name = f"{self.stage}-{letter}"
            labels = {**APART, OWNER: self.stage, "kubernetes.io/hostname": name}
            self.api.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node",
                                              "metadata": {"name": name, "labels": labels},
                                              "spec": {"taints": [TAINT]}})
            self.names.append(name)
        for letter in letters:
            wait_for(f"node {letter} is ready", lambda: self._is_ready(letter), 20)

    def _is_ready(self, letter: str) -> bool:
        """And nothing keeps pods away from it any more."""
        node = self.api.get(f"/api/v1/nodes/{self.stage}-{letter}")
        return node["spec"].get("taints") == [TAINT] and any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node["status"].get("conditions", []))

    def leave(self, letter: str) -> None:
        """With its pods; it would take the garbage collector a minute to find them."""
        name = f"{self.stage}-{letter}"
        self.names.remove(name)
        self._delete(f"/api/v1/nodes/{name}")
        pods = f"/api/v1/namespaces/{self.stage}/pods"
        for pod in self.api.get(f"{pods}?fieldSelector=spec.nodeName={name}")["items"]:
            self._delete(f"{pods}/{pod['metadata']['name']}?gracePeriodSeconds=0")

    def _delete(self, path: str) -> None:
        try:
            self.api.delete(path)
        except ApiError as error:
            if error.code != 404:
                raise

    def taint(self, letter: str) -> None:
        """So that no pod of ours would be made there any more; one that is there stays."""
        taints = [TAINT, {"key": "sluice.test/full", "value": "yes", "effect": "NoSchedule"}]
        self.api.patch(f"/api/v1/nodes/{self.stage}-{letter}", {"spec": {"taints": taints}})

    def close(self) -> None:
        for name in list(self.names):
            self.leave(name.removeprefix(f"{self.stage}-"))


@contextmanager
def nodes_of(stage, letters: str):
    nodes = Nodes(stage)
    try:
        nodes.join(*letters)
        yield nodes
    finally:
        nodes.close()

