# SPDX-License-Identifier: Apache-2.0
"""What StatefulSets come to: which pods there are, of which revision, and what the status says. A
template with a gate is one whose pods never become ready."""

import pytest

from things import TOLERATION, image
from transcript import Transcript, PATCHES

GATE = {"spec": {"template": {"spec": {"schedulingGates": [{"name": "example.com/closed"}]}}}}
NO_GATE = {"spec": {"template": {"spec": {"schedulingGates": None}}}}


@pytest.fixture
def api(nodes_api):
    """On a server that runs pods."""
    return nodes_api


def stateful_set(replicas: int, **spec) -> dict:
    container = {"name": "main", "image": "example/app:1"}
    return {"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "s", "annotations": {"example.com/note": "x"}},
            "spec": {"replicas": replicas, "serviceName": "peers",
                     "selector": {"matchLabels": {"app": "s"}}, **spec,
                     "template": {"metadata": {"labels": {"app": "s"}},
                                  "spec": {"containers": [container],
                                           "tolerations": [TOLERATION]}}}}


def partition(value: int) -> dict:
    return {"spec": {"updateStrategy": {"rollingUpdate": {"partition": value}}}}


def image_of(spec: dict) -> str:
    return spec["containers"][0]["image"]


def is_ready(pod: dict) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True"
               for each in pod["status"].get("conditions", []))


class Case:
    """One StatefulSet, and the numbers that its revisions have."""

    def __init__(self, api: Transcript, replicas: int, **spec):
        self.api = api
        self.at = api.path("statefulsets", "s", version="apps/v1")
        body = stateful_set(replicas, **spec)
        api._send("POST", api.path("statefulsets", version="apps/v1"), body)

    def change(self, *patches: dict) -> None:
        for patch in patches:
            status, answer = self.api._send("PATCH", self.at, patch,
                                            {"Content-Type": PATCHES["strategic"]})
            assert status == 200, answer

    def delete_pod(self, name: str) -> None:
        self.api._send("DELETE", self.api.path("pods", name))

    def rests(self, pods: dict, **counts) -> None:
        """Waits until these pods are there, by name: the tag of the image, with a ! when it isn't
        ready; and until the status counts them so; then notes all that there is to see."""
        self.api.until(self.api.path("pods"), lambda _, answer: pods == {
            each["metadata"]["name"]: image_of(each["spec"]).rpartition(":")[2]
            + ("" if is_ready(each) else "!") for each in answer["items"]})
        found = self.api.until(self.at, lambda _, answer: self._counts(answer, counts))
        numbers = self._numbers()
        self.api.say("the StatefulSet", {
            "status": self._numbered(found["status"], numbers), "pods": self._pods(numbers),
            "revisions": self._revisions()})

    @staticmethod
    def _counts(found: dict, counts: dict) -> bool:
        status = found["status"]
        return (status.get("observedGeneration") == found["metadata"]["generation"]
                and all(status.get(f"{name}Replicas", 0) == count
                        for name, count in counts.items())
                and (status["currentRevision"] == status["updateRevision"])
                == ("current" not in counts))

    def _items(self) -> list:
        _, answer = self.api._send("GET", self.api.path("controllerrevisions", version="apps/v1"))
        return sorted(answer["items"], key=lambda each: each["revision"])

    def _numbers(self) -> dict:
        return {each["metadata"]["name"]: each["revision"] for each in self._items()}

    @staticmethod
    def _numbered(status: dict, numbers: dict) -> dict:
        return {name: numbers.get(value, value) for name, value in status.items()}

    def _revisions(self) -> list:
        return [{"revision": each["revision"], "image": image_of(data["spec"]),
                 "patch": data["$patch"], "template labels": data["metadata"]["labels"],
                 "labels": sorted(each["metadata"]["labels"]),
                 "annotations": each["metadata"].get("annotations"),
                 "owner": each["metadata"]["ownerReferences"][0]["name"],
                 "hash in name": each["metadata"]["name"] == "s-" + each["metadata"]["labels"][
                     "controller.kubernetes.io/hash"]}
                for each in self._items() for data in [each["data"]["spec"]["template"]]]

    def _pods(self, numbers: dict) -> list:
        _, answer = self.api._send("GET", self.api.path("pods"))
        return [{"name": each["metadata"]["name"], "phase": each["status"]["phase"],
                 "from": each["metadata"]["generateName"],
                 "labels": self._numbered(each["metadata"]["labels"], numbers),
                 "hostname": each["spec"]["hostname"], "subdomain": each["spec"]["subdomain"],
                 "conditions": sorted((one["type"], one["status"], one.get("reason"))
                                      for one in each["status"]["conditions"]
                                      if one["status"] == "False"),
                 "owner": each["metadata"]["ownerReferences"][0]["kind"]}
                for each in sorted(answer["items"], key=lambda each: each["metadata"]["name"])]


def pods(*images: str, first: int = 0) -> dict:
    return {f"s-{number}": tag for number, tag in enumerate(images, first)}


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_size(api, policy):
    case = Case(api, 1, podManagementPolicy=policy)
    case.rests(pods("1"), available=1, updated=1)
    case.change({"spec": {"replicas": 3}})
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change({"spec": {"replicas": 1}})
    case.rests(pods("1"), available=1, updated=1)
    case.change({"spec": {"replicas": 0}})
    case.rests(pods(), available=0, updated=0)


@pytest.mark.parametrize("policy", ["OrderedReady", "Parallel"])
def test_roll_and_back(api, policy):
    case = Case(api, 3, podManagementPolicy=policy)
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change(image("example/app:2"))
    case.rests(pods("2", "2", "2"), available=3, updated=3)
    case.change(image("example/app:1"))
    case.rests(pods("1", "1", "1"), available=3, updated=3)


def test_partition(api):
    """What is kept is made again as it was, and new ones below the partition too."""
    case = Case(api, 3)
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change(partition(2), image("example/app:2"))
    case.rests(pods("1", "1", "2"), available=3, updated=1, current=2)
    case.delete_pod("s-0")
    case.rests(pods("1", "1", "2"), available=3, updated=1, current=2)
    case.change(partition(4), {"spec": {"replicas": 5}})
    case.rests(pods("1", "1", "2", "1", "2"), available=5, updated=2, current=3)
    case.change(partition(1))
    case.rests(pods("1", "2", "2", "2", "2"), available=5, updated=4, current=1)
    case.change(partition(0))
    case.rests(pods("2", "2", "2", "2", "2"), available=5, updated=5)


def test_given_up_within_a_partition(api):
    case = Case(api, 3)
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change(partition(2), image("example/app:2"))
    case.rests(pods("1", "1", "2"), available=3, updated=1, current=2)
    case.change(image("example/app:1"))
    case.rests(pods("1", "1", "1"), available=3, updated=3)


def test_on_delete(api):
    case = Case(api, 2, updateStrategy={"type": "OnDelete"})
    case.rests(pods("1", "1"), available=2, updated=2)
    case.change(image("example/app:2"))
    case.rests(pods("1", "1"), available=2, updated=0, current=2)
    case.delete_pod("s-0")
    case.rests(pods("2", "1"), available=2, updated=1, current=1)
    case.delete_pod("s-1")
    case.rests(pods("2", "2"), available=2, updated=2, current=0)


def test_first_ordinal(api):
    case = Case(api, 2, ordinals={"start": 5})
    case.rests(pods("1", "1", first=5), available=2, updated=2)
    case.change(partition(1), image("example/app:2"))
    case.rests(pods("1", "2", first=5), available=2, updated=1, current=1)
    case.change({"spec": {"ordinals": {"start": 6}}})
    case.rests(pods("2", "2", first=6), available=2, updated=2)


def test_broken_pod_is_not_replaced_in_order(api):
    """Who gives a template up that doesn't work has to delete its pods."""
    case = Case(api, 3)
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change(GATE)
    case.rests(pods("1", "1", "1!"), ready=2, available=2, updated=1, current=2)
    case.change(NO_GATE)
    case.rests(pods("1", "1", "1!"), ready=2, available=2, updated=2)
    case.delete_pod("s-2")
    case.rests(pods("1", "1", "1"), available=3, updated=3)


def test_broken_pod_is_replaced_in_parallel(api):
    case = Case(api, 3, podManagementPolicy="Parallel")
    case.rests(pods("1", "1", "1"), available=3, updated=3)
    case.change(GATE)
    case.rests(pods("1", "1", "1!"), ready=2, available=2, updated=1, current=2)
    case.change(NO_GATE)
    case.rests(pods("1", "1", "1"), available=3, updated=3)


def close(case: Case) -> None:
    """Has the gate in the template before there are pods."""
    case.rests(pods(), updated=0)
    case.change(GATE)
    case.rests(pods(), updated=0)


@pytest.mark.parametrize("policy, there", [("OrderedReady", ["1!"]),
                                           ("Parallel", ["1!", "1!", "1!"])])
def test_broken_from_the_beginning(api, policy, there):
    case = Case(api, 0, podManagementPolicy=policy)
    close(case)
    case.change({"spec": {"replicas": 3}})
    case.rests(pods(*there), updated=len(there))


def test_gate_that_opens(api):
    case = Case(api, 0)
    close(case)
    case.change({"spec": {"replicas": 2}})
    case.rests(pods("1!"), updated=1)
    status, answer = api._send("PATCH", api.path("pods", "s-0"), {"spec": {"schedulingGates": []}},
                               {"Content-Type": PATCHES["merge"]})
    assert status == 200, answer
    case.rests(pods("1", "1!"), available=1, updated=2)


def test_available_later_than_ready(api):
    case = Case(api, 3, minReadySeconds=500)
    case.rests(pods("1"), ready=1, available=0, updated=1)


def test_history(api):
    case = Case(api, 1, revisionHistoryLimit=1)
    for tag in "1234":
        case.change(image(f"example/app:{tag}"))
        case.rests(pods(tag), available=1, updated=1)


def test_deleted(api):
    """Its pods and its history go with it."""
    case = Case(api, 2)
    case.rests(pods("1", "1"), available=2, updated=2)
    api.delete(case.at)
    api.until(api.path("pods"), lambda _, answer: not answer["items"])
    api.until(api.path("controllerrevisions", version="apps/v1"),
              lambda _, answer: not answer["items"])
