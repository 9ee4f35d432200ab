# SPDX-License-Identifier: Apache-2.0
"""Rolls of OpenKruise's DaemonSet, proved from its own history and that of its pods."""

import random
import time

import pytest

from harness import apps, daemons
from harness.daemons import Daemons, app, came_on
from harness.nodes import OWNER, nodes_of
from harness.objects import image_of, rollout

pytestmark = pytest.mark.real("needs nodes that come and go")

API = "apps.kruise.io/v1alpha1"
FIELDS = "updateStrategy: {type: \"RollingUpdate\", rollingUpdate: {%s}}"
STANDARD = "maxUnavailable: 1"
IN_PLACE = "rollingUpdateType: \"InPlaceIfPossible\", maxUnavailable: 1"
SURGING = "maxSurge: 1, maxUnavailable: 0"


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    daemons.watch(monkeypatch, f"/apis/{API}/namespaces/{{}}/daemonsets")


def on_nodes(stage, nodes, strategy=STANDARD) -> Daemons:
    """shop-v1 is there."""
    made = Daemons(stage, "advanced-daemonset", API, FIELDS % strategy)
    made.start(len(nodes.names))
    return made


def strategy_of(live) -> dict:
    return live["spec"]["updateStrategy"]["rollingUpdate"]


def assert_given_back(live, surge=0, unavailable=1) -> None:
    strategy = strategy_of(live)
    assert (strategy.get("maxSurge", 0), strategy["maxUnavailable"]) == (surge, unavailable)
    assert not strategy.get("partition") and not strategy.get("paused")
    assert live["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    assert apps.HOLDER not in live["metadata"]["annotations"]


def test_highest_node_first(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll_step_by_step(1, 2, 2)
        apps.wait_all_ready(stage, "5.0.2", 5)
        web.assert_batches(since, 1, 3, 5)
        assert web.most_down(since) == 1
        order = came_on(stage, "5.0.2")
        assert [set(order[:1]), set(order[1:3]), set(order[3:])] == [set("e"), set("dc"), set("ba")]
        assert_given_back(web.live())


def test_first_deployment_in_parts(stage):
    """With OpenKruise's own annotation for it."""
    progressive = '"daemonset.kruise.io/progressive-create-pod": "true"'
    with nodes_of(stage, "abc"):
        web = Daemons(stage, "advanced-daemonset", API, FIELDS % STANDARD, progressive)
        stage.record(1, app("4.0.6"))
        stage.put(rollout("shop-v1", batches=[1, 2], batchPartition=0))
        stage.wait_reason("PartitionReached")
        apps.assert_quiet(stage, "DaemonSet")
        assert len(apps.at(stage, "4.0.6")) == 1
        stage.plan(batchPartition=1)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "4.0.6", 3)
        assert_given_back(web.live())


def test_increase_first_surges_if_the_owner_does(stage):
    """No node is ever without a ready pod."""
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes, SURGING)
        since = web.roll(1, 3)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 4)
        assert web.most_down(since) == 0
        assert_given_back(web.live(), 1, 0)


def test_decrease_first_never_surges(stage):
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes, SURGING)
        since = web.roll(1, 3, rolloutStrategy="DecreaseFirst")
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 4)
        web.assert_batches(since, 1, 4)
        assert web.most_down(since) == 1
        assert max(len(pods) for _, pods in web.replay(since)) <= 4
        assert_given_back(web.live(), 1, 0)


def test_in_place(stage):
    """On the real node too: its pod stays the same, and its batch waits for the new container."""
    real = "/api/v1/nodes/" + stage.cluster.name
    with nodes_of(stage, "yz") as nodes:
        stage.api.patch(real, {"metadata": {"labels": {OWNER: stage.namespace}}})
        try:
            web = Daemons(stage, "advanced-daemonset", API, FIELDS % IN_PLACE)
            web.start(len(nodes.names) + 1)
            before = web.identities("4.0.6")
            since = web.roll(1, 2)
            stage.wait_state("rolloutSucceed")
            apps.wait_all_ready(stage, "5.0.2", 3)
            assert web.identities("5.0.2") == before
            web.assert_batches(since, 1, 3)
            assert web.most_down(since) <= 1
            assert_given_back(web.live())
        finally:
            stage.api.patch(real, {"metadata": {"labels": {OWNER: None}}})


def test_stops_at_the_partition_and_when_paused(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, {"replicas": 4, "instanceInterval": 2}, batchPartition=0)
        stage.wait_reason("PartitionReached")
        web.assert_quiet()
        assert len(apps.at(stage, "5.0.2")) == 1
        stage.plan(batchPartition=1)
        apps.wait_at(stage, "5.0.2", 3)
        stage.plan(paused=True)
        stage.wait_reason("Paused")
        web.assert_quiet()
        assert len(apps.at(stage, "5.0.2")) == 3
        assert strategy_of(web.live())["paused"]
        stage.plan(paused=False)
        stage.wait_state("rolloutSucceed")
        web.assert_batches(since, 1, 2, 3, 4, 5)
        assert_given_back(web.live())


def test_abandoned_for_another_target(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        web.roll(1, 2, 2, batchPartition=1)
        apps.wait_at(stage, "5.0.2", 2)
        since = web.roll(2, 3, number=3, version="5.0.3")
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.3", 5)
        web.assert_batches(since, 2, 5, image="5.0.3")
        assert web.most_down(since) == 1
        assert_given_back(web.live())


def test_rolled_back_by_swapping(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 2, 2, batchPartition=1)
        stage.wait_reason("PartitionReached")
        kept = web.identities("4.0.6")
        stage.put(rollout("shop-v1", "shop-v2", batches=[1, 2, 2]))
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "4.0.6", 5)
        assert len(kept) == 2 and kept.items() <= web.identities("4.0.6").items()
        assert web.most_down(since) == 1
        assert_given_back(web.live())


def test_deleted_in_the_middle(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 2, 2, batchPartition=1)
        apps.wait_at(stage, "5.0.2", 2)
        web.wait_gone()
        web.assert_quiet()
        turned = len(apps.at(stage, "5.0.2"))
        assert 2 <= turned <= 3
        assert strategy_of(web.live())["partition"] >= 5 - turned
        assert apps.HOLDER not in web.live()["metadata"]["annotations"]
        assert web.most_down(since) == 1


def test_reverted_on_delete(stage):
    """From when it has been given back on, how many are down is OpenKruise's."""
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 2, 2, batchPartition=1, revert=True)
        stage.wait_reason("PartitionReached")
        web.wait_gone()
        apps.wait_all_ready(stage, "4.0.6", 5)
        assert web.most_down(since, while_held=True) == 1
        assert_given_back(web.live())


def test_nodes_join_and_leave(stage):
    """New nodes have the new revision at once, and nobody else is replaced for them."""
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes)
        web.roll("50%", "50%", batchPartition=0)
        stage.wait_reason("PartitionReached")
        old = web.identities("4.0.6")
        nodes.join("e", "f")
        stage.wait_status(rolloutTargetSize=6, upgradedReadyReplicas=4)
        web.assert_quiet()
        assert web.identities("4.0.6") == old
        nodes.leave("a")
        nodes.leave("d")
        stage.wait_status(rolloutTargetSize=4, upgradedReadyReplicas=3)
        stage.plan(batchPartition=1)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 4)
        assert_given_back(web.live())


def test_killed_again_and_again(stage):
    seed = int(time.time())
    print(f"seed {seed}")
    with nodes_of(stage, "abcdefgh") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(*[2] * 4)
        web.killed_again_and_again(random.Random(seed))
        apps.wait_all_ready(stage, "5.0.2", 8)
        web.assert_batches(since, 2, 4, 6, 8)
        assert web.most_down(since) == 1
        assert_given_back(web.live())
        assert all(image_of(pod) == "5.0.2" for pod in stage.history.objects("Pod").values())
