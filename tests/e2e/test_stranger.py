# SPDX-License-Identifier: Apache-2.0
"""An adapter by somebody who has the installed SDK and a compiler and nothing else of Sluice: built,
checked, enabled in a running controller, and replaced by its next version in the middle of a roll.
This is the way of docs/adapter-guide.md, with its own files."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest
from cluster.cluster import wait_for

from conftest import ROOT
from harness.controller import BUILD, config_text
from harness.objects import component, definition, rollout

sys.path.append(str(ROOT / "tests" / "sdk"))
from stranger import Stranger  # noqa: E402

pytestmark = pytest.mark.real("adds to the controller's rights")

TRY = ROOT / "examples" / "out-of-tree" / "try"
WIDGETS = "/apis/example.com/v1/namespaces/{}/widgets"
EXAMPLE = "share/doc/sluice/examples/out-of-tree"


@pytest.fixture
def stranger(tmp_path):
    return Stranger(tmp_path / "machine")


@pytest.fixture
def widgets(stage):
    """A stage with Widgets and their controller."""
    stage.cluster.kubectl("apply", "-f", str(TRY / "crd.yaml"))
    stage.cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s",
                          "crd/widgets.example.com")
    stage.history.add("Widget", WIDGETS)
    put(stage, "componentdefinition")
    process = subprocess.Popen([TRY / "widget-controller", "--namespace", stage.namespace],
                               env=kubectl_environment(stage), start_new_session=True,
                               stdout=subprocess.DEVNULL)
    yield stage
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()


def kubectl_environment(stage) -> dict:
    """As `eval "$(tests/cluster/env)"` sets it."""
    text = subprocess.run([ROOT / "tests" / "cluster" / "env", "--name", stage.cluster.name],
                          check=True, text=True, stdout=subprocess.PIPE).stdout
    printed = subprocess.run(["sh", "-c", f'{text}\nenv -0'], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return dict(pair.split("=", 1) for pair in printed.split("\0") if pair)


def put(stage, name: str) -> None:
    stage.cluster.kubectl("--namespace", stage.namespace, "apply", "-f", str(TRY / f"{name}.yaml"))


def adapter_file(stranger, name: str):
    """Where a file in the stranger's adapter directory stands on our machine."""
    folder = stranger.run("pkg-config --variable=adapterdir sluice-adapter").strip()
    return stranger.file(f"{folder}/{name}")


def enable(stage, controller, **entry) -> None:
    """Edits the config of the running controller, after giving it the rights that go with it."""
    text = config_text([{"name": "cloneset"}, {"name": "widget", **entry}],
                       namespace=stage.namespace)
    draft = controller.config.with_name("draft.yaml")
    draft.write_text(text)
    stage.grant(draft, "widgets.example.com")
    draft.replace(controller.config)


def wait_handled(stage, controller, version: str) -> None:
    """Until the controller says that this version is in force."""
    wait_for(f"version {version} handles Widgets", lambda: any(
        f"handled by adapter widget, version {version}" in line.get("message", "")
        for line in controller.log_lines()), 30)


def goals(stage) -> list:
    """How many pods might be at the new recipe, in the order in which that was asked for."""
    found = []
    for version in stage.history.versions("Widget"):
        spec = version.object["spec"]
        if spec["recipe"] == "fancy":
            goal = spec["replicas"] - spec.get("heldBack", 0)
            found += [goal] if found[-1:] != [goal] else []
    return found


def test_from_an_empty_machine_to_the_next_version_in_the_middle_of_a_roll(widgets, stranger):
    stage = widgets
    controller = stage.controller(adapters=[{"name": "cloneset"}])
    put(stage, "application-v1")
    stage.wait_revision("workshop-v1")
    put(stage, "approllout-v1")
    why = stage.wait_reason("KindUnknown", "lathes")
    assert "no adapter handles example.com/v1 Widget" in why["message"]

    stranger.run(f"cp -r {stranger.prefix}/{EXAMPLE} mine && make -C mine check install")
    enable(stage, controller, file=str(adapter_file(stranger, "widget.so")))
    stage.wait_state("rolloutSucceed", "lathes")
    wait_handled(stage, controller, "1.0.0")

    put(stage, "application-v2")
    stage.wait_revision("workshop-v2")
    put(stage, "approllout-v2")
    stage.wait_reason("PartitionReached", "lathes")
    assert goals(stage) == [0, 1]

    second = build_second(stranger)
    enable(stage, controller, file=str(second),
           sha256=hashlib.sha256(second.read_bytes()).hexdigest())
    wait_handled(stage, controller, "2.0.0")
    stage.plan("lathes", batchPartition=None)
    stage.wait_state("rolloutSucceed", "lathes")
    stage.history.catch_up()
    assert goals(stage) == [0, 1, 3, 5]
    assert None in stewards(stage, 1)
    assert [stewards(stage, goal) for goal in (3, 5)] == [{"two"}, {"two"}]
    assert controller.alive() and controller.starts == 1


def build_second(stranger):
    """Version 2 leaves a sign of itself in what it patches. Put beside version 1 under a name of its
    own, as a file that is in use isn't written to."""
    sign = 'sluice_put_take(after, "/spec/steward", json_string("two"));'
    stranger.run("sed -i 's/\"1.0.0\"/\"2.0.0\"/; s|^    if (let_go)|    " + sign
                 .replace('"', '\\"') + "\\n&|' mine/widget.c && make -C mine widget.so")
    stranger.run("cp mine/widget.so $(pkg-config --variable=adapterdir sluice-adapter)/widget-2.so")
    assert "widget 2.0.0" in stranger.run("sluice-adapter-check --name widget mine/widget.so")
    return adapter_file(stranger, "widget-2.so")


def stewards(stage, goal: int) -> set:
    """Who has signed the versions of the Widget in which so many pods may be at the new recipe."""
    return {spec.get("steward") for spec in
            (version.object["spec"] for version in stage.history.versions("Widget"))
            if spec["recipe"] == "fancy" and spec["replicas"] - spec.get("heldBack", 0) == goal}


CLUSTER_WIDE = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": "xs.x.io"},
    "spec": {"group": "x.io", "scope": "Cluster", "names": {"kind": "X", "plural": "xs"},
             "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                 "openAPIV3Schema": {"type": "object",
                                     "x-kubernetes-preserve-unknown-fields": True}}}]}}


def test_a_kind_of_the_whole_cluster_is_refused(stage):
    stage.cluster.apply(CLUSTER_WIDE)
    stage.cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd/xs.x.io")
    stage.controller(adapters=[{"name": "hostile",
                                "file": str(BUILD / "tests" / "hostile" / "future.so")}])
    stage.put(definition("x", "output: {apiVersion: \"x.io/v1\", kind: \"X\"}\nparameter: {}",
                         "X", "x.io/v1"))
    stage.record(1, component(kind="x"))
    stage.put(rollout("shop-v1", numBatches=1))
    why = stage.wait_state("rolloutFailed")["status"]["reason"]
    assert "found X (x.io/v1), which is cluster-scoped and can't be rolled" in why["message"]
