# SPDX-License-Identifier: Apache-2.0
"""Webhooks: a receiver on loopback, and a roll that has to ask it."""

import re

import pytest

from harness import proof
from harness.controller import config_text
from harness.objects import component, is_ready, rollout

TRACE = re.compile(r"00-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-01")
KINDS = ["initialize-rollout", "pre-batch-rollout", "post-batch-rollout", "finalize-rollout"]


def begin(stage, plan_hooks, batches=(2, 3), **settings):
    """shop-v1 is there, on pods that are ready at once; shop-v2 has to ask."""
    controller = stage.controller(**settings)
    stage.deploy(fake=True, maxUnavailable=5)
    stage.record(2, component(version="5.0.2", fake=True, maxUnavailable=5))
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), rolloutWebhooks=plan_hooks))
    return controller


def test_all_four_are_called_in_order(stage, receiver):
    own = {"replicas": 3, "batchRolloutWebhooks": [
        receiver.hook("pre-batch-rollout", "second-batch", metadata={"who": "batch"})]}
    begin(stage, [receiver.hook(kind, metadata={"team": "shop"}) for kind in KINDS], [2, own])
    stage.wait_state("rolloutSucceed")
    assert receiver.paths() == [
        "initialize-rollout", "pre-batch-rollout", "post-batch-rollout", "pre-batch-rollout",
        "second-batch", "post-batch-rollout", "finalize-rollout"]
    assert [call.body["phase"] for call in receiver.calls] == [
        "initializing", "batchInitializing", "batchFinalizing", "batchInitializing",
        "batchInitializing", "batchFinalizing", "finalising"]
    for call in receiver.calls:
        assert call.method == "POST" and call.headers["Content-Type"] == "application/json"
        assert call.headers["Sluice-Attempt"] == "1"
        assert call.body == {"name": "roll", "namespace": stage.namespace,
                             "phase": call.body["phase"], "metadata": call.body["metadata"]}
    assert [call.body["metadata"] for call in receiver.calls if call.path != "second-batch"] == [
        {"team": "shop"}] * 6
    assert receiver.calls[4].body["metadata"] == {"who": "batch"}
    keys = [call.headers["Idempotency-Key"] for call in receiver.calls]
    assert len(set(keys)) == len(keys)
    traces = [TRACE.fullmatch(call.headers["traceparent"]) for call in receiver.calls]
    assert len({trace["trace"] for trace in traces}) == 1
    assert len({trace["span"] for trace in traces}) == len(traces)


def test_methods_and_expected_statuses(stage, receiver):
    receiver.answers = {"get": [418], "put": [201]}
    begin(stage, [receiver.hook("initialize-rollout", "get", method="GET", expectedStatus=[418]),
                  receiver.hook("initialize-rollout", "put", method="PUT")])
    stage.wait_state("rolloutSucceed")
    assert [(call.method, call.path) for call in receiver.calls] == [("GET", "get"), ("PUT", "put")]
    assert receiver.calls[0].body is None and receiver.calls[1].body["name"] == "roll"


def test_no_pod_moves_while_a_hook_is_waited_for(stage, receiver):
    receiver.answers = {"pre-batch-rollout": [None]}
    begin(stage, [receiver.hook("pre-batch-rollout")])
    receiver.wait("the hook is called", lambda: receiver.calls)
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 3, "Pod", "CloneSet")
    assert proof.at_image(stage.history, "5.0.2") == []


def test_rejected_before_a_batch(stage, receiver):
    """403 before the second batch: the batch has failed, the rollout fails and the workload is
    frozen where it is, with 2 of 5 changed."""
    receiver.answers = {"pre-batch-rollout": [200, 403]}
    begin(stage, [receiver.hook("pre-batch-rollout"), receiver.hook("finalize-rollout")])
    failed = stage.wait_state("rolloutFailed")
    message = failed["status"]["reason"]["message"]
    assert "pre-batch-rollout" in message and "403" in message and "so it is" in message
    assert failed["status"]["batchRollingState"] == "batchVerifyFailed"
    assert failed["status"]["currentBatch"] == 1
    way = proof.trace(stage.history, "roll")
    assert way[way.index("BatchRolloutFailed"):][:1] + [step for step in way if step in (
        "RolloutFailing", "RolloutFailed")] == ["BatchRolloutFailed", "RolloutFailing",
                                                "RolloutFailed"]
    assert receiver.paths()[-1] == "finalize-rollout"
    assert stage.event("RolloutFailed", "403")["type"] == "Warning"
    assert_frozen(stage, 2)
    assert receiver.paths().count("pre-batch-rollout") == 2


def test_rejected_at_the_start(stage, receiver):
    """Nothing has been touched when initialize-rollout is refused."""
    receiver.answers = {"initialize-rollout": [400]}
    begin(stage, [receiver.hook("initialize-rollout")])
    failed = stage.wait_state("rolloutFailed")
    assert "400" in failed["status"]["reason"]["message"]
    assert_frozen(stage, 0)


def test_rejected_after_a_batch(stage, receiver):
    receiver.answers = {"post-batch-rollout": [409]}
    begin(stage, [receiver.hook("post-batch-rollout")])
    failed = stage.wait_state("rolloutFailed")
    assert failed["status"]["batchRollingState"] == "batchVerifyFailed"
    assert_frozen(stage, 2)


def assert_frozen(stage, updated):
    """Nobody holds the workload, and nothing of it moves any more."""
    stage.wait("the pods are ready", lambda: all(
        is_ready(pod) for pod in stage.history.objects("Pod").values()))
    stage.history.catch_up()
    assert not stage.history.quiet(stage.history.number(), 2, "CloneSet", "Pod")
    cloneset = stage.history.now("CloneSet", "web")
    assert "rollout.sluice.dev/holder" not in cloneset["metadata"]["annotations"]
    assert len(proof.at_image(stage.history, "5.0.2")) == updated


def test_a_failed_rollout_goes_on_with_a_new_target(stage, receiver):
    receiver.answers = {"pre-batch-rollout": [200, 403]}
    begin(stage, [receiver.hook("pre-batch-rollout")])
    stage.wait_state("rolloutFailed")
    stage.put(rollout("shop-v1", "shop-v2", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    assert len(proof.at_image(stage.history, "4.0.6")) == 5


def test_trouble_is_called_again(stage, receiver):
    """503, 429 and 408 are not a no. It is told, it is repeated with the same body and key, and the
    time between grows."""
    receiver.answers = {"pre-batch-rollout": [503, 429, 408, 200]}
    begin(stage, [receiver.hook("pre-batch-rollout")], [5])
    why = stage.wait_reason("HookTrouble")
    assert "pre-batch-rollout" in why["message"]
    stage.wait_state("rolloutSucceed")
    calls = receiver.calls
    assert len(calls) == 4
    assert [call.headers["Sluice-Attempt"] for call in calls] == ["1", "2", "3", "4"]
    assert len({call.headers["Idempotency-Key"] for call in calls}) == 1
    assert all(call.body == calls[0].body for call in calls)
    pauses = [after.at - before.at for before, after in zip(calls, calls[1:])]
    assert pauses[0] > 0.8 and pauses[1] > pauses[0] and pauses[2] > pauses[1]


def test_no_answer_is_called_again(stage, receiver):
    receiver.answers = {"pre-batch-rollout": [None, 200]}
    begin(stage, [receiver.hook("pre-batch-rollout")], [5], hooks={"timeoutSeconds": 1})
    stage.wait_state("rolloutSucceed")
    assert len(receiver.calls) == 2


def test_killed_while_a_hook_is_waited_for(stage, receiver):
    """The new process asks again, and the receiver can tell that it is the same question."""
    receiver.answers = {"post-batch-rollout": [None, 200]}
    controller = begin(stage, [receiver.hook("post-batch-rollout")], [2, 3])
    receiver.wait("the hook is called", lambda: receiver.calls)
    controller.restart_after_kill()
    stage.wait_state("rolloutSucceed")
    first, again, other = receiver.calls
    assert first.headers["Idempotency-Key"] == again.headers["Idempotency-Key"]
    assert first.body == again.body
    assert other.headers["Idempotency-Key"] != first.headers["Idempotency-Key"]
    assert proof.update_batches(stage.history, "web", "5.0.2") == [2, 3]


def test_deletion_does_not_wait_for_a_hook(stage, receiver):
    """A hook that never answers holds the batch, but not the way out."""
    receiver.answers = {"pre-batch-rollout": [None]}
    begin(stage, [receiver.hook("pre-batch-rollout")])
    receiver.wait("the hook is called", lambda: receiver.calls)
    stage.delete("AppRollout", "roll")
    stage.wait("the rollout is gone", lambda: stage.rollout() is None, 20)
    assert_frozen(stage, 0)


def test_a_hook_goes_where_the_config_lets_it(stage, receiver):
    """Not to loopback, unless the list has it: the rollout waits and names the key, and goes on once
    the config is changed."""
    controller = begin(stage, [receiver.hook("pre-batch-rollout")], [5],
                       hooks={"allow": ["gates.shop.svc"]})
    why = stage.wait_reason("HookTrouble")
    assert "isn't called: hooks.allow in the config lets hooks go to gates.shop.svc" in why["message"]
    assert not receiver.calls
    allowed = {"allow": ["gates.shop.svc", receiver.url("pre-batch-rollout")]}
    controller.configure(config_text(namespace=stage.namespace, hooks=allowed))
    stage.wait_state("rolloutSucceed")
    assert receiver.paths() == ["pre-batch-rollout"]
