# SPDX-License-Identifier: Apache-2.0
"""The design's own example, verbatim and in order, on real pods."""

from cluster import audit
from harness import proof
from harness.objects import image_of, is_current, restarts, running_image, state
from harness.stage import SEED, describe_write

CLONESET = "metrics-provider"
ROLLOUT = "rolling-example"


def roll_to_v1(stage):
    """Steps 1 to 3 of the design document."""
    stage.cluster.apply_files(SEED / "componentdefinition-clonesetservice.yaml")
    stage.apply_seed("application-v1.yaml")
    stage.wait_revision("test-rolling-v1")
    stage.apply_seed("approllout-to-v1.yaml")
    done = stage.wait_state("rolloutSucceed", ROLLOUT)
    stage.history.catch_up()
    return done


def record_v2(stage):
    stage.apply_seed("application-v2.yaml")
    stage.wait_revision("test-rolling-v2")


def status_of(rollout, *keys):
    return {key: rollout["status"].get(key) for key in keys}


def test_seed_in_order(stage):
    stage.controller(everywhere=True)
    first = roll_to_v1(stage)
    check_first_deployment(stage, first)

    before = proof.identities(stage.history)
    started = stage.history.number()
    record_v2(stage)
    stage.apply_seed("approllout-v1-to-v2.yaml")
    second = stage.wait_state("rolloutSucceed", ROLLOUT)
    stage.history.catch_up()
    check_roll(stage, first, second, before, started)


def check_first_deployment(stage, rollout):
    """10%, 40% and 50% of 5 pods: 1, 2 and 2."""
    history = stage.history
    assert proof.sizes(history, CLONESET) == [0, 1, 3, 5]
    assert proof.creation_batches(history, CLONESET) == [1, 2, 2]
    assert proof.trace(history, ROLLOUT) == proof.way_of(3)
    proof.assert_in_order(proof.states(history, ROLLOUT), 3)
    assert status_of(rollout, "rolloutOriginalSize", "rolloutTargetSize", "upgradedReplicas",
                     "upgradedReadyReplicas", "lastTargetAppRevision", "LastSourceAppRevision") == {
        "rolloutOriginalSize": 0, "rolloutTargetSize": 5, "upgradedReplicas": 5,
        "upgradedReadyReplicas": 5, "lastTargetAppRevision": "test-rolling-v1",
        "LastSourceAppRevision": None}
    assert {image_of(pod) for pod in history.objects("Pod").values()} == {"4.0.6"}


def check_roll(stage, first, rollout, before, started):
    """1, 2 and 2 of 5 pods, in place."""
    history = stage.history
    assert proof.update_batches(history, CLONESET, "5.0.2") == [1, 2, 2]
    assert proof.goals(history, CLONESET, "5.0.2") == [0, 1, 3, 5]
    check_in_place(history, before, started)
    check_always_ready(history, started)
    assert proof.trace(history, ROLLOUT, started, proof.last_time(first)) == proof.way_of(3)
    current = [version for version in history.versions("AppRollout", ROLLOUT, started)
               if is_current(version.object)]
    proof.assert_in_order(proof.states(history, ROLLOUT, current[0].number - 1), 3)
    check_final_status(history, rollout)
    check_workload_is_free(history)
    assert_quiet(stage, 2)
    if stage.cluster.is_real:  # a sandbox keeps no audit log
        check_price(stage, started)


def check_in_place(history, before, started):
    """The same pods, each container ended and started once."""
    assert proof.identities(history) == before
    for name, pod in history.objects("Pod").items():
        assert (image_of(pod), running_image(pod), restarts(pod)) == ("5.0.2", "5.0.2", 1), name
        assert len(proof.containers(history, name)) == 2, name


def check_always_ready(history, started):
    """The plan takes nothing from what the CloneSet itself allows: 5 less 20%."""
    allowed = proof.floor(history.now("CloneSet", CLONESET))
    assert allowed == 4
    assert proof.fewest_ready(history, CLONESET, started) >= allowed


def check_final_status(history, rollout):
    revision = history.now("CloneSet", CLONESET)["status"]["updateRevision"]
    assert status_of(rollout, "rollingState", "batchRollingState", "currentBatch",
                     "rolloutOriginalSize", "rolloutTargetSize", "upgradedReplicas",
                     "upgradedReadyReplicas", "lastTargetAppRevision", "LastSourceAppRevision",
                     "targetGeneration", "lastAppliedPodTemplateIdentifier") == {
        "rollingState": "rolloutSucceed", "batchRollingState": "batchReady", "currentBatch": 2,
        "rolloutOriginalSize": 5, "rolloutTargetSize": 5, "upgradedReplicas": 5,
        "upgradedReadyReplicas": 5, "lastTargetAppRevision": "test-rolling-v2",
        "LastSourceAppRevision": "test-rolling-v1", "targetGeneration": revision,
        "lastAppliedPodTemplateIdentifier": revision}
    conditions = {c["type"]: c["status"] for c in rollout["status"]["conditions"]}
    assert conditions == {kind: "True" for kind in proof.way_of(1)}
    assert state(rollout) == "rolloutSucceed"


def check_workload_is_free(history):
    """Given back: nobody holds it, and it is as its owner wants it."""
    cloneset = history.now("CloneSet", CLONESET)
    assert "rollout.sluice.dev/holder" not in cloneset["metadata"]["annotations"]
    strategy = cloneset["spec"]["updateStrategy"]
    assert proof.kept(cloneset) == 0 and not strategy.get("paused")
    assert strategy["type"] == "InPlaceIfPossible"


def check_price(stage, started):
    """At most 12 writes and 5 Events for the roll, by the audit log. Pods that take their time cost a write more
    every five seconds, to tell how far they are."""
    applied = [write for write in stage.cluster.writes(user_agent="kubectl", resource="approllouts")
               if write["objectRef"].get("namespace") == stage.namespace]
    writes = stage.writes("approllouts", "clonesets",
                          since=applied[-1]["requestReceivedTimestamp"])
    told = proof.progress_told(stage.history, ROLLOUT, started)
    events = [version for version in stage.history.versions("Event", since=started)
              if version.object["involvedObject"]["kind"] == "AppRollout"]
    print("\n".join(map(describe_write, writes)),
          f"\n{len(writes)} writes, {len(told)} of them for progress alone, {len(events)} Events")
    assert len(events) <= 5
    assert len(writes) - len(told) <= 12
    first, last = (writes[at]["requestReceivedTimestamp"] for at in (0, -1))
    assert len(told) <= audit.seconds_between(first, last) / 5


def test_overview_stops_at_its_partition(stage):
    """1, 50%, 50% with batchPartition 1: stops with 4 upgraded, and goes on when it is raised."""
    stage.controller(everywhere=True)
    roll_to_v1(stage)
    before, started = proof.identities(stage.history), stage.history.number()
    record_v2(stage)
    stage.apply_seed("approllout-overview.yaml")
    stage.wait_status(ROLLOUT, rollingState="rollingInBatches", batchRollingState="batchReady",
                      currentBatch=1, upgradedReplicas=4, upgradedReadyReplicas=4)
    why = stage.wait_reason("PartitionReached", ROLLOUT)
    assert why["field"] == "spec.rolloutPlan.batchPartition"
    assert_quiet(stage, 10)

    stage.plan(ROLLOUT, batchPartition=2)
    stage.wait_state("rolloutSucceed", ROLLOUT)
    stage.history.catch_up()
    assert proof.update_batches(stage.history, CLONESET, "5.0.2") == [1, 3, 1]
    check_in_place(stage.history, before, started)
    check_always_ready(stage.history, started)


def assert_quiet(stage, seconds):
    """Nothing of the workload, and nothing of the rollout, is changed for so long."""
    stage.history.catch_up()
    since = stage.history.number()
    changes = stage.history.quiet(since, seconds, "CloneSet", "Pod", "AppRollout")
    assert not changes, changes[0]
