# SPDX-License-Identifier: Apache-2.0
"""A batch whose pods never become ready, and what the plan has done about it, of real pods."""

import pytest

from harness import apps
from harness.apps import watched  # noqa: F401
from harness.objects import component, is_running, reason, rollout

SIZE = 3


FIELDS = {
    "Deployment": "replicas: parameter.replicas",
    "StatefulSet": """
        replicas:            parameter.replicas
        serviceName:         "web"
        podManagementPolicy: "Parallel"
    """,
}


@pytest.fixture(params=["CloneSet", "Deployment", "StatefulSet"])
def kind(request, stage):
    """shop-v1 is there, and a shop-v2 that never gets ready."""
    if request.param == "CloneSet":
        stage.controller()
        stage.deploy(size=SIZE, probe=True)
        stage.record(2, component(version="unready", replicas=SIZE, probe=True))
    else:
        real = {"probe": True, "fake": False}
        apps.start(stage, request.param, FIELDS[request.param], SIZE, **real)
        stage.record(2, apps.app("unready", replicas=SIZE, **real))
    return request.param


def roll(stage, **plan) -> int:
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, SIZE - 1], progressDeadlineSeconds=4, **plan))
    return since


def assert_free(stage, kind) -> None:
    stage.history.catch_up()
    notes = stage.history.now(kind, "web")["metadata"].get("annotations", {})
    assert apps.HOLDER not in notes


def test_paused(stage, kind):
    """One pod, and no other, until another revision is wanted."""
    roll(stage)
    why = stage.wait_reason("DeadlineExceeded")
    assert "no progress within 4 s" in why["message"] and "of them ready" in why["message"]
    assert stage.event("DeadlineExceeded")["type"] == "Warning"
    stage.wait("its container runs", lambda: all(map(is_running, apps.at(stage, "unready"))))
    apps.assert_quiet(stage, kind)
    assert len(apps.at(stage, "unready")) == 1
    stage.put(rollout("shop-v1", "shop-v2", numBatches=1))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", SIZE)
    assert_free(stage, kind)


def test_abandoned(stage, kind):
    since = roll(stage, onFailure="Abandon")
    failed = stage.wait_state("rolloutFailed")
    assert "no progress within 4 s" in reason(failed)["message"]
    assert len(apps.at(stage, "unready")) == 1
    assert apps.fewest_ready(stage, kind, since) >= SIZE - 1
    assert_free(stage, kind)


def test_rolled_back(stage, kind):
    since = roll(stage, onFailure="Rollback")
    failed = stage.wait_state("rolloutFailed")
    assert "the workload goes back" in reason(failed)["message"]
    apps.wait_all_ready(stage, "4.0.6", SIZE)
    assert apps.fewest_ready(stage, kind, since) >= SIZE - 1
    assert_free(stage, kind)
