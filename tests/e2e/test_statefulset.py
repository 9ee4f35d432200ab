# SPDX-License-Identifier: Apache-2.0
"""Rolls of a StatefulSet, proved from its own history and that of its pods. Availability is asked of
real pods, which take their time to become ready."""

import pytest

from harness import apps
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.objects import image_of, is_ready, rollout

FIELDS = """
replicas: parameter.replicas
serviceName: context.name
"""


def begin(stage, *batches, size=5, fake=True, **plan):
    apps.start(stage, "StatefulSet", FIELDS, size, fake=fake)
    stage.record(2, apps.app("5.0.2", replicas=size, fake=fake))
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **plan))
    return since


def statefulset(stage):
    return stage.history.now("StatefulSet", "web")


def partition(live):
    return live["spec"]["updateStrategy"].get("rollingUpdate", {}).get("partition", 0)


def goals(stage, since, image="5.0.2"):
    """How many pods were let go to the image while it was held, as that changed; and that no pod
    below the partition ever turned to it."""
    stage.history.catch_up()
    seen = []
    for live, pods in apps.replay(stage, "StatefulSet", "web", since):
        if not live["spec"]["template"]["spec"]["containers"][0]["image"].endswith(image):
            continue
        if apps.HOLDER in live["metadata"]["annotations"]:
            goal = live["spec"]["replicas"] - partition(live)
            seen += [goal] if not seen or seen[-1] != goal else []
        turned = [name for name, pod in pods.items() if image_of(pod) == image]
        assert all(int(name.rpartition("-")[2]) >= partition(live) for name in turned), turned
    return [goal for goal in seen if goal]


def turned(stage, image="5.0.2"):
    """The pods that came with the image, in that order."""
    order = []
    for version in stage.history.versions("Pod"):
        if image_of(version.object) == image and version.name not in order:
            order.append(version.name)
    return order


def assert_given_back(stage, kept=0):
    live = statefulset(stage)
    assert live["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    assert partition(live) == kept
    assert apps.HOLDER not in live["metadata"]["annotations"]


def test_highest_first_on_real_pods(stage):
    since = begin(stage, 1, 2, 2, fake=False)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert goals(stage, since) == [1, 3, 5]
    assert turned(stage) == ["web-4", "web-3", "web-2", "web-1", "web-0"]
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 4
    assert_given_back(stage)
    status = stage.rollout()["status"]
    assert (status["upgradedReplicas"], status["upgradedReadyReplicas"]) == (5, 5)


def test_partition_raised_before_the_template_changes(stage):
    """There is no version of it with the new template and room for a pod."""
    since = begin(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    apps.wait_settled(stage, "StatefulSet", 5)
    apps.assert_quiet(stage, "StatefulSet")
    versions = [version.object for version in stage.history.versions("StatefulSet", "web", since)]
    first = next(live for live in versions
                 if live["spec"]["template"]["spec"]["containers"][0]["image"].endswith("5.0.2"))
    assert partition(first) == 5
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    assert goals(stage, since) == [1, 3, 5]


def test_paused_in_the_middle_of_a_batch(stage):
    """The batch of 4 goes pod by pod; paused, no further one starts."""
    since = begin(stage, 1, 4, fake=False)
    apps.wait_at(stage, "5.0.2", 2)
    stage.plan(paused=True)
    stage.wait_reason("Paused")
    apps.wait_settled(stage, "StatefulSet", 5)
    before = len(apps.at(stage, "5.0.2"))
    assert 2 <= before < 5
    apps.assert_quiet(stage, "StatefulSet")
    stage.plan(paused=False)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 4


def test_rolled_back_by_swapping(stage):
    """Those that have changed come back; the others never move."""
    since = begin(stage, 1, 1, 1, size=3, fake=False, batchPartition=1)
    stage.wait_reason("PartitionReached")
    kept = {name: pod["metadata"]["uid"] for name, pod in stage.history.objects("Pod").items()
            if image_of(pod) == "4.0.6"}
    stage.put(rollout("shop-v1", "shop-v2", batches=[1, 1, 1]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", 3)
    pods = stage.history.objects("Pod")
    assert list(kept) == ["web-0"]
    assert kept == {name: pods[name]["metadata"]["uid"] for name in kept}
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 2
    assert_given_back(stage)


def test_stuck_pod_of_a_broken_revision(stage):
    """In order, a pod that is never ready holds up its own replacement: it is removed, and said."""
    begin(stage, 1, 2, 2, fake=False, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.record(3, apps.app("broken", fake=False))
    stage.put(rollout("shop-v3", "shop-v1", batches=[2, 3]))
    why = stage.wait_reason("PodsNotReady")
    assert "batch 1" in why["message"]
    stage.wait("it is broken", lambda: [pod for pod in apps.at(stage, "broken")
                                        if not is_ready(pod)])
    stage.put(rollout("shop-v2", "shop-v3", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert stage.event("StuckPodDeleted", "isn't ready at revision web-")
    assert_given_back(stage)


def test_deleted_in_the_middle_of_a_batch(stage):
    begin(stage, 1, 4, fake=False)
    apps.wait_at(stage, "5.0.2", 2)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    apps.wait_settled(stage, "StatefulSet", 5)
    count = len(apps.at(stage, "5.0.2"))
    assert 2 <= count < 5
    assert_given_back(stage, 5 - count)
    apps.assert_quiet(stage, "StatefulSet")


@pytest.mark.real("a pod that isn't ready yet goes first, and there each takes a moment")
def test_abandoned_for_another_target(stage):
    """Of v2 no further pod comes; v3 begins where that left off, from the top."""
    since = begin(stage, 1, 2, 2, batchPartition=1)
    apps.wait_at(stage, "5.0.2", 2)
    stage.record(3, apps.app("5.0.3"))
    stage.put(rollout("shop-v3", "shop-v1", batches=[2, 3]))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.3", 5)
    assert goals(stage, since, "5.0.3") == [2, 5]
    assert len(turned(stage)) <= 3
    assert turned(stage, "5.0.3") == ["web-4", "web-3", "web-2", "web-1", "web-0"]
    assert_given_back(stage)


def test_reverted_on_delete(stage):
    begin(stage, 1, 2, 2, fake=False, batchPartition=1, revert=True)
    apps.wait_at(stage, "5.0.2", 2)
    kept = {pod["metadata"]["uid"] for pod in apps.at(stage, "4.0.6")
            if pod["metadata"]["name"] in ("web-0", "web-1")}
    since = stage.history.number()
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    apps.wait_all_ready(stage, "4.0.6", 5)
    assert len(kept) == 2
    assert kept <= {pod["metadata"]["uid"] for pod in stage.history.objects("Pod").values()}
    assert apps.fewest_ready(stage, "StatefulSet", since) >= 3
    assert_given_back(stage)


def test_scaled_from_outside(stage):
    begin(stage, 2, 2, 2, size=6, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.cluster.kubectl("-n", stage.namespace, "scale", "statefulset/web", "--replicas=9")
    stage.wait_status(rolloutTargetSize=9)
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 9)
    assert_given_back(stage)


def test_scaled_again_and_again(stage):
    begin(stage, *["10%"] * 10, size=6)
    stage.wait_status(batchRollingState="batchVerifying")
    apps.scale_on_the_way(stage, "statefulset/web", 9, 5, 7)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 7)
    assert_given_back(stage)


def test_killed_again_and_again(stage):
    since = begin(stage, *[1] * 8, size=8)
    assert apps.kill_on_the_way(stage) >= 3
    apps.wait_all_ready(stage, "5.0.2", 8)
    assert goals(stage, since) == list(range(1, 9))
    assert turned(stage) == [f"web-{number}" for number in range(7, -1, -1)]
    assert_given_back(stage)
