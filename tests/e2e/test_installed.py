# SPDX-License-Identifier: Apache-2.0
"""Controllers as people run them: of the image, as Pods, installed by the chart with its own service
account and role. They roll, are replaced in the middle of it, and roll themselves."""

import pytest

from harness import apps, delivery
from harness.followed import KINDS, SIZE, rollout

# One worker has all of it, for what is built here takes a minute.
pytestmark = [pytest.mark.real("it takes a kubelet, a registry and rights"),
              pytest.mark.xdist_group("installed")]

DEPLOYMENT = KINDS["deployment"]


@pytest.fixture(scope="module")
def installed(cluster, account, tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    made = delivery.Installed(cluster, delivery.image(folder, "--without-cue"), folder)
    made.install("one")
    made.wait_ready("one")
    yield made
    made.close()


def take(web, *batches, **plan):
    """Held by those that are installed; no other controller runs."""
    before = web.run()
    web.stage.put(rollout(web.kind, *batches, **plan))
    web.wait_held()
    return before


def test_replaced_in_the_middle_of_a_roll(installed, follow):
    """Two upgrades and a downgrade between them, each while the next batch has just been let go. No batch
    is skipped or repeated, no pod is missed."""
    web = follow(DEPLOYMENT)
    before = take(web, 1, 1, 1, 2, batchPartition=0)
    held, since = web.status()["lastTargetAppRevision"], web.stage.history.number()
    web.set_image("5.0.2")
    for batch, version in enumerate(("two", "one", "two"), 1):
        web.stage.wait(f"batch {batch}", lambda done=batch: web.at("5.0.2") == done)
        installed.install(version)
        web.plan(batchPartition=batch)
        installed.wait_ready(version)
    web.wait_held(held)
    apps.wait_all_ready(web.stage, "5.0.2", SIZE)
    assert web.fewest_ready(since) >= web.kind.least
    web.assert_batches(since, "5.0.2", 1, 2, 3, 5)
    web.assert_none_taken_back(since, "5.0.2")
    web.wait_gone()
    web.assert_given_back(before)
    installed.install("one")
    installed.wait_ready("one")


def test_the_kubelet_restarts(installed, follow):
    """The controllers go on as they are."""
    pods = {pod["metadata"]["uid"] for pod in installed.wait_ready("one")}
    installed.cluster.restart("kubelet")
    web = follow(DEPLOYMENT)
    take(web, 2, 3)
    web.set_image("5.0.2")
    apps.wait_all_ready(web.stage, "5.0.2", SIZE)
    web.wait_gone()
    assert {pod["metadata"]["uid"] for pod in installed.wait_ready("one")} == pods
    assert all(status["restartCount"] == 0 for pod in installed.pods()
               for status in pod["status"]["containerStatuses"])


JOB = {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": "job"},
       "spec": {"workloadRef": {"apiVersion": "batch/v1", "kind": "Job", "name": "job"},
                "rolloutPlan": {}}}


def test_the_webhook_answers_out_of_each_pod(installed):
    """As the API server would ask: by the Service's name, over TLS, trusting what its caBundle has. No
    Service leads anywhere on this node, so the Pods are asked by their addresses."""
    installed.install("one", "--set=admission.enabled=true")
    try:
        answers = [delivery.wait_for("it is trusted", lambda pod=pod: installed.ask(pod, JOB), 60)
                   for pod in installed.wait_ready("one")]
    finally:
        installed.install("one")
        installed.wait_ready("one")
    assert len(answers) == 2
    for answer in answers:
        assert not answer["response"]["allowed"]
        assert "found Job (batch/v1), which no adapter" in answer["response"]["status"]["message"]


def test_it_rolls_an_update_of_itself(installed):
    """One, then the other; the one that acts replaces itself too, and the next one goes on."""
    batches = rollout(DEPLOYMENT, 1, 1, name=installed.name, workload=installed.name)
    installed.cluster.api.create(installed.rollouts(), batches)
    path = f"{installed.rollouts()}/{installed.name}"

    def held(unlike=None):
        found = installed.cluster.api.get(path).get("status", {})
        return (found.get("reason", {}).get("code") == "Held"
                and found.get("lastTargetAppRevision") != unlike and found)

    first = delivery.wait_for("it holds itself", held, 60)["lastTargetAppRevision"]
    before = {pod["metadata"]["uid"] for pod in installed.wait_ready("one")}
    installed.install("two")
    after = delivery.wait_for("it has rolled itself", lambda: held(first), 120)
    assert not before & {pod["metadata"]["uid"] for pod in installed.wait_ready("two")}
    (roll,) = after["history"]
    assert (roll["batches"], roll["batchesDone"]) == (2, 2), roll
    installed.cluster.api.delete(path)
    delivery.wait_for("it has let go of itself", lambda: not installed.cluster.api.exists(path), 60)
    assert not installed.deployment()["spec"].get("paused")
    installed.wait_ready("two")
