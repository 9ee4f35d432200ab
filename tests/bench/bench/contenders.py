# SPDX-License-Identifier: Apache-2.0
"""Who is measured side by side, and how each does the same: workloads of 4 pods on kwok's nodes that are given
another image, in four steps, the next one when the pods of the one before are available. Nobody is asked, and
nothing is paused.

Sluice rolls a Deployment that a Rollout (sluice.dev) holds. Argo's Rollout makes its ReplicaSets itself.
OpenKruise's Rollout takes a Deployment over and scales its ReplicaSets.
"""

from pathlib import Path

from cluster import wait_for
from cluster.api import ApiError

from . import controllers, crowd
from .objects import IMAGES, ROOT

PODS = 4
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
ROLLOUTS = "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts"
ARGO = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts"
KRUISE = "/apis/rollouts.kruise.io/v1beta1/namespaces/default/rollouts"
JUDGE = ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
         "/kruise-rollout-validating-webhook-configuration")


def name(number: int) -> str:
    return f"web-{number:05}"


def _workload(number: int, pods: int = PODS) -> dict:
    label = {"app": name(number)}
    return {"replicas": pods, "selector": {"matchLabels": label},
            "template": {"metadata": {"labels": label}, "spec": {
                "terminationGracePeriodSeconds": 1,
                "containers": [{"name": "web", "image": IMAGES[1]}]}}}


def _reference(number: int) -> dict:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": name(number)}


def image(version: int) -> dict:
    """The patch that gives it."""
    return {"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": IMAGES[version]}]}}}}


def _make_deployments(cluster, numbers: range, pods: int) -> None:
    crowd.send(cluster, "Deployments created", numbers, lambda wire, i: wire.send(
        "POST", DEPLOYMENTS, {"apiVersion": "apps/v1", "kind": "Deployment",
                              "metadata": {"name": name(i)}, "spec": _workload(i, pods)}))
    crowd.collect(cluster, "all pods there", {name(i) for i in numbers}, DEPLOYMENTS,
                  lambda it: it.get("status", {}).get("availableReplicas") == pods)


def _make_rollouts(cluster, contender, numbers: range, what: str, is_so) -> None:
    """And waits until each is so."""
    crowd.send(cluster, "Rollouts created", numbers, lambda wire, i: wire.send(
        "POST", contender.rollouts, contender.rollout(i)))
    crowd.collect(cluster, what, {name(i) for i in numbers}, contender.rollouts, is_so)


class Sluice:
    name = "Sluice"
    rollouts = ROLLOUTS
    changed = DEPLOYMENTS  # what a person changes
    steps = "deployments"  # what it writes for a step
    may_be_down = True     # while somebody changes a workload

    def __init__(self, build: Path):
        self.build = build
        self.programs = [build / "core" / "sluice", build / "plugins" / "deployment" / "deployment.so"]

    def start(self, cluster) -> controllers.Controller:
        cluster.kubectl("create", "-f", str(ROOT / "deploy" / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        return controllers.sluice(cluster, self.build, adapter="deployment")

    def make(self, cluster, numbers: range, pods: int = PODS) -> None:
        _make_deployments(cluster, numbers, pods)
        _make_rollouts(cluster, self, numbers, "held",
                       lambda it: it.get("status", {}).get("reason", {}).get("code") == "Held")

    @staticmethod
    def rollout(number: int) -> dict:
        return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
                "metadata": {"name": name(number)},
                "spec": {"workloadRef": _reference(number), "rolloutPlan": {"numBatches": 4}}}

    @staticmethod
    def is_done(thing: dict, rolls: int) -> bool:
        status = thing.get("status", {})
        ended = [roll for roll in status.get("history", []) if roll.get("verdict") == "Succeeded"]
        return status.get("rollingState") == "rolloutSucceed" and len(ended) == rolls


class Argo:
    name = "Argo Rollouts 1.8.3"
    rollouts = changed = ARGO
    steps = "replicasets"
    may_be_down = True

    def __init__(self):
        self.programs = [controllers.ARGO.build().program]

    def start(self, cluster) -> controllers.Controller:
        controller = controllers.argo(cluster)
        cluster.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        return controller

    def make(self, cluster, numbers: range) -> None:
        _make_rollouts(cluster, self, numbers, "all pods there",
                       lambda it: self.is_done(it, 0))

    @staticmethod
    def rollout(number: int) -> dict:
        canary = {"steps": [{"setWeight": weight} for weight in (25, 50, 75)]}
        return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
                "metadata": {"name": name(number)},
                "spec": {**_workload(number), "strategy": {"canary": canary}}}

    @staticmethod
    def is_done(thing: dict, _rolls: int) -> bool:
        status = thing.get("status", {})
        return (status.get("phase") == "Healthy" and status.get("updatedReplicas") == PODS
                and status.get("observedGeneration") == str(thing["metadata"]["generation"])
                and status.get("currentPodHash") == status.get("stableRS"))


class Kruise:
    name = "Kruise Rollouts 0.6.2"
    rollouts = KRUISE
    changed = DEPLOYMENTS
    steps = "batchreleases"
    may_be_down = False  # its webhook is asked about every change of a Deployment that it holds

    def __init__(self):
        self.programs = [controllers.KRUISE.build().program]

    def start(self, cluster) -> controllers.Controller:
        controller = controllers.kruise(cluster)
        wait_for("its webhooks answer", lambda: controller.pid and self._is_asked(cluster), 60)
        return controller

    def _is_asked(self, cluster) -> bool:
        """It has given its webhook an address, and judges a Rollout that is tried and not kept."""
        judge = cluster.api.get(JUDGE)["webhooks"][0]
        if "url" not in judge["clientConfig"]:
            return False
        try:
            cluster.api.create(f"{KRUISE}?dryRun=All", self.rollout(0))
        except ApiError:
            return False
        return True

    def make(self, cluster, numbers: range) -> None:
        _make_deployments(cluster, numbers, PODS)
        _make_rollouts(cluster, self, numbers, "held",
                       lambda it: it.get("status", {}).get("phase") == "Healthy")

    @staticmethod
    def rollout(number: int) -> dict:
        steps = [{"replicas": share, "pause": {"duration": 0}} for share in ("25%", "50%", "75%", "100%")]
        return {"apiVersion": "rollouts.kruise.io/v1beta1", "kind": "Rollout",
                "metadata": {"name": name(number)},
                "spec": {"workloadRef": _reference(number), "strategy": {"canary": {"steps": steps}}}}

    @staticmethod
    def is_done(thing: dict, _rolls: int) -> bool:
        """It has been rolled once: before that it knows no revision that others came from."""
        status = thing.get("status", {})
        return status.get("phase") == "Healthy" and "stableRevision" in status.get("canaryStatus", {})
