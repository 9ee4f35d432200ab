# SPDX-License-Identifier: Apache-2.0
"""A second writer that takes the hold off: it is put back and told of, and only pods that were moved in
between have moved; in the end all goes on as planned."""

import pytest

from harness import apps
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.objects import component, rollout
from harness.writer import Writer

API = {"CloneSet": "apps.kruise.io/v1alpha1", "StatefulSet": "apps/v1"}
HOLDS = {
    "CloneSet": {"updateStrategy": {"partition": 0}},
    "StatefulSet": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}},
}


def held(stage, kind):
    """Five pods, of which the first batch has brought one to the new revision."""
    if kind == "CloneSet":
        stage.controller()
        make = component
    else:
        stage.controller(adapters=apps.adapter(kind.lower()))
        apps.define(stage, kind, "replicas: parameter.replicas")
        make = apps.app
    fake = {"replicas": 5, "fake": True}
    stage.record(1, make(version="4.0.6", **fake))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.record(2, make(version="5.0.2", **fake))
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 2, 2], batchPartition=0))
    stage.wait_reason("PartitionReached")


def copy_of(kind) -> dict:
    return {"apiVersion": API[kind], "kind": kind, "metadata": {"name": "web"},
            "spec": HOLDS[kind]}


@pytest.mark.parametrize("how", ["force", "merge"])
@pytest.mark.parametrize("kind", list(API))
def test_hold_is_put_back(stage, kind, how):
    held(stage, kind)
    writer = Writer(stage, kind, "web", copy_of(kind), how, every=3600)
    try:
        assert stage.event("HoldTakenOff", "gitops")
    finally:
        writer.close()
    assert writer.writes == 1
    stage.wait("the hold is back", lambda: any(
        stage.history.now(kind, "web")["spec"][part] != wrong
        for part, wrong in HOLDS[kind].items()), 30)
    stage.wait("its controller has seen that", lambda: all(
        seen["status"]["observedGeneration"] == seen["metadata"]["generation"]
        for seen in [stage.history.now(kind, "web")]), 30)
    apps.wait_settled(stage, kind, 5)
    apps.assert_quiet(stage, kind)
    assert len(apps.at(stage, "4.0.6")) >= 2
    stage.plan(batchPartition=2)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 5)
    assert apps.HOLDER not in stage.history.now(kind, "web")["metadata"]["annotations"]


def test_without_force_nothing_happens(stage):
    held(stage, "StatefulSet")
    writer = Writer(stage, "StatefulSet", "web", copy_of("StatefulSet"), "apply")
    try:
        stage.wait("it was refused", lambda: writer.conflicts >= 2, 30)
    finally:
        writer.close()
    assert writer.writes == 0
    assert len(apps.at(stage, "5.0.2")) == 1
