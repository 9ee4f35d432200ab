# SPDX-License-Identifier: Apache-2.0
"""The resource definitions on a real apiserver: what they let in, what they refuse, and in which
words. Nothing is rolled here; all but a few of the requests are dry runs."""

import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from cluster.api import ApiError
from cluster.cluster import wait_for

pytestmark = pytest.mark.real("rules in CEL")

ROOT = Path(__file__).resolve().parents[2]
CRDS = ROOT / "deploy" / "crds"
NAMESPACE = f"crds-{os.getpid()}"
STRICT = "dryRun=All&fieldValidation=Strict"
API = f"/apis/core.oam.dev/v1beta1/namespaces/{NAMESPACE}"


def is_served(api, collection):
    """A kind that has just been established is answered with 404, or 429, for a moment."""
    try:
        api.get(collection)
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
        is_served(cluster.api, f"{API}/{plural}") for plural in (
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
PODS = "expected 1 to 1000000 pods, or a percentage such as 20%"
PERCENTAGE = "expected a percentage from 1% to 100%, or a number without quotes"
NO_URL = "expected a URL that begins with http:// or https://"
NO_METRICS = "found 1; canaryMetric is not supported yet"
NO_BATCH = "found {}, but the last batch is {} (they are counted from 0); leave it out"

REFUSED = {
    "replicas 0": (sizes(0), f"{BATCH}.replicas", f"found 0; {PODS}"),
    "replicas -1": (sizes(-1), f"{BATCH}.replicas", f"found -1; {PODS}"),
    "more than all": (sizes(1000001), f"{BATCH}.replicas", f"found 1000001; {PODS}"),
    "replicas '50'": (sizes("50"), f"{BATCH}.replicas",
                     f'found the text "50"; {PERCENTAGE}'),
    "replicas 0%": (sizes("0%"), f"{BATCH}.replicas",
                     f'found the text "0%"; {PERCENTAGE}'),
    "replicas 101%": (sizes("101%"), f"{BATCH}.replicas",
                     f'found the text "101%"; {PERCENTAGE}'),
    "replicas -5%": (sizes("-5%"), f"{BATCH}.replicas",
                     f'found the text "-5%"; {PERCENTAGE}'),
    "replicas 05%": (sizes("05%"), f"{BATCH}.replicas",
                     f'found the text "05%"; {PERCENTAGE}'),
    "replicas 1.5%": (sizes("1.5%"), f"{BATCH}.replicas",
                     f'found the text "1.5%"; {PERCENTAGE}'),
    "replicas half": (sizes("half"), f"{BATCH}.replicas",
                     f'found the text "half"; {PERCENTAGE}'),
    "replicas empty": (sizes(""), f"{BATCH}.replicas",
                     f'found the text ""; {PERCENTAGE}'),
    "replicas 1.5": (sizes(1.5), f"{BATCH}.replicas", "must be of type integer,string"),
    "the second batch": (sizes(1, 0), f"{PLAN}.rolloutBatches[1].replicas", f"found 0; {PODS}"),
    "no size but the last": (rollout({"rolloutBatches": [{}, {"replicas": 1}]}),
                             f"{PLAN}.rolloutBatches", "found no replicas in rolloutBatches[0]; only the last "
                             "batch, which is 1, may leave them out, and takes what is left"),
    "two without size": (rollout({"rolloutBatches": [{}, {}]}),
                         f"{PLAN}.rolloutBatches", "found no replicas in rolloutBatches[0]"),
    "the second of three without": (
        rollout({"rolloutBatches": [{"replicas": 1}, {}, {"replicas": 1}]}),
        f"{PLAN}.rolloutBatches", "found no replicas in rolloutBatches[1]; only the last batch, "
                                  "which is 2"),
    "no batch listed": (rollout({"rolloutBatches": []}), f"{PLAN}.rolloutBatches", "at least 1"),
    "numBatches 0": (rollout({"numBatches": 0}), f"{PLAN}.numBatches", "greater than or equal to 1"),
    "numBatches disagrees": (sizes(1, 1, numBatches=3), f"{PLAN}.numBatches",
                             "found 3, but rolloutBatches has 2; leave one of them out"),
    "partition past the end": (sizes(1, 1, batchPartition=2), f"{PLAN}.batchPartition",
                               NO_BATCH.format(2, 1)),
    "partition of an even plan": (rollout({"numBatches": 2, "batchPartition": 2}),
                                  f"{PLAN}.batchPartition", NO_BATCH.format(2, 1)),
    "partition of no plan": (rollout({"batchPartition": 1}), f"{PLAN}.batchPartition",
                             NO_BATCH.format(1, 0)),
    "partition negative": (sizes(1, batchPartition=-1), f"{PLAN}.batchPartition",
                           "greater than or equal to 0"),
    "strategy": (sizes(1, rolloutStrategy="Fast"), f"{PLAN}.rolloutStrategy",
                 'Unsupported value: "Fast": supported values: "IncreaseFirst", "DecreaseFirst"'),
    "size negative": (rollout({"targetSize": -1}), f"{PLAN}.targetSize",
                      "greater than or equal to 0"),
    "pods and size": (batch(podList=["a"], replicas=1), f"{BATCH}.podList",
                      "found 1 names and replicas too; podList and replicas exclude each other"),
    "a pod twice": (batch(podList=["a", "a"]), f"{BATCH}.podList[1]", 'Duplicate value: "a"'),
    "no pod named": (batch(podList=[]), f"{BATCH}.podList", "at least 1"),
    "maxUnavailable -1": (batch(replicas=1, maxUnavailable=-1), f"{BATCH}.maxUnavailable",
                          "found -1; expected 0 to 1000000 pods, or a percentage such as 20%"),
    "maxUnavailable of more than all": (batch(replicas=1, maxUnavailable=1000001),
                                        f"{BATCH}.maxUnavailable", "found 1000001; expected 0 to"),
    "maxUnavailable '50'": (batch(replicas=1, maxUnavailable="50"), f"{BATCH}.maxUnavailable",
                            'found the text "50"; expected a percentage from 0% to 100%'),
    "maxUnavailable 101%": (batch(replicas=1, maxUnavailable="101%"), f"{BATCH}.maxUnavailable",
                            'found the text "101%"; expected a percentage from 0% to 100%'),
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
                           'found "Web"; expected lower-case letters, digits and -'),
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


def lint(thing):
    """What core says of the same object."""
    build = Path(os.environ.get("SLUICE_BUILD", ROOT / "build"))
    ran = subprocess.run([build / "core" / "sluice", "lint", "-"], input=json.dumps(thing),
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30)
    assert ran.stderr == ""
    return ran.stdout


@pytest.mark.parametrize("what", REFUSED)
def test_core_refuses_the_same(what):
    """At the same field, or within it."""
    thing, path, _ = REFUSED[what]
    if thing["kind"] == "AppRollout":
        assert f" {path}" in lint(thing)


@pytest.mark.parametrize("what", ACCEPTED)
def test_core_accepts_the_same(what):
    thing = ACCEPTED[what]
    if thing["kind"] == "AppRollout":
        said = lint(thing)
        assert "nothing to complain about" in said or "the batches don't reach the end" in said


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


@pytest.mark.parametrize("plan, field, words", [
    ({"onFailure": "Rollback"}, f"{PLAN}.onFailure", "found Rollback; expected Pause or Abandon"),
    ({"rolloutBatches": [{"replicas": 1}, {"onFailure": "Rollback"}]}, f"{PLAN}.rolloutBatches",
     "found onFailure Rollback in rolloutBatches[1]; expected Pause or Abandon"),
])
def test_the_template_of_a_followed_workload_is_its_owner_s(api, plan, field, words):
    thing = follower(rolloutPlan=plan)
    with pytest.raises(ApiError) as refused:
        api.create(f"{FOLLOWERS}?{STRICT}", thing)
    assert f"{field}: Invalid value" in str(refused.value) and words in str(refused.value)
    assert f" {field}" in lint(thing)
    for kind in ("Pause", "Abandon"):
        fine = follower(rolloutPlan=json.loads(json.dumps(plan).replace("Rollback", kind)))
        api.create(f"{FOLLOWERS}?{STRICT}", fine)
        assert "nothing to complain about" in lint(fine)


def without_rules(value):
    if isinstance(value, list):
        return [without_rules(item) for item in value]
    if isinstance(value, dict):
        return {key: without_rules(item) for key, item in value.items()
                if key != "x-kubernetes-validations"}
    return value


def test_what_was_let_in_before_a_rule_isn_t_stuck(cluster, api):
    """Rules come with new versions. An object that breaks one may be labelled, get a status, be
    mended and be deleted; what it breaks can't be put elsewhere."""
    crd = yaml.safe_load((CRDS / "sluice.dev_rollouts.yaml").read_text(encoding="utf-8"))
    crd["metadata"]["name"] = "rollouts.before.example"
    crd["spec"]["group"] = "before.example"
    path = f"/apis/before.example/v1alpha1/namespaces/{NAMESPACE}/rollouts"
    bad = follower(rolloutPlan={"onFailure": "Rollback", "rolloutBatches": [{"replicas": "0%"}]})
    bad["apiVersion"] = "before.example/v1alpha1"
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

    def is_refused(rule_breaker):
        try:
            api.create(f"{path}?{STRICT}", {**rule_breaker, "metadata": {"name": "another"}})
        except ApiError as error:
            return error.code == 422
        return False
    cluster.apply(without_rules(crd))
    try:
        wait_for("the kind is served", lambda: is_served(api, path))
        api.create(path, bad)
        cluster.apply(crd)
        wait_for("the rules count", lambda: is_refused(bad))
        api.patch(f"{path}/web", {"metadata": {"labels": {"a": "b"}}})
        api.patch(f"{path}/web/status", {"status": {"rollingState": "rolloutFailed"}})
        with pytest.raises(ApiError, match="found the text \\\\?\"101%"):
            api.patch(f"{path}/web", {"spec": {"rolloutPlan": {
                "onFailure": None, "rolloutBatches": [{"replicas": "101%"}]}}})
        api.patch(f"{path}/web", {"spec": {"rolloutPlan": {
            "onFailure": "Pause", "rolloutBatches": [{"replicas": "100%"}]}}})
        api.delete(f"{path}/web")
    finally:
        api.delete(f"{crds}/rollouts.before.example")


def test_a_rollout_stays_with_its_workload(api):
    api.create(FOLLOWERS, follower())
    try:
        with pytest.raises(ApiError, match="found Deployment other where Deployment "
                                           "web was; workloadRef can't be changed"):
            api.patch(f"{FOLLOWERS}/web", {"spec": {"workloadRef": {"name": "other"}}})
        api.patch(f"{FOLLOWERS}/web", {"spec": {"rolloutPlan": {"numBatches": 2}}})
    finally:
        api.delete(f"{FOLLOWERS}/web")
