# SPDX-License-Identifier: Apache-2.0
"""Every field of a plan, and what else may happen to a workload on the way. On pods that are ready
at once, but where a real container matters."""

import pytest

from harness import apps, proof
from harness.objects import (application, component, image_of, is_ready, reason, restarts, rollout,
                             running_image, state)

HOLDER = "rollout.sluice.dev/holder"


def service(version, name="web", **properties):
    """Ready at once, and as many at a time as the plan says."""
    return component(name, version=version, **{"fake": True, "maxUnavailable": "100%", **properties})


def deploy(stage, *names, **properties):
    """shop-v1 at 4.0.6 and shop-v2 at 5.0.2; the first is rolled out."""
    names = names or ("web",)
    controller = stage.controller()
    stage.record(1, *[service("4.0.6", name, **properties) for name in names])
    stage.put(rollout("shop-v1", numBatches=1, components=list(names)))
    stage.wait_state("rolloutSucceed")
    stage.record(2, *[service("5.0.2", name, **properties) for name in names])
    return controller


def roll(stage, *batches, **options):
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **options))


def finish(stage, name="roll"):
    done = stage.wait_state("rolloutSucceed", name)
    stage.history.catch_up()
    return done


def cloneset(stage, name="web"):
    return stage.history.now("CloneSet", name)


# Batches

@pytest.mark.parametrize("size, batches, expected", [
    (5, [1, "50%", "50%"], [1, 3, 1]),
    (5, [1, 2, None], [1, 2, 2]),
    (3, ["20%"] * 5, [1, 1, 1]),
    (10, ["10%", "40%", "50%"], [1, 4, 5]),
    (1, ["50%", "50%"], [1]),
], ids=str)
def test_batches(stage, size, batches, expected):
    """Cumulative: the running sum, its percentages rounded up once; the last one takes the rest."""
    deploy(stage, replicas=size)
    roll(stage, *[{} if batch is None else batch for batch in batches])
    finish(stage)
    assert proof.update_batches(stage.history, "web", "5.0.2") == expected


def test_number_of_batches(stage):
    """numBatches alone deals the pods out evenly, in a first deployment too."""
    stage.controller()
    stage.record(1, service("4.0.6", replicas=5))
    stage.put(rollout("shop-v1", numBatches=2))
    finish(stage)
    assert proof.creation_batches(stage.history, "web") == [2, 3]
    assert proof.sizes(stage.history, "web") == [0, 2, 5]


def test_one_batch_is_the_default(stage):
    deploy(stage)
    stage.put(rollout("shop-v2", "shop-v1", name="plain"))
    finish(stage, "plain")
    assert proof.update_batches(stage.history, "web", "5.0.2") == [5]


# Scaling

@pytest.mark.parametrize("size, target, batches, expected", [
    (2, 6, [1, 3], [2, 3, 6]),
    (6, 2, ["50%", "50%"], [6, 4, 2]),
    (3, 0, [3], [3, 0]),
], ids=str)
def test_scaling(stage, size, target, batches, expected):
    """No source, and a targetSize that isn't the size: replicas step by batch."""
    stage.controller()
    stage.record(1, service("4.0.6", replicas=size))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    started = stage.history.number()
    stage.put(rollout("shop-v1", batches=batches, targetSize=target))
    done = finish(stage)
    assert proof.sizes(stage.history, "web", started - 1) == expected
    stage.wait("the pods are as many", lambda: len(stage.history.objects("Pod")) == target)
    assert done["status"]["rolloutOriginalSize"] == size
    assert done["status"]["rolloutTargetSize"] == target
    assert HOLDER not in cloneset(stage)["metadata"]["annotations"]


def test_scaling_that_is_paused(stage):
    stage.controller()
    stage.record(1, service("4.0.6", replicas=2))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.put(rollout("shop-v1", batches=[1, 3], targetSize=6, paused=True))
    stage.wait_reason("Paused")
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 2, "CloneSet", "Pod")
    assert cloneset(stage)["spec"]["replicas"] == 2
    stage.plan(paused=False)
    finish(stage)
    assert cloneset(stage)["spec"]["replicas"] == 6


# How a batch goes

def test_instance_interval(stage):
    """Two seconds between the pods of the second batch."""
    deploy(stage)
    roll(stage, 1, {"replicas": 3, "instanceInterval": 2}, {})
    finish(stage)
    assert proof.goals(stage.history, "web", "5.0.2") == [0, 1, 2, 3, 4, 5]
    times = {}
    for version, moment in proof.moments(stage.history, "web"):
        if proof.wants(moment.cloneset, "5.0.2"):
            times.setdefault(moment.goal(), version.at)
    assert times[3] - times[2] > 1.7 and times[4] - times[3] > 1.7


@pytest.mark.real("OpenKruise's order of pods by priority")
def test_pods_by_name(stage):
    """The pods of a podList change first, and no other one with them."""
    deploy(stage)
    stage.history.catch_up()
    named = sorted(stage.history.objects("Pod"))[1:4:2]
    roll(stage, {"podList": named}, {}, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.history.catch_up()
    assert proof.at_image(stage.history, "5.0.2") == named
    stage.plan(batchPartition=1)
    finish(stage)
    assert proof.update_batches(stage.history, "web", "5.0.2") == [2, 3]
    assert not cloneset(stage)["spec"]["updateStrategy"].get("priorityStrategy")


def test_a_pod_that_is_not_there(stage):
    deploy(stage)
    roll(stage, {"podList": ["web-nobody"]}, {})
    failed = stage.wait_state("rolloutFailed")
    assert "web-nobody" in reason(failed)["message"]


def test_max_unavailable(stage):
    """Pods that never become ready: the first batch may do without, the second one waits."""
    stage.controller()
    stage.deploy(fake=True, maxUnavailable="100%")
    stage.record(2, service("unready"))
    roll(stage, {"replicas": 2, "maxUnavailable": 2}, 3)
    stage.wait_status(currentBatch=1, batchRollingState="batchVerifying")
    why = stage.wait_reason("PodsNotReady")
    assert why["message"].startswith("batch 2: 5 of 5 pods are updated, 0 of them ready")
    assert (why["expected"], why["found"]) == ("at least 5", "0")
    stage.put(rollout("shop-v1", "shop-v2", numBatches=1))
    finish(stage)
    assert {running_image(pod) for pod in stage.history.objects("Pod").values()} == {"4.0.6"}


# Pods that are replaced

def test_increase_first(stage):
    """New pods come before old ones go: never fewer than 5 are ready."""
    deploy(stage, update="ReCreate")
    started = stage.history.number()
    roll(stage, 2, 3)
    finish(stage)
    assert proof.fewest_ready(stage.history, "web", started) >= 5
    assert all(restarts(pod) == 0 for pod in stage.history.objects("Pod").values())
    strategy = cloneset(stage)["spec"]["updateStrategy"]
    assert not strategy.get("maxSurge") and strategy["maxUnavailable"] == "100%"


def test_decrease_first(stage):
    """Old pods go before new ones come: never more than 5 are there."""
    deploy(stage, update="ReCreate")
    started = stage.history.number()
    roll(stage, 2, 3, rolloutStrategy="DecreaseFirst")
    finish(stage)
    most = max(sum("deletionTimestamp" not in pod["metadata"] for pod in moment.pods.values())
               for _, moment in proof.moments(stage.history, "web", started))
    assert most <= 5


# The partition

def test_partition_lowered(stage):
    """Below the batch that is done it means: no further. That is no failure."""
    deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=1)
    stage.wait_reason("PartitionReached")
    stage.plan(batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 2, "CloneSet", "Pod")
    assert state(stage.rollout()) == "rollingInBatches"
    stage.plan(batchPartition=None)
    finish(stage)
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2, 2]


def test_plan_that_is_spoilt_on_the_way(stage):
    """It stands still and says why, and goes on when the plan is right again."""
    deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    roll(stage, 1, 1, 1)
    why = stage.wait_reason("PlanInvalid")
    assert "the batches don't reach the end" in why["message"]
    stage.event("PlanInvalid", "don't reach the end")
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 2, "CloneSet", "Pod")
    roll(stage, 1, 2, 2)
    finish(stage)
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2, 2]


# Several of them

def test_two_components(stage):
    """Each has its own state; the top of the status adds them up."""
    deploy(stage, "web", "api", replicas=3)
    roll(stage, 1, 2, components=["web", "api"], batchPartition=0)
    held = stage.wait_reason("PartitionReached") and stage.rollout()
    assert [(each["name"], each["batchRollingState"], each["upgradedReplicas"])
            for each in held["status"]["components"]] == [("web", "batchReady", 1),
                                                          ("api", "batchReady", 1)]
    assert held["status"]["upgradedReplicas"] == 2 and held["status"]["rolloutTargetSize"] == 6
    stage.plan(batchPartition=None)
    done = finish(stage)
    assert [each["rollingState"] for each in done["status"]["components"]] == ["rolloutSucceed"] * 2
    assert done["status"]["upgradedReadyReplicas"] == 6
    for name in ("web", "api"):
        assert proof.update_batches(stage.history, name, "5.0.2") == [1, 2]


def test_components_are_found_by_the_annotation(stage):
    """Without a componentList the ones that the Application wants to roll."""
    stage.controller()
    stage.put(application(service("4.0.6"), service("4.0.6", "api"),
                          **{"app.oam.dev/rolling-components": "api"}))
    stage.wait_revision("shop-v1")
    stage.put(rollout("shop-v1"))
    finish(stage)
    assert set(stage.history.objects("CloneSet")) == {"api"}


def test_two_rollouts_of_one_workload(stage):
    """The second one waits, says for whom, and goes on when the first has ended."""
    deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=0, name="first")
    stage.wait_reason("PartitionReached", "first")
    roll(stage, 5, name="second")
    why = stage.wait_reason("WorkloadHeld", "second")
    assert why["message"] == (f"CloneSet {stage.namespace}/web is held by AppRollout "
                              f"{stage.namespace}/first")
    assert stage.event("WorkloadHeld", "first")["involvedObject"]["name"] == "second"
    assert len(proof.at_image(stage.history, "5.0.2")) == 1
    stage.plan("first", batchPartition=None)
    ended = finish(stage, "first")["metadata"]["resourceVersion"]
    finish(stage, "second")
    assert proof.update_batches(stage.history, "web", "5.0.2", until=int(ended)) == [1, 2, 2]
    assert {restarts(pod) for pod in stage.history.objects("Pod").values()} == {1}


def test_a_holder_that_is_gone_holds_nobody(stage):
    """The first rollout has vanished without its finalizer: its mark on the workload is worth
    nothing."""
    controller = deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=0, name="first")
    stage.wait_reason("PartitionReached", "first")
    controller.kill()
    stage.patch("AppRollout", "first", {"metadata": {"finalizers": []}})
    stage.delete("AppRollout", "first")
    controller.start()
    roll(stage, 5, name="second")
    finish(stage, "second")
    assert len(proof.at_image(stage.history, "5.0.2")) == 5


# Others who change the workload

def scale(stage, size):
    """As `kubectl scale` or an autoscaler does."""
    stage.cluster.kubectl("--namespace", stage.namespace, "scale", "cloneset", "web",
                          f"--replicas={size}")


@pytest.mark.parametrize("batches", [["20%", "40%", "40%"], [1, 2, 2]], ids=str)
@pytest.mark.parametrize("size, goal", [(10, 6), (3, 2)])
def test_scaled_from_outside(stage, batches, size, goal):
    """Held at 3 of 5, it is scaled: 6 of 10, or 2 of 3. Then it goes on to the end."""
    deploy(stage)
    roll(stage, *batches, batchPartition=1)
    stage.wait_reason("PartitionReached")
    scale(stage, size)
    stage.wait("the pods are in proportion", lambda: in_proportion(stage, size, goal))
    held = stage.wait_status(rolloutTargetSize=size, upgradedReplicas=goal)
    assert state(held) == "rollingInBatches"
    stage.plan(batchPartition=None)
    done = finish(stage)
    assert cloneset(stage)["spec"]["replicas"] == size
    assert len(proof.at_image(stage.history, "5.0.2")) == size
    assert done["status"]["rolloutTargetSize"] == size


def in_proportion(stage, size, goal):
    pods = [pod for pod in stage.history.objects("Pod").values()
            if "deletionTimestamp" not in pod["metadata"]]
    return (len(pods) == size and all(map(is_ready, pods))
            and sum(image_of(pod) == "5.0.2" for pod in pods) == goal)


def test_partition_changed_by_hand(stage):
    """What somebody else has written into the partition is put right again."""
    deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.patch("CloneSet", "web", {"spec": {"updateStrategy": {"partition": 5}}})
    stage.wait("it is put right", lambda: proof.kept(cloneset(stage)) == 4)
    stage.plan(batchPartition=None)
    finish(stage)
    assert len(proof.at_image(stage.history, "5.0.2")) == 5


def test_workload_deleted_on_the_way(stage):
    """It is said, and nothing is made out of nothing; deleting the rollout still ends."""
    deploy(stage)
    roll(stage, 1, 2, 2, batchPartition=0)
    stage.wait_reason("PartitionReached")
    stage.delete("CloneSet", "web")
    why = stage.wait_reason("WorkloadMissing")
    assert why["message"] == f"CloneSet {stage.namespace}/web isn't there any more"
    assert stage.event("WorkloadMissing")["type"] == "Warning"
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    assert cloneset(stage) is None


# Nothing to do

def test_applied_again(stage):
    """The same Application and the same rollout, applied again: nobody writes anything."""
    controller = deploy(stage)
    roll(stage, 5)
    finish(stage)
    apps.wait_settled(stage, "CloneSet", 5)
    controller.stop()
    controller.start()
    stage.history.catch_up()
    since = stage.history.number()
    stage.record(2, service("5.0.2"))
    roll(stage, 5)
    assert not stage.history.quiet(since, 3, "AppRollout", "ApplicationRevision", "CloneSet", "Pod")


def test_same_content_under_another_revision(stage):
    """A revision that renders to what is there already: all batches, and no pod is touched."""
    deploy(stage)
    stage.record(3, service("4.0.6", replicas=5))
    since = stage.history.number()
    stage.put(rollout("shop-v3", "shop-v1", batches=[2, 3]))
    finish(stage)
    assert not stage.history.versions("Pod", since=since)
