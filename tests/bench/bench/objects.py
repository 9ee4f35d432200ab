# SPDX-License-Identifier: Apache-2.0
"""The objects that the benches make: the seed's component type, and applications and rollouts by
number."""

from .controllers import ROOT

OAM = "/apis/core.oam.dev/v1beta1"
SEED = ROOT / "examples" / "seed"
IMAGES = {1: "stefanprodan/podinfo:4.0.6", 2: "stefanprodan/podinfo:5.0.2"}


def path(plural: str, name: str = "") -> str:
    return f"{OAM}/namespaces/default/{plural}" + (f"/{name}" if name else "")


def install(cluster, crds=ROOT / "deploy" / "crds") -> None:
    """CRDs (Sluice's, or another folder's) and the seed's component type."""
    cluster.kubectl("create", "-f", str(crds))
    cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    cluster.kubectl("create", "namespace", "vela-system")
    cluster.kubectl("create", "-f", str(SEED / "componentdefinition-clonesetservice.yaml"))


def app(number: int) -> str:
    return f"shop-{number:04}"


def component(number: int) -> str:
    return f"web-{number:04}"


def application(number: int, version: int, pods: int) -> dict:
    return {
        "apiVersion": "core.oam.dev/v1beta1", "kind": "Application",
        "metadata": {"name": app(number), "annotations": {
            "app.oam.dev/rolling-components": component(number),
            "app.oam.dev/rollout-template": "true"}},
        "spec": {"components": [{
            "name": component(number), "type": "clonesetservice",
            "properties": {"cmd": ["./podinfo", "stress-cpu=1"], "image": IMAGES[version],
                           "port": 8080, "updateStrategyType": "InPlaceIfPossible",
                           "replicas": pods}}]},
    }


def rollout(number: int, target: int, source: int = None) -> dict:
    """From the other version, unless this is the first deployment of version 1."""
    source = source or target - 1
    return {
        "apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout",
        "metadata": {"name": app(number)},
        "spec": {
            "targetAppRevisionName": f"{app(number)}-v{target}",
            **({"sourceAppRevisionName": f"{app(number)}-v{source}"} if source else {}),
            "componentList": [component(number)],
            "rolloutPlan": {"rolloutStrategy": "IncreaseFirst",
                            "rolloutBatches": [{"replicas": "25%"}] * 4}},
    }


def has_succeeded(thing: dict, target: str) -> bool:
    """Whether a rollout has brought the revision whose name ends so to success."""
    status = thing.get("status", {})
    return (status.get("rollingState") == "rolloutSucceed"
            and thing["spec"]["targetAppRevisionName"].endswith(target)
            and status.get("lastTargetAppRevision", "").endswith(target))
