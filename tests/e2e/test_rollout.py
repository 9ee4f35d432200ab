# SPDX-License-Identifier: Apache-2.0
"""Rollouts (sluice.dev): a workload that somebody else writes is held, and each change of its template
is rolled by the plan. Proved from the history of the workload and its pods, for every kind that has an
adapter of its own."""

import subprocess
from pathlib import Path

import pytest

from harness import apps
from harness.controller import SLUICE
from harness.followed import KINDS, SIZE, marks, owners, rollout
from harness.objects import is_ready


ROOT = Path(__file__).resolve().parents[2]


OPENKRUISES = pytest.mark.real("a sandbox has CloneSets, but OpenKruise's other controllers not")


@pytest.fixture(params=[pytest.param(name, marks=OPENKRUISES if "advanced" in name else ())
                        for name in KINDS])
def web(request, follow):
    return follow(KINDS[request.param])


def test_held_and_rolled_and_given_back(web):
    before = web.take(1, 2, 2, batchPartition=0)
    held = web.status()["lastTargetAppRevision"]
    since = web.stage.history.number()
    web.set_image("5.0.2")
    web.step_by_step(1, 3)
    after = web.wait_held(held)
    apps.wait_all_ready(web.stage, "5.0.2", SIZE)
    assert web.fewest_ready(since) >= web.kind.least
    assert after["LastSourceAppRevision"] == held
    assert (after["upgradedReplicas"], after["upgradedReadyReplicas"]) == (SIZE, SIZE)
    pods = web.identities()
    web.wait_gone()
    web.assert_given_back(before)
    web.assert_quiet()
    web.assert_stay(pods, "5.0.2")


def test_nothing_moves_while_it_is_held(web):
    """A plan that stops before its first batch; labels and annotations are the owner's own affair."""
    web.take(1, 4, paused=True)
    pods = web.identities()
    web.stage.patch(web.kind.kind, "web", {"metadata": {"labels": {"team": "a"},
                                                        "annotations": {"note": "b"}}})
    web.set_image("5.0.2")
    web.wait_reason("Paused")
    web.assert_quiet()
    web.assert_stay(pods)
    web.wait_gone()
    web.assert_quiet()
    web.assert_stay(pods)
    assert web.live()["metadata"]["labels"] == {"team": "a"}
    assert not marks(web.live())


def test_changed_while_the_controller_is_dead(web):
    """And scaled: even a pod that comes new has the template of the others."""
    web.take(1, {}, batchPartition=0)
    web.stage.controllers[0].kill()
    web.set_image("5.0.2")
    size = SIZE if web.kind.on_every_node else SIZE + 1
    if size > SIZE:
        web.stage.patch(web.kind.kind, "web", {"spec": {"replicas": size}})
    apps.wait_all_ready(web.stage, "4.0.6", size)
    web.assert_quiet(size)
    web.stage.controllers[0].start()
    web.wait_batch(0)
    web.assert_quiet(size)
    assert web.at("5.0.2") == 1
    web.plan(batchPartition=1)
    web.wait_held(web.status()["LastSourceAppRevision"])
    apps.wait_all_ready(web.stage, "5.0.2", size)


def test_another_template_on_the_way(web):
    """What the first batches had let go takes the new one; then the plan begins anew."""
    before = web.take(1, 2, 2, batchPartition=0)
    first = web.status()["lastTargetAppRevision"]
    since = web.stage.history.number()
    web.set_image("5.0.2")
    web.wait_batch(0)
    second = web.status()["lastTargetAppRevision"]
    web.set_image("5.0.3")
    web.stage.wait("it goes to the third", lambda: web.status().get(
        "lastTargetAppRevision") not in (first, second, None))
    web.wait_batch(0)
    web.assert_quiet()
    assert (web.at("4.0.6"), web.at("5.0.2"), web.at("5.0.3")) in [(4, 0, 1), (3, 1, 1)]
    assert web.status()["LastSourceAppRevision"] == first
    web.plan(batchPartition=2)
    web.wait_held(first)
    apps.wait_all_ready(web.stage, "5.0.3", SIZE)
    assert web.fewest_ready(since) >= web.kind.least
    web.wait_gone()
    web.assert_given_back(before)


def test_back_to_the_old_template(web):
    web.take(2, 3, batchPartition=0)
    first = web.status()["lastTargetAppRevision"]
    since = web.stage.history.number()
    web.set_image("5.0.2")
    web.wait_batch(0)
    stays = set(web.identities().items())
    web.set_image("4.0.6")
    web.plan(batchPartition=1)
    web.stage.wait("it is back", lambda: web.status().get("lastTargetAppRevision") == first
                   and web.status()["reason"]["code"] == "Held", 90)
    apps.wait_all_ready(web.stage, "4.0.6", SIZE)
    assert len(stays & set(web.identities().items())) >= SIZE - 2
    assert web.fewest_ready(since) >= web.kind.least


def test_deleted_on_the_way(web):
    """It stays where it is: what isn't rolled yet isn't rolled behind anybody's back."""
    web.take(2, 3, batchPartition=0)
    web.set_image("5.0.2")
    web.wait_batch(0)
    web.assert_quiet()
    pods = web.identities()
    web.wait_gone()
    web.assert_quiet()
    assert web.identities() == pods
    assert (web.at("4.0.6"), web.at("5.0.2")) == (3, 2)
    assert not marks(web.live())


def test_reverted_on_delete(web):
    before = web.take(2, 3, batchPartition=0, revert=True)
    web.set_image("5.0.2")
    web.wait_batch(0)
    web.wait_gone()
    apps.wait_all_ready(web.stage, "4.0.6", SIZE)
    assert owners(web.live()) == owners(before)
    assert not marks(web.live())


def test_killed_again_and_again(web):
    before = web.take(*[1] * SIZE)
    first = web.status()["lastTargetAppRevision"]
    moments, since = apps.seeded(), web.stage.history.number()
    web.set_image("5.0.2")
    for _ in range(6):
        web.stage.history.closing.wait(moments.uniform(0.05, 0.5))
        web.stage.controllers[0].restart_after_kill()
    web.wait_held(first)
    apps.wait_all_ready(web.stage, "5.0.2", SIZE)
    assert web.fewest_ready(since) >= web.kind.least
    web.wait_gone()
    web.assert_given_back(before)


def test_scaled_while_held_and_on_the_way(web):
    if web.kind.on_every_node:
        pytest.skip("its size is the cluster's")
    before = web.take("40%", "60%", batchPartition=0)
    first = web.status()["lastTargetAppRevision"]
    scale = f"{web.kind.kind.lower()}.v1.apps/web" if web.kind.api_version == "apps/v1" else (
        f"{web.kind.kind.lower()}s.{web.kind.api_version.split('/')[1]}.apps.kruise.io/web")
    web.stage.cluster.kubectl("-n", web.stage.namespace, "scale", scale, "--replicas=7")
    apps.wait_all_ready(web.stage, "4.0.6", 7)
    web.set_image("5.0.2")
    web.wait_batch(0)
    web.assert_quiet(7)
    assert web.at("5.0.2") == 3
    web.stage.cluster.kubectl("-n", web.stage.namespace, "scale", scale, "--replicas=10")
    web.stage.wait("the plan is of 10", lambda: web.status().get("rolloutTargetSize") == 10)
    web.plan(batchPartition=1)
    web.wait_held(first)
    apps.wait_all_ready(web.stage, "5.0.2", 10)
    web.wait_gone()
    web.assert_given_back(before)


def test_the_second_of_two_waits(web):
    web.take(1, 4)
    web.stage.put(rollout(web.kind, 5, name="other"))
    why = web.wait_reason("WorkloadHeld", "other")
    assert "is held by Rollout" in why["message"] and "/web" in why["message"]
    web.wait_gone()
    web.wait_reason("Held", "other")
    assert "/other " in marks(web.live())["rollout.sluice.dev/holder"]


def test_the_same_manifest_again(web):
    """As a GitOps tool does, by server-side apply without a word about the fields of the hold."""
    web.take(1, 2, 2, batchPartition=0)
    pods = web.identities()
    manifest = web.manifest()
    for field in ("strategy", "updateStrategy"):
        manifest["spec"].pop(field, None)
    web.stage.put(manifest)
    web.wait_held()
    web.assert_quiet()
    web.assert_stay(pods)
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "stefanprodan/podinfo:5.0.2"
    web.stage.put(manifest)
    web.wait_batch(0)
    web.stage.put(manifest)
    web.assert_quiet()
    assert web.at("5.0.2") == 1


# The example of docs/rollout.md


@pytest.fixture
def example(follow):
    return follow(KINDS["deployment"], real=True)


def test_the_example_word_for_word(example, cluster):
    """Both objects at once, as the file has them: the Deployment comes up as it would alone."""
    def kubectl(*words):
        return cluster.kubectl("-n", stage.namespace, *words)

    def sluice(*words):
        return subprocess.run([SLUICE, *words, "-n", stage.namespace, "--kubeconfig",
                               cluster.kubeconfig], text=True, check=True,
                              stdout=subprocess.PIPE).stdout

    stage = example.stage
    example.controller()
    kubectl("apply", "-f", str(ROOT / "examples" / "rollout" / "deployment.yaml"))
    apps.wait_all_ready(stage, "4.0.6", 4)
    example.wait_held()
    since = stage.history.number()
    kubectl("set", "image", "deployment/web", "web=stefanprodan/podinfo:5.0.2")
    example.wait_batch(0)
    example.assert_quiet(4)
    assert example.at("5.0.2") == 1
    assert "next: sluice approve web" in sluice("status", "web")
    sluice("approve", "web")
    example.wait_batch(1)
    assert example.at("5.0.2") == 3
    sluice("rollback", "web")
    sluice("promote", "web")
    assert sluice("status", "web", "--wait").endswith("Rollout web has succeeded\n")
    apps.wait_all_ready(stage, "4.0.6", 4)
    assert example.fewest_ready(since) >= 3
    kubectl("get", "rollouts")
    kubectl("delete", "rollout", "web")
    assert not example.live()["spec"].get("paused") and not marks(example.live())


def test_a_workload_that_comes_after_its_rollout(web):
    """And again after it was deleted: each time it comes up as it would alone, and is held then."""
    web.controller()
    web.stage.put(rollout(web.kind, 1, 4, batchPartition=0))
    web.wait_reason("WorkloadMissing")
    for _ in range(2):
        web.stage.put(web.manifest())
        apps.wait_all_ready(web.stage, "4.0.6", SIZE)
        web.wait_held()
        web.stage.delete(web.kind.kind, "web")
        web.stage.wait("it is gone", lambda: not web.stage.history.now(web.kind.kind, "web")
                       and not web.stage.history.objects("Pod"), 60)
        web.wait_reason("WorkloadMissing")


def test_a_pause_spares_a_deployment_what_a_newer_template_does(follow):
    """In the middle of a batch, where what was let go would go all together (docs/rollout.md)."""
    web = follow(KINDS["deployment"])
    web.take(1, 4)
    since = web.stage.history.number()
    web.set_image("5.0.2")
    apps.wait_at(web.stage, "5.0.2", 2)
    web.plan(paused=True)
    web.wait_reason("Paused")
    web.stage.wait("what has come is ready", lambda: all(
        is_ready(pod) for pod in web.stage.history.objects("Pod").values()))
    apps.assert_quiet(web.stage, "Deployment")
    pods, before = web.identities(), web.status()["lastTargetAppRevision"]
    web.set_image("5.0.3")
    web.stage.wait("it is seen", lambda: web.status()["lastTargetAppRevision"] != before)
    web.wait_reason("Paused")
    apps.assert_quiet(web.stage, "Deployment")
    assert web.identities() == pods and web.at("5.0.3") == 0
    web.plan(paused=None)
    web.wait_held()
    apps.wait_all_ready(web.stage, "5.0.3", SIZE)
    assert web.fewest_ready(since) >= web.kind.least
