# SPDX-License-Identifier: Apache-2.0
"""What OpenKruise's CloneSets come to: how many pods there are of which template, whether they are
still the same pods, and what the status says. A template with a gate is one whose pods never become
ready. Which of several pods is updated first is chance: pods aren't told apart."""

from collections import Counter

import pytest

from things import TOLERATION
from transcript import Transcript

VERSION = "apps.kruise.io/v1alpha1"
GATE = {"spec": {"template": {"spec": {"schedulingGates": [{"name": "example.com/closed"}]}}}}
NO_GATE = {"spec": {"template": {"spec": {"schedulingGates": None}}}}
COUNTED = {"apps.kruise.io/cloneset-instance-id": "<id>", "controller-revision-hash": "<revision>",
           "pod-template-hash": "<hash>"}


@pytest.fixture
def api(clones_api):
    return clones_api


def clone_set(replicas: int, strategy: dict, **spec) -> dict:
    container = {"name": "main", "image": "example/app:1"}
    return {"apiVersion": VERSION, "kind": "CloneSet",
            "metadata": {"name": "c", "annotations": {"example.com/note": "x"}},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "c"}},
                     "updateStrategy": strategy, **spec,
                     "template": {"metadata": {"labels": {"app": "c"}},
                                  "spec": {"containers": [container],
                                           "tolerations": [TOLERATION]}}}}


def image(tag: str) -> dict:
    """A merge patch of the whole container: its kind has no strategic ones."""
    return {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "image": f"example/app:{tag}"}]}}}}


def strategy(**fields) -> dict:
    return {"spec": {"updateStrategy": fields}}


def tag_of(spec: dict) -> str:
    return spec["containers"][0]["image"].rpartition(":")[2]


def is_ready(pod: dict) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True"
               for each in pod["status"].get("conditions", []))


class Case:
    """One CloneSet, with the numbers of its revisions and the pods that it has had."""

    def __init__(self, api: Transcript, replicas: int, spec: dict = None, **strategy):
        self.api = api
        self.at = api.path("clonesets", "c", version=VERSION)
        self.uids = {}
        status, answer = api._send("POST", api.path("clonesets", version=VERSION),
                                   clone_set(replicas, strategy, **(spec or {})))
        assert status == 201, answer

    def change(self, *patches: dict) -> None:
        for patch in patches:
            status, answer = self.api._send("PATCH", self.at, patch, {
                "Content-Type": "application/merge-patch+json"})
            assert status == 200, answer

    def pods(self) -> list:
        return self.api._send("GET", self.api.path("pods"))[1]["items"]

    def named(self, tag: str) -> str:
        """One of the pods that have this tag."""
        return min(each["metadata"]["name"] for each in self.pods() if tag_of(each["spec"]) == tag)

    def delete_one(self, tag: str) -> None:
        path = self.api.path("pods", self.named(tag))
        self.api._send("DELETE", path)
        self.api.until(path, lambda status, _: status == 404)

    def remembers(self, *revisions: int) -> None:
        """Waits until these are left: one that is forgotten goes a little after its last pod."""
        self.api.until(self.api.path("controllerrevisions", version="apps/v1"),
                       lambda _, answer: set(revisions) ==
                       {each["revision"] for each in answer["items"]})

    def rests(self, *pods: str, **counts) -> None:
        """Waits until there are these pods: the tag of the image, with a ! when it isn't ready; and
        until the status counts so; then notes all that there is to see."""
        self.api.until(self.api.path("pods"), lambda _, answer: Counter(pods) == Counter(
            tag_of(each["spec"]) + ("" if is_ready(each) else "!") for each in answer["items"]))
        counts = {"ready": sum(not each.endswith("!") for each in pods), **counts}
        found = self.api.until(self.at, lambda _, answer: self._counts(
            answer, replicas=len(pods), **{f"{name}Replicas": each for name, each in counts.items()}))
        revisions = self._revisions()
        numbers = {each["metadata"]["name"]: each["revision"] for each in revisions}
        told = {name: numbers.get(value, value) for name, value in found["status"].items()}
        self.api.say("the CloneSet", {"status": told, "pods": self._pods(numbers),
                                      "revisions": [self._revision(each) for each in revisions]})

    @staticmethod
    def _counts(found: dict, **counts) -> bool:
        status = found.get("status", {})
        return (status.get("observedGeneration") == found["metadata"]["generation"]
                and all(status.get(name, 0) == count for name, count in counts.items()))

    def _revisions(self) -> list:
        _, answer = self.api._send("GET", self.api.path("controllerrevisions", version="apps/v1"))
        return sorted(answer["items"], key=lambda each: each["revision"])

    @staticmethod
    def _revision(revision: dict) -> dict:
        template = revision["data"]["spec"]["template"]
        labels = revision["metadata"]["labels"]
        return {"revision": revision["revision"], "image": tag_of(template["spec"]),
                "patch": template["$patch"], "labels": sorted(labels),
                "note": revision["metadata"]["annotations"]["example.com/note"],
                "owner": revision["metadata"]["ownerReferences"][0]["kind"],
                "hash in name": revision["metadata"]["name"] ==
                "c-" + labels["controller.kubernetes.io/hash"]}

    def _pods(self, numbers: dict) -> list:
        """Whether each was there when one looked last is told too."""
        before, self.uids = self.uids, {}
        return sorted((self._pod(each, before, numbers) for each in self.pods()), key=str)

    def _pod(self, pod: dict, before: dict, numbers: dict) -> dict:
        meta, status = pod["metadata"], pod["status"]
        revision = meta["labels"]["controller-revision-hash"]
        self.uids[meta["name"]] = meta["uid"]
        return {"image": tag_of(pod["spec"]), "revision": numbers[revision],
                "labels": {**meta["labels"], **COUNTED}, "from": meta["generateName"],
                "notes": sorted(meta["annotations"]),
                "hash": revision.rpartition("-")[2] == meta["labels"]["pod-template-hash"],
                "id": meta["name"] == "c-" + meta["labels"]["apps.kruise.io/cloneset-instance-id"],
                "same": before.get(meta["name"]) == meta["uid"],
                "restarts": [each["restartCount"] for each in status.get("containerStatuses", [])],
                "address": bool(status.get("podIP")),
                "containers": [bool(each["containerID"])
                               for each in status.get("containerStatuses", [])],
                "running": [each["image"] for each in status.get("containerStatuses", [])],
                "gates": pod["spec"]["readinessGates"],
                "conditions": sorted((each["type"], each["status"])
                                     for each in status["conditions"]
                                     if each["type"] in ("InPlaceUpdateReady", "Ready"))}


def test_defaults(api):
    """What the webhook makes of the least that can be written."""
    least = clone_set(0, {})
    least["spec"]["template"]["spec"]["containers"].append({"name": "other", "image": "x:latest"})
    del least["spec"]["replicas"], least["spec"]["updateStrategy"]
    path = api.path("clonesets", version=VERSION) + "?dryRun=All"
    api.post(path, least)
    for kind in ("ReCreate", "InPlaceIfPossible", "InPlaceOnly"):
        least["spec"]["updateStrategy"] = {"type": kind, "maxUnavailable": 1}
        api.post(path, least)


def test_size(api):
    case = Case(api, 1)
    case.rests("1", available=1, updated=1)
    case.change({"spec": {"replicas": 3}})
    case.rests("1", "1", "1", available=3, updated=3)
    case.change({"spec": {"replicas": 1}})
    case.rests("1", available=1, updated=1)
    case.change({"spec": {"replicas": 0}})
    case.rests(available=0, updated=0)


@pytest.mark.parametrize("kind", ["ReCreate", "InPlaceIfPossible", "InPlaceOnly"])
def test_roll_and_back(api, kind):
    """In place a pod stays what it is, and has a container that was started once more."""
    case = Case(api, 3, type=kind)
    case.rests("1", "1", "1", available=3, updated=3)
    case.change(image("2"))
    case.rests("2", "2", "2", updatedAvailable=3)
    case.change(image("1"))
    case.rests("1", "1", "1", updatedAvailable=3)


def test_template_changed_beyond_images(api):
    """Such pods are made anew; labels alone are put on those that there are."""
    case = Case(api, 2, type="InPlaceIfPossible", maxUnavailable="100%")
    case.rests("1", "1", available=2, updated=2)
    case.change({"spec": {"template": {"metadata": {"labels": {"colour": "red"}}}}})
    case.rests("1", "1", updatedAvailable=2)
    case.change({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 3}}}})
    case.rests("1", "1", updatedAvailable=2)


@pytest.mark.parametrize("partition, old", [(2, 2), (9, 5), ("50%", 3), ("99%", 4), ("1%", 1),
                                            ("100%", 5), ("0%", 0)])
def test_partition(api, partition, old):
    case = Case(api, 5, type="InPlaceIfPossible", maxUnavailable="100%")
    case.rests(*["1"] * 5, available=5, updated=5)
    case.change(strategy(partition=partition), image("2"))
    case.rests(*["1"] * old, *["2"] * (5 - old), updatedAvailable=5 - old, available=5)


def test_partition_of_one(api):
    case = Case(api, 1, type="InPlaceIfPossible", partition="60%")
    case.rests("1", available=1)
    case.change(image("2"))
    case.rests("1", available=1, updated=0)
    case.change(strategy(partition=0))
    case.rests("2", updatedAvailable=1)


@pytest.mark.parametrize("kind", ["ReCreate", "InPlaceIfPossible"])
def test_partition_step_by_step(api, kind):
    """A partition that is raised takes no pod back; new pods come as both sides want them."""
    case = Case(api, 4, type=kind, partition="100%", maxUnavailable="100%")
    case.rests(*["1"] * 4, available=4)
    case.change(image("2"))
    case.rests(*["1"] * 4, available=4, updated=0)
    case.change(strategy(partition=3))
    case.rests("1", "1", "1", "2", updatedAvailable=1, available=4)
    case.change({"spec": {"replicas": 6}})
    case.rests("1", "1", "1", "2", "2", "2", updatedAvailable=3, available=6)
    case.change(strategy(partition=5))
    case.rests("1", "1", "1", "2", "2", "2", updatedAvailable=3, available=6)
    case.change({"spec": {"replicas": 3}})
    case.rests("1", "1", "1", updated=0, available=3)
    case.change(strategy(partition=0))
    case.rests("2", "2", "2", updatedAvailable=3, available=3)


def test_new_pods_beyond_the_partition(api):
    """What a partition keeps is made again as it was."""
    case = Case(api, 3, type="InPlaceIfPossible", maxUnavailable="100%")
    case.rests("1", "1", "1", available=3)
    case.change(strategy(partition=2), image("2"))
    case.rests("1", "1", "2", updatedAvailable=1, available=3)
    case.delete_one("1")
    case.rests("1", "1", "2", updatedAvailable=1, available=3)
    case.delete_one("2")
    case.rests("1", "1", "2", updatedAvailable=1, available=3)


def test_paused(api):
    case = Case(api, 2, type="InPlaceIfPossible", paused=True)
    case.rests("1", "1", available=2)
    case.change(image("2"))
    case.rests("1", "1", available=2, updated=0)
    case.change({"spec": {"replicas": 3}})
    case.rests("1", "1", "2", available=3, updated=1)
    case.change(strategy(paused=False))
    case.rests("2", "2", "2", updatedAvailable=3)


@pytest.mark.parametrize("unavailable, surge, there", [
    (1, 0, ["1", "1", "1", "1!"]), ("50%", 0, ["1", "1", "1!", "1!"]),
    (0, 1, ["1", "1", "1", "1", "1!"]), (1, 1, ["1", "1", "1", "1!", "1!"])])
def test_how_far_it_goes(api, unavailable, surge, there):
    """New pods that are never available: the roll goes as far as its limits let it, and back."""
    case = Case(api, 4, type="ReCreate", maxUnavailable=unavailable, maxSurge=surge)
    case.rests("1", "1", "1", "1", available=4)
    case.change(GATE)
    case.rests(*there, available=sum(len(each) == 1 for each in there),
               updated=sum(len(each) > 1 for each in there))
    case.change(NO_GATE)
    case.rests("1", "1", "1", "1", updatedAvailable=4, available=4)


@pytest.mark.parametrize("kind", ["ReCreate", "InPlaceIfPossible"])
def test_images_that_never_get_ready(api, kind):
    case = Case(api, 3, type=kind, maxUnavailable=1)
    case.rests("1", "1", "1", available=3)
    case.change(image("broken"))
    case.rests("1", "1", "broken!", available=2, updated=1, updatedReady=0)
    case.change(image("2"))
    case.rests("2", "2", "2", updatedAvailable=3)


def test_surge(api):
    case = Case(api, 3, type="ReCreate", maxSurge=2, maxUnavailable=0)
    case.rests("1", "1", "1", available=3)
    case.change(image("2"))
    case.rests("2", "2", "2", updatedAvailable=3)


def test_pods_to_delete(api):
    """What is named goes, another comes, and the name is forgotten."""
    case = Case(api, 3)
    case.rests("1", "1", "1", available=3)
    case.change({"spec": {"scaleStrategy": {"podsToDelete": [case.named("1")]}}})
    api.until(case.at, lambda _, answer: not answer["spec"]["scaleStrategy"].get("podsToDelete"))
    case.rests("1", "1", "1", available=3)


def test_available_later_than_ready(api):
    case = Case(api, 2, {"minReadySeconds": 500})
    case.rests("1", "1", ready=2, available=0, updatedReady=2)


def test_history(api):
    case = Case(api, 1, {"revisionHistoryLimit": 1}, type="InPlaceIfPossible")
    for tag, *revisions in ("1", 1), ("2", 1, 2), ("3", 2, 3), ("4", 3, 4):
        case.change(image(tag))
        case.remembers(*revisions)
        case.rests(tag, updatedAvailable=1)


def test_deleted(api):
    """Its pods and its history go with it."""
    case = Case(api, 2)
    case.rests("1", "1", available=2)
    api._send("DELETE", case.at)
    api.until(api.path("pods"), lambda _, answer: not answer["items"])
    api.until(api.path("controllerrevisions", version="apps/v1"),
              lambda _, answer: not answer["items"])


def test_table(api):
    api.get(api.path("clonesets", version=VERSION), "application/json;as=Table;v=v1;g=meta.k8s.io")
