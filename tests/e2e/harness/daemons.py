# SPDX-License-Identifier: Apache-2.0
"""What the proofs of both kinds of DaemonSets share. A stage has nodes of its own, see nodes.py."""

from . import apps, history
from .nodes import OWNER
from .objects import RESOURCES, component, definition, image_of, is_ready, rollout

TEMPLATE = """
output: {
    apiVersion: "%s"
    kind:       "DaemonSet"
    metadata: annotations: {%s}
    spec: {
        %s
        selector: matchLabels: app: context.name
        template: {
            metadata: labels: app: context.name
            spec: {
                terminationGracePeriodSeconds: 1
                nodeSelector: "%s": "%s"
                tolerations: [{key: "kwok.x-k8s.io/node", operator: "Exists"}]
                containers: [{
                    name:  context.name
                    image: "stefanprodan/podinfo:" + parameter.version
                    readinessProbe: {
                        httpGet: {path: "/readyz", port: 8080}
                        periodSeconds: 1
                    }
                }]
            }
        }
    }
}
parameter: version: string
"""


def watch(monkeypatch, path: str) -> None:
    """For one test, histories hold the DaemonSets that stand at this path."""
    monkeypatch.setitem(RESOURCES, "DaemonSet", path)
    monkeypatch.setitem(history.KINDS, "DaemonSet", path)


def app(version: str) -> dict:
    return component(kind="app", version=version)


class Daemons:
    """The DaemonSet `web` of a stage, and the proofs of how it rolls."""

    def __init__(self, stage, adapter: str, api_version: str, fields="", annotations=""):
        self.stage = stage
        self.api_version = api_version
        self.annotations = annotations
        self.controller = stage.controller(adapters=apps.adapter(adapter))
        self.define(fields)

    def define(self, fields: str) -> None:
        template = TEMPLATE % (self.api_version, self.annotations, fields, OWNER,
                               self.stage.namespace)
        self.stage.put(definition("app", template, "DaemonSet", self.api_version))

    def start(self, size: int) -> None:
        """shop-v1 on all nodes, in one batch."""
        self.stage.record(1, app("4.0.6"))
        self.stage.put(rollout("shop-v1", numBatches=1))
        self.stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(self.stage, "4.0.6", size)

    def roll(self, *batches, number: int = 2, version: str = "5.0.2", **plan) -> int:
        """shop-v2 on its way; returns the number of the history from which on."""
        self.stage.record(number, app(version))
        since = self.stage.history.number()
        self.stage.put(rollout(f"shop-v{number}", "shop-v1", batches=list(batches), **plan))
        return since

    def live(self) -> dict:
        """As it is now: its watch may be behind the rollout's."""
        self.stage.history.catch_up()
        return self.stage.history.now("DaemonSet", "web")

    def replay(self, since: int):
        self.stage.history.catch_up()
        return apps.replay(self.stage, "DaemonSet", "web", since)

    def assert_batches(self, since: int, *goals: int, image: str = "5.0.2") -> None:
        """Pods that aren't of the image go only as far as each goal, and beyond it only when as many
        of the image are ready. Every pod of the image counts that has come for one that went."""
        def moments():
            for live, pods in self.replay(since):
                if live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(image):
                    left = sum(image_of(pod) != image for pod in pods.values())
                    yield (live["status"]["desiredNumberScheduled"] - left,
                           sum(is_ready(pod) and image_of(pod) == image for pod in pods.values()))

        apps.assert_goals(moments(), *goals)

    def roll_step_by_step(self, *batches) -> int:
        """A roll whose partition is raised when the batch before has come to rest: there are exactly
        as many pods of the new revision then as were planned. Returns as roll() does."""
        since = self.roll(*batches, batchPartition=0)
        for batch in range(len(batches) - 1):
            self.stage.wait_reason("PartitionReached")
            self.assert_quiet()
            assert len(apps.at(self.stage, "5.0.2")) == sum(batches[:batch + 1])
            self.stage.plan(batchPartition=batch + 1)
        self.stage.wait_state("rolloutSucceed")
        return since

    def most_down(self, since: int, while_held=False) -> int:
        """The most nodes without a ready pod at any moment, or until it was given back."""
        return max(live["status"]["desiredNumberScheduled"] - sum(map(is_ready, pods.values()))
                   for live, pods in self.replay(since)
                   if not while_held or apps.HOLDER in live["metadata"]["annotations"])

    def identities(self, image: str) -> dict:
        self.stage.history.catch_up()
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in apps.at(self.stage, image)}

    def assert_quiet(self) -> None:
        """As many pods as there are nodes that have one, all ready, and they stay as they are."""
        status = self.live()["status"]
        size = status["desiredNumberScheduled"] + status["numberMisscheduled"]
        apps.wait_settled(self.stage, "DaemonSet", size)
        apps.assert_quiet(self.stage, "DaemonSet")

    def wait_gone(self) -> None:
        self.stage.delete("AppRollout", "roll")
        self.stage.wait("the rollout is gone", lambda: self.stage.rollout() is None, 20)

    def killed_again_and_again(self, moments) -> None:
        """Until the roll has succeeded."""
        while self.stage.rollout()["status"]["rollingState"] != "rolloutSucceed":
            self.stage.history.closing.wait(moments.uniform(0.05, 0.6))
            self.controller.restart_after_kill()
            self.stage.history.closing.wait(0.4)


def came_on(stage, image: str) -> str:
    """The nodes whose pods came with the image, in that order."""
    order = ""
    for version in stage.history.versions("Pod"):
        letter = version.object["spec"].get("nodeName", "").rpartition("-")[2]
        if image_of(version.object) == image and letter and letter not in order:
            order += letter
    return order
