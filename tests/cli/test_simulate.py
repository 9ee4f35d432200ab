# SPDX-License-Identifier: Apache-2.0
"""`sluice simulate`: what files lead to, played in virtual time by the real controller."""

import json
import os
import re
from contextlib import closing

import pytest
import yaml

from conftest import BUILD, ROOT
from terminal import Terminal

EXAMPLES = ROOT / "examples"
SEED = EXAMPLES / "seed"
DEFINITION = SEED / "componentdefinition-clonesetservice.yaml"
AT_V1 = [DEFINITION, SEED / "application-v1.yaml", SEED / "approllout-to-v1.yaml"]
BEFORE_V2 = [*AT_V1, SEED / "application-v2.yaml"]
DEPLOYMENT = EXAMPLES / "rollout" / "deployment.yaml"


@pytest.fixture
def simulate(sluice):
    """The steps, as programs get them; the exit status is `ends`."""
    def run(*arguments, ends: int = 0, stdin: str = "") -> list:
        ran = sluice("simulate", "-o", "json", *arguments, stdin=stdin)
        assert ran.status == ends, ran.err
        return json.loads(ran.out)["steps"]
    return run


def states(step: dict) -> list:
    return [event["state"] for event in step["events"] if "state" in event]


def targets(step: dict) -> list:
    return [(event["at"], event["batch"], event["target"]) for event in step["events"]
            if "target" in event]


def stand(step: dict) -> tuple:
    only, = step["stands"]
    return only["state"], only["reason"]["code"]


# ── What people see ──────────────────────────────────────────────────────────────────────────


def test_the_whole_picture(sluice):
    ran = sluice("simulate", *BEFORE_V2, SEED / "approllout-overview.yaml")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == """\
ComponentDefinition vela-system/clonesetservice applied

Application default/test-rolling applied

AppRollout default/rolling-example applied
  TIME    BATCH  TARGET  PODS   STATES
  0.0 s                  ·····  locatingTargetApp › verifyingSpec › initializing
  0.0 s   1/3    1       ·····  batchInitializing › batchInRolling › batchVerifying
  10.0 s  1/3            ●····  batchFinalizing › batchReady
  10.0 s  2/3    3       ●····  batchInitializing › batchInRolling › batchVerifying
  20.0 s  2/3            ●●●··  batchFinalizing › batchReady
  20.0 s  3/3    5       ●●●··  batchInitializing › batchInRolling › batchVerifying
  30.0 s  3/3            ●●●●●  batchFinalizing › batchReady
  30.0 s                 ●●●●●  finalising › rolloutSucceed
  AppRollout default/rolling-example: rolloutSucceed after 30.0 s, with 21 writes: CloneSet default/metrics-provider: all 5 pods are at test-rolling-v1

Application default/test-rolling applied

AppRollout default/rolling-example applied
  TIME    BATCH  TARGET  PODS   STATES
  0.0 s                  ·····  locatingTargetApp › verifyingSpec › initializing
  0.0 s   1/3    1       ·····  batchInitializing › batchInRolling › batchVerifying
  10.0 s  1/3            ●····  batchFinalizing › batchReady
  10.0 s  2/3    4       ●····  batchInitializing › batchInRolling › batchVerifying
  40.0 s  2/3            ●●●●·  batchFinalizing › batchReady
  AppRollout default/rolling-example: batchReady after 40.0 s, with 15 writes: batch 2 of 3 is ready; batchPartition is 1, raise it to go on
    to go on: sluice approve rolling-example
"""


def test_on_a_terminal_of_60_columns(tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with closing(Terminal([BUILD / "core" / "sluice", "simulate", DEPLOYMENT], 60, 30,
                          env=environment)) as terminal:
        assert terminal.ended() == 0
        assert terminal.screen.text() == """\
Deployment default/web applied

Rollout default/web applied
  TIME   BATCH  TARGET  PODS  STATES
  0.0 s                 ●●●●  locatingTargetApp ›
                              verifyingSpec › holding ›
                              verifyingSpec › rolloutSucceed
  Rollout default/web: rolloutSucceed after 0.0 s, with 6
    writes: Deployment default/web: all 4 pods are at
    7a5aaffa9474b537; it is held until its template changes
    to go on: change the workload's template, and the plan
              begins

Rollout default/web restarted: Deployment web gets new pods
  from the template that it has, in 3 batches;
  batchPartition 0 holds it as before
  TIME    BATCH  TARGET  PODS  STATES
  0.0 s                  ····  locatingTargetApp ›
                               verifyingSpec › initializing
  0.0 s   1/3    1       ····  batchInitializing ›
                               batchInRolling ›
                               batchVerifying
  10.0 s  1/3            ●···  batchFinalizing › batchReady
  Rollout default/web: batchReady after 10.0 s, with 12
    writes: batch 1 of 3 is ready; batchPartition is 0,
    raise it to go on
    to go on: sluice approve web
"""


def test_several_components_are_told_apart(sluice, tmp_path):
    ran = sluice("simulate", DEFINITION, two_components(tmp_path))
    assert ran.status == 0, ran.err
    rows = [line.split() for line in ran.out.splitlines()]
    assert ["TIME", "OF", "BATCH", "TARGET", "PODS", "STATES"] in rows
    assert ["10.0", "s", "both", "a", "1/1", "●●", "batchFinalizing", "›", "batchReady"] in rows
    assert ["10.0", "s", "both", "b", "1/1", "●●●", "batchFinalizing", "›", "batchReady"] in rows


def two_components(folder):
    parts = [{"name": name, "type": "clonesetservice",
              "properties": {"image": "podinfo:1", "replicas": size}}
             for name, size in (("a", 2), ("b", 3))]
    path = folder / "both.yaml"
    path.write_text(yaml.safe_dump_all([
        {"apiVersion": "core.oam.dev/v1beta1", "kind": "Application",
         "metadata": {"name": "both", "annotations": {"app.oam.dev/rollout-template": "true"}},
         "spec": {"components": parts}},
        {"apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout", "metadata": {"name": "both"},
         "spec": {"targetAppRevisionName": "both-v1", "componentList": ["a", "b"],
                  "rolloutPlan": {"numBatches": 1}}}]))
    return path


# ── Every example ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("example, end, ends", [
    ("seed/approllout-v1-to-v2.yaml", ("rolloutSucceed", "Succeeded"), 0),
    ("seed/approllout-overview.yaml", ("batchReady", "PartitionReached"), 0),
    ("seed/approllout-to-v1.yaml", ("rolloutSucceed", "Succeeded"), 0),
    ("rollouts/hooks.yaml", ("rolloutSucceed", "Succeeded"), 0),
    ("rollouts/pause-and-partition.yaml", ("batchReady", "PartitionReached"), 0),
    ("rollouts/rollback.yaml", ("rolloutSucceed", "Succeeded"), 0),
    ("rollouts/chosen-pods.yaml", ("rolloutFailed", "Failed"), 3),  # its pods are other people's
    ("rollouts/scale.yaml", ("rolloutFailed", "Failed"), 3),  # it is not at v2 yet
])
def test_examples_of_approllouts(simulate, example, end, ends):
    steps = simulate(*BEFORE_V2, EXAMPLES / example, ends=ends)
    assert stand(steps[-1]) == end


def test_a_scaling(simulate):
    steps = simulate(*BEFORE_V2, SEED / "approllout-v1-to-v2.yaml",
                     EXAMPLES / "rollouts" / "scale.yaml")
    assert stand(steps[-1]) == ("rolloutSucceed", "Succeeded")
    assert [target for _, _, target in targets(steps[-1])] == [8, 12, 16, 20]


def test_the_example_of_a_rollout(simulate):
    """Nothing in the file changes the template, so that a restart shows what the plan does."""
    held, restarted = simulate(DEPLOYMENT)[1:]
    assert states(held) == ["locatingTargetApp", "verifyingSpec", "holding", "verifyingSpec",
                            "rolloutSucceed"]
    assert (restarted["did"], restarted["object"]) == ("restarted", "Rollout default/web")
    assert targets(restarted) == [(0.0, 1, 1)]
    assert stand(restarted) == ("batchReady", "PartitionReached")


def test_the_example_of_a_kind_that_nobody_runs_here(simulate, tmp_path):
    """The sandbox serves it, but has no controller for it: its pods never come."""
    bakery = EXAMPLES / "generic" / "bakery"
    config = yaml.safe_load((bakery / "sluice.yaml").read_text())
    config["adapters"]["enabled"][0]["file"] = str(BUILD / "plugins" / "generic" / "generic.so")
    config["renderer"] = {"program": str(BUILD / "plugins" / "cue" / "sluice-cue")}
    (tmp_path / "sluice.yaml").write_text(yaml.safe_dump(config))
    rollout = yaml.safe_load((bakery / "rollout.yaml").read_text())
    del rollout["spec"]["sourceAppRevisionName"]
    rollout["spec"]["targetAppRevisionName"] = "corner-v1"
    steps = simulate("-f", tmp_path / "sluice.yaml", bakery / "crd.yaml",
                     bakery / "componentdefinition.yaml", bakery / "application.yaml", "-", ends=5,
                     stdin=json.dumps(rollout))
    assert states(steps[-1])[:3] == ["locatingTargetApp", "verifyingSpec", "initializing"]
    assert targets(steps[-1]) == []


# ── What may go wrong ────────────────────────────────────────────────────────────────────────


def test_a_pod_that_never_gets_ready(simulate):
    steps = simulate(*BEFORE_V2, SEED / "approllout-v1-to-v2.yaml", "--stuck-pod", 2, ends=5)
    assert stand(steps[2]) == ("rolloutSucceed", "Succeeded")
    assert stand(steps[-1]) == ("batchVerifying", "PodsNotReady")
    assert targets(steps[-1]) == [(0.0, 1, 1), (10.0, 2, 3)]


def with_plan(file, **fields) -> str:
    rollout = yaml.safe_load(file.read_text())
    rollout["spec"]["rolloutPlan"].update(fields)
    return json.dumps(rollout)


def test_a_deadline_that_is_hours_away(simulate):
    """Nothing at all happens until then."""
    plan = with_plan(SEED / "approllout-v1-to-v2.yaml", progressDeadlineSeconds=7200,
                     onFailure="Rollback")
    steps = simulate(*BEFORE_V2, "-", "--stuck-pod", 2, stdin=plan, ends=3)
    assert stand(steps[-1])[0] == "rolloutFailed"
    assert steps[-1]["seconds"] >= 7200


def test_an_interval_of_half_an_hour(simulate):
    plan = with_plan(SEED / "approllout-v1-to-v2.yaml",
                     rolloutBatches=[{"replicas": 2, "instanceInterval": 1800}, {}])
    steps = simulate(*BEFORE_V2, "-", stdin=plan)
    assert [target[::2] for target in targets(steps[-1])][:2] == [(0.0, 1), (1800.0, 2)]
    assert stand(steps[-1])[0] == "rolloutSucceed"


def test_a_hook_that_says_no(simulate):
    steps = simulate(*BEFORE_V2, EXAMPLES / "rollouts" / "hooks.yaml", "--reject", "smoke-test",
                     ends=3)
    hooks = [(event["hook"], event["passes"]) for event in steps[-1]["events"] if "hook" in event]
    assert hooks == [("change-window", True), ("error-budget", True), ("smoke-test", False),
                     ("tell", True)]
    assert states(steps[-1])[-3:] == ["batchVerifyFailed", "rolloutFailing", "rolloutFailed"]


def test_an_image_that_never_gets_ready(simulate):
    broken = DEPLOYMENT.read_text().replace("4.0.6", "unready")
    steps = simulate(DEPLOYMENT, "-", stdin=broken, ends=5)
    assert stand(steps[2]) == ("batchVerifying", "PodsNotReady")


def test_an_approllout_without_its_application(simulate):
    steps = simulate(SEED / "approllout-to-v1.yaml", ends=5)
    assert stand(steps[-1]) == ("locatingTargetApp", "RevisionMissing")


# ── What goes wrong by rules ─────────────────────────────────────────────────────────────────


@pytest.fixture
def rules(tmp_path):
    def write(text: str):
        path = tmp_path / "rules.yaml"
        path.write_text(text)
        return path
    return write


A_BAD_MINUTE = """\
# Each of these is used up in the end.
faults:
- {fault: answer, code: 503, verb: patch, times: 3}
- {fault: cut, where: answer, verb: patch, skip: 2, times: 1}
- {fault: watchCut, resource: deployments, probability: 0.5, seed: 7, times: 4}
- {fault: watchLate, resource: pods, seconds: 900, times: 1}
"""


def test_a_bad_minute_changes_nothing_but_the_times(simulate, rules):
    calm = simulate("--approve", DEPLOYMENT)
    steps = simulate("--approve", DEPLOYMENT, "--faults", rules(A_BAD_MINUTE))
    assert [[target[1:] for target in targets(step)] for step in steps] == \
        [[target[1:] for target in targets(step)] for step in calm]
    assert [stand(step) for step in steps[1:]] == [stand(step) for step in calm[1:]]
    assert [rule["done"] for rule in steps[-1]["faults"]] == [3, 1, 4, 1]
    assert "faults" not in steps[0] and "faults" not in calm[-1]


def test_a_pod_that_a_rule_keeps_from_getting_ready(simulate, rules):
    rule = rules("{fault: podNeverReady, skip: 1, times: 1}")
    by_rule = simulate(*BEFORE_V2, SEED / "approllout-v1-to-v2.yaml", "--faults", rule, ends=5)
    by_flag = simulate(*BEFORE_V2, SEED / "approllout-v1-to-v2.yaml", "--stuck-pod", 2, ends=5)
    told = by_rule[-1].pop("faults")
    assert by_rule == by_flag
    assert [(rule["seen"], rule["done"]) for rule in told] == [(2, 1)]


def test_what_a_person_does_succeeds(sluice, rules):
    """However bad it is for the controller, which gets nothing done."""
    ran = sluice("simulate", DEPLOYMENT, "--timeout", "1h", "--faults",
                 rules("{fault: answer, code: 500}"))
    assert ran.status == 5
    assert "Rollout default/web applied\n" in ran.out
    assert re.search(r"  fault answer \(code 500\): struck (\d+) of \1 that it fits\n", ran.out)


@pytest.mark.parametrize("text, told", [
    ("- a", 'rules.yaml: expected a rule, found ["a"]'),
    ("", "rules.yaml: expected rules of what is to go wrong, found an empty file"),
    ("faults: [{fault: slow, seconds: 1}, {fault: answer, code: 7}]",
     "rules.yaml: faults[1].code: expected a number from 400 to 599, found 7"),
    ("{fault: answer, code: 500, sometimes: 3}",
     "rules.yaml: sometimes: answer takes no such field"),
    ("fault: [", "rules.yaml:2:1: "),
])
@pytest.mark.parametrize("how", [[], ["--fleet", "2"]], ids=["one", "fleet"])
def test_rules_that_cannot_be_read(sluice, rules, text, told, how):
    path = rules(text)
    ran = sluice("simulate", DEPLOYMENT, *how, "--faults", path)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"sluice simulate: {path.parent}/{told}")


# ── Options ──────────────────────────────────────────────────────────────────────────────────


def test_approving(simulate):
    steps = simulate("--approve", DEPLOYMENT)
    assert [step["did"] for step in steps] == ["applied", "applied", "restarted", "approved",
                                               "approved"]
    assert [targets(step) for step in steps[2:]] == [[(0.0, 1, 1)], [(0.0, 2, 3)], [(0.0, 3, 4)]]
    assert stand(steps[-1]) == ("rolloutSucceed", "Held")


def test_resuming(simulate):
    paused = yaml.safe_load((SEED / "approllout-v1-to-v2.yaml").read_text())
    paused["spec"]["rolloutPlan"]["paused"] = True
    steps = simulate(*BEFORE_V2, "-", stdin=json.dumps(paused))
    assert stand(steps[-1])[1] == "Paused"
    steps = simulate(*BEFORE_V2, "-", "--approve", stdin=json.dumps(paused))
    assert steps[-1]["did"] == "resumed"
    assert stand(steps[-1]) == ("rolloutSucceed", "Succeeded")


def test_pods_that_take_minutes(simulate):
    steps = simulate(*AT_V1, "--ready-after", "15m")
    assert targets(steps[-1]) == [(0.0, 1, 1), (900.0, 2, 3), (1800.0, 3, 5)]
    assert steps[-1]["seconds"] == 2700.0


def test_a_limit_of_time(sluice):
    ran = sluice("simulate", *AT_V1, "--ready-after", "15m", "--timeout", "20m")
    assert ran.status == 5
    assert ran.err == "sluice simulate: after 1200 s it hasn't come to rest\n"
    assert "900.0 s  2/3" in ran.out


def test_a_namespace(simulate):
    steps = simulate("-n", "shop", DEPLOYMENT)
    assert [step["object"] for step in steps[:2]] == ["Deployment shop/web", "Rollout shop/web"]


def test_what_the_sandbox_does_not_serve_is_left_out(sluice):
    ingress = '{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}}'
    ran = sluice("simulate", "-", DEPLOYMENT, stdin=ingress)
    assert ran.status == 0
    assert ran.err == ("<stdin>:1:1: left out: the cluster doesn't serve Ingress "
                       "(networking.k8s.io/v1)\n")


# ── Many at once ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def fleet(sluice):
    """What a fleet has asked for, as programs get it."""
    def run(*arguments, ends: int = 0, stdin: str = "") -> dict:
        ran = sluice("simulate", "-o", "json", *arguments, stdin=stdin)
        assert ran.status == ends, ran.err
        return json.loads(ran.out)
    return run


def test_the_picture_of_a_fleet(sluice):
    ran = sluice("simulate", "--fleet", 3, DEPLOYMENT)
    assert (ran.status, ran.err) == (0, "")
    head, took = ran.out.rsplit("This took ", 1)
    assert head == """\
STEP                    TIME    READS  WRITES  EVENTS  REQ/s  EV/s
Deployment web applied  0.0 s   0      0       51      0      33
Rollout web applied     0.0 s   6      18      24      24     24
Rollout web restarted   10.0 s  15     36      93      27     48
in all                  10.0 s  21     54      168     27     48
a rollout                       7.0    18.0    56.0

3 rollouts: 3 wait for a person
3 of 3 copies played by the real controller.
"""
    assert "MiB in" in took


def test_definitions_are_shared(fleet):
    told = fleet("--fleet", 2, *AT_V1)
    assert [(step["object"], step["copies"]) for step in told["steps"]] == [
        ("ComponentDefinition clonesetservice", 0), ("Application test-rolling", 2),
        ("AppRollout rolling-example", 2)]
    assert told["ends"]["succeeded"] == 2


def test_a_fleet_of_one_writes_what_one_rollout_does(simulate, fleet):
    alone, one = simulate(DEPLOYMENT), fleet("--fleet", 1, DEPLOYMENT)
    assert [step["did"] for step in one["steps"]] == [step["did"] for step in alone]
    assert [step["total"]["writes"] for step in one["steps"]] == [step["writes"] for step in alone]
    assert [step["seconds"] for step in one["steps"]] == [step["seconds"] for step in alone]


def test_what_comes_in_the_same_second_of_all_waves_is_added_up(fleet):
    """Eight copies in waves of two, and all in one: a batch at once, its counters five seconds on,
    its end when the pod is ready."""
    waves = fleet("--fleet", 8, "--wave", 2, DEPLOYMENT)
    whole = fleet("--fleet", 8, DEPLOYMENT)
    assert (waves["played"]["waves"], whole["played"]["waves"]) == (4, 1)
    assert waves["steps"] == whole["steps"]
    assert waves["ends"] == {"succeeded": 0, "waiting": 8, "failed": 0, "stopped": 0}
    restart = waves["steps"][-1]
    assert [second for second, *_ in restart["load"]] == [0, 5, 10]
    assert sum(row[2] for row in restart["load"]) == restart["total"]["writes"] == 96
    assert restart["peak"]["writes"] == max(row[2] for row in restart["load"])


def test_of_a_large_fleet_the_first_waves_stand_for_the_rest(fleet):
    some = fleet("--fleet", 27, "--wave", 1, DEPLOYMENT)
    every = fleet("--fleet", 27, "--wave", 1, "--every", DEPLOYMENT)
    assert (some["played"]["copies"], every["played"]["copies"]) == (4, 27)
    assert some["steps"] == every["steps"]
    assert some["ends"] == every["ends"] == {"succeeded": 0, "waiting": 27, "failed": 0,
                                             "stopped": 0}


def test_what_was_only_counted_is_said(sluice):
    ran = sluice("simulate", "--fleet", 20, "--wave", 1, DEPLOYMENT)
    assert ("4 of 20 copies played by the real controller, in 4 waves that begin at the same moment; "
            "these came to the same end, with loads within 0.00 % of each other, and the other 16 "
            "copies are counted like them (--every plays each).") in ran.out


def test_approving_a_fleet(fleet):
    told = fleet("--fleet", 3, "--approve", DEPLOYMENT)
    assert [(step["did"], step["copies"]) for step in told["steps"]] == [
        ("applied", 3), ("applied", 3), ("restarted", 3), ("approved", 3), ("approved", 3)]
    assert told["ends"]["succeeded"] == 3


def test_a_hook_that_says_no_to_a_fleet(fleet):
    told = fleet("--fleet", 2, *BEFORE_V2, EXAMPLES / "rollouts" / "hooks.yaml", "--reject",
                 "smoke-test", ends=3)
    assert told["ends"] == {"succeeded": 2, "waiting": 0, "failed": 2, "stopped": 0}


def test_a_fleet_that_reaches_the_limit_of_time(sluice):
    ran = sluice("simulate", "--fleet", 2, "--wave", 1, *AT_V1, "--ready-after", "15m", "--timeout",
                 "20m")
    assert ran.status == 5
    assert ran.err == "sluice simulate: after 1200 s it hasn't come to rest\n"
    assert "2 rollouts: 2 stand still" in ran.out


def test_what_is_left_out_of_a_fleet_is_told_once(sluice):
    ingress = '{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}}'
    ran = sluice("simulate", "--fleet", 2, "--wave", 1, "-", DEPLOYMENT, stdin=ingress)
    assert ran.status == 0
    assert ran.err == ("<stdin>:1:1: left out: the cluster doesn't serve Ingress "
                       "(networking.k8s.io/v1)\n")


def test_a_fleet_of_what_is_refused(sluice):
    ran = sluice("simulate", "--fleet", 2, "-",
                 stdin="apiVersion: sluice.dev/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {}\n")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("sluice simulate: <stdin>:1:1: PATCH /apis/sluice.dev/v1alpha1/"
                              "namespaces/default-1/rollouts/web: ")


# ── Bad input ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text, complaint", [
    ("a: [", "sluice simulate: <stdin>:2:1: did not find expected node content while parsing a "
             "flow node\n"),
    ("kind: ConfigMap", "sluice simulate: <stdin>: expected AppRollout (core.oam.dev/v1beta1) or "
                        "Rollout (sluice.dev/v1alpha1), found ConfigMap (no apiVersion)\n"),
    ("apiVersion: sluice.dev/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: {}\n",
     'sluice simulate: <stdin>:1:1: PATCH /apis/sluice.dev/v1alpha1/namespaces/default/rollouts/web: '
     'Rollout.sluice.dev "web" is invalid: [spec.workloadRef: Required value, '
     'spec.rolloutPlan: Required value]\n'),
    ("apiVersion: sluice.dev/v1alpha1\nkind: Rollout\n",
     "sluice simulate: <stdin>:1:1: metadata.name: expected a name, found nothing\n"),
])
def test_bad_files(sluice, text, complaint):
    ran = sluice("simulate", "-", stdin=text)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == complaint


@pytest.mark.parametrize("option, value, complaint", [
    ("--ready-after", "soon", '--ready-after: expected 90s, 15m or 2h, found "soon"'),
    ("--timeout", "9", '--timeout: expected 90s, 15m or 2h, found "9"'),
    ("--stuck-pod", "0", '--stuck-pod: expected a number from 1, found "0"'),
    ("--fleet", "0", '--fleet: expected a number from 1 to 1000000, found "0"'),
    ("--fleet", "many", '--fleet: expected a number from 1 to 1000000, found "many"'),
    ("--wave", "0", '--wave: expected a number from 1, found "0"'),
])
def test_bad_options(sluice, option, value, complaint):
    ran = sluice("simulate", option, value, DEPLOYMENT)
    assert ran.status == 2
    assert ran.err.startswith(f"sluice simulate: {complaint}\n")


def test_options_that_do_not_go_together(sluice):
    ran = sluice("simulate", "--fleet", 2, "--stuck-pod", 1, DEPLOYMENT)
    assert ran.status == 2
    assert ran.err.startswith("sluice simulate: --stuck-pod and --fleet: one of them only\n")


def test_no_such_file(sluice):
    ran = sluice("simulate", "nowhere.yaml")
    assert (ran.status, ran.err) == (1, "sluice simulate: nowhere.yaml: No such file or directory\n")


def test_a_fleet_in_trouble(fleet, rules):
    """Each wave has the rules for itself, and its controller asks more often."""
    calm = fleet("--fleet", 4, "--wave", 2, DEPLOYMENT)
    bad = fleet("--fleet", 4, "--wave", 2, DEPLOYMENT, "--faults", rules(A_BAD_MINUTE))
    assert bad["ends"] == calm["ends"]
    assert bad["steps"][-1]["total"]["writes"] >= calm["steps"][-1]["total"]["writes"] + 2 * 4


def writes_of_one(told: dict, copies: int) -> float:
    return sum(step["total"]["writes"] for step in told["steps"]) / copies


def test_many_rolls_write_their_counters_less_often(fleet, tmp_path):
    """Forty every ten seconds: a pod that takes eight is ready before. What has a deadline is
    measured by its counters."""
    slowly = ["--approve", "--ready-after", "8s", "--wave", 40]
    deployment, rollout = yaml.safe_load_all(DEPLOYMENT.read_text())
    rollout["spec"]["rolloutPlan"]["progressDeadlineSeconds"] = 600
    path = tmp_path / "deadline.yaml"
    path.write_text(yaml.safe_dump_all([deployment, rollout]))
    one = writes_of_one(fleet("--fleet", 1, *slowly, DEPLOYMENT), 1)
    assert writes_of_one(fleet("--fleet", 40, *slowly, DEPLOYMENT), 40) <= one - 3
    with_deadline = writes_of_one(fleet("--fleet", 1, *slowly, path), 1)
    assert writes_of_one(fleet("--fleet", 40, *slowly, path), 40) > with_deadline - 1
