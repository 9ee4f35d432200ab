# SPDX-License-Identifier: Apache-2.0
"""Rollouts (sluice.dev): a workload that somebody else writes is held, and each change of its template
is rolled by the plan. Proved from the history of the workload and its pods."""

import pytest

from harness import history, proof
from harness.objects import RESOURCES, image_of, is_ready

ROLLOUTS = "/apis/sluice.dev/v1alpha1/namespaces/{}/rollouts"
OURS = "rollout.sluice.dev/"


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    monkeypatch.setitem(RESOURCES, "Rollout", ROLLOUTS)
    monkeypatch.setitem(history.KINDS, "Rollout", ROLLOUTS)


def template(version: str) -> dict:
    return {"metadata": {"labels": {"app": "web"}},
            "spec": {"terminationGracePeriodSeconds": 1, "nodeSelector": {"type": "kwok"},
                     "tolerations": [{"operator": "Exists"}],
                     "containers": [{"name": "web", "image": f"stefanprodan/podinfo:{version}"}]}}


def cloneset(version="4.0.6", size=5, **strategy) -> dict:
    return {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet", "metadata": {"name": "web"},
            "spec": {"replicas": size, "selector": {"matchLabels": {"app": "web"}},
                     "template": template(version), "updateStrategy": strategy}}


def rollout(thing: dict, *batches, **plan) -> dict:
    plan["rolloutBatches"] = [{"replicas": batch} for batch in batches]
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
            "spec": {"workloadRef": {"apiVersion": thing["apiVersion"], "kind": thing["kind"],
                                     "name": thing["metadata"]["name"]}, "rolloutPlan": plan}}


def now(stage, kind: str) -> dict:
    return stage.history.now(kind, "web")


def status(stage) -> dict:
    return (now(stage, "Rollout") or {}).get("status", {})


def set_image(stage, kind: str, version: str) -> dict:
    """As `kubectl set image` does."""
    return stage.patch(kind, "web", [{"op": "replace", "value": f"stefanprodan/podinfo:{version}",
                                      "path": "/spec/template/spec/containers/0/image"}])


def wait_all(stage, version: str, size: int) -> None:
    def reached():
        pods = stage.history.objects("Pod").values()
        return len(pods) == size and all(is_ready(pod) and image_of(pod) == version for pod in pods)

    stage.wait(f"{size} pods of {version}, all ready, and no other", reached)


def wait_reason(stage, code: str, seconds=60) -> dict:
    return stage.wait(f"the Rollout says {code}", lambda: status(stage).get("reason", {})
                      if status(stage).get("reason", {}).get("code") == code else None, seconds)


def wait_held(stage, target=None) -> dict:
    """At rest, with another target than the one named."""
    def reached():
        found = status(stage)
        held = found.get("reason", {}).get("code") == "Held"
        return found if held and found.get("lastTargetAppRevision") != target else None

    return stage.wait("the workload is held", reached, 90)


def marks(thing: dict) -> dict:
    notes = thing["metadata"].get("annotations", {})
    return {name: text for name, text in notes.items() if name.startswith(OURS)}


def owners(thing: dict) -> tuple:
    """All of an object that its owner writes."""
    notes = thing["metadata"].get("annotations", {})
    return thing["spec"], {name: notes[name] for name in notes if not name.startswith(OURS)}


def assert_stay(stage, pods: dict, version: str) -> None:
    """The very same pods, of this version, and no other."""
    stage.history.catch_up()
    assert proof.identities(stage.history) == pods
    assert proof.at_image(stage.history, version) == sorted(pods)


def take(stage, thing: dict, *batches, **plan) -> dict:
    """The workload runs and is held; returns it as its owner has it."""
    stage.put(thing)
    wait_all(stage, "4.0.6", thing["spec"]["replicas"])
    before = stage.get(thing["kind"], "web")
    pods = proof.identities(stage.history)
    stage.controller()
    stage.put(rollout(thing, *batches, **plan))
    wait_held(stage)
    assert_stay(stage, pods, "4.0.6")
    return before


def test_a_cloneset(stage):
    before = take(stage, cloneset(type="InPlaceIfPossible", maxUnavailable=2), 1, 2, 2)
    assert now(stage, "CloneSet")["spec"]["updateStrategy"]["partition"] == "100%"
    held = status(stage)["lastTargetAppRevision"]
    set_image(stage, "CloneSet", "5.0.2")
    after = wait_held(stage, held)
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2, 2]
    assert after["LastSourceAppRevision"] == held
    assert now(stage, "CloneSet")["spec"]["updateStrategy"]["partition"] == "100%"
    before["spec"]["template"] = now(stage, "CloneSet")["spec"]["template"]
    pods = proof.identities(stage.history)
    stage.delete("Rollout", "web")
    stage.wait("the Rollout is gone", lambda: now(stage, "Rollout") is None, 20)
    assert_stay(stage, pods, "5.0.2")
    found, wanted = owners(now(stage, "CloneSet")), owners(before)
    assert found[0]["updateStrategy"] == wanted[0]["updateStrategy"]
    assert {k: v for k, v in found[0].items() if wanted[0].get(k) != v} == {}
    assert found == wanted
    assert not marks(now(stage, "CloneSet"))
