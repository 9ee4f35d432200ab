# SPDX-License-Identifier: Apache-2.0
"""Rolls of a native Deployment, proved from its own history and that of its pods.

Its owner lets it surge by 2 of 5 pods and miss 1: IncreaseFirst goes by 2 and DecreaseFirst by 1.
"""

import pytest

from harness import apps
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.objects import image_of, rollout

FIELDS = """
replicas: parameter.replicas
minReadySeconds: 1
progressDeadlineSeconds: 77
strategy: rollingUpdate: {maxSurge: 2, maxUnavailable: 1}
"""
OWNERS = {"minReadySeconds": 1, "progressDeadlineSeconds": 77,
          "strategy": {"type": "RollingUpdate",
                       "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}}


def begin(stage, *batches, size=5, fake=True, **plan):
    """shop-v1 is there, shop-v2 on its way; returns the number of the history from which on."""
    apps.start(stage, "Deployment", FIELDS, size, fake=fake)
    stage.record(2, apps.app("5.0.2", replicas=size, fake=fake))
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **plan))
    return since


def deployment(stage):
    return stage.history.now("Deployment", "web")


def owned_fields(live):
    return {key: live["spec"].get(key) for key in OWNERS}


def assert_unmarked(live):
    assert apps.HOLDER not in live["metadata"]["annotations"]
    assert "rollout.sluice.dev/owners-fields" not in live["metadata"]["annotations"]


def assert_given_back(stage):
    """Every field of its owner's as he had it, and no mark of a holder."""
    live = deployment(stage)
    assert owned_fields(live) == OWNERS
    assert not live["spec"].get("paused")
    assert_unmarked(live)


def assert_frozen(stage):
    """Paused where it stands; only then maxSurge isn't the owner's, see the adapter's README."""
    live = deployment(stage)
    frozen = {**OWNERS, "strategy": {"type": "RollingUpdate",
                                     "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}}
    assert owned_fields(live) == frozen
    assert live["spec"]["paused"]
    assert_unmarked(live)


def scaled(value, size, up):
    if isinstance(value, int):
        return value
    return (int(value[:-1]) * size + (99 if up else 0)) // 100


def told(live):
    """How many new pods it may have; None while it isn't held."""
    spec = live["spec"]
    if spec.get("minReadySeconds") != 2147483646:
        return None
    if spec.get("paused"):
        return 0
    bounds = spec["strategy"]["rollingUpdate"]
    size = spec["replicas"]
    return scaled(bounds["maxSurge"], size, True) + scaled(bounds["maxUnavailable"], size, False)


def steps(stage, since, image="5.0.2"):
    """What it was told, in order; and that there were never more new pods than that."""
    stage.history.catch_up()
    seen = []
    for live, pods in apps.replay(stage, "Deployment", "web", since):
        now = told(live)
        if now is None or not live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(
                image):
            continue
        if not seen or seen[-1] != now:
            seen.append(now)
        turned = sum(image_of(pod) == image for pod in pods.values())
        assert turned <= max(seen), f"{turned} new pods, told {seen}"
    return [count for count in seen if count]


def test_increase_first_on_real_pods(stage):
    """1, 2, 2: never fewer than 5 ready, never more than the owner's maxSurge on top."""
    since = begin(stage, 1, 2, 2, fake=False)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert steps(stage, since) == [1, 3, 5]
    assert apps.fewest_ready(stage, "Deployment", since) >= 5
    assert apps.most_told(stage, since) <= 7
    assert_given_back(stage)
    status = stage.rollout()["status"]
    assert (status["upgradedReplicas"], status["upgradedReadyReplicas"]) == (5, 5)


def test_decrease_first(stage):
    """Never more than 5 pods told; a batch of 2 goes by the one pod that the owner can miss."""
    since = begin(stage, 1, 2, 2, rolloutStrategy="DecreaseFirst")
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert steps(stage, since) == [1, 2, 3, 4, 5]
    assert apps.most_told(stage, since) <= 5
    assert apps.fewest_ready(stage, "Deployment", since) >= 4
    assert_given_back(stage)


def test_stops_at_the_partition_and_when_paused(stage):
    since = begin(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    apps.wait_settled(stage, "Deployment", 5)
    apps.assert_quiet(stage, "Deployment")
    assert len(apps.at(stage, "5.0.2")) == 1
    stage.plan(batchPartition=1, paused=True)
    stage.wait_reason("Paused")
    apps.assert_quiet(stage, "Deployment")
    stage.plan(paused=False)
    stage.wait_reason("PartitionReached")
    assert len(apps.at(stage, "5.0.2")) == 3
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    assert steps(stage, since) == [1, 3, 5]


def test_abandoned_for_another_target(stage):
    since = begin(stage, 1, 2, 2, batchPartition=1)
    apps.wait_at(stage, "5.0.2", 2)
    stage.record(3, apps.app("5.0.3"))
    stage.put(rollout("shop-v3", "shop-v1", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.3", 5)
    assert steps(stage, since, "5.0.3") == [1, 3, 5]
    assert apps.fewest_ready(stage, "Deployment", since) >= 5
    assert_given_back(stage)


def test_rolled_back_by_swapping(stage):
    """The old ReplicaSet takes the part of the new one: what it still has counts at once."""
    since = begin(stage, 1, 2, 2, batchPartition=1)
    stage.wait_reason("PartitionReached")
    stage.put(rollout("shop-v1", "shop-v2", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", 5)
    assert apps.fewest_ready(stage, "Deployment", since) >= 5
    assert apps.most_told(stage, since) <= 7
    assert_given_back(stage)


def test_deleted_in_the_middle_of_a_batch(stage):
    since = begin(stage, 1, 2, 2, batchPartition=1, rolloutStrategy="DecreaseFirst")
    apps.wait_at(stage, "5.0.2", 2)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    assert_frozen(stage)
    apps.wait_settled(stage, "Deployment", 5)
    apps.assert_quiet(stage, "Deployment")
    assert apps.fewest_ready(stage, "Deployment", since) >= 4


def test_reverted_on_delete(stage):
    since = begin(stage, 1, 2, 2, batchPartition=1, revert=True)
    apps.wait_at(stage, "5.0.2", 2)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    apps.wait_all_ready(stage, "4.0.6", 5)
    assert_given_back(stage)
    assert apps.fewest_ready(stage, "Deployment", since) >= 4


def test_deleted_with_its_revisions(stage):
    """Nothing says any more what the owner wanted but the Deployment's own mark."""
    begin(stage, 1, 4, batchPartition=0)
    stage.wait_reason("PartitionReached")
    apps.wait_settled(stage, "Deployment", 5)
    for name in stage.names("ApplicationRevision"):
        stage.delete("ApplicationRevision", name)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    assert_frozen(stage)


@pytest.mark.parametrize("size", [10, 4])
def test_scaled_from_outside(stage, size):
    """The batches follow the size in proportion, and the roll ends complete."""
    since = begin(stage, 2, 2, 2, size=6, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.cluster.kubectl("-n", stage.namespace, "scale", "deployment/web", f"--replicas={size}")
    stage.wait_status(rolloutTargetSize=size)
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", size)
    assert apps.fewest_ready(stage, "Deployment", since) >= min(size, 6)
    assert_given_back(stage)


def test_hold_taken_off_by_another_writer(stage):
    """A tool that applies its own copy: it is stopped, told, and the roll ends nevertheless."""
    begin(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.patch("Deployment", "web", {"spec": {"minReadySeconds": 0, "paused": True}})
    assert stage.event("HoldTakenOff", "minReadySeconds")
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert_given_back(stage)


def test_scaled_again_and_again(stage):
    """In the middle of batches: never fewer ready than the smallest size, and the end is complete."""
    since = begin(stage, *["10%"] * 10, size=8)
    stage.wait_status(batchRollingState="batchVerifying")
    apps.scale_on_the_way(stage, "deployment/web", 12, 6, 9)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 9)
    assert apps.fewest_ready(stage, "Deployment", since) >= 6
    assert_given_back(stage)


def test_killed_again_and_again(stage):
    """Whatever the moment, no batch is skipped or done twice."""
    since = begin(stage, *[1] * 10, size=10)
    assert apps.kill_on_the_way(stage) >= 3
    apps.wait_all_ready(stage, "5.0.2", 10)
    assert steps(stage, since) == list(range(1, 11))
    assert apps.fewest_ready(stage, "Deployment", since) >= 10
    assert_given_back(stage)
