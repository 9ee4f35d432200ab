# SPDX-License-Identifier: Apache-2.0
"""The verbs of the terminal that ask the controller for something, and what is recorded of it."""

import json
import subprocess

import pytest

from harness import apps, proof
from harness.controller import SLUICE
from harness.followed import KINDS, SIZE
from harness.objects import component, rollout, state


@pytest.fixture
def ask(stage, cluster):
    """Runs `sluice` as the cluster's administrator; returns what it prints."""
    def run(*words) -> str:
        return sluice(cluster, stage, *words)
    return run


def sluice(cluster, stage, *words) -> str:
    done = subprocess.run([SLUICE, *words, "--kubeconfig", cluster.kubeconfig, "-n", stage.namespace],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rolls_of(found) -> list:
    """Verdict and target of each, the oldest first."""
    return [(roll.get("verdict"), roll["target"]) for roll in found["status"].get("history", [])]


def begin(stage, *batches, **options):
    """shop-v1 is there, on pods that are ready at once; shop-v2 is on its way."""
    stage.controller()
    stage.deploy(fake=True)
    stage.record(2, component(version="5.0.2", fake=True))
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **options))


def test_aborted_and_retried(stage, ask):
    begin(stage, 2, 3, batchPartition=0)
    stage.wait_reason("PartitionReached")
    said = ask("abort", "roll")
    assert said.startswith("AppRollout roll: batch 1 of 2 stops where it stands, with 2 of 5 pods at ")
    found = stage.wait_state("rolloutFailed")
    assert "has aborted it in batch 1; the workload stays" in found["status"]["reason"]["message"]
    stage.event("RolloutFailing", "has aborted it")
    cloneset = stage.get("CloneSet", "web")
    assert "rollout.sluice.dev/holder" not in cloneset["metadata"]["annotations"]
    stage.plan(batchPartition=1)  # an edit alone begins nothing
    stage.history.catch_up()
    changes = stage.history.quiet(stage.history.number(), 4, "CloneSet", "Pod")
    assert not changes and len(proof.at_image(stage.history, "5.0.2")) == 2

    assert "the roll to shop-v2 begins anew in 2 batches" in ask("retry", "roll")
    found = stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    assert len(proof.at_image(stage.history, "5.0.2")) == 5
    assert rolls_of(found) == [("Succeeded", "shop-v1"), ("Aborted", "shop-v2"),
                               ("Succeeded", "shop-v2")]
    first, aborted, retried = found["status"]["history"]
    assert "asked" not in first
    assert [asked["verb"] for asked in aborted["asked"]] == ["abort"]
    assert [asked["verb"] for asked in retried["asked"]] == ["retry"]
    assert (aborted["batches"], aborted["batchesDone"], aborted["upgraded"]) == (2, 1, 2)
    assert (retried["batchesDone"], len(retried["batchSeconds"])) == (2, 2)
    told = json.loads(ask("history", "roll", "-o", "json"))
    assert told["components"][0]["history"] == found["status"]["history"]


def test_what_was_wished_is_done_once(stage, ask):
    """Whoever takes over finds the wish answered."""
    begin(stage, 2, 3, batchPartition=0)
    stage.wait_reason("PartitionReached")
    ask("abort", "roll")
    stage.wait_state("rolloutFailed")
    ask("retry", "roll")
    stage.wait_reason("PartitionReached")
    stage.controllers[0].kill()
    ask("abort", "roll")
    assert "has asked for that already" in ask("abort", "roll")
    stage.controller()
    found = stage.wait_state("rolloutFailed")
    assert rolls_of(found) == [("Succeeded", "shop-v1"), ("Aborted", "shop-v2"),
                               ("Aborted", "shop-v2")]
    history = stage.history
    assert not history.quiet(history.number(), 3, "AppRollout")


def test_the_record_of_a_rollback(stage, ask):
    begin(stage, 2, 3, batchPartition=0)
    stage.wait_reason("PartitionReached")
    ask("approve", "roll")
    stage.wait_state("rolloutSucceed")
    stage.plan(batchPartition=0)
    ask("rollback", "roll")
    stage.wait_reason("PartitionReached")
    stage.patch("AppRollout", "roll", {"spec": {"targetAppRevisionName": "shop-v2",
                                                "sourceAppRevisionName": "shop-v1"}})
    found = stage.wait("three rolls", lambda: (lambda it: it if len(rolls_of(it)) == 4 and state(
        it) == "rollingInBatches" else None)(stage.rollout()))
    assert rolls_of(found) == [("Succeeded", "shop-v1"), ("Succeeded", "shop-v2"),
                               ("Abandoned", "shop-v1"), (None, "shop-v2")]
    asked = [[asking["verb"] for asking in roll.get("asked", [])]
             for roll in found["status"]["history"]]
    assert asked == [[], ["approve"], ["rollback"], []]


@pytest.fixture
def web(follow):
    return follow(KINDS["deployment"])


def test_a_rollout_aborted_and_retried(web, cluster):
    web.take(1, 4, batchPartition=0)
    web.set_image("5.0.2")
    web.wait_batch(0)
    sluice(cluster, web.stage, "abort", "web")
    web.stage.wait("it has failed", lambda: web.status().get("rollingState") == "rolloutFailed", 30)
    web.assert_quiet()
    assert web.at("5.0.2") == 1
    web.plan(batchPartition=1)
    sluice(cluster, web.stage, "retry", "web")
    web.wait_held()
    apps.wait_all_ready(web.stage, "5.0.2", SIZE)
    assert [roll["verdict"] for roll in web.status()["history"]] == ["Aborted", "Succeeded"]


def test_a_rollout_restarted(web, cluster):
    """New pods of the same image, batch by batch."""
    web.take(2, 3, batchPartition=0)
    before = set(web.identities().values())
    sluice(cluster, web.stage, "restart", "web")
    web.wait_batch(0)
    web.assert_quiet()
    assert len(set(web.identities().values()) - before) == 2
    web.plan(batchPartition=1)
    web.wait_held(web.status()["LastSourceAppRevision"])
    apps.wait_all_ready(web.stage, "4.0.6", SIZE)
    web.stage.history.catch_up()
    assert not set(web.identities().values()) & before
    roll, = web.status()["history"]
    assert [asked["verb"] for asked in roll["asked"]] == ["restart"]
