# SPDX-License-Identifier: Apache-2.0
"""The resource definitions on a real apiserver: what they let in, what they refuse, and in which
words. Nothing is rolled here; all but a few of the requests are dry runs."""

import copy
import os
import re
from pathlib import Path

import pytest
from cluster.api import ApiError
from cluster.cluster import wait_for

pytestmark = pytest.mark.real("rules in CEL")

ROOT = Path(__file__).resolve().parents[2]
CRDS = ROOT / "deploy" / "crds"
NAMESPACE = f"crds-{os.getpid()}"
STRICT = "dryRun=All&fieldValidation=Strict"
API = f"/apis/core.oam.dev/v1beta1/namespaces/{NAMESPACE}"


def is_served(api, plural):
    """A kind that has just been established is answered with 404, or 429, for a moment."""
    try:
        api.get(f"{API}/{plural}")
    except ApiError as error:
        assert error.code in (404, 429)
        return False
    return True


@pytest.fixture(scope="module")
def api(cluster):
    """A connection to a cluster that knows the four kinds."""
    cluster.kubectl("apply", "-f", str(CRDS))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
    for name in (NAMESPACE, "vela-system"):
        if not cluster.api.exists(f"/api/v1/namespaces/{name}"):
            cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    wait_for("the kinds are served", lambda: all(
        is_served(cluster.api, plural) for plural in (
            "approllouts", "applications", "applicationrevisions", "componentdefinitions")))
    yield cluster.api
    cluster.api.delete(f"/api/v1/namespaces/{NAMESPACE}")


def rollout(plan, **spec):
    return {"apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout",
            "metadata": {"name": "tried"},
            "spec": {"targetAppRevisionName": "app-v2", "rolloutPlan": plan, **spec}}


def application(*components, **spec):
    return {"apiVersion": "core.oam.dev/v1beta1", "kind": "Application",
            "metadata": {"name": "tried"}, "spec": {"components": list(components), **spec}}


def sizes(*replicas, **plan):
    return rollout({"rolloutBatches": [{"replicas": size} for size in replicas], **plan})


def batch(**members):
    return rollout({"rolloutBatches": [members]})


def hook(**members):
    return {"type": "pre-batch-rollout", "name": "gate", "url": "http://gate.svc/ask", **members}


def batch_hook(**members):
    return batch(replicas=1, batchRolloutWebhooks=[hook(**members)])


def rollout_hook(**members):
    return sizes(1, rolloutWebhooks=[hook(**members)])


def try_create(api, thing):
    plural = thing["kind"].lower() + "s"
    return api.create(f"{API}/{plural}?{STRICT}", thing)


def refusal(api, thing):
    with pytest.raises(ApiError) as refused:
        try_create(api, thing)
    assert refused.value.code in (400, 422)
    return str(refused.value)


ACCEPTED = {
    "no batches: one": rollout({}),
    "numBatches": rollout({"numBatches": 3}),
    "both, and they agree": sizes(1, "50%", numBatches=2),
    "the last batch takes the rest": rollout({"rolloutBatches": [{"replicas": 1}, {}]}),
    "1%": sizes("1%"),
    "100%": sizes("100%"),
    "whole": sizes(1, 200, 3000),
    "partition of the last batch": sizes(1, 1, batchPartition=1),
    "partition of an even plan": rollout({"numBatches": 3, "batchPartition": 2}),
    "maxUnavailable 0": batch(replicas=1, maxUnavailable=0),
    "maxUnavailable 0%": batch(replicas=1, maxUnavailable="0%"),
    "maxUnavailable 100%": batch(replicas=1, maxUnavailable="100%"),
    "pods by name": batch(podList=["web-a", "web-b"]),
    "interval": batch(replicas=1, instanceInterval=30),
    "a deadline": batch(replicas=1, progressDeadlineSeconds=1, onFailure="Pause"),
    "a deadline of the plan": sizes(1, progressDeadlineSeconds=604800, onFailure="Rollback"),
    "size": rollout({"targetSize": 0}),
    "paused": rollout({"paused": True}),
    "decrease first": rollout({"rolloutStrategy": "DecreaseFirst"}),
    "no metrics": rollout({"canaryMetric": []}),
    "all hooks of a rollout": sizes(1, rolloutWebhooks=[
        hook(type=kind) for kind in ("initialize-rollout", "pre-batch-rollout",
                                     "post-batch-rollout", "finalize-rollout")]),
    "both hooks of a batch": batch(replicas=1, batchRolloutWebhooks=[
        hook(), hook(type="post-batch-rollout", url="https://gate/", method="get",
                     expectedStatus=[100, 599], metadata={"a": "b"})]),
    "no source, all components": rollout({}, sourceAppRevisionName="", componentList=[]),
    "revert": rollout({}, revertOnDelete=True, componentList=["web", "worker"]),
    "an Application of KubeVela's": application(
        {"name": "web", "type": "webservice", "traits": [{"type": "ingress"}],
         "properties": {"image": "nginx", "any": {"thing": [1, 2.5, None]}}},
        policies=[{"name": "p", "type": "topology"}], workflow={"steps": []}),
}


@pytest.mark.parametrize("what", ACCEPTED)
def test_accepted(api, what):
    try_create(api, ACCEPTED[what])


PLAN = "spec.rolloutPlan"
BATCH = "spec.rolloutPlan.rolloutBatches[0]"
NO_PODS = "found no pods or fewer; expected at least 1, or a percentage such as 20%"
NO_PERCENTAGE = "found a text that is no percentage from 1% to 100%; write 50 or 50%"
NO_URL = "expected a URL that begins with http:// or https://"
NO_METRICS = "canaryMetric is not supported yet"
NO_BATCH = "there is no such batch; they are counted from 0"

REFUSED = {
    "replicas 0": (sizes(0), f"{BATCH}.replicas", NO_PODS),
    "replicas -1": (sizes(-1), f"{BATCH}.replicas", NO_PODS),
    "replicas '50'": (sizes("50"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas 0%": (sizes("0%"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas 101%": (sizes("101%"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas -5%": (sizes("-5%"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas 05%": (sizes("05%"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas 1.5%": (sizes("1.5%"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas half": (sizes("half"), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas empty": (sizes(""), f"{BATCH}.replicas", NO_PERCENTAGE),
    "replicas 1.5": (sizes(1.5), f"{BATCH}.replicas", "must be of type integer,string"),
    "the second batch": (sizes(1, 0), f"{PLAN}.rolloutBatches[1].replicas", NO_PODS),
    "no size but the last": (rollout({"rolloutBatches": [{}, {"replicas": 1}]}),
                             f"{PLAN}.rolloutBatches", "only the last batch may leave replicas out"),
    "two without size": (rollout({"rolloutBatches": [{}, {}]}),
                         f"{PLAN}.rolloutBatches", "only the last batch may leave replicas out"),
    "no batch listed": (rollout({"rolloutBatches": []}), f"{PLAN}.rolloutBatches", "at least 1"),
    "numBatches 0": (rollout({"numBatches": 0}), f"{PLAN}.numBatches", "greater than or equal to 1"),
    "numBatches disagrees": (sizes(1, 1, numBatches=3), f"{PLAN}.numBatches",
                             "isn't the number of rolloutBatches; leave one of them out"),
    "partition past the end": (sizes(1, 1, batchPartition=2), f"{PLAN}.batchPartition", NO_BATCH),
    "partition of an even plan": (rollout({"numBatches": 2, "batchPartition": 2}),
                                  f"{PLAN}.batchPartition", NO_BATCH),
    "partition of no plan": (rollout({"batchPartition": 1}), f"{PLAN}.batchPartition", NO_BATCH),
    "partition negative": (sizes(1, batchPartition=-1), f"{PLAN}.batchPartition",
                           "greater than or equal to 0"),
    "strategy": (sizes(1, rolloutStrategy="Fast"), f"{PLAN}.rolloutStrategy",
                 'Unsupported value: "Fast": supported values: "IncreaseFirst", "DecreaseFirst"'),
    "size negative": (rollout({"targetSize": -1}), f"{PLAN}.targetSize",
                      "greater than or equal to 0"),
    "pods and size": (batch(podList=["a"], replicas=1), f"{BATCH}.podList",
                      "podList and replicas exclude each other"),
    "a pod twice": (batch(podList=["a", "a"]), f"{BATCH}.podList[1]", 'Duplicate value: "a"'),
    "no pod named": (batch(podList=[]), f"{BATCH}.podList", "at least 1"),
    "maxUnavailable -1": (batch(replicas=1, maxUnavailable=-1), f"{BATCH}.maxUnavailable",
                          "found less than 0; expected 0 or more pods"),
    "maxUnavailable '50'": (batch(replicas=1, maxUnavailable="50"), f"{BATCH}.maxUnavailable",
                            "no percentage from 0% to 100%; write 50 or 50%"),
    "maxUnavailable 101%": (batch(replicas=1, maxUnavailable="101%"), f"{BATCH}.maxUnavailable",
                            "no percentage from 0% to 100%; write 50 or 50%"),
    "interval negative": (batch(replicas=1, instanceInterval=-1), f"{BATCH}.instanceInterval",
                          "greater than or equal to 0"),
    "no time": (sizes(1, progressDeadlineSeconds=0), f"{PLAN}.progressDeadlineSeconds",
                "greater than or equal to 1"),
    "no such consequence": (batch(replicas=1, onFailure="Undo"), f"{BATCH}.onFailure",
                            'Unsupported value: "Undo"'),
    "metrics of a rollout": (sizes(1, canaryMetric=[{"name": "m"}]), f"{PLAN}.canaryMetric",
                             NO_METRICS),
    "metrics of a batch": (batch(replicas=1, canaryMetric=[{"name": "m"}]),
                           f"{BATCH}.canaryMetric", NO_METRICS),
    "a rollout's hook at a batch": (
        batch_hook(type="initialize-rollout"), f"{BATCH}.batchRolloutWebhooks[0].type",
        "found initialize-rollout; expected pre-batch-rollout or post-batch-rollout"),
    "no such hook at a batch": (batch_hook(type="later"), f"{BATCH}.batchRolloutWebhooks[0].type",
                                "found later; expected pre-batch-rollout"),
    "no such hook": (rollout_hook(type="later"), f"{PLAN}.rolloutWebhooks[0].type",
                     'Unsupported value: "later"'),
    "a batch hook's URL": (batch_hook(url="gate.svc/ask"),
                           f"{BATCH}.batchRolloutWebhooks[0].url", f"found gate.svc/ask; {NO_URL}"),
    "a hook's URL": (rollout_hook(url="ftp://gate"), f"{PLAN}.rolloutWebhooks[0].url",
                     f"found ftp://gate; {NO_URL}"),
    "no URL": (sizes(1, rolloutWebhooks=[{"type": "finalize-rollout", "name": "n"}]),
               f"{PLAN}.rolloutWebhooks[0].url", "Required value"),
    "no name": (sizes(1, rolloutWebhooks=[{"type": "finalize-rollout", "url": "http://a"}]),
                f"{PLAN}.rolloutWebhooks[0].name", "Required value"),
    "a batch hook's method": (batch_hook(method="DELETE"),
                              f"{BATCH}.batchRolloutWebhooks[0].method",
                              "found DELETE; expected POST, PUT, PATCH or GET"),
    "a hook's method": (rollout_hook(method="DELETE"), f"{PLAN}.rolloutWebhooks[0].method",
                        "found DELETE; expected POST, PUT, PATCH or GET"),
    "status 99": (rollout_hook(expectedStatus=[200, 99]),
                  f"{PLAN}.rolloutWebhooks[0].expectedStatus[1]", "greater than or equal to 100"),
    "status 600": (batch_hook(expectedStatus=[600]),
                   f"{BATCH}.batchRolloutWebhooks[0].expectedStatus[0]",
                   "less than or equal to 599"),
    "no target": (rollout({}, targetAppRevisionName=""), "spec.targetAppRevisionName",
                  "at least 1 chars long"),
    "a component twice": (rollout({}, componentList=["a", "a"]), "spec.componentList[1]",
                          'Duplicate value: "a"'),
    "a member that nobody knows": (rollout({"batchPartitions": 1}), f"{PLAN}.batchPartitions",
                                   "unknown field"),
    "no components": (application(), "spec.components", "at least 1"),
    "a component's name": (application({"name": "Web", "type": "t"}), "spec.components[0].name",
                           "expected lower-case letters, digits and -"),
    "a component's name twice": (application({"name": "a", "type": "t"},
                                             {"name": "a", "type": "t"}),
                                 "spec.components[1]", "Duplicate value"),
    "no type": (application({"name": "a"}), "spec.components[0].type", "Required value"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(api, what):
    thing, path, words = REFUSED[what]
    message = refusal(api, thing)
    assert path in message
    assert words in message


def test_no_plan(api):
    thing = rollout({})
    del thing["spec"]["rolloutPlan"]
    assert "spec.rolloutPlan: Required value" in refusal(api, thing)


def test_the_longest_plan(api):
    """CEL has a budget at run time too."""
    batches = [{"replicas": "100%", "maxUnavailable": "100%", "batchRolloutWebhooks": [
        hook(url="https://" + "x" * 200), hook(type="post-batch-rollout")]}] * 1000
    try_create(api, rollout({"rolloutBatches": batches}))


def test_the_design_s_own_files(cluster, api):
    for file in sorted((ROOT / "examples" / "seed").glob("*.yaml")):
        where = [] if "componentdefinition" in file.name else ["-n", NAMESPACE]
        cluster.kubectl("apply", "--dry-run=server", *where, "-f", str(file))


def test_the_examples(cluster, api):
    files = sorted((ROOT / "examples").glob("rollout*/*.yaml"))
    assert files
    for file in files:
        cluster.kubectl("apply", "--dry-run=server", "-n", NAMESPACE, "-f", str(file))


def test_small():
    assert sum(file.stat().st_size for file in CRDS.glob("*.yaml")) < 100_000


def test_names(cluster, api):
    found = cluster.kubectl("api-resources", "--api-group=core.oam.dev", "--no-headers",
                            "--categories=oam")
    rows = {row.split()[-1]: row.split()[1] for row in found.splitlines()}
    assert rows == {"AppRollout": "approllout", "Application": "app",
                    "ApplicationRevision": "apprev", "ComponentDefinition": "comp"}


def full_status():
    """Every member that a status may have."""
    one = {"rollingState": "rollingInBatches", "batchRollingState": "batchVerifying",
           "currentBatch": 1, "rolloutOriginalSize": 5, "rolloutTargetSize": 5,
           "upgradedReplicas": 3, "upgradedReadyReplicas": 2, "targetGeneration": "web-1",
           "lastAppliedPodTemplateIdentifier": "web-0", "lastTargetAppRevision": "app-v2",
           "LastSourceAppRevision": "app-v1", "observedGeneration": 3, "wantedSize": 5,
           "scale": True, "halfWay": True, "stepTarget": 3, "stepTime": "2026-01-31T12:00:00.123000Z",
           "stepMet": True, "standing": {"since": "2026-01-31T12:00:00.123000Z", "ready": 1},
           "engaged": True, "answeredWish": "retry-1",
           "history": [{"source": "app-v0", "target": "app-v1", "verdict": "Failed",
                        "began": "2026-01-31T11:00:00.000000Z",
                        "ended": "2026-01-31T11:30:00.000000Z", "message": "m", "size": 5,
                        "upgraded": 3, "batches": 2, "batchesDone": 1, "batchSeconds": [60]}],
           "gate": {"passed": 1, "attempts": 2, "retryAt": "2026-01-31T12:00:00.000000Z"},
           "reason": {"code": "PodsNotReady", "message": "m", "object": "o", "field": "f",
                      "expected": "3", "found": "2", "since": "2026-01-31T12:00:00.000000Z"},
           "conditions": [
               {"type": "RolloutInitializing", "status": "True", "reason": "TakenOver",
                "message": "m", "lastTransitionTime": "2026-01-31T12:00:00.001000Z"},
               {"type": "BatchReady", "status": "False", "reason": "BatchDone",
                "lastTransitionTime": "2026-01-31T12:00:00.002000Z"}]}
    return {"component": "web", **one, "components": [{"name": "web", **copy.deepcopy(one)}]}


def pointers(value, above=""):
    if not isinstance(value, dict):
        return {above}
    return set().union(*(pointers(inner, f"{above}/{name}") for name, inner in value.items()))


def test_status_keeps_everything(api):
    """Nothing that the controller writes is pruned, to the millisecond."""
    api.create(f"{API}/approllouts", sizes(1))
    try:
        path = f"{API}/approllouts/tried"
        wanted = full_status()
        api.patch(f"{path}/status?fieldValidation=Strict", {"status": wanted})
        assert api.get(path)["status"] == wanted
        api.patch(path, {"status": {"currentBatch": 7}})
        assert api.get(path)["status"] == wanted
    finally:
        api.delete(f"{API}/approllouts/tried")


def test_status_above_is_all_that_is_written():
    source = (ROOT / "core" / "oam" / "status.c").read_text(encoding="utf-8")
    written = set(re.findall(r'\{"(/[A-Za-z/]+)", MEMBER_', source))
    assert len(written) > 20
    assert written <= pointers(full_status())


def test_columns_of_a_rollout(cluster, api):
    api.create(f"{API}/approllouts", sizes(1))
    try:
        api.patch(f"{API}/approllouts/tried/status", {"status": full_status()})
        head, row = cluster.kubectl("get", "approllout", "-n", NAMESPACE).splitlines()
    finally:
        api.delete(f"{API}/approllouts/tried")
    assert head.split() == ["NAME", "TARGET", "UPGRADED", "READY", "BATCH-STATE", "ROLLING-STATE",
                            "AGE"]
    assert row.split()[:6] == ["tried", "5", "3", "2", "batchVerifying", "rollingInBatches"]


REVISION = {
    "apiVersion": "core.oam.dev/v1beta1", "kind": "ApplicationRevision",
    "metadata": {"name": "kept-v1"},
    "spec": {"application": {"spec": {"components": [{"name": "web", "properties": {"x": [1, 2]}}],
                                      "a": 1, "b": 2, "c": 3}},
             "componentDefinitions": {"t": {"spec": {"p": 1, "q": 2}}}}}


@pytest.fixture(scope="module")
def revision(api):
    api.create(f"{API}/applicationrevisions", REVISION)
    yield f"{API}/applicationrevisions/kept-v1"
    api.delete(f"{API}/applicationrevisions/kept-v1")


CHANGES = {
    "a parameter, deep down": lambda spec: spec["application"]["spec"]["components"][0]
    ["properties"]["x"].append(3),
    "the last of several members": lambda spec: spec["application"]["spec"].update(c=4),
    "a member more": lambda spec: spec["application"]["spec"].update(d=4),
    "a member less": lambda spec: spec["application"]["spec"].pop("b"),
    "a definition": lambda spec: spec["componentDefinitions"]["t"]["spec"].update(q=3),
    "a definition more": lambda spec: spec["componentDefinitions"].update(u={}),
    "no definitions": lambda spec: spec.pop("componentDefinitions"),
    "something of KubeVela's": lambda spec: spec.update(traitDefinitions={}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_revision_never_changes(api, revision, what):
    """Several times over: comparing maps has an order that changes from run to run."""
    for _ in range(10):
        changed = api.get(revision)
        CHANGES[what](changed["spec"])
        with pytest.raises(ApiError) as refused:
            api.request("PUT", revision + "?dryRun=All", changed)
        assert "a revision is a record and can't be changed" in str(refused.value)


def test_a_revision_may_be_labelled(api, revision):
    api.patch(revision, {"metadata": {"labels": {"kept": "yes"}}})
    assert api.get(revision)["metadata"]["labels"] == {"kept": "yes"}


# Rollouts, the other kind with a plan

FOLLOWERS = f"/apis/sluice.dev/v1alpha1/namespaces/{NAMESPACE}/rollouts"


def follower(**spec):
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
            "spec": {"workloadRef": ref, "rolloutPlan": {}, **spec}}


def plan_schema(api, crd):
    found = api.get(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd}")
    schema = found["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema["properties"]["spec"]["properties"]["rolloutPlan"]


def test_both_kinds_have_one_plan(api):
    assert plan_schema(api, "rollouts.sluice.dev") == plan_schema(api, "approllouts.core.oam.dev")


@pytest.mark.parametrize("spec, words", [
    ({"workloadRef": {"kind": "Deployment", "name": "web"}}, "spec.workloadRef.apiVersion"),
    ({"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": ""}},
     "spec.workloadRef.name"),
    ({"rolloutPlan": {"numBatches": 0}}, "spec.rolloutPlan.numBatches"),
    ({"targetAppRevisionName": "shop-v1"}, "unknown field"),
])
def test_a_bad_rollout_is_refused(api, spec, words):
    with pytest.raises(ApiError, match=words):
        api.create(f"{FOLLOWERS}?{STRICT}", follower(**spec))


def test_a_rollout_stays_with_its_workload(api):
    api.create(FOLLOWERS, follower())
    try:
        with pytest.raises(ApiError, match="workloadRef can't be changed"):
            api.patch(f"{FOLLOWERS}/web", {"spec": {"workloadRef": {"name": "other"}}})
        api.patch(f"{FOLLOWERS}/web", {"spec": {"rolloutPlan": {"numBatches": 2}}})
    finally:
        api.delete(f"{FOLLOWERS}/web")
