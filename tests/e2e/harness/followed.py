# SPDX-License-Identifier: Apache-2.0
"""Workloads that somebody else writes, held by a Rollout (sluice.dev): how each kind is made, held
and asked about."""

import json
from contextlib import contextmanager

from . import apps, history
from .controller import BUILD
from .nodes import OWNER, nodes_of
from .objects import RESOURCES, image_of, is_current, is_ready, running_image

ROLLOUTS = "/apis/sluice.dev/v1alpha1/namespaces/{}/rollouts"
OURS = "rollout.sluice.dev/"
SIZE = 5

ROLLING = {"type": "RollingUpdate"}


class Kind:
    """`spec` is what its owner writes of it, `least` how few pods he lets be ready then. `at_rest`
    tells from the live object whether a change of its template would move no pod."""

    def __init__(self, name: str, api_version: str, kind: str, spec: dict, at_rest, least=SIZE - 1):
        self.name, self.api_version, self.kind, self.spec = name, api_version, kind, spec
        self.at_rest, self.least = at_rest, least
        self.path = f"/apis/{api_version}/namespaces/{{}}/{kind.lower()}s"
        self.on_every_node = kind == "DaemonSet"


def _partition(live) -> bool:
    return live["spec"]["updateStrategy"]["rollingUpdate"]["partition"] >= live["spec"]["replicas"]


def _node_partition(live) -> bool:
    return live["spec"]["updateStrategy"]["rollingUpdate"]["partition"] >= SIZE


KINDS = {kind.name: kind for kind in [
    Kind("deployment", "apps/v1", "Deployment",
         {"strategy": {**ROLLING, "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}},
         lambda live: live["spec"].get("paused"), SIZE),
    Kind("statefulset", "apps/v1", "StatefulSet",
         {"serviceName": "web", "podManagementPolicy": "Parallel"}, _partition),
    Kind("daemonset", "apps/v1", "DaemonSet",
         {"updateStrategy": {**ROLLING, "rollingUpdate": {"maxUnavailable": 1}}},
         lambda live: live["spec"]["updateStrategy"]["type"] == "OnDelete"),
    Kind("cloneset", "apps.kruise.io/v1alpha1", "CloneSet",
         {"updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": 1}},
         lambda live: live["spec"]["updateStrategy"]["partition"] == "100%"),
    Kind("advanced-statefulset", "apps.kruise.io/v1beta1", "StatefulSet",
         {"serviceName": "web", "podManagementPolicy": "Parallel",
          "updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}, _partition),
    Kind("advanced-daemonset", "apps.kruise.io/v1alpha1", "DaemonSet",
         {"updateStrategy": {**ROLLING, "rollingUpdate": {"maxUnavailable": 1}}},
         _node_partition),
]}


def watch(monkeypatch, kind: Kind) -> None:
    """For one test, histories hold workloads of this kind."""
    for name, path in {kind.kind: kind.path, "ReplicaSet": apps.KINDS["ReplicaSet"]}.items():
        monkeypatch.setitem(RESOURCES, name, path)
        monkeypatch.setitem(history.KINDS, name, path)


def marks(thing: dict) -> dict:
    notes = thing["metadata"].get("annotations", {})
    return {name: text for name, text in notes.items() if name.startswith(OURS)}


def owners(thing: dict) -> dict:
    """All that its owner writes of an object; his annotations without those of the controllers."""
    notes = thing["metadata"].get("annotations", {})
    return {"spec": thing["spec"], "labels": thing["metadata"].get("labels", {}),
            "annotations": {name: notes[name] for name in notes
                            if not name.startswith((OURS, "deployment.kubernetes.io/", "deprecated."))}}


def differences(found, wanted, path="") -> list:
    """The fields in which two objects differ, with both values."""
    if not (isinstance(found, dict) and isinstance(wanted, dict)):
        return [] if found == wanted else [f"{path}: {found} isn't {wanted}"]
    return [line for key in {**found, **wanted}
            for line in differences(found.get(key), wanted.get(key), f"{path}.{key}")]


def rollout(kind: Kind, *batches, name="web", workload="web", revert=None, **plan) -> dict:
    if batches:
        plan["rolloutBatches"] = [it if isinstance(it, dict) else {"replicas": it} for it in batches]
    spec = {"workloadRef": {"apiVersion": kind.api_version, "kind": kind.kind, "name": workload},
            "rolloutPlan": plan}
    if revert is not None:
        spec["revertOnDelete"] = revert
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": spec}


class Followed:
    """The workload `web` of a stage and its Rollout, which is called the same. The pods of a kind
    that has a size are on a fake node, where they are ready at once, unless they are `real`."""

    def __init__(self, stage, kind: Kind, real=False):
        self.stage, self.kind, self.real = stage, kind, real

    # What its owner does

    def manifest(self, version="4.0.6", size=SIZE) -> dict:
        pod = {"terminationGracePeriodSeconds": 1,
               "containers": [{"name": "web", "image": f"stefanprodan/podinfo:{version}"}]}
        if self.kind.on_every_node:
            pod["nodeSelector"] = {OWNER: self.stage.namespace}
        elif not self.real:
            pod["nodeSelector"] = {"type": "kwok"}
        if not self.real:
            pod["tolerations"] = [{"operator": "Exists"}]
        if self.kind.name == "cloneset" or self.kind.name == "advanced-statefulset":
            pod["readinessGates"] = [{"conditionType": "InPlaceUpdateReady"}]
        spec = {"selector": {"matchLabels": {"app": "web"}}, **json.loads(json.dumps(self.kind.spec)),
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}
        if not self.kind.on_every_node:
            spec["replicas"] = size
        return {"apiVersion": self.kind.api_version, "kind": self.kind.kind,
                "metadata": {"name": "web"}, "spec": spec}

    def set_image(self, version: str) -> dict:
        """As `kubectl set image` does."""
        return self.stage.patch(self.kind.kind, "web", [
            {"op": "replace", "path": "/spec/template/spec/containers/0/image",
             "value": f"stefanprodan/podinfo:{version}"}])

    def run(self, size=SIZE) -> dict:
        """It runs; returns it as it is then."""
        self.stage.put(self.manifest(size=size))
        apps.wait_all_ready(self.stage, "4.0.6", size)
        apps.wait_settled(self.stage, self.kind.kind, size)
        return self.stage.get(self.kind.kind, "web")

    def controller(self):
        """The adapter of its kind alone."""
        return self.stage.controller(adapters=[{"name": self.kind.name, "file": str(
            BUILD / "plugins" / self.kind.name / f"{self.kind.name}.so")}])

    def take(self, *batches, size=SIZE, **plan) -> dict:
        """It runs and is held; returns it as its owner had it."""
        before = self.run(size)
        pods = self.identities()
        self.controller()
        self.stage.put(rollout(self.kind, *batches, **plan))
        self.wait_held()
        self.assert_stay(pods)
        assert owners(self.live()) != owners(before), "nothing holds it"
        return before

    def plan(self, **fields) -> dict:
        return self.stage.patch("Rollout", "web", {"spec": {"rolloutPlan": fields}})

    # What has become of it

    def live(self) -> dict:
        self.stage.history.catch_up()
        return self.stage.history.now(self.kind.kind, "web")

    def rollout(self, name="web") -> dict:
        return self.stage.history.now("Rollout", name)

    def status(self, name="web") -> dict:
        return (self.rollout(name) or {}).get("status", {})

    def identities(self) -> dict:
        self.stage.history.catch_up()
        return {pod["metadata"]["name"]: pod["metadata"]["uid"]
                for pod in apps.alive(self.stage.history.objects("Pod").values())}

    def at(self, image: str) -> int:
        return len(apps.at(self.stage, image))

    def wait_reason(self, code: str, name="web", seconds=60) -> dict:
        def reached():
            why = self.status(name).get("reason", {})
            return why if is_current(self.rollout(name)) and why.get("code") == code else None

        return self.stage.wait(f"Rollout {name} stands still because of {code}", reached, seconds)

    def wait_held(self, unlike=None, seconds=90) -> dict:
        """At rest, at another template than the one named."""
        def reached():
            found, live = self.status(), self.stage.history.now(self.kind.kind, "web")
            held = found.get("reason", {}).get("code") == "Held" and self.kind.at_rest(live)
            return found if held and found.get("lastTargetAppRevision") != unlike else None

        return self.stage.wait("the workload is held", reached, seconds)

    def wait_gone(self) -> None:
        self.stage.delete("Rollout", "web")
        self.stage.wait("the Rollout is gone", lambda: self.rollout() is None, 20)

    # Proofs

    def replay(self, since: int):
        self.stage.history.catch_up()
        return apps.replay(self.stage, self.kind.kind, "web", since)

    def is_ready(self, pod) -> bool:
        """With the image that it is to have: a pod may be ready for a moment with the one before."""
        return is_ready(pod) and (self.real or running_image(pod) == image_of(pod))

    def ready_moments(self, since: int):
        """(pods, those of them that are ready) after every change."""
        for _, pods in self.replay(since):
            yield list(pods.values()), list(filter(self.is_ready, pods.values()))

    def fewest_ready(self, since: int) -> int:
        """While its pods may only be fewer because of us."""
        return min(len(ready) for _, ready in self.ready_moments(since))

    def assert_batches(self, since: int, image: str, *goals: int) -> None:
        """Pods of the image come as far as each goal, and beyond it only when as many are ready."""
        def moments():
            for pods, ready in self.ready_moments(since):
                yield (sum(image_of(pod) == image for pod in pods),
                       sum(image_of(pod) == image for pod in ready))

        apps.assert_goals(moments(), *goals)

    def assert_none_taken_back(self, since: int, image: str) -> None:
        """No pod of the image is told to go, or gets another one."""
        came = set()
        for version in self.stage.history.versions("Pod", since=since):
            meta, fits = version.object["metadata"], image_of(version.object) == image
            came |= {meta["uid"]} if fits else set()
            assert fits or meta["uid"] not in came, f"{version.name} is taken back from {image}"
            assert not fits or "deletionTimestamp" not in meta, f"{version.name} is told to go"

    def assert_stay(self, pods: dict, version="4.0.6") -> None:
        """The very same pods, of this version, and no other."""
        assert self.identities() == pods
        assert self.at(version) == len(pods)

    def assert_quiet(self, size=SIZE) -> None:
        apps.wait_settled(self.stage, self.kind.kind, size)
        apps.assert_quiet(self.stage, self.kind.kind)

    def assert_given_back(self, before: dict) -> None:
        """As its owner had it, but for the template and the size that he has changed since."""
        found, wanted = owners(self.live()), owners(before)
        wanted["spec"]["template"] = found["spec"]["template"]
        if "replicas" in found["spec"]:
            wanted["spec"]["replicas"] = found["spec"]["replicas"]
        assert found == wanted, differences(found, wanted)
        assert not marks(self.live())

    def step_by_step(self, *goals, version="5.0.2", seconds=60) -> None:
        """The partition is raised when the batch before has come to rest: there are exactly as many
        pods of the new version then as were planned."""
        for batch, goal in enumerate(goals):
            self.wait_batch(batch, seconds)
            self.assert_quiet()
            assert self.at(version) == goal, f"{self.at(version)} pods after batch {batch}"
            self.plan(batchPartition=batch + 1)

    def wait_batch(self, batch: int, seconds=60) -> None:
        """It stands at the partition after this batch."""
        def reached():
            status = self.status()
            return (is_current(self.rollout()) and status.get("currentBatch") == batch
                    and status["reason"]["code"] == "PartitionReached")

        self.stage.wait(f"batch {batch} is done", reached, seconds)


@contextmanager
def followed(stage, kind: Kind, real=False):
    """A kind that has a pod on every node gets nodes of its own."""
    if not kind.on_every_node:
        yield Followed(stage, kind, real)
        return
    with nodes_of(stage, "abcde"):
        yield Followed(stage, kind)
