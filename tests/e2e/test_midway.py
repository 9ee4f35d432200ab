# SPDX-License-Identifier: Apache-2.0
"""What people do to a rollout that is under way, on real pods."""

import pytest

from harness import proof
from harness.objects import component, image_of, is_ready, restarts, rollout, running_image

HOLDER = "rollout.sluice.dev/holder"


def begin(stage, *batches, **options):
    """shop-v1 is there, shop-v2 is on its way."""
    stage.controller()
    stage.deploy()
    stage.record(2, component(version="5.0.2"))
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **options))


def wait_turned(stage, count, image="5.0.2"):
    """Until so many pods have been told to change."""
    stage.wait(f"{count} pods turn to {image}",
               lambda: len(proof.at_image(stage.history, image)) >= count)


def cloneset(stage):
    return stage.history.now("CloneSet", "web")


def settled(stage):
    """All that is on its way has arrived: every pod runs what its spec says, and is ready."""
    pods = stage.history.objects("Pod").values()
    seen = cloneset(stage)
    return (seen["status"].get("observedGeneration") == seen["metadata"]["generation"]
            and all(is_ready(pod) and running_image(pod) == image_of(pod) for pod in pods))


def wait_settled(stage):
    stage.wait("the workload is settled", lambda: settled(stage))
    stage.history.catch_up()


def assert_quiet(stage, seconds=4):
    stage.history.catch_up()
    changes = stage.history.quiet(stage.history.number(), seconds, "CloneSet", "Pod")
    assert not changes, changes[0]


def assert_all_run(stage, image):
    wait_settled(stage)
    assert len(proof.at_image(stage.history, image)) == 5


def assert_always_ready(stage, started):
    assert proof.fewest_ready(stage.history, "web", started) >= 4


def test_pause_in_the_middle_of_a_batch(stage):
    """The batch of 4 goes on pod by pod, as maxUnavailable wants it; paused, no further one starts."""
    begin(stage, 1, 4)
    started = stage.history.number()
    wait_turned(stage, 2)
    stage.plan(paused=True)
    stage.wait_reason("Paused")
    stage.wait("OpenKruise is told", lambda: cloneset(stage)["spec"]["updateStrategy"]["paused"])
    wait_settled(stage)
    turned = proof.at_image(stage.history, "5.0.2")
    assert 2 <= len(turned) < 5
    assert_nothing_starts_while_paused(stage)
    assert_quiet(stage, 6)

    stage.plan(paused=False)
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 4]
    assert {restarts(pod) for pod in stage.history.objects("Pod").values()} == {1}
    assert_always_ready(stage, started)


def assert_nothing_starts_while_paused(stage):
    """From OpenKruise's acknowledgement on no pod turns."""
    turned = None
    for _, moment in proof.moments(stage.history, "web"):
        seen = moment.cloneset
        acknowledged = (seen.get("status", {}).get("observedGeneration")
                        == seen["metadata"]["generation"])
        if not (seen["spec"]["updateStrategy"].get("paused") and acknowledged):
            continue
        now = {name for name, pod in moment.pods.items() if image_of(pod) == "5.0.2"}
        assert turned is None or now == turned
        turned = now
    assert turned


def test_target_changed_in_the_middle_of_a_batch(stage):
    """The roll to v2 is abandoned where it stands, and all go to v3 from there."""
    begin(stage, 1, 2, 2)
    wait_turned(stage, 2)
    started = stage.history.number()
    stage.record(3, component(version="5.0.3"))
    stage.put(rollout("shop-v3", "shop-v1", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    assert_all_run(stage, "5.0.3")
    assert stage.event("RolloutAbandoned", "from shop-v2 to shop-v3")
    way = proof.trace(stage.history, "roll", started)
    left = way.index("RolloutAbandoning")
    assert way[left + 1:] == proof.way_of(3) or way[left:].count("RolloutLocating") == 1
    assert proof.update_batches(stage.history, "web", "5.0.3") == [1, 2, 2]
    assert len(proof.turned_to(stage.history, "web", "5.0.2")) <= 3
    assert_always_ready(stage, started)


@pytest.mark.real("counts what a kubelet restarts")
def test_rolled_back_in_the_middle_of_a_batch(stage):
    """Source and target are swapped: those that have changed come back, the others never move."""
    begin(stage, 1, 2, 2)
    wait_turned(stage, 2)
    started = stage.history.number()
    stage.put(rollout("shop-v1", "shop-v2", batches=[1, 2, 2]))
    stage.wait_state("rolloutSucceed")
    assert_all_run(stage, "4.0.6")
    moved = proof.turned_to(stage.history, "web", "5.0.2")
    assert 2 <= len(moved) <= 3
    pods = stage.history.objects("Pod")
    assert {name: restarts(pod) for name, pod in pods.items()} == {
        name: 2 if name in moved else 0 for name in pods}
    assert stage.event("RolloutAbandoned", "from shop-v2 to shop-v1")
    assert_always_ready(stage, started)


def test_deleted_in_the_middle_of_a_batch(stage):
    """The workload stays where it is, settled and free; nothing is stuck."""
    begin(stage, 1, 2, 2)
    started = stage.history.number()
    wait_turned(stage, 2)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    wait_settled(stage)
    assert HOLDER not in cloneset(stage)["metadata"]["annotations"]
    assert 2 <= len(proof.at_image(stage.history, "5.0.2")) <= 3
    assert_quiet(stage)
    assert_always_ready(stage, started)


def test_reverted_on_delete_in_the_middle_of_a_batch(stage):
    """With revertOnDelete all pods go back to the source at once."""
    begin(stage, 1, 2, 2, revert=True)
    started = stage.history.number()
    wait_turned(stage, 2)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    stage.wait("all are back", lambda: len(proof.at_image(stage.history, "4.0.6")) == 5)
    assert_all_run(stage, "4.0.6")
    assert HOLDER not in cloneset(stage)["metadata"]["annotations"]
    assert not cloneset(stage)["spec"]["updateStrategy"].get("paused")
    assert_quiet(stage)
    assert_always_ready(stage, started)


def test_deleted_after_its_end(stage):
    """A rollout that has ended holds nothing, so nothing moves when it goes, also with
    revertOnDelete."""
    begin(stage, 5, revert=True)
    stage.wait_state("rolloutSucceed")
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    assert_quiet(stage)
    assert_all_run(stage, "5.0.2")


def test_deleted_with_its_application(stage):
    """A revision that is gone doesn't hold the finalizer."""
    begin(stage, 1, 2, 2)
    wait_turned(stage, 2)
    for name in stage.names("ApplicationRevision"):
        stage.delete("ApplicationRevision", name)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    wait_settled(stage)
    assert HOLDER not in cloneset(stage)["metadata"]["annotations"]
    assert_quiet(stage)
