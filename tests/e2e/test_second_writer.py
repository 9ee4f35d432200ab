# SPDX-License-Identifier: Apache-2.0
"""A second writer that takes the hold off: it is put back and told of, and only pods that were moved in
between have moved; in the end all goes on as planned."""

from contextlib import nullcontext

import pytest

from harness import apps, daemons, history
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.nodes import nodes_of
from harness.objects import RESOURCES, component, definition, rollout
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


KRUISE = "apps.kruise.io/"
ROLLING = "updateStrategy: {type: \"RollingUpdate\", rollingUpdate: maxUnavailable: 1}"
SIZED = "replicas: parameter.replicas"
FREE = {"updateStrategy": {"rollingUpdate": {"partition": 0}}}
LOOSE = {"strategy": {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": "100%"}}}
OLD = {"template": {"spec": {"containers": [{"name": "web", "image": "stefanprodan/podinfo:4.0.6"}]}}}

# adapter, API version, kind, its spec in CUE, how the other writes, his copy's spec, what is told
TABLE = [
    ("deployment", "apps/v1", "Deployment", SIZED, "merge", LOOSE, "spec.strategy"),
    ("deployment", "apps/v1", "Deployment", SIZED, "update", {**LOOSE, "minReadySeconds": 0},
     "minReadySeconds"),
    ("daemonset", "apps/v1", "DaemonSet", ROLLING, "update",
     {"updateStrategy": {"type": "RollingUpdate"}}, "updateStrategy"),
    ("advanced-statefulset", KRUISE + "v1beta1", "StatefulSet", SIZED, "update",
     {**FREE, "replicas": 6}, "partition"),
    ("advanced-daemonset", KRUISE + "v1alpha1", "DaemonSet", ROLLING, "force", FREE, "partition"),
    ("statefulset", "apps/v1", "StatefulSet", SIZED, "merge", {**FREE, **OLD}, None),
]


def begin(stage, adapter, api, kind, fields):
    """Five pods, of which the first batch has brought one to the new revision."""
    if kind == "DaemonSet":
        web = daemons.Daemons(stage, adapter, api, fields)
        web.start(5)
        web.roll(1, 2, 2, batchPartition=0)
    else:
        stage.controller(adapters=apps.adapter(adapter))
        template = (apps.TEMPLATE % (kind, fields)).replace("apps/v1", api)
        stage.put(definition("app", template, kind, api))
        stage.record(1, apps.app("4.0.6"))
        stage.put(rollout("shop-v1", numBatches=1))
        stage.wait_state("rolloutSucceed")
        stage.record(2, apps.app("5.0.2"))
        stage.put(rollout("shop-v2", "shop-v1", batches=[1, {}], batchPartition=0))
    stage.wait_reason("PartitionReached")


OPENKRUISES = pytest.mark.real("a sandbox has CloneSets, but OpenKruise's other controllers not")


@pytest.mark.parametrize("adapter, api, kind, fields, how, spec, told", [
    pytest.param(*row, marks=OPENKRUISES if "advanced" in row[0] else ()) for row in TABLE],
                         ids=[f"{row[0]}-{row[4]}-{row[6]}" for row in TABLE])
def test_any_writer(stage_of, adapter, api, kind, fields, how, spec, told):
    """He writes once, and the roll ends as planned; of another template nothing is called a success
    before it is the target's again."""
    stage = stage_of(api, kind)
    with nodes_of(stage, "abcde") if kind == "DaemonSet" else nullcontext():
        begin(stage, adapter, api, kind, fields)
        size = spec.get("replicas", 5)
        copy = {"apiVersion": api, "kind": kind, "metadata": {"name": "web"}, "spec": spec}
        writer = Writer(stage, kind, "web", copy, how, every=3600)
        try:
            if told:
                assert stage.event("HoldTakenOff", told)
            else:
                stage.wait_reason("TemplateChanged")
        finally:
            writer.close()
        if not told:
            stage.patch(kind, "web", [{"op": "replace", "value": "stefanprodan/podinfo:5.0.2",
                                       "path": "/spec/template/spec/containers/0/image"}])
        stage.plan(batchPartition=None)
        stage.wait_state("rolloutSucceed")
        apps.wait_all_ready(stage, "5.0.2", size)
        assert apps.HOLDER not in stage.history.now(kind, "web")["metadata"]["annotations"]


@pytest.fixture
def stage_of(cluster, account, tmp_path, monkeypatch):
    """A stage whose history holds the kind."""
    from conftest import open_stage
    stages = []

    def make(api, kind):
        path = f"/apis/{api}/namespaces/{{}}/{kind.lower()}s"
        monkeypatch.setitem(RESOURCES, kind, path)
        monkeypatch.setitem(history.KINDS, kind, path)
        stages.append(open_stage(cluster, account, tmp_path))
        return stages[0]

    yield make
    for stage in stages:
        stage.close()
