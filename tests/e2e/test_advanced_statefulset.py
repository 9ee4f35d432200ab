# SPDX-License-Identifier: Apache-2.0
"""Rolls of OpenKruise's StatefulSet, proved from its own history and that of its pods."""

import pytest

from harness import apps, history
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.objects import (RESOURCES, container_id, definition, image_of, is_ready, restarts,
                             rollout)

PATH = "/apis/apps.kruise.io/v1beta1/namespaces/{}/statefulsets"
FIELDS = """
replicas: parameter.replicas
serviceName: context.name
podManagementPolicy: "Parallel"
updateStrategy: rollingUpdate: {podUpdatePolicy: "%s", maxUnavailable: 2}
template: spec: readinessGates: [{conditionType: "InPlaceUpdateReady"}]
"""


@pytest.fixture(autouse=True)
def advanced(watched, monkeypatch):  # noqa: F811
    monkeypatch.setitem(history.KINDS, "StatefulSet", PATH)
    monkeypatch.setitem(RESOURCES, "StatefulSet", PATH)


def begin(stage, *batches, policy="ReCreate", size=5, fake=True, **plan):
    stage.controller(adapters=apps.adapter("advanced-statefulset"))
    template = apps.TEMPLATE % ("StatefulSet", FIELDS % policy)
    version = "apps.kruise.io/v1beta1"
    stage.put(definition("app", template.replace("apps/v1", version), "StatefulSet", version))
    stage.record(1, apps.app("4.0.6", replicas=size, fake=fake))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", size)
    stage.record(2, apps.app("5.0.2", replicas=size, fake=fake))
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **plan))
    return since


def strategy(live):
    return live["spec"]["updateStrategy"]["rollingUpdate"]


def goals(stage, since, image="5.0.2"):
    """How many pods were let go to the image while it was held, as that changed; and that there
    were never more of them."""
    stage.history.catch_up()
    seen = []
    for live, pods in apps.replay(stage, "StatefulSet", "web", since):
        if not live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(image):
            continue
        if apps.HOLDER in live["metadata"]["annotations"]:
            goal = live["spec"]["replicas"] - strategy(live)["partition"]
            seen += [goal] if not seen or seen[-1] != goal else []
        assert sum(image_of(pod) == image for pod in pods.values()) <= max(seen)
    return [goal for goal in seen if goal]


def assert_given_back(stage, policy, kept=0):
    live = stage.history.now("StatefulSet", "web")
    wanted = {"partition": kept, "maxUnavailable": 2, "podUpdatePolicy": policy,
              "minReadySeconds": 0}
    assert {key: value for key, value in strategy(live).items() if key != "paused" or value
            } == wanted
    assert apps.HOLDER not in live["metadata"]["annotations"]


def test_in_place_on_real_pods(stage):
    """The same pods with another container; a batch of 4 goes by the owner's two."""
    since = begin(stage, 1, 4, policy="InPlaceIfPossible", fake=False)
    before = {name: (pod["metadata"]["uid"], container_id(pod))
              for name, pod in stage.history.objects("Pod").items()}
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert goals(stage, since) == [1, 5]
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 3
    pods = stage.history.objects("Pod")
    assert {name: pod["metadata"]["uid"] for name, pod in pods.items()} == {
        name: uid for name, (uid, _) in before.items()}
    assert all(container_id(pod) != before[name][1] and restarts(pod) == 1
               for name, pod in pods.items())
    assert_given_back(stage, "InPlaceIfPossible")


def test_pods_by_name(stage):
    """web-1 and web-3 first and no other one with them; then all, and the owner's order is back."""
    since = begin(stage, {"podList": ["web-1", "web-3"]}, 3, batchPartition=0)
    stage.wait_reason("PartitionReached")
    apps.wait_settled(stage, "StatefulSet", 5)
    apps.assert_quiet(stage, "StatefulSet")
    assert sorted(pod["metadata"]["name"] for pod in apps.at(stage, "5.0.2")) == ["web-1", "web-3"]
    stage.plan(batchPartition=1)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert goals(stage, since) == [2, 5]
    assert_given_back(stage, "ReCreate")


def test_paused_and_abandoned(stage):
    since = begin(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.plan(batchPartition=1, paused=True)
    stage.wait_reason("Paused")
    apps.assert_quiet(stage, "StatefulSet")
    assert strategy(stage.history.now("StatefulSet", "web"))["paused"]
    stage.plan(paused=False)
    stage.wait_reason("PartitionReached")
    assert goals(stage, since) == [1, 3]
    stage.record(3, apps.app("5.0.3"))
    stage.put(rollout("shop-v3", "shop-v1", batches=[2, 3]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.3", 5)
    assert goals(stage, since, "5.0.3") == [2, 5]
    assert_given_back(stage, "ReCreate")


def test_deleted_and_scaled_on_the_way(stage):
    begin(stage, 2, 2, 2, size=6, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.cluster.kubectl("-n", stage.namespace, "scale", "statefulsets.apps.kruise.io/web",
                          "--replicas=9")
    stage.wait_status(rolloutTargetSize=9)
    apps.wait_settled(stage, "StatefulSet", 9)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    apps.wait_settled(stage, "StatefulSet", 9)
    apps.assert_quiet(stage, "StatefulSet")
    turned = apps.at(stage, "5.0.2")
    assert 2 <= len(turned) < 9 and all(map(is_ready, turned))
    assert_given_back(stage, "ReCreate", strategy(
        stage.history.now("StatefulSet", "web"))["partition"])


def test_rolled_back_by_swapping(stage):
    """Those that have changed come back; the others never move."""
    begin(stage, 1, 2, 2, batchPartition=1)
    stage.wait_reason("PartitionReached")
    kept = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in apps.at(stage, "4.0.6")}
    stage.put(rollout("shop-v1", "shop-v2", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", 5)
    pods = stage.history.objects("Pod")
    assert sorted(kept) == ["web-0", "web-1"]
    assert kept == {name: pods[name]["metadata"]["uid"] for name in kept}
    assert_given_back(stage, "ReCreate")


def test_reverted_on_delete(stage):
    """The same pods all the way, and from then on the owner's two at once."""
    begin(stage, 1, 2, 2, policy="InPlaceIfPossible", fake=False, batchPartition=1, revert=True)
    apps.wait_at(stage, "5.0.2", 2)
    before = {name: pod["metadata"]["uid"] for name, pod in stage.history.objects("Pod").items()}
    since = stage.history.number()
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    apps.wait_all_ready(stage, "4.0.6", 5)
    pods = stage.history.objects("Pod")
    assert before == {name: pod["metadata"]["uid"] for name, pod in pods.items()}
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 3
    assert_given_back(stage, "InPlaceIfPossible")


def test_killed_again_and_again(stage):
    since = begin(stage, *[1] * 8, size=8)
    assert apps.kill_on_the_way(stage) >= 3
    apps.wait_all_ready(stage, "5.0.2", 8)
    assert goals(stage, since) == list(range(1, 9))
    assert_given_back(stage, "ReCreate")
