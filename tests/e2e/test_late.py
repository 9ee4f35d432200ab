# SPDX-License-Identifier: Apache-2.0
"""A cluster in which things come late, and one that goes away for a while."""

import os

import pytest
from cluster.cluster import Cluster

from conftest import ROOT, install, install_account, open_stage
from harness import proof
from harness.objects import component, restarts, rollout

pytestmark = pytest.mark.real("hurts the parts of a cluster")


@pytest.fixture(scope="module")
def bare():
    """Kubernetes and nothing else."""
    made = Cluster.up(f"bare-{os.getpid()}", kruise=False)
    yield made
    made.down()


@pytest.fixture
def bare_stage(bare, tmp_path):
    made = open_stage(bare, install_account(bare), tmp_path)
    yield made
    made.close()


def test_everything_is_installed_after_the_controller(bare, bare_stage):
    """First Sluice's own resource definitions, then OpenKruise: each is picked up when it comes."""
    stage = bare_stage
    controller = stage.controller(everywhere=True)
    stage.wait("the controller looks for AppRollouts", lambda: any(
        line.get("object") == "AppRollout" for line in controller.log_lines()), 20)
    install(bare)
    stage.record(1, component(version="4.0.6", replicas=3))
    stage.put(rollout("shop-v1", batches=[1, 2]))
    why = stage.wait_reason("KindUnknown")
    assert "CloneSet" in why["message"] and "apps.kruise.io/v1alpha1" in why["message"]
    assert stage.event("KindUnknown", "CloneSet")["type"] == "Warning"
    assert not stage.history.objects("Pod")

    bare.install_kruise()
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    assert proof.creation_batches(stage.history, "web") == [1, 2]
    assert controller.alive() and controller.starts == 1


def test_apiserver_restarted_in_the_middle_of_a_roll(bare, bare_stage):
    """Killed and started again while the second batch is on its way."""
    stage = bare_stage
    install(bare)
    if not bare.pid("kruise"):
        bare.install_kruise()
    controller = stage.controller()
    stage.deploy()
    started = stage.history.number()
    stage.record(2, component(version="5.0.2"))
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 2, 2]))
    stage.wait("the second batch is on its way",
               lambda: len(proof.at_image(stage.history, "5.0.2")) >= 2)
    bare.restart("apiserver")
    stage.wait_state("rolloutSucceed", seconds=120)
    stage.history.catch_up()
    assert proof.goals(stage.history, "web", "5.0.2") == [0, 1, 3, 5]
    assert proof.update_batches(stage.history, "web", "5.0.2") == [1, 2, 2]
    assert proof.fewest_ready(stage.history, "web", started) >= 4
    assert {restarts(pod) for pod in stage.history.objects("Pod").values()} == {1}
    assert controller.alive() and controller.starts == 1


def test_everything_is_here_to_be_used():
    """The resource definitions are small: all of them together under 100 KB."""
    files = sorted((ROOT / "deploy" / "crds").glob("*.yaml"))
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 100_000
