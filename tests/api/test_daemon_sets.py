# SPDX-License-Identifier: Apache-2.0
"""What DaemonSets come to, on nodes that only the case's own pods are put on. Which of several nodes
is replaced first is chance: nodes aren't told apart."""

from collections import Counter

import pytest

from things import image
from transcript import Transcript, PATCHES

GATE = {"spec": {"template": {"spec": {"schedulingGates": [{"name": "example.com/closed"}]}}}}
NO_GATE = {"spec": {"template": {"spec": {"schedulingGates": None}}}}
APART = {"key": "example.com/apart", "effect": "NoSchedule"}
CLOSED = {"key": "example.com/closed", "effect": "NoSchedule"}
BARRED = {"key": "example.com/barred", "effect": "NoExecute"}


@pytest.fixture
def nodes(nodes_api):
    made = Nodes(nodes_api)
    yield made
    made.close()


class Nodes:
    """A case's own, and its DaemonSet on them. By its type a real cluster runs a fake kubelet for
    each."""

    def __init__(self, api: Transcript):
        self.api = api
        self.count = 0
        self.at = api.path("daemonsets", "d", version="apps/v1")

    def _path(self, number: int) -> str:
        return f"/api/v1/nodes/{self.api.namespace}-{number}"

    def add(self, count: int = 1, taints=()) -> None:
        for _ in range(count):
            self._send("POST", "/api/v1/nodes", {
                "apiVersion": "v1", "kind": "Node", "spec": {"taints": [APART, *taints]},
                "metadata": {"name": f"{self.api.namespace}-{self.count}", "labels": {
                    "type": "kwok-apart", "case": self.api.namespace}}})
            self.count += 1

    def taint(self, number: int, *taints: dict) -> None:
        self._send("PATCH", self._path(number), {"spec": {"taints": [APART, *taints]}})

    def close(self) -> None:
        for number in range(self.count):
            self.api._send("DELETE", self._path(number))

    def _send(self, method: str, path: str, body: dict, kind: str = "merge") -> None:
        headers = {"Content-Type": PATCHES[kind]} if method == "PATCH" else {}
        status, answer = self.api._send(method, path, body, headers)
        assert status in (200, 201), answer

    def run(self, **spec) -> None:
        container = {"name": "main", "image": "example/app:1"}
        template = {"metadata": {"labels": {"app": "d"}}, "spec": {
            "containers": [container], "nodeSelector": {"case": self.api.namespace},
            "tolerations": [{"key": APART["key"], "operator": "Exists"}]}}
        self._send("POST", self.api.path("daemonsets", version="apps/v1"), {
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"app": "d"}}, "template": template, **spec}})

    def change(self, patch: dict) -> None:
        self._send("PATCH", self.at, patch, "strategic")

    def pods(self) -> list:
        return self.api._send("GET", self.api.path("pods"))[1]["items"]

    def delete_one(self, tag: str) -> None:
        name = next(each["metadata"]["name"] for each in self.pods() if tag_of(each) == tag)
        self.api._send("DELETE", self.api.path("pods", name))

    def rest(self, *pods: str, **counts) -> None:
        """Waits until there are these pods, each the tag of its image, with a ! when it isn't ready;
        and until the status counts so; then notes all that there is to see."""
        self.api.until(self.api.path("pods"), lambda _, answer: Counter(pods) == Counter(
            map(tag_of, answer["items"])))
        found = self.api.until(self.at, lambda _, answer: (
            answer["status"].get("observedGeneration") == answer["metadata"]["generation"]
            and all(answer["status"].get(name, 0) == count for name, count in counts.items())))
        self.api.say("the DaemonSet", {"status": found["status"], "revisions": self._revisions(),
                                       "pods": self._pods()})

    def _revisions(self) -> list:
        _, answer = self.api._send("GET", self.api.path("controllerrevisions", version="apps/v1"))
        return [{"revision": each["revision"], "image": image_of(data["spec"]),
                 "patch": data["$patch"], "labels": sorted(each["metadata"]["labels"]),
                 "hash in name": each["metadata"]["name"] == "d-" + each["metadata"]["labels"][
                     "controller-revision-hash"]}
                for each in sorted(answer["items"], key=lambda each: each["revision"])
                for data in [each["data"]["spec"]["template"]]]

    def _pods(self) -> list:
        _, answer = self.api._send("GET", self.api.path("controllerrevisions", version="apps/v1"))
        numbers = {each["metadata"]["labels"]["controller-revision-hash"]: each["revision"]
                   for each in answer["items"]}
        return sorted((tag_of(each), numbers[each["metadata"]["labels"]["controller-revision-hash"]],
                       each["metadata"]["generateName"], target_of(each) == [
                           each["spec"].get("nodeName", *target_of(each))],
                       "nodeName" in each["spec"], tolerations_of(each))
                      for each in self.pods())


def image_of(spec: dict) -> str:
    return spec["containers"][0]["image"]


def tag_of(pod: dict) -> str:
    ready = any(each["type"] == "Ready" and each["status"] == "True"
                for each in pod["status"].get("conditions", []))
    return image_of(pod["spec"]).rpartition(":")[2] + ("" if ready else "!")


def target_of(pod: dict) -> list:
    affinity = pod["spec"]["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return terms[0]["matchFields"][0]["values"]


def tolerations_of(pod: dict) -> list:
    return sorted((each["key"], each["operator"], each.get("effect", ""))
                  for each in pod["spec"]["tolerations"])


def test_nodes_come(nodes):
    nodes.add(2)
    nodes.run()
    nodes.rest("1", "1", numberAvailable=2)
    nodes.add()
    nodes.rest("1", "1", "1", numberAvailable=3)


def test_taints(nodes):
    """One that keeps new pods away leaves the old one; the other drives it away. Only with the
    next change of the DaemonSet the real controller counts what was left."""
    nodes.add(2)
    nodes.add(1, [CLOSED])
    nodes.run()
    nodes.rest("1", "1", numberAvailable=2, desiredNumberScheduled=2)
    nodes.taint(0, CLOSED)
    nodes.change({"metadata": {"labels": {"count": "again"}}})
    nodes.rest("1", "1", numberAvailable=1, numberMisscheduled=1)
    nodes.taint(1, BARRED)
    nodes.rest("1", numberMisscheduled=1, desiredNumberScheduled=0)
    nodes.taint(1)
    nodes.rest("1", "1", numberAvailable=1, numberMisscheduled=1)


def test_roll_and_back(nodes):
    nodes.add(3)
    nodes.run()
    nodes.rest("1", "1", "1", numberAvailable=3, updatedNumberScheduled=3)
    nodes.change(image("example/app:2"))
    nodes.rest("2", "2", "2", numberAvailable=3, updatedNumberScheduled=3)
    nodes.change(image("example/app:1"))
    nodes.rest("1", "1", "1", numberAvailable=3, updatedNumberScheduled=3)


@pytest.mark.parametrize("limit, broken", [(1, 1), (2, 2), ("30%", 2)])
def test_how_far_it_goes(nodes, limit, broken):
    """And what doesn't work is replaced when it is given up."""
    nodes.add(4)
    nodes.run(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": limit}})
    nodes.rest("1", "1", "1", "1", numberAvailable=4)
    nodes.change(GATE)
    nodes.rest(*["1"] * (4 - broken), *["1!"] * broken, numberAvailable=4 - broken,
               updatedNumberScheduled=broken)
    nodes.change(NO_GATE)
    nodes.rest("1", "1", "1", "1", numberAvailable=4, updatedNumberScheduled=4)


def test_on_delete(nodes):
    nodes.add(2)
    nodes.run(updateStrategy={"type": "OnDelete"})
    nodes.rest("1", "1", numberAvailable=2)
    nodes.change(image("example/app:2"))
    nodes.rest("1", "1", numberAvailable=2, updatedNumberScheduled=0)
    nodes.delete_one("1")
    nodes.rest("1", "2", numberAvailable=2, updatedNumberScheduled=1)


def test_history(nodes):
    nodes.add()
    nodes.run(revisionHistoryLimit=1)
    nodes.rest("1", numberAvailable=1)
    for tag in "234":
        nodes.change(image(f"example/app:{tag}"))
        nodes.rest(tag, numberAvailable=1, updatedNumberScheduled=1)


def test_history_in_use(nodes):
    """What pods are still made by counts for the limit, but stays."""
    nodes.add()
    nodes.run(revisionHistoryLimit=1, updateStrategy={"type": "OnDelete"})
    nodes.rest("1", numberAvailable=1)
    for tag in "23":
        nodes.change(image(f"example/app:{tag}"))
        nodes.rest("1", numberAvailable=1, updatedNumberScheduled=0)


def test_deleted(nodes):
    nodes.add()
    nodes.run()
    nodes.rest("1", numberAvailable=1)
    nodes.api.delete(nodes.at)
    nodes.api.until(nodes.api.path("pods"), lambda _, answer: not answer["items"])
    nodes.api.until(nodes.api.path("controllerrevisions", version="apps/v1"),
                    lambda _, answer: not answer["items"])
