# SPDX-License-Identifier: Apache-2.0
"""Rolls of a DaemonSet, proved from its own history and that of its pods."""

import random
import time

import pytest

from harness import apps, daemons
from harness.daemons import Daemons, app, came_on
from harness.nodes import OWNER, nodes_of
from harness.objects import rollout


FIELDS = "updateStrategy: {type: \"RollingUpdate\", rollingUpdate: maxUnavailable: %s}"
PATH = "/apis/apps/v1/namespaces/{}/daemonsets"


@pytest.fixture(autouse=True)
def watched(monkeypatch):
    daemons.watch(monkeypatch, PATH)


def on_nodes(stage, nodes, max_unavailable="1") -> Daemons:
    """shop-v1 is there."""
    made = Daemons(stage, "daemonset", "apps/v1", FIELDS % max_unavailable)
    made.start(len(nodes.names))
    return made


def assert_given_back(live, max_unavailable=1) -> None:
    assert live["spec"]["updateStrategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": max_unavailable}}
    assert apps.HOLDER not in live["metadata"]["annotations"]


def assert_frozen(live) -> None:
    assert live["spec"]["updateStrategy"]["type"] == "OnDelete"
    assert apps.HOLDER not in live["metadata"]["annotations"]


def told(stage) -> str:
    """Why the rollout stands where it is."""
    return stage.rollout()["status"]["reason"]["message"]


def test_node_by_node(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll_step_by_step(1, 2, 2)
        apps.wait_all_ready(stage, "5.0.2", 5)
        web.assert_batches(since, 1, 3, 5)
        assert web.most_down(since) == 1
        assert came_on(stage, "5.0.2") == "abcde"
        assert_given_back(web.live())
        status = stage.rollout()["status"]
        assert (status["upgradedReplicas"], status["upgradedReadyReplicas"]) == (5, 5)


def test_first_deployment_waits_batch_by_batch(stage):
    """A DaemonSet can't come in parts; the batches wait for their share to be ready."""
    with nodes_of(stage, "abc"):
        web = Daemons(stage, "daemonset", "apps/v1")
        stage.record(1, app("4.0.6"))
        stage.put(rollout("shop-v1", batches=[1, 2], batchPartition=0))
        stage.wait_reason("PartitionReached")
        apps.wait_all_ready(stage, "4.0.6", 3)
        stage.plan(batchPartition=1)
        assert stage.wait_state("rolloutSucceed")["status"]["rolloutTargetSize"] == 3
        assert_given_back(web.live())


def test_as_many_at_once_as_the_owner_allows(stage):
    with nodes_of(stage, "abcdef") as nodes:
        web = on_nodes(stage, nodes, '"50%"')
        since = web.roll(4, 2)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 6)
        web.assert_batches(since, 4, 6)
        assert 2 <= web.most_down(since) <= 3
        assert_given_back(web.live(), "50%")


def test_stops_at_the_partition_and_when_paused(stage):
    """Paused in the middle of a batch whose pods come with an interval: no further one goes."""
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
        stage.plan(paused=False)
        stage.wait_state("rolloutSucceed")
        web.assert_batches(since, 1, 2, 3, 4, 5)
        assert web.most_down(since) == 1


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
    """Those that have changed come back; the others never move."""
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
    """Whatever comes back from then on comes at the target, but nobody lets another go."""
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 2, 2, batchPartition=1)
        apps.wait_at(stage, "5.0.2", 2)
        web.wait_gone()
        assert_frozen(web.live())
        web.assert_quiet()
        assert 2 <= len(apps.at(stage, "5.0.2")) <= 3
        assert web.most_down(since) == 1


def test_reverted_on_delete(stage):
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 2, 2, batchPartition=1, revert=True)
        stage.wait_reason("PartitionReached")
        web.wait_gone()
        apps.wait_all_ready(stage, "4.0.6", 5)
        assert web.most_down(since) == 1
        assert_given_back(web.live())


def test_nodes_join_and_leave(stage):
    """A new node has the new revision at once; the plan goes on in proportion, and no further."""
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll("50%", "50%", batchPartition=0)
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
        assert came_on(stage, "5.0.2") in ("abefc", "abfec")
        assert_given_back(web.live())
        assert web.most_down(since) <= 2  # a node that joins has no pod for a moment


def test_node_tainted_on_the_way(stage):
    """Its pod stays until the end, because nobody would make it again; and the roll does end. The
    DaemonSet's own controller notices a taint with the next pod that comes or goes."""
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 1, 2, batchPartition=0)
        stage.wait_reason("PartitionReached")
        nodes.taint("d")
        stage.plan(batchPartition=1)
        stage.wait_status(rolloutTargetSize=3, upgradedReadyReplicas=2)
        web.assert_quiet()
        stage.plan(batchPartition=2)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 3)
        assert came_on(stage, "5.0.2") == "abc"
        assert web.most_down(since) <= 1
        assert_given_back(web.live())


def test_named_pods_first(stage):
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes)
        on = {pod["spec"]["nodeName"][-1]: pod["metadata"]["name"] for pod in apps.at(stage, "4.0.6")}
        since = web.roll({"podList": [on["d"], on["b"]]}, 2)
        stage.wait_state("rolloutSucceed")
        assert came_on(stage, "5.0.2") == "bdac"
        web.assert_batches(since, 2, 4)
        stage.record(3, app("5.0.3"))
        stage.put(rollout("shop-v3", "shop-v2", batches=[{"podList": ["web-nobody"]}, 3]))
        stage.wait_state("rolloutFailed")
        assert "the DaemonSet has no pod \"web-nobody\"" in told(stage)


def test_pod_deleted_by_hand(stage):
    """It comes back at the new revision, and counts for the batches."""
    with nodes_of(stage, "abcd") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 1, 2, batchPartition=0)
        stage.wait_reason("PartitionReached")
        stage.delete("Pod", next(pod["metadata"]["name"] for pod in apps.at(stage, "4.0.6")
                                 if pod["spec"]["nodeName"].endswith("d")))
        apps.wait_at(stage, "5.0.2", 2)
        stage.plan(batchPartition=1)
        stage.wait_reason("PartitionReached")
        web.assert_quiet()
        assert len(apps.at(stage, "5.0.2")) == 2
        stage.plan(batchPartition=2)
        stage.wait_state("rolloutSucceed")
        assert came_on(stage, "5.0.2") == "adbc"
        assert web.most_down(since) == 1


@pytest.mark.real("on a kubelet's node")
def test_revision_that_is_never_ready(stage):
    """On the real node too: it holds its batch, is told in the kubelet's words, and is replaced."""
    real = "/api/v1/nodes/" + stage.cluster.name
    with nodes_of(stage, "yz") as nodes:
        stage.api.patch(real, {"metadata": {"labels": {OWNER: stage.namespace}}})
        try:
            web = Daemons(stage, "daemonset", "apps/v1", FIELDS % "1")
            web.start(len(nodes.names) + 1)
            since = web.roll(1, 2, version="unready")
            stage.wait("the kubelet's words", lambda: all(words in told(stage) for words in [
                "batch 1: 1 of 1 pods are updated, 0 of them ready", "containers with unready status"]))
            assert len(apps.at(stage, "unready")) == 1
            web.roll(1, 2, number=3, version="5.0.3")
            stage.wait_state("rolloutSucceed")
            apps.wait_all_ready(stage, "5.0.3", 3)
            assert web.most_down(since) == 1
            assert_given_back(web.live())
        finally:
            stage.api.patch(real, {"metadata": {"labels": {OWNER: None}}})


def test_hold_taken_off_by_another_writer(stage):
    """A tool that applies its own copy: it is stopped, told, and the roll ends nevertheless."""
    with nodes_of(stage, "abcde") as nodes:
        web = on_nodes(stage, nodes)
        since = web.roll(1, 4, batchPartition=0)
        stage.wait_reason("PartitionReached")
        stage.patch("DaemonSet", "web", {"spec": {"updateStrategy": {"type": "RollingUpdate"}}})
        assert stage.event("HoldTakenOff", "updateStrategy")
        web.assert_quiet()
        stage.plan(batchPartition=1)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", 5)
        assert web.most_down(since) == 1
        assert_given_back(web.live())


def test_refused_by_name(stage):
    with nodes_of(stage, "ab") as nodes:
        web = on_nodes(stage, nodes)
        stage.put(rollout("shop-v1", numBatches=1, targetSize=5))
        stage.wait_state("rolloutFailed")
        assert "targetSize is 5, but the size of DaemonSet" in told(stage)
        web.define("updateStrategy: rollingUpdate: {maxSurge: 1, maxUnavailable: 0}")
        stage.record(2, app("5.0.2"))
        stage.put(rollout("shop-v2", "shop-v1", numBatches=2))
        stage.wait_state("rolloutFailed")
        assert "expected DecreaseFirst" in told(stage)
        assert apps.at(stage, "5.0.2") == []


def test_killed_again_and_again(stage):
    seed = int(time.time())
    print(f"seed {seed}")
    with nodes_of(stage, "abcdefgh") as nodes:
        web = on_nodes(stage, nodes, "3")
        since = web.roll(*[2] * 4)
        web.killed_again_and_again(random.Random(seed))
        apps.wait_all_ready(stage, "5.0.2", 8)
        web.assert_batches(since, 2, 4, 6, 8)
        assert web.most_down(since) <= 2
        came = came_on(stage, "5.0.2")  # who of a batch is first is its controller's affair
        assert ["".join(sorted(came[i:i + 2])) for i in (0, 2, 4, 6)] == ["ab", "cd", "ef", "gh"]
        assert_given_back(web.live(), 3)


def test_killed_between_deletions(stage):
    """In a batch of 7 that may go all at once, each time as soon as another one is seen to go."""
    with nodes_of(stage, "abcdefgh") as nodes:
        web = on_nodes(stage, nodes, '"100%"')
        since = web.roll(7, 1, batchPartition=0)
        for gone in (1, 3, 5):
            stage.wait("another one goes", lambda: len(apps.at(stage, "4.0.6")) <= 8 - gone)
            web.controller.kill()
            print(f"{len(apps.at(stage, '4.0.6'))} were left when it was killed")
            web.controller.start()
        stage.wait_reason("PartitionReached")
        web.assert_quiet()
        assert len(apps.at(stage, "5.0.2")) == 7
        stage.plan(batchPartition=1)
        stage.wait_state("rolloutSucceed")
        web.assert_batches(since, 7, 8)
        assert_given_back(web.live(), "100%")
