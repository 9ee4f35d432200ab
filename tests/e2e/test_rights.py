# SPDX-License-Identifier: Apache-2.0
"""The generated role is exact: with it everything works (all other tests run with it), and for each
right that it gives, a controller without just that one says which it lacks."""

import functools
import json
import re
import subprocess
import tempfile

import pytest

from cluster.cluster import Cluster, wait_for
from conftest import open_stage
from harness import apps
from harness.apps import watched  # noqa: F401
from harness.controller import BUILD, SLUICE
from harness.objects import (application, definition, is_current, is_ready, reason, rollout,
                             state)

pytestmark = pytest.mark.real("there are no rights")

# The kind that each adapter is tried with, and what its spec has beside the template, in CUE.
NAMED = 'replicas: parameter.replicas\n        serviceName: "web"'
KINDS = {
    "advanced-daemonset": ("DaemonSet", "apps.kruise.io/v1alpha1",
                           "updateStrategy: type: \"RollingUpdate\""),
    "advanced-statefulset": ("StatefulSet", "apps.kruise.io/v1beta1", NAMED),
    "cloneset": ("CloneSet", "apps.kruise.io/v1alpha1", "replicas: parameter.replicas"),
    "daemonset": ("DaemonSet", "apps/v1", "updateStrategy: type: \"RollingUpdate\""),
    "deployment": ("Deployment", "apps/v1", "replicas: parameter.replicas"),
    "statefulset": ("StatefulSet", "apps/v1", NAMED),
}


# ── Rights ──────────────────────────────────────────────────────────────────────────────────


@functools.cache
def rules_of(*adapters: str) -> list:
    """The rules of the ClusterRole that `sluice role` makes."""
    config = {"adapters": {"enabled": [entry for name in adapters for entry in apps.adapter(name)]}}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(json.dumps(config))
        file.flush()
        printed = subprocess.run([SLUICE, "role", "--config", file.name], text=True, check=True,
                                 stdout=subprocess.PIPE).stdout
    for_the_cluster = printed.rpartition("\n---\n")[2]
    lines = [line.strip("- ").partition(": ") for line in for_the_cluster.splitlines()
             if ": [" in line]
    lists = [(name, json.loads(text)) for name, _, text in lines]
    return [dict(lists[i:i + 3]) for i in range(0, len(lists), 3)]


def rights_in(rules: list) -> list:
    return sorted({(group, resource, verb) for rule in rules for group in rule["apiGroups"]
                   for resource in rule["resources"] for verb in rule["verbs"]})


def rights() -> list:
    """(adapter, group, resource, verb): what Sluice itself needs, and what each adapter adds."""
    core = rights_in(rules_of())
    return [("cloneset", *right) for right in core] + [
        (name, *right) for name in KINDS for right in rights_in(rules_of(name))
        if right not in core]


def without(rules: list, group: str, resource: str, verb: str) -> list:
    """The same rules but for one verb of one resource."""
    left = [{**rule, "verbs": [v for v in rule["verbs"] if v != verb]}
            if group in rule["apiGroups"] and resource in rule["resources"] else rule
            for rule in rules]
    return [rule for rule in left if rule["verbs"]]


def account_with(cluster: Cluster, name: str, rules: list):
    """The kubeconfig of a service account that may do what these rules say, once it may."""
    cluster.apply({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                   "metadata": {"name": name}, "rules": rules})
    kubeconfig = cluster.service_account(name, role=name)
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {
        "user": f"system:serviceaccount:default:{name}",
        "resourceAttributes": {"group": rules[-1]["apiGroups"][0], "verb": rules[-1]["verbs"][0],
                               "resource": rules[-1]["resources"][0]}}}
    wait_for(f"{name} has its rights", lambda: cluster.api.create(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"], 20)
    return kubeconfig


# ── What the controller says ────────────────────────────────────────────────────────────────


def place_of(resource: str, verb: str) -> str:
    """Where a person finds it. The status of what they wrote, unless it is what can't be read or
    written, or what is read in general."""
    own = verb in ("get", "create") or is_of_adapters(resource)
    return "status" if own and resource != "events" else "log"


def is_of_adapters(resource: str) -> bool:
    return resource not in {rule[1] for rule in rights_in(rules_of())}


def assert_says_what_helps(stage, words: str) -> None:
    why = stage.wait_reason("RightMissing")
    assert words in why["message"]
    assert '"sluice role" prints all that is needed' in why["message"]
    stage.event("RightMissing", re.escape(words))


def told_in(stage, words: str) -> set:
    """The places where the controller has said this."""
    history = stage.history
    texts = [("log", stage.controllers[0].log_text())]
    texts += [("event", event["message"]) for event in history.objects("Event").values()]
    texts += [("status", json.dumps(thing.get("status", {}))) for kind in
              ("AppRollout", "Application") for thing in history.objects(kind).values()]
    return {place for place, text in texts if words in text.replace('\\"', '"')}


# ── The way through everything that an adapter does ─────────────────────────────────────────


def ways(stage, verb: str, workload: dict):
    """One step after another: what a person does, and what is to come of it."""
    def revision(number, version, **properties):
        stage.put(application(apps.app(version, **properties)))
        return lambda: stage.history.now("ApplicationRevision", f"shop-v{number}")

    def rolled(*arguments, **plan):
        stage.put(rollout(*arguments, **plan))
        return lambda: is_current(stage.rollout()) and state(stage.rollout()) == "rolloutSucceed"

    yield revision(1, "4.0.6", replicas=2)
    yield rolled("shop-v1", numBatches=1)
    yield revision(2, "5.0.2", replicas=2)
    if verb == "get":
        stage.history.catch_up()
        yield rolled("shop-v2", "shop-v1", batches=[{"podList": [name]} for name in
                                                    stage.history.objects("Pod")])
    if verb == "delete":
        yield from stuck(stage, revision)
    yield rolled("shop-v2", "shop-v1", numBatches=1)
    yield rolled("shop-v1", "shop-v2", numBatches=1)
    yield rolled("shop-v2", "shop-v1", numBatches=1)
    stage.put({"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
               "spec": {"workloadRef": workload, "rolloutPlan": {}}})
    yield lambda: reason(stage.history.now("Rollout", "web")).get("code") == "Held"


def stuck(stage, revision):
    """A pod that never becomes ready has to be deleted for its successor to come."""
    yield revision(3, "broken", replicas=2, fake=False)
    stage.put(rollout("shop-v3", "shop-v1", numBatches=1))
    yield lambda: [pod for pod in apps.at(stage, "broken") if not is_ready(pod)]


@pytest.fixture
def lacking(cluster, account, tmp_path, request):
    """A stage whose controller lacks the right that the test is about."""
    adapter, group, resource, verb = request.param
    rules = without(rules_of(adapter), group, resource, verb)
    name = f"less-{adapter}-{resource.replace('/', '-')}-{verb}"
    made = open_stage(cluster, account_with(cluster, name, rules), tmp_path)
    yield made, request.param
    made.close()


def test_every_adapter_is_tried():
    """But for generic, whose rights are those of the kinds that its options name."""
    built = {path.stem for path in (BUILD / "plugins").glob("*/*.so")}
    assert built - {"generic"} == set(KINDS)


@pytest.mark.parametrize("lacking", rights(), indirect=True, ids="-".join)
def test_a_right_less_is_named(lacking):
    stage, (adapter, group, resource, verb) = lacking
    kind, version, fields = KINDS[adapter]
    template = apps.TEMPLATE.replace("apps/v1", version) % (kind, fields)
    stage.put(definition("app", template, kind, version))
    stage.controller(adapters=apps.adapter(adapter))
    words = f'cannot {verb} resource "{resource}" in API group "{group}"'
    place = place_of(resource, verb)

    def told() -> bool:
        return place in told_in(stage, words)

    for reached in ways(stage, verb, {"apiVersion": version, "kind": kind, "name": "web"}):
        stage.wait(f"it goes on, or its {place} says: {words}", lambda: told() or reached(), 20)
        if told():
            break
    stage.wait(f"nothing failed without this right; its {place} to say: {words}", told, 1)
    if is_of_adapters(resource):
        assert_says_what_helps(stage, words)
