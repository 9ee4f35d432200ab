# SPDX-License-Identifier: Apache-2.0
"""The verbs on Rollouts (sluice.dev), whose target is the template that their workload has."""

import copy
import hashlib
import json
import threading

import pytest
from test_act import patches
from test_status import ago, ask, watched  # noqa: F401
from test_status import rollout as approllout

V1 = {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}
V2 = {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}
NAME_OF_V2 = hashlib.sha256(json.dumps({"/spec/template": V2}, sort_keys=True, separators=(
    ",", ":")).encode()).hexdigest()[:16]

FILE = """\
apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  rolloutPlan:
    rolloutBatches: [{replicas: 1}, {replicas: 50%}, {}]
"""


def deployment(template=V2, rolled=V1, before=None) -> dict:
    history = {"rolled": {"/spec/template": rolled}}
    if before:
        history["before"] = {"/spec/template": before}
    notes = {"rollout.sluice.dev/templates": json.dumps(history)} if rolled else {}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 9,
                         "annotations": notes},
            "spec": {"replicas": 5, "template": template}}


def rollout(target: str, source: str = "", plan=None, **status) -> dict:
    return {"apiVersion": "sluice.dev/v1alpha1", "kind": "Rollout",
            "metadata": {"name": "web", "namespace": "default", "uid": "u", "generation": 3},
            "spec": {"workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                     "rolloutPlan": {"rolloutBatches": [{"replicas": 1}, {"replicas": "50%"}, {}],
                                     **(plan or {})}},
            "status": {"rolloutOriginalSize": 5, "rolloutTargetSize": 5, "observedGeneration": 3,
                       "lastTargetAppRevision": target, "LastSourceAppRevision": source, **status}}


def held(target: str) -> dict:
    return rollout(target, rollingState="rolloutSucceed", upgradedReplicas=5,
                   upgradedReadyReplicas=5, reason={
                       "code": "Held", "message": "Deployment default/web: it is held until its "
                                                  "template changes", "since": ago(400)})


def at_gate(target="t2", source="t1") -> dict:
    return rollout(target, source, plan={"batchPartition": 0}, rollingState="rollingInBatches",
                   batchRollingState="batchReady", currentBatch=0, upgradedReplicas=1,
                   upgradedReadyReplicas=1, reason={
                       "code": "PartitionReached", "message": "batch 1 of 3 is ready",
                       "since": ago(400)})


def test_status_and_explain(ask, server):  # noqa: F811
    server.put(at_gate())
    page = ask("status", "web", COLUMNS="80").out
    assert page.startswith("Rollout default/web\n\nDeployment web: to t2 from t1, 5 pods\n")
    assert "sluice approve web" in page
    assert ask("explain", "web").out.startswith("Rollout default/web, Deployment web\n")
    wide = ask("status", "-o", "wide").out.splitlines()[1].split()
    assert wide[:5] == ["web", "web", "t2", "batchReady", "1/3"]
    assert ask("status", "-o", "name").out == "rollouts.sluice.dev/web\n"


def test_explain_what_is_held(ask, server):  # noqa: F811
    server.put(held("t1"))
    page = ask("explain", "web").out
    assert "reason       Held" in page
    assert "change the workload's template, and the plan begins" in page


def test_one_that_nobody_has_looked_at(ask, server):  # noqa: F811
    new = rollout("")
    del new["status"]
    server.put(new)
    assert "Deployment web: to the template that it has" in ask("status", "web").out


def test_two_of_one_name(ask, server):  # noqa: F811
    server.put(at_gate())
    server.put(approllout("web"))
    ran = ask("status", "web")
    assert (ran.status, ran.err) == (1, 'sluice status: there are two rollouts "web"; say '
                                        "approllouts/web or rollouts/web\n")
    for name in ("rollouts/web", "rollout/web", "Rollout/web", "rollouts.sluice.dev/web"):
        assert ask("status", name).out.startswith("Rollout default/web\n")
    assert ask("status", "approllouts.core.oam.dev/web").out.startswith("AppRollout default/web\n")
    assert 'found "deployments/"' in ask("status", "deployments/web").err


@pytest.mark.parametrize("verb, plan", [
    ("approve", {"batchPartition": 1}), ("promote", {}),
    ("pause", {"batchPartition": 0, "paused": True})])
def test_one_patch_of_the_plan(ask, server, verb, plan):  # noqa: F811
    server.put(at_gate())
    assert ask(verb, "web").status == 0
    (path, _), = patches(server)
    assert "/apis/sluice.dev/v1alpha1/namespaces/default/rollouts/web?" in path
    after = server.collections["Rollout"]["web"]["spec"]["rolloutPlan"]
    assert {key: after[key] for key in after if key != "rolloutBatches"} == plan


def test_paused_before_the_next_roll(ask, server):  # noqa: F811
    server.put(held("t1"))
    assert ask("pause", "web").out == "Rollout web: paused is set: it holds still where it is\n"


def test_wishes(ask, server):  # noqa: F811
    """They are about the roll to the template that is recorded."""
    server.put(at_gate("t2"))
    said = ask("abort", "web").out
    assert said.startswith("Rollout web: batch 1 of 3 stops where it stands, with 1 of 5 pods at t2")
    notes = server.collections["Rollout"]["web"]["metadata"]["annotations"]
    assert notes["rollout.sluice.dev/wish"].startswith("abort t2 ")
    server.put(held("t1"))
    assert ask("abort", "web").err == ("sluice abort: web: nothing is under way, it has ended "
                                       "(rolloutSucceed)\n")


def test_rollback_in_the_middle(ask, server):  # noqa: F811
    """To the template that all pods had, by the workload itself; who asked is recorded."""
    server.put(at_gate())
    server.put(deployment())
    ran = ask("rollback", "web", "--dry-run", USER="jo")
    assert ran.out.endswith("; batchPartition 0 holds it as before (not done)\n")
    assert not patches(server)
    ran = ask("rollback", "web", USER="jo")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("Rollout web: Deployment web gets template ")
    (path, body), (asked, _) = patches(server)
    assert "/deployments/web?fieldManager=sluice-cli" in path and "/rollouts/web?" in asked
    assert body == [{"op": "test", "path": "/metadata/uid", "value": "d"},
                    {"op": "test", "path": "/metadata/generation", "value": 9},
                    {"op": "replace", "path": "/spec/template", "value": V1}]
    assert server.collections["Deployment"]["web"]["spec"]["template"] == V1
    notes = server.collections["Rollout"]["web"]["metadata"]["annotations"]
    assert notes["rollout.sluice.dev/asked"].startswith("rollback by jo at 20")


def test_rollback_at_the_end(ask, server):  # noqa: F811
    """To the one before."""
    server.put(held("t2"))
    server.put(deployment(V2, rolled=V2, before=V1))
    assert ask("rollback", "web").status == 0
    assert server.collections["Deployment"]["web"]["spec"]["template"] == V1


@pytest.mark.parametrize("metadata, room", [
    ({"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-31T12:00:00Z"}}, []),
    ({"labels": {"app": "web"}}, ["/spec/template/metadata/annotations"]),
    (None, ["/spec/template/metadata", "/spec/template/metadata/annotations"]),
])
def test_restart(ask, server, metadata, room):  # noqa: F811
    """A mark in the template and nothing else; who asked is recorded."""
    server.put(held("t2"))
    template = {**copy.deepcopy(V2), **({"metadata": metadata} if metadata else {})}
    server.put(deployment(template, rolled=V2))
    said = "Rollout web: Deployment web gets new pods from the template that it has, in 3 batches"
    assert ask("restart", "web", "--dry-run").out == said + " (not done)\n"
    assert not patches(server)
    ran = ask("restart", "web", USER="jo")
    assert (ran.status, ran.out, ran.err) == (0, said + "\n", "")
    (path, body), (asked, _) = patches(server)
    assert "/deployments/web?fieldManager=sluice-cli" in path and "/rollouts/web?" in asked
    assert body[:2] == [{"op": "test", "path": "/metadata/uid", "value": "d"},
                        {"op": "test", "path": "/metadata/generation", "value": 9}]
    mark = "/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt"
    assert [(step["op"], step["path"]) for step in body[2:]] == [
        *(("add", path) for path in room), ("add", mark)]
    notes = server.collections["Rollout"]["web"]["metadata"]["annotations"]
    assert notes["rollout.sluice.dev/asked"] == f"restart by jo at {body[-1]['value']}"


def test_restart_in_the_middle(ask, server):  # noqa: F811
    server.put(at_gate())
    server.put(deployment())
    assert ask("restart", "web").out.endswith(
        "in 3 batches; batchPartition 0 holds it as before; the roll that is under way is left for "
        "that\n")


def test_restart_what_has_no_template(ask, server):  # noqa: F811
    server.put(held("t2"))
    odd = deployment()
    del odd["spec"]["template"]
    server.put(odd)
    ran = ask("restart", "web")
    assert (ran.status, ran.err) == (1, "sluice restart: web: Deployment web has no spec.template to "
                                        "mark; change its template yourself\n")
    assert not patches(server)


def test_restart_an_approllout(ask, server):  # noqa: F811
    server.put(approllout("shop"))
    ran = ask("restart", "shop")
    assert (ran.status, ran.out) == (1, "") and not patches(server)
    assert ran.err.startswith("sluice restart: shop: its pods' template is that of revision shop-v2, "
                              "and new pods take a new revision: ")


@pytest.mark.parametrize("workload, words", [
    (deployment(V2, rolled=V2), "no earlier template of the workload is known"),
    (deployment(V2, rolled=None), "no earlier template of the workload is known"),
    (None, 'web: Deployment "web" not found'),
])
def test_no_way_back(ask, server, workload, words):  # noqa: F811
    server.put(held("t2"))
    if workload:
        server.put(workload)
    ran = ask("rollback", "web")
    assert ran.status == 1 and words in ran.err
    assert not patches(server)


def test_rollback_while_somebody_writes(ask, server):  # noqa: F811
    server.put(at_gate())
    server.put(deployment())

    def somebody_else():
        other = copy.deepcopy(server.collections["Deployment"]["web"])
        other["metadata"]["generation"] = 10
        server.put(other)
    server.before_patch = somebody_else
    ran = ask("rollback", "web")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == ("sluice rollback: somebody else has changed Deployment web at the same time; "
                       "nothing was done. Look at it (sluice status web) and ask again\n")
    assert server.collections["Deployment"]["web"]["spec"]["template"] == V2


def test_wait_for_a_template_that_nobody_has_seen_yet(ask, server):  # noqa: F811
    """It was held at the last one when the template changed: that isn't the end that is meant."""
    server.put(deployment(V2))
    server.put(held("t1"))
    watching = watched(server)

    def go_on():
        watching.wait(20)
        server.put(rollout("other", "t1", rollingState="verifyingSpec"))
        server.put(held(NAME_OF_V2))
    changer = threading.Thread(target=go_on)
    changer.start()
    ran = ask("status", "web", "--wait", "--timeout", "30s")
    changer.join()
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith("Rollout web has succeeded\n")


def test_wait_for_what_is_held(ask, server):  # noqa: F811
    server.put(deployment(V2))
    server.put(held(NAME_OF_V2))
    ran = ask("status", "web", "--wait", "--timeout", "30s")
    assert (ran.status, ran.out) == (0, "rolloutSucceed\nRollout web has succeeded\n")


def test_plan(sluice, tmp_path):
    file = tmp_path / "web.yaml"
    file.write_text(FILE)
    ran = sluice("plan", file, "--size", "5")
    assert ran.status == 0 and ran.out.startswith(
        "Rollout web: each change of the template of Deployment web\n5 pods\n")
    file.write_text(FILE + "---\n" + json.dumps(deployment()) + "\n")
    assert "5 pods (Deployment web in the file)\n" in sluice("plan", file).out


@pytest.mark.parametrize("live, words", [
    (held("t1"), "rolloutSucceed, to t1. Applied, the next change of the template goes by this plan"),
    (at_gate(), "(batch 1, batchReady), to t2. Applied, it goes on with this plan"),
])
def test_plan_against(ask, server, tmp_path, live, words):  # noqa: F811
    live["spec"]["rolloutPlan"]["numBatches"] = 3
    server.put(live)
    server.put(approllout("web"))
    file = tmp_path / "web.yaml"
    file.write_text(FILE)
    assert words in ask("plan", file, "--against").out


def test_plan_against_one_of_another_workload(ask, server, tmp_path):  # noqa: F811
    server.put(held("t1"))
    file = tmp_path / "web.yaml"
    file.write_text(FILE.replace("name: web}\n  rolloutPlan", "name: api}\n  rolloutPlan"))
    assert "it is refused, for workloadRef can't be changed" in ask("plan", file, "--against").out


@pytest.mark.parametrize("text, finding", [
    (FILE, None),
    (FILE.replace("kind: Deployment, ", ""), "spec.workloadRef.kind: expected a name"),
    (FILE.replace("workloadRef: {", "workloadRef: {namespace: x, "), "spec.workloadRef.namespace: "),
    (FILE.replace("  workloadRef", "  workloadref"), "spec.workloadref: "),
    (FILE.replace("50%", "250%"), "spec.rolloutPlan.rolloutBatches"),
    (FILE.replace("v1alpha1", "v1"), "expected sluice.dev/v1alpha1"),
    (FILE.replace("kind: Rollout", "kind: Rolout"), 'unknown kind "Rolout"; did you mean "Rollout"?'),
])
def test_lint(sluice, tmp_path, text, finding):
    file = tmp_path / "web.yaml"
    file.write_text(text)
    ran = sluice("lint", file)
    assert ran.status == (1 if finding else 0), ran.out + ran.err
    assert (finding or "1 object checked") in ran.out


def test_lint_leaves_rollouts_of_others_alone(sluice, tmp_path):
    file = tmp_path / "argo.yaml"
    file.write_text(FILE + "---\napiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {any: 1}\n")
    assert sluice("lint", file).out == "1 object checked, nothing to complain about\n"
