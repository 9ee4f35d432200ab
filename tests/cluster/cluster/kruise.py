# SPDX-License-Identifier: Apache-2.0
"""OpenKruise: its CRDs and webhooks in the cluster, its manager beside it."""

from . import tools

NAMESPACE = "kruise-system"
CLONESETS = "/apis/apps.kruise.io/v1alpha1/namespaces/default/clonesets"

PROBE = {
    "apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "metadata": {"name": "probe"},
    "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "probe"}},
             "template": {"metadata": {"labels": {"app": "probe"}},
                          "spec": {"containers": [{"name": "probe", "image": "probe"}]}}},
}


def install(cluster) -> None:
    """Once for each cluster; the manager is started apart from this."""
    if cluster.api.exists(f"/api/v1/namespaces/{NAMESPACE}"):
        return
    cluster.api.create("/api/v1/namespaces", {
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": NAMESPACE, "labels": {"control-plane": "controller-manager"}}})
    cluster.kubectl("create", "--validate=false", "-f", str(tools.path("kruise.yaml")))


def webhook_answers(cluster) -> bool:
    """A CloneSet that is tried and not kept goes through both webhooks."""
    tried = cluster.api.create(f"{CLONESETS}?dryRun=All", PROBE)
    return "updateStrategy" in tried["spec"]
