# SPDX-License-Identifier: Apache-2.0
"""A real HorizontalPodAutoscaler scales in the middle of a roll.

It is moved by its own bounds: a size outside of them is put right without any metrics, by the
controller and the subresource that put everything right.
"""

import pytest

from harness import apps
from harness.kinds import SIZED
from harness.objects import RESOURCES

pytestmark = pytest.mark.real("needs the autoscaler")

RESOURCES["HorizontalPodAutoscaler"] = (
    "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers")


@pytest.fixture(params=SIZED, ids=lambda kind: kind.adapter)
def kind(request, monkeypatch):
    request.param.watch(monkeypatch)
    if request.param.adapter == "deployment":
        apps.watch_replicasets(monkeypatch)
    return request.param


def autoscale(stage, kind, size: int) -> None:
    """Leaves it one size, and waits until the autoscaler has said it."""
    stage.api.patch(
        f"{stage.path('HorizontalPodAutoscaler', 'web')}?fieldManager=user&force=true",
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "web"},
         "spec": {"scaleTargetRef": {"apiVersion": kind.api_version, "kind": kind.name,
                                     "name": "web"},
                  "minReplicas": size, "maxReplicas": size,
                  "metrics": [{"type": "Resource", "resource": {
                      "name": "cpu", "target": {"type": "Utilization",
                                                "averageUtilization": 50}}}]}}, "apply")
    stage.wait(f"the autoscaler has said {size}",
               lambda: kind.live(stage)["spec"]["replicas"] == size, 60)


def test_scaled_up_and_down_by_an_autoscaler(kind, stage):
    """The targets follow in proportion, nobody takes a size back, and it goes on after the end."""
    since = kind.begin(stage, 2, 2, 2, size=6, batchPartition=0)
    stage.wait_reason("PartitionReached")
    for size, fewest, most, partition in ((9, 3, 5, 1), (3, 0, 3, 2)):
        autoscale(stage, kind, size)
        stage.wait_status(rolloutTargetSize=size)
        stage.wait_reason("PartitionReached")
        apps.wait_at(stage, "5.0.2", fewest)
        apps.wait_settled(stage, kind.name, size)
        assert len(apps.at(stage, "5.0.2")) <= most
        stage.plan(batchPartition=partition)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 3)
    assert kind.most_beyond(stage, since) == 0
    assert kind.live(stage)["spec"]["replicas"] == 3
    kind.assert_given_back(stage)
    autoscale(stage, kind, 4)
    apps.wait_all_ready(stage, "5.0.2", 4)


def test_size_is_written_by_the_autoscaler_alone(kind, stage):
    """What Sluice writes never holds the size, whatever moment the autoscaler chooses."""
    since = kind.begin(stage, "20%", "20%", "20%", "20%", "20%", size=5)
    for size in (7, 4, 6):
        autoscale(stage, kind, size)
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "5.0.2", 6)
    sizes = [version.object["spec"]["replicas"]
             for version in stage.history.versions(kind.name, "web", since)]
    changes = [size for before, size in zip([5, *sizes], sizes) if size != before]
    assert changes == [7, 4, 6]
    kind.assert_given_back(stage)
