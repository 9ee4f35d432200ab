# SPDX-License-Identifier: Apache-2.0
"""What the proofs of the kinds of apps/v1 share: how these are watched, defined and asked about."""

import os
import random
import time

import pytest

from . import history
from .controller import BUILD
from .objects import (RESOURCES, component, definition, image_of, is_current, is_ready, rollout,
                      state)

KINDS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "ReplicaSet": "/apis/apps/v1/namespaces/{}/replicasets",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
}
RESOURCES.update(KINDS)

HOLDER = "rollout.sluice.dev/holder"

TEMPLATE = """
output: {
    apiVersion: "apps/v1"
    kind:       "%s"
    spec: {
        %s
        selector: matchLabels: app: context.name
        template: {
            metadata: labels: app: context.name
            spec: {
                terminationGracePeriodSeconds: 1
                containers: [{
                    name:  context.name
                    image: "stefanprodan/podinfo:" + parameter.version
                    if parameter.probe {
                        readinessProbe: {
                            httpGet: {path: "/readyz", port: 8080}
                            periodSeconds: 1
                        }
                    }
                }]
                if parameter.fake {
                    nodeSelector: type: "kwok"
                    tolerations: [{operator: "Exists"}]
                }
            }
        }
    }
}
parameter: {
    version:  string
    replicas: *5 | int
    fake:     *true | bool
    probe:    *false | bool
}
"""


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    """For the tests of a module that imports it, histories hold these kinds too."""
    for kind, path in KINDS.items():
        monkeypatch.setitem(history.KINDS, kind, path)


def watch_replicasets(monkeypatch) -> None:
    """For one test, histories hold them."""
    monkeypatch.setitem(history.KINDS, "ReplicaSet", KINDS["ReplicaSet"])


def adapter(name: str) -> list:
    """The config's list with this adapter alone."""
    return [{"name": name, "file": str(BUILD / "plugins" / name / f"{name}.so")}]


def define(stage, kind: str, fields: str) -> None:
    """A component type `app` of this kind with these fields in its spec, in CUE."""
    stage.put(definition("app", TEMPLATE % (kind, fields), kind, "apps/v1"))


def app(version: str, **properties) -> dict:
    return component(kind="app", version=version, **properties)


def start(stage, kind: str, fields: str, size: int = 5, **properties) -> None:
    """A controller, and shop-v1 rolled out in one batch."""
    stage.controller(adapters=adapter(kind.lower()))
    define(stage, kind, fields)
    stage.record(1, app("4.0.6", replicas=size, **properties))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    wait_all_ready(stage, "4.0.6", size)


def alive(pods) -> list:
    return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]


def at(stage, image: str) -> list:
    """Pods of the image that aren't on their way out."""
    return [pod for pod in alive(stage.history.objects("Pod").values()) if image_of(pod) == image]


def wait_all_ready(stage, image: str, size: int) -> None:
    def reached():
        pods = stage.history.objects("Pod").values()
        return len(pods) == size and all(is_ready(pod) and image_of(pod) == image for pod in pods)

    stage.wait(f"{size} pods of {image}, all ready, and no other", reached)


def wait_at(stage, image: str, count: int) -> None:
    stage.wait(f"{count} pods of {image}", lambda: len(at(stage, image)) >= count)


def replay(stage, kind: str, name: str, since: int = 0):
    """(workload, pods that aren't on their way out) after every change of either."""
    workload, pods = None, {}
    for version in stage.history.versions():
        if version.kind == kind and version.name == name:
            workload = None if version.deleted else version.object
        elif version.kind == "Pod":
            pods.pop(version.name, None)
            if not version.deleted and "deletionTimestamp" not in version.object["metadata"]:
                pods[version.name] = version.object
        else:
            continue
        if workload and version.number > since:
            yield workload, dict(pods)


def fewest_ready(stage, kind: str, since: int, until: int = 0) -> int:
    stage.history.catch_up()
    return min(sum(is_ready(pod) for pod in pods.values())
               for _, pods in replay(stage, kind, "web", since))


def assert_goals(moments, *goals: int) -> None:
    """Of (pods that have come, those of them that are ready) after every change: they come as far as
    each goal, and beyond it only when as many are ready."""
    steps, before, most = list(goals), 0, 0
    for there, ready in moments:
        while steps and there > steps[0]:
            assert before >= steps[0], f"{there} come while {before} are ready: {goals}"
            steps.pop(0)
        assert steps, f"{there} have come; {goals} were planned"
        before, most = ready, max(most, there)
    assert len(steps) == 1 and most == steps[0], f"{most} have come; {steps} are left"


def most_told(stage, since: int) -> int:
    """The most pods that the ReplicaSets were told to have in all: what maxSurge is about. A pod that
    is to go may still be there for a moment when its successor comes."""
    stage.history.catch_up()
    told, most = {}, 0
    for version in stage.history.versions("ReplicaSet"):
        told[version.name] = 0 if version.deleted else version.object["spec"]["replicas"]
        if version.number > since:
            most = max(most, sum(told.values()))
    return most


def assert_quiet(stage, kind: str, seconds: float = 1.5) -> None:
    """No pod comes, goes or changes, and nobody changes the workload's spec."""
    stage.history.catch_up()
    before = stage.history.now(kind, "web")
    changes = stage.history.quiet(stage.history.number(), seconds, "Pod")
    assert not changes, f"a pod changes: {changes[0]}"
    now = stage.history.now(kind, "web")
    assert now["metadata"]["generation"] == before["metadata"]["generation"], (
        f"the {kind} changes from {before['spec']} to {now['spec']}, by "
        f"{[entry['manager'] for entry in now['metadata'].get('managedFields', [])]}")


def wait_settled(stage, kind: str, size: int) -> None:
    """All pods that are there are ready, and as many as there are to be."""
    def reached():
        live, pods = stage.history.now(kind, "web"), stage.history.objects("Pod").values()
        return (live.get("status", {}).get("observedGeneration") == live["metadata"]["generation"]
                and len(pods) == size and all(is_ready(pod) for pod in pods))

    stage.wait(f"the {kind} is settled", reached, 30)


def seeded() -> random.Random:
    seed = int(os.environ.get("SLUICE_SEED", time.time()))
    print(f"SLUICE_SEED={seed}")
    return random.Random(seed)


def _has_succeeded(stage) -> bool:
    """The rollout as it is now; what an earlier target came to is no answer."""
    found = stage.rollout()
    return is_current(found) and state(found) == "rolloutSucceed"


def kill_on_the_way(stage) -> int:
    """Kills the controller at random moments of a roll, and lets it end after so many; how often."""
    moments, kills = seeded(), 0
    most = int(os.environ.get("SLUICE_KILLS", 8))
    while kills < most and not _has_succeeded(stage):
        stage.history.closing.wait(moments.uniform(0.05, 0.5))
        stage.controllers[0].restart_after_kill()
        kills += 1
    stage.wait_state("rolloutSucceed")
    return kills


def scale_on_the_way(stage, resource: str, *sizes: int) -> None:
    """As an autoscaler does, through the scale subresource, each time the roll has got further."""
    for size in sizes:
        before = stage.rollout()["status"].get("currentBatch", 0)
        stage.cluster.kubectl("-n", stage.namespace, "scale", resource, f"--replicas={size}")
        stage.wait("the roll has got further", lambda: _has_succeeded(stage) or stage.rollout()[
            "status"].get("currentBatch", 0) > before)
