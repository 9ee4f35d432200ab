# SPDX-License-Identifier: Apache-2.0
"""The objects that the proofs apply."""

API = "core.oam.dev/v1beta1"

RESOURCES = {
    "AppRollout": "/apis/core.oam.dev/v1beta1/namespaces/{}/approllouts",
    "Rollout": "/apis/sluice.dev/v1alpha1/namespaces/{}/rollouts",
    "Application": "/apis/core.oam.dev/v1beta1/namespaces/{}/applications",
    "ApplicationRevision": "/apis/core.oam.dev/v1beta1/namespaces/{}/applicationrevisions",
    "ComponentDefinition": "/apis/core.oam.dev/v1beta1/namespaces/{}/componentdefinitions",
    "CloneSet": "/apis/apps.kruise.io/v1alpha1/namespaces/{}/clonesets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
}


def component(name="web", kind="service", **properties) -> dict:
    return {"name": name, "type": kind, "properties": properties}


def application(*components, name="shop", **annotations) -> dict:
    """One that only records: every change of it is a revision."""
    return {"apiVersion": API, "kind": "Application",
            "metadata": {"name": name, "annotations": {"app.oam.dev/rollout-template": "true",
                                                       **annotations}},
            "spec": {"components": list(components)}}


def rollout(target, source=None, *, name="roll", batches=None, components=None, revert=None,
            **plan) -> dict:
    """`batches`: their replicas, or whole batches. Everything else goes into the plan."""
    if batches is not None:
        plan["rolloutBatches"] = [batch if isinstance(batch, dict) else {"replicas": batch}
                                  for batch in batches]
    spec = {"targetAppRevisionName": target, "rolloutPlan": plan}
    if source is not None:
        spec["sourceAppRevisionName"] = source
    if components is not None:
        spec["componentList"] = components
    if revert is not None:
        spec["revertOnDelete"] = revert
    return {"apiVersion": API, "kind": "AppRollout", "metadata": {"name": name}, "spec": spec}


def definition(name, template, kind="CloneSet", api_version="apps.kruise.io/v1alpha1") -> dict:
    return {"apiVersion": API, "kind": "ComponentDefinition", "metadata": {"name": name},
            "spec": {"workload": {"definition": {"apiVersion": api_version, "kind": kind}},
                     "schematic": {"cue": {"template": template}}}}


def state(rollout_object) -> str:
    return (rollout_object or {}).get("status", {}).get("rollingState", "")


def batch_state(rollout_object) -> str:
    return (rollout_object or {}).get("status", {}).get("batchRollingState", "")


def reason(rollout_object) -> dict:
    return (rollout_object or {}).get("status", {}).get("reason", {})


def is_current(rollout_object) -> bool:
    """Has the controller seen the spec as it is now?"""
    return (rollout_object is not None and rollout_object.get("status", {}).get("observedGeneration")
            == rollout_object["metadata"]["generation"])


def is_ready(pod) -> bool:
    return ("deletionTimestamp" not in pod["metadata"]
            and any(c["type"] == "Ready" and c["status"] == "True"
                    for c in pod.get("status", {}).get("conditions", [])))


def is_running(pod) -> bool:
    """All its containers, ready or not."""
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and all("running" in status["state"] for status in statuses)


def image_of(pod) -> str:
    return pod["spec"]["containers"][0]["image"].rpartition(":")[2]


def running_image(pod) -> str:
    """Of the container that runs, not of the one that is wanted."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("image", "").rpartition(":")[2] if "running" in statuses[0].get(
        "state", {}) else ""


def container_id(pod) -> str:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("containerID", "")


def restarts(pod) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return statuses[0].get("restartCount", 0)
