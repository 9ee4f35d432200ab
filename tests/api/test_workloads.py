# SPDX-License-Identifier: Apache-2.0
"""What the controllers of workloads make of them, once they have come to rest. Which pods exist for
moments in between isn't compared; how many are there, of which template, and what the statuses say
is."""

import pytest

from things import TOLERATION, deployment, image
from transcript import Transcript, PATCHES


@pytest.fixture
def api(nodes_api):
    """On a server that runs pods."""
    return nodes_api


def running(name: str, replicas: int, **spec) -> dict:
    made = deployment(name, replicas=replicas, **spec)
    made["spec"]["template"]["spec"]["tolerations"] = [TOLERATION]
    return made


def at_rest(replicas: int):
    def holds(_, answer) -> bool:
        status = answer.get("status", {})
        return (status.get("observedGeneration") == answer["metadata"]["generation"]
                and all(status.get(name, 0) == replicas for name in (
                    "replicas", "updatedReplicas", "readyReplicas", "availableReplicas"))
                and any(each["reason"] == "NewReplicaSetAvailable"
                        for each in status.get("conditions", [])))
    return holds


def status_of(deployment: dict) -> dict:
    conditions = sorted((each["type"], each["status"], each["reason"])
                        for each in deployment["status"]["conditions"])
    return {**{name: value for name, value in deployment["status"].items() if name != "conditions"},
            "conditions": conditions, "generation": deployment["metadata"]["generation"],
            "revision": deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"]}


def image_of(spec: dict) -> str:
    return spec["containers"][0]["image"]


def sets_of(api: Transcript) -> list:
    _, answer = api._send("GET", api.path("replicasets", version="apps/v1"))
    return sorted((int(each["metadata"]["annotations"]["deployment.kubernetes.io/revision"]),
                   image_of(each["spec"]["template"]["spec"]), each["spec"]["replicas"],
                   each["status"]["replicas"], each["status"].get("availableReplicas", 0),
                   "pod-template-hash" in each["spec"]["selector"]["matchLabels"],
                   each["metadata"]["ownerReferences"][0]["controller"])
                  for each in answer["items"])


def pods_of(api: Transcript) -> list:
    _, answer = api._send("GET", api.path("pods"))
    return sorted((image_of(each["spec"]), each["status"]["phase"],
                   sorted(each["metadata"]["labels"]),
                   each["metadata"]["ownerReferences"][0]["kind"]) for each in answer["items"]
                  if "deletionTimestamp" not in each["metadata"])


def look(api: Transcript, name: str = "d") -> None:
    _, found = api._send("GET", api.path("deployments", name, version="apps/v1"))
    api.say(f"the Deployment {name}", {"status": status_of(found), "sets": sets_of(api),
                                       "pods": pods_of(api)})


def roll(api: Transcript, patch: dict, replicas: int, name: str = "d") -> None:
    path = api.path("deployments", name, version="apps/v1")
    api._send("PATCH", path, patch, {"Content-Type": PATCHES["strategic"]})
    api.until(path, at_rest(replicas))
    look(api, name)


def begin(api: Transcript, replicas: int, **spec) -> str:
    path = api.path("deployments", version="apps/v1")
    api._send("POST", path, running("d", replicas, **spec))
    api.until(f"{path}/d", at_rest(replicas))
    look(api)
    return f"{path}/d"


def test_roll_and_back(api):
    begin(api, 3)
    roll(api, image("example/app:2"), 3)
    roll(api, image("example/app:1"), 3)


def test_size(api):
    begin(api, 1)
    roll(api, {"spec": {"replicas": 4}}, 4)
    roll(api, {"spec": {"replicas": 2}}, 2)


def test_recreate(api):
    begin(api, 2, strategy={"type": "Recreate"})
    roll(api, image("example/app:2"), 2)


def test_labels_do_not_roll(api):
    begin(api, 1)
    roll(api, {"metadata": {"labels": {"x": "y"}}}, 1)


def annotate(api: Transcript, path: str, notes: dict) -> None:
    """And what the ReplicaSets have of that, once the controller has seen the change."""
    patch = {"metadata": {"annotations": notes}, "spec": {"progressDeadlineSeconds": 600 + len(notes)}}
    api._send("PATCH", path, patch, {"Content-Type": PATCHES["merge"]})
    api.until(path, at_rest(1))
    _, answer = api._send("GET", api.path("replicasets", version="apps/v1"))
    of_scaling = ("deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas")
    api.say("the ReplicaSets", sorted(
        ({name: text for name, text in each["metadata"]["annotations"].items()
          if name not in of_scaling} for each in answer["items"]),
        key=lambda found: int(found["deployment.kubernetes.io/revision"])))


def test_annotations_go_along(api):
    """To the ReplicaSet of the template, and to no other; what is taken off stays there."""
    path = begin(api, 1)
    last = "kubectl.kubernetes.io/last-applied-configuration"
    annotate(api, path, {"team": "a", last: "{}"})
    roll(api, image("example/app:2"), 1)
    annotate(api, path, {"team": "b", "x": "y", last: "{}"})
    annotate(api, path, {"x": None})


def stands_at(old: int, new: int):
    """Sizes of the two ReplicaSets of a roll that can't go on."""
    def holds(_, answer) -> bool:
        sizes = {image_of(each["spec"]["template"]["spec"]): (
            each["spec"]["replicas"], each["status"]["replicas"]) for each in answer["items"]}
        return sizes == {"example/app:1": (old, old), "example/app:2": (new, new)}
    return holds


@pytest.mark.parametrize("surge, unavailable, old, new", [
    (1, 0, 4, 1), (0, 1, 3, 1), ("25%", "25%", 3, 2), ("50%", 0, 4, 2), (0, "30%", 3, 1)])
def test_how_far_it_goes(api, surge, unavailable, old, new):
    """New pods that are never available: the roll goes as far as its limits let it."""
    path = begin(api, 4, strategy={"type": "RollingUpdate", "rollingUpdate": {
        "maxSurge": surge, "maxUnavailable": unavailable}})
    api._send("PATCH", path, {"spec": {"minReadySeconds": 500, **image("example/app:2")["spec"]}},
              {"Content-Type": PATCHES["strategic"]})
    api.until(api.path("replicasets", version="apps/v1"), stands_at(old, new))


def test_paused_when_all_new_ones_are_there(api):
    """Then the old ones go all the same."""
    path = begin(api, 2, strategy={"type": "RollingUpdate", "rollingUpdate": {
        "maxSurge": 2, "maxUnavailable": 0}})
    api._send("PATCH", path, {"spec": {"minReadySeconds": 500, **image("example/app:2")["spec"]}},
              {"Content-Type": PATCHES["strategic"]})
    sets = api.path("replicasets", version="apps/v1")
    api.until(sets, stands_at(2, 2))
    api._send("PATCH", path, {"spec": {"minReadySeconds": 0, "paused": True}},
              {"Content-Type": PATCHES["merge"]})
    api.until(sets, stands_at(0, 2))


def images(*tags: str):
    """The ReplicaSets that are left."""
    def holds(_, answer) -> bool:
        left = {image_of(each["spec"]["template"]["spec"]) for each in answer["items"]}
        return left == {f"example/app:{tag}" for tag in tags}
    return holds


@pytest.mark.parametrize("limit", [0, 1])
def test_history(api, limit):
    """Of the old ReplicaSets no more stay than are wanted, those of the newest revisions, also when
    one of them was made first."""
    path = begin(api, 1, revisionHistoryLimit=limit)
    for tags in ("12", "23", "32", "24"):
        api._send("PATCH", path, image(f"example/app:{tags[1]}"), {"Content-Type": PATCHES["strategic"]})
        api.until(path, at_rest(1))
        api.until(api.path("replicasets", version="apps/v1"), images(*(tags if limit else tags[1])))
        look(api)


def test_history_while_paused(api):
    """It is shortened all the same, but one that has pods stays, though it is too many."""
    path, sets = begin(api, 1), api.path("replicasets", version="apps/v1")
    roll(api, image("example/app:2"), 1)
    roll(api, image("example/app:3"), 1)
    api._send("PATCH", path, {"spec": {"paused": True, "revisionHistoryLimit": 1}},
              {"Content-Type": PATCHES["merge"]})
    api.until(sets, images("2", "3"))
    api._send("PATCH", path, {"spec": {"revisionHistoryLimit": 0, **image("example/app:4")["spec"]}},
              {"Content-Type": PATCHES["strategic"]})
    api.until(sets, images("3"))


def test_deleted(api):
    """Its ReplicaSets and their pods go with it."""
    path = begin(api, 2)
    api.delete(path)
    api.until(api.path("pods"), lambda _, answer: not answer["items"])
    api.until(api.path("replicasets", version="apps/v1"), lambda _, answer: not answer["items"])


@pytest.mark.parametrize("given", [{}, {"type": ""}, {"type": None}, {"type": "OnDelete"}])
@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_a_strategy_that_says_little(api, kind, given):
    """Nothing but the strategy is of interest, and nothing comes of it."""
    made = {**deployment("d"), "kind": kind}
    made["spec"] = {"selector": made["spec"]["selector"], "template": made["spec"]["template"],
                    "updateStrategy": given}
    path = api.path(f"{kind.lower()}s", version="apps/v1")
    answer = api._send("POST", f"{path}?dryRun=All", made)[1]
    api.say("the strategy", answer["spec"]["updateStrategy"])
