# SPDX-License-Identifier: Apache-2.0
"""Fake nodes, for pods by the thousand: kwok says of them what a kubelet would."""

LABEL = {"type": "kwok"}
APART = {"type": "kwok-apart"}  # nodes that somebody adds for pods of his own
TAINT = {"key": "kwok.x-k8s.io/node", "value": "fake", "effect": "NoSchedule"}


def add_nodes(cluster, count: int) -> None:
    """Beside a real node they carry a taint, so that only pods that want them go there."""
    spec = {"taints": [TAINT]} if cluster.options["kubelet"] else {}
    for index in range(count):
        name = f"kwok-{index}"
        cluster.api.create("/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node", "spec": spec,
            "metadata": {"name": name, "labels": {**LABEL, "kubernetes.io/hostname": name}}})
