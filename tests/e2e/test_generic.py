# SPDX-License-Identifier: Apache-2.0
"""Rolls of kinds that only the config knows, with the configs of examples/generic word for word:
one invented kind with a controller of its own, and two kinds of OpenKruise."""

import json
import random
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from harness import apps, proof
from harness.apps import watched  # noqa: F401, a fixture for every test here
from harness.bakery import BAKERIES, Baker
from harness.controller import BUILD, RENDERER
from harness.objects import RESOURCES, component, definition, image_of, is_current, is_ready, rollout

pytestmark = pytest.mark.real("adds to the controller's rights")

EXAMPLES = Path(__file__).parents[2] / "examples" / "generic"
RESOURCES["Bakery"] = BAKERIES


def config(stage, example: str) -> str:
    """The example's text, with what this machine and this test need beside it."""
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    directory = f"adapters:\n  directory: {BUILD / 'plugins' / 'generic'}\n"
    assert text.count("adapters:\n") == 1
    return (text.replace("adapters:\n", directory) + f"namespace: {stage.namespace}\n"
            f"renderer: {json.dumps({'program': str(RENDERER)})}\n")


def with_bakeries(stage) -> None:
    """The kind, a component type of it, and its history."""
    for file in ("crd.yaml", "componentdefinition.yaml"):
        stage.cluster.kubectl("apply", "-f", str(EXAMPLES / "bakery" / file))
    stage.cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s",
                          "crd/bakeries.example.com")
    stage.history.add("Bakery", BAKERIES)


@pytest.fixture
def bakery(stage):
    """A stage with Bakeries, their controller, and Sluice told of them."""
    with_bakeries(stage)
    baker = Baker(stage)
    told(stage, "bakery/sluice.yaml", "bakeries.example.com")
    yield stage
    baker.close()


def told(stage, example: str, crd: str, places=None) -> None:
    """A controller that is told of a kind by an example, with the rights that `sluice role` says;
    `places` are where files stand that the example has elsewhere."""
    text = config(stage, example)
    for there, here in (places or {}).items():
        assert there in text
        text = text.replace(there, here)
    controller = stage.controller_with(text)
    stage.grant(controller.config, crd)
    controller.start()


def recipe(version: str, ovens=5) -> dict:
    return component(kind="bakery", recipe=version, ovens=ovens)


def begin(stage, *batches, size=5, **plan):
    stage.record(1, recipe("4.0.6", size))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.record(2, recipe("5.0.2", size))
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=list(batches), **plan))
    return since


def live(stage):
    return stage.history.now("Bakery", "web")


def trials(stage, since, version="5.0.2"):
    """How many ovens were allowed to take the recipe while the bakery was held, as that changed; and
    that never more had it, and that those of the batch before were all ready."""
    seen = []
    stage.history.catch_up()
    for bakery, pods in apps.replay(stage, "Bakery", "web", since):
        turned = [pod for pod in pods.values() if image_of(pod) == version]
        if bakery["spec"]["recipe"] != version or apps.HOLDER not in bakery["metadata"].get(
                "annotations", {}):
            continue
        allowed = bakery["spec"]["trial"]["ovens"]
        if not seen or seen[-1] != allowed:
            assert not seen or sum(map(is_ready, turned)) >= seen[-1], (allowed, turned)
            seen.append(allowed)
        assert len(turned) <= allowed
    return [allowed for allowed in seen if allowed]


def assert_given_back(stage, trial=None):
    assert apps.HOLDER not in live(stage)["metadata"]["annotations"]
    assert live(stage)["spec"].get("trial", {}).get("ovens") == trial


def settle(stage, size=5):
    """The Baker has done all that it is told to do."""
    def reached():
        status, pods = live(stage)["status"], stage.history.objects("Pod").values()
        return (status["seen"] == live(stage)["metadata"]["generation"]
                and status["hot"] == status["ovens"] == size == len(pods)
                and all(is_ready(pod) for pod in pods))

    stage.wait("the bakery is settled", reached, 30)


def test_own_kind_in_batches(bakery):
    since = begin(bakery, 1, 2, 2)
    bakery.wait_state("rolloutSucceed")
    apps.wait_all_ready(bakery, "5.0.2", 5)
    assert trials(bakery, since) == [1, 3, 5]
    assert apps.fewest_ready(bakery, "Bakery", since) >= 5
    assert_given_back(bakery)


def test_own_kind_held_before_the_recipe_changes(bakery):
    since = begin(bakery, 1, 4, batchPartition=0)
    bakery.wait_reason("PartitionReached")
    settle(bakery)
    versions = [version.object for version in bakery.history.versions("Bakery", "web", since)]
    first = next(one for one in versions if one["spec"]["recipe"] == "5.0.2")
    assert first["spec"]["trial"] == {"ovens": 0}
    apps.assert_quiet(bakery, "Bakery")
    bakery.plan(batchPartition=1)
    bakery.wait_state("rolloutSucceed")
    assert trials(bakery, since) == [1, 5]


def test_own_kind_paused_and_deleted_in_the_middle_of_a_batch(bakery):
    since = begin(bakery, 1, 4)
    apps.wait_at(bakery, "5.0.2", 2)
    bakery.plan(paused=True)
    bakery.wait_reason("Paused")
    settle(bakery)
    apps.assert_quiet(bakery, "Bakery")
    count = len(apps.at(bakery, "5.0.2"))
    bakery.delete("AppRollout", "roll")
    bakery.wait("the rollout is gone", lambda: bakery.rollout() is None, 20)
    settle(bakery)
    apps.assert_quiet(bakery, "Bakery")
    assert len(apps.at(bakery, "5.0.2")) == count
    assert_given_back(bakery, count)
    assert apps.fewest_ready(bakery, "Bakery", since) >= 5


def test_own_kind_rolled_back_by_swapping(bakery):
    since = begin(bakery, 2, 3, batchPartition=0)
    bakery.wait_reason("PartitionReached")
    settle(bakery)
    kept = {pod["metadata"]["uid"] for pod in apps.at(bakery, "4.0.6")}
    bakery.put(rollout("shop-v1", "shop-v2", batches=[2, 3]))
    bakery.wait_state("rolloutSucceed")
    apps.wait_all_ready(bakery, "4.0.6", 5)
    assert kept <= {pod["metadata"]["uid"] for pod in bakery.history.objects("Pod").values()}
    assert apps.fewest_ready(bakery, "Bakery", since) >= 5
    assert_given_back(bakery)


def test_own_kind_abandoned_for_another_target(bakery):
    since = begin(bakery, 1, 2, 2, batchPartition=1)
    apps.wait_at(bakery, "5.0.2", 2)
    bakery.record(3, recipe("5.0.3"))
    bakery.put(rollout("shop-v3", "shop-v1", batches=[2, 3]))
    bakery.wait_state("rolloutSucceed")
    apps.wait_all_ready(bakery, "5.0.3", 5)
    assert trials(bakery, since, "5.0.3") == [2, 5]
    assert apps.fewest_ready(bakery, "Bakery", since) >= 5
    assert_given_back(bakery)


def test_own_kind_reverted_on_delete(bakery):
    since = begin(bakery, 2, 3, batchPartition=0, revert=True)
    bakery.wait_reason("PartitionReached")
    settle(bakery)
    kept = {pod["metadata"]["uid"] for pod in apps.at(bakery, "4.0.6")}
    bakery.delete("AppRollout", "roll")
    bakery.wait("the rollout is gone", lambda: bakery.rollout() is None, 20)
    apps.wait_all_ready(bakery, "4.0.6", 5)
    assert kept <= {pod["metadata"]["uid"] for pod in bakery.history.objects("Pod").values()}
    assert apps.fewest_ready(bakery, "Bakery", since) >= 5
    assert_given_back(bakery)


def test_own_kind_scaled_from_outside(bakery):
    since = begin(bakery, 2, 2, 2, size=6, batchPartition=0)
    bakery.wait_reason("PartitionReached")
    bakery.patch("Bakery", "web", {"spec": {"ovens": 9}})
    bakery.wait_status(rolloutTargetSize=9)
    bakery.plan(batchPartition=2)
    bakery.wait_state("rolloutSucceed")
    apps.wait_all_ready(bakery, "5.0.2", 9)
    assert trials(bakery, since) == [2, 3, 6, 9]
    assert_given_back(bakery)


CRD = EXAMPLES / "bakery" / "crd.yaml"
MARK = "rollout.sluice.dev/template"
OVENS = "                ovens: {type: integer, minimum: 0}\n                recipe"


def test_defaults_that_change_on_the_way(bakery):
    """The definition gets a field with a default, in the middle: the template that is there isn't the
    one that was put there, though nobody has touched it."""
    controller, text = bakery.controllers[0], config(bakery, "bakery/sluice.yaml")
    template = "template: [/spec/recipe]"
    assert template in text
    controller.configure(text.replace(template, "template: [/spec/recipe, /spec/flour]"))
    controller.restart_after_kill()
    begin(bakery, 1, 4, batchPartition=0)
    bakery.wait_reason("PartitionReached")
    mark = live(bakery)["metadata"]["annotations"][MARK]
    definition_text = CRD.read_text(encoding="utf-8")
    assert OVENS in definition_text
    bakery.cluster.kubectl("apply", "-f", "-", stdin=definition_text.replace(
        OVENS, "                flour: {type: string, default: wheat}\n" + OVENS))
    try:
        bakery.wait("a write brings the default", lambda: bakery.patch(
            "Bakery", "web", {"metadata": {"labels": {"seen": "1"}}})["spec"].get("flour"), 20)
        controller.restart_after_kill()  # a watch that is open goes on with the old definition
        bakery.wait("the mark is renewed",
                    lambda: live(bakery)["metadata"]["annotations"][MARK] != mark, 20)
        bakery.plan(batchPartition=1)
        bakery.wait_state("rolloutSucceed")
        apps.wait_all_ready(bakery, "5.0.2", 5)
        assert_given_back(bakery)
        assert all(event["reason"] != "TemplateChanged"
                   for event in bakery.history.objects("Event").values())
    finally:
        bakery.cluster.kubectl("apply", "-f", str(CRD))


def test_own_kind_killed_again_and_again(bakery):
    seed = int(time.time())
    print(f"seed {seed}")
    moments = random.Random(seed)
    since = begin(bakery, *[1] * 6, size=6)
    while bakery.rollout()["status"]["rollingState"] != "rolloutSucceed":
        bakery.history.closing.wait(moments.uniform(0.05, 0.6))
        bakery.controllers[0].restart_after_kill()
        bakery.history.closing.wait(0.4)
    apps.wait_all_ready(bakery, "5.0.2", 6)
    assert trials(bakery, since) == list(range(1, 7))
    assert apps.fewest_ready(bakery, "Bakery", since) >= 6
    assert_given_back(bakery)


@pytest.fixture
def tasted(stage, tmp_path):
    """The same, where a library that was compiled as it says itself tells what is hot and edible."""
    source = EXAMPLES / "native" / "quality.c"
    library = tmp_path / "quality.so"
    words = next(line for line in source.read_text(encoding="utf-8").splitlines() if " cc " in line)
    subprocess.run(shlex.split(words.strip(" *").replace("quality.c", str(source))), cwd=tmp_path,
                   check=True)
    with_bakeries(stage)
    baker = Baker(stage)
    told(stage, "native/sluice.yaml", "bakeries.example.com",
         {"/opt/bakery/quality.so": str(library)})
    yield stage
    baker.close()


def test_own_kind_told_by_a_library(tasted):
    """Batch by batch as it says; a recipe that it dislikes never passes the first one."""
    since = begin(tasted, 1, 2, 2)
    tasted.wait_state("rolloutSucceed")
    assert trials(tasted, since) == [1, 3, 5]
    since = tasted.history.number()
    tasted.record(3, recipe("5.0.2-burnt"))
    tasted.put(rollout("shop-v3", "shop-v2", batches=[1, 4]))
    why = tasted.wait_reason("PodsNotReady")
    settle(tasted)
    assert "1 of 1 pods are updated, 0 of them ready" in why["message"]
    assert trials(tasted, since, "5.0.2-burnt") == [1]
    tasted.put(rollout("shop-v2", "shop-v3", batches=[5]))
    tasted.wait_state("rolloutSucceed")
    apps.wait_all_ready(tasted, "5.0.2", 5)


def test_strategy_that_the_kind_has_no_words_for(bakery):
    begin(bakery, 5, rolloutStrategy="DecreaseFirst")
    why = bakery.wait_state("rolloutFailed")["status"]["reason"]
    assert "rolloutStrategy: expected none, found DecreaseFirst" in why["message"]
    assert live(bakery)["spec"]["recipe"] == "4.0.6"


def test_options_that_lead_nowhere(stage):
    """The adapter is refused by the name of the option, and whose kind it would be says so."""
    text = config(stage, "openkruise/cloneset.yaml")
    right = "kept: /spec/updateStrategy/partition"
    assert right in text
    stage.controller_with(text.replace(right, "kept: spec.updateStrategy.partition")).start()
    stage.record(1, component(version="4.0.6", replicas=1, fake=True))
    stage.put(rollout("shop-v1", numBatches=1))
    why = stage.wait_reason("KindUnknown")
    assert ('adapter clonesets is refused: options.partition.kept: expected a pointer that lies '
            'below /spec, such as /spec/name, through objects only, found the text "spec.updateStrategy.partition"'
            in why["message"]), why


def test_rollout_of_a_kind_that_is_not_served_any_more(stage):
    """One that held a workload when its kind's definition went, or whose controller starts before the
    kind has been found: nobody falls over it."""
    text = config(stage, "bakery/sluice.yaml")
    for bakery, brewery in (("kind: Bakery", "kind: Brewery"), ("bakeries", "breweries")):
        assert bakery in text
        text = text.replace(bakery, brewery)
    controller = stage.controller_with(text).start()
    stage.put({"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
               "metadata": {"name": "roll"},
               "spec": {"workloadRef": {"apiVersion": "example.com/v1", "kind": "Brewery",
                                        "name": "web"}, "rolloutPlan": {"numBatches": 1}}})

    def waits():
        found = stage.history.now("Rollout", "roll")
        why = (found or {}).get("status", {}).get("reason", {})
        return is_current(found) and why.get("code") == "KindUnknown"

    stage.wait("it waits for its kind", waits)
    controller.kill()
    stage.api.patch(stage.path("Rollout", "roll") + "/status", {"status": {
        "engaged": True, "rollingState": "rolloutSucceed"}})
    stage.patch("Rollout", "roll", {"spec": {"rolloutPlan": {"numBatches": 2}}})
    controller.start()
    stage.wait("it has been looked at", lambda: is_current(stage.history.now("Rollout", "roll")))
    stage.patch("Rollout", "roll", {"metadata": {"finalizers": []}})


# OpenKruise


def roll_cloneset(stage, **plan):
    stage.record(1, component(version="4.0.6", replicas=5, fake=True))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    stage.record(2, component(version="5.0.2", replicas=5, fake=True))
    since = stage.history.number()
    stage.put(rollout("shop-v2", "shop-v1", batches=[1, 2, 2], **plan))
    stage.wait_state("rolloutSucceed")
    stage.history.catch_up()
    return (proof.goals(stage.history, "web", "5.0.2", since),
            proof.update_batches(stage.history, "web", "5.0.2", since),
            proof.fewest_ready(stage.history, "web", since) >= 4,
            stage.history.now("CloneSet", "web")["spec"]["updateStrategy"],
            {key: value for key, value in stage.rollout()["status"].items() if key in (
                "rollingState", "upgradedReplicas", "upgradedReadyReplicas", "rolloutTargetSize")})


def test_cloneset_as_the_adapter_made_for_it(cluster, account, tmp_path):
    from conftest import open_stage  # two stages for one test

    outcomes = []
    for number, text in enumerate([None, "openkruise/cloneset.yaml"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        stage = open_stage(cluster, account, folder)
        try:
            if text:
                stage.controller_with(config(stage, text)).start()
            else:
                stage.controller()
            outcomes.append(roll_cloneset(stage))
        finally:
            stage.close()
    assert outcomes[0][:3] == ([0, 1, 3, 5], [1, 2, 2], True)
    assert outcomes[0] == outcomes[1]


ASTS = """
output: {
    apiVersion: "apps.kruise.io/v1beta1"
    kind:       "StatefulSet"
    spec: {
        replicas:    parameter.replicas
        serviceName: context.name
        selector: matchLabels: app: context.name
        template: {
            metadata: labels: app: context.name
            spec: {
                terminationGracePeriodSeconds: 1
                containers: [{name: context.name, image: "stefanprodan/podinfo:" + parameter.version}]
                readinessGates: [{conditionType: "InPlaceUpdateReady"}]
            }
        }
    }
}
parameter: {version: string, replicas: *5 | int}
"""


@pytest.fixture
def ordered(stage):
    """A stage with a component type of Advanced StatefulSets, and Sluice told of these."""
    path = "/apis/apps.kruise.io/v1beta1/namespaces/{}/statefulsets"
    stage.history.add("StatefulSet", path)
    stage.put(definition("ordered", ASTS, "StatefulSet", "apps.kruise.io/v1beta1"))
    told(stage, "openkruise/statefulset.yaml", "statefulsets.apps.kruise.io")
    stage.record(1, component(kind="ordered", version="4.0.6"))
    stage.put(rollout("shop-v1", numBatches=1))
    stage.wait_state("rolloutSucceed")
    apps.wait_all_ready(stage, "4.0.6", 5)
    stage.record(2, component(kind="ordered", version="5.0.2"))
    return stage


def partitions(stage, since, image):
    """Pods that were let go to the image while it was held, as that changed; and that no pod below
    the partition ever turned to it."""
    seen = []
    stage.history.catch_up()
    for one, pods in apps.replay(stage, "StatefulSet", "web", since):
        if (not proof.wants(one, image)
                or apps.HOLDER not in one["metadata"].get("annotations", {})):
            continue
        kept = one["spec"]["updateStrategy"]["rollingUpdate"]["partition"]
        seen += [kept] if not seen or seen[-1] != kept else []
    return [5 - kept for kept in seen if kept < 5]


def test_statefulset_by_its_pods(ordered):
    since = ordered.history.number()
    ordered.put(rollout("shop-v2", "shop-v1", batches=[1, 2, 2]))
    ordered.wait_state("rolloutSucceed")
    apps.wait_all_ready(ordered, "5.0.2", 5)
    assert partitions(ordered, since, "5.0.2") == [1, 3, 5]
    assert apps.fewest_ready(ordered, "StatefulSet", since) >= 4


def test_statefulset_rolled_back_touches_only_what_had_changed(ordered):
    ordered.put(rollout("shop-v2", "shop-v1", batches=[2, 3], batchPartition=0))
    ordered.wait_reason("PartitionReached")
    kept = {pod["metadata"]["uid"] for pod in apps.at(ordered, "4.0.6")}
    since = ordered.history.number()
    ordered.put(rollout("shop-v1", "shop-v2", batches=[4, 1]))
    ordered.wait_state("rolloutSucceed")
    apps.wait_all_ready(ordered, "4.0.6", 5)
    assert partitions(ordered, since, "4.0.6") == [1, 2]
    now = {pod["metadata"]["uid"] for pod in ordered.history.objects("Pod").values()}
    assert len(kept) == 3 and kept <= now
