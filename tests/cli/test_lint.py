# SPDX-License-Identifier: Apache-2.0
"""`sluice lint`: every finding with its place, and silence where nothing is wrong."""

import pytest
from conftest import ROOT

HEAD = """apiVersion: core.oam.dev/v1beta1
kind: AppRollout
metadata: {name: shop}
spec:
"""
GOOD = HEAD + """  targetAppRevisionName: shop-v2
  rolloutPlan:
    rolloutBatches: [{replicas: 1}, {replicas: 50%}, {}]
"""
OTHER = """apiVersion: v1
kind: Secret
metadata: {name: other}
data: {key: !!binary aGk=}
"""


def spec(text: str) -> str:
    return HEAD + text


def found(ran) -> str:
    assert (ran.status, ran.err) == (1, "")
    return ran.out


def test_the_examples_are_good(sluice):
    files = [file for folder in ("rollout", "rollouts", "seed")
             for file in sorted(ROOT.glob(f"examples/{folder}/*.yaml"))]
    ran = sluice("lint", *files)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.endswith(" objects checked, nothing to complain about\n")
    assert int(ran.out.split()[0]) >= len(files) - 1  # a ComponentDefinition isn't looked at


def test_many_documents_with_all_their_findings(sluice, tmp_path):
    (tmp_path / "shop.yaml").write_text("---\n".join([
        OTHER,
        GOOD.replace("shop-v2", "shop-v2\n  sourceAppRevisionNam: shop-v1").replace("{}",
                                                                                 "{replica: 3}"),
        GOOD.replace("AppRollout", "AppRolout"),
        GOOD.replace("core.oam.dev/v1beta1", "core.oam.dev/v1alpha2"),
        GOOD.replace("[{", "{["),
    ]))
    assert found(sluice("lint", "shop.yaml")) == (
        "shop.yaml:11:3: spec.sourceAppRevisionNam: unknown field; did you mean "
        '"sourceAppRevisionName" or "targetAppRevisionName"?\n'
        "shop.yaml:13:55: spec.rolloutPlan.rolloutBatches[2].replica: unknown field; did you mean "
        '"replicas"?\n'
        'shop.yaml:16:1: kind: unknown kind "AppRolout"; did you mean "AppRollout"?\n'
        "shop.yaml:23:1: apiVersion: expected core.oam.dev/v1beta1, found "
        '"core.oam.dev/v1alpha2"\n'
        "shop.yaml:37:34: did not find expected ',' or ']' while parsing a flow sequence\n")


@pytest.mark.parametrize("text, finding", [
    ("  rolloutPlan: {numBatches: 2}\n",
     "4:1: spec.targetAppRevisionName: expected a name, found nothing"),
    ("  targetAppRevisionName: shop-v2\n", "4:1: spec.rolloutPlan: is missing"),
    ("  targetAppRevisionName: shop-v2\n  componentList: [a, b, a]\n  rolloutPlan: {}\n",
     "6:25: spec.componentList[2]: component a is named twice"),
    ("  targetAppRevisionName: shop-v2\n  revertOnDelete: maybe\n  rolloutPlan: {}\n",
     '6:3: spec.revertOnDelete: expected true or false, found "maybe"'),
    ("  targetAppRevisionName: shop-v2\n  rolloutPlan:\n    paused: 1\n",
     "7:5: spec.rolloutPlan.paused: expected true or false, found 1"),
    ("  targetAppRevisionName: shop-v2\n  rolloutPlan:\n    paused: true\n    paused: false\n",
     '8:5: duplicate key "paused"'),
    ("  targetAppRevisionName: shop-v2\n  rolloutPlan:\n"
     "    rolloutBatches:\n      - replicas: 20%\n      - replicas: 40%\n",
     "7:5: spec.rolloutPlan.rolloutBatches: the batches don't reach the end: 20% + 40% of 100 = 60, "
     "but there are 100 pods; 40 would be in no batch; leave the last batch's replicas out to take "
     "all the rest"),
])
def test_one_finding(sluice, text, finding):
    assert found(sluice("lint", "-", stdin=spec(text))) == f"<stdin>:{finding}\n"


def test_the_sum_for_a_size(sluice):
    plan = GOOD.replace("50%}, {}", "2}, {replicas: 2}")
    assert sluice("lint", "-", stdin=plan).status == 0
    assert sluice("lint", "-", "--size", 5, stdin=plan).status == 0
    assert "1 + 2 + 2 = 5, but there are 7 pods; 2 would be in no batch" in found(
        sluice("lint", "-", "--size", 7, stdin=plan))
    scaling = plan.replace("rolloutPlan:", "rolloutPlan:\n    targetSize: 9")
    assert sluice("lint", "-", "--size", 4, stdin=scaling).status == 0
    assert "there are 4 replicas to add or remove" in found(
        sluice("lint", "-", "--size", 5, stdin=scaling))
    rolling = scaling.replace("targetSize: 9", "targetSize: 5")
    assert sluice("lint", "-", "--size", 5, stdin=rolling).status == 0  # nothing to scale


def test_an_application_that_cannot_be_rolled(sluice):
    application = (ROOT / "examples" / "seed" / "application-v1.yaml").read_text()
    assert sluice("lint", "-", stdin=application).status == 0
    broken = application.replace("spec:\n", "spec:\n  policies: [{}]\n", 1)
    assert found(sluice("lint", "-", stdin=broken)).startswith("<stdin>:9:3: spec.policies: ")


def test_json_is_read_too(sluice):
    text = ('{"apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout", "metadata": {"name": "a"},'
            '\n "spec": {"targetAppRevisionName": "b", "rolloutPlan": {"numBatches": 0}}}')
    assert found(sluice("lint", "-", stdin=text)) == (
        "<stdin>:2:57: spec.rolloutPlan.numBatches: expected a whole number from 1 to 1000, "
        "found 0\n")


def test_bad_input(sluice, tmp_path):
    assert found(sluice("lint", "nowhere.yaml")) == "nowhere.yaml: No such file or directory\n"
    assert found(sluice("lint", tmp_path)) == f"{tmp_path}: expected a regular file\n"
    ran = sluice("lint", "-", stdin=OTHER)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == ("sluice lint: <stdin>: expected Application (core.oam.dev/v1beta1), AppRollout "
                       "(core.oam.dev/v1beta1) or Rollout (sluice.dev/v1alpha1), found Secret (v1)\n")
    assert sluice("lint", "-", stdin="").status == 1
    ran = sluice("lint", "--size", "many", "a.yaml")
    assert ran.status == 2 and '--size: expected a number of pods, found "many"' in ran.err
    assert sluice("lint").status == 2


FOLLOWER = """apiVersion: sluice.dev/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  rolloutPlan: {rolloutBatches: [{replicas: 1}, {onFailure: Rollback}]}
"""


def test_what_a_rollout_can_t_do(sluice):
    """An AppRollout can take its pods back, and a Rollout leaves that to the template's owner."""
    words = ("6:50: spec.rolloutPlan.rolloutBatches[1].onFailure: expected Pause or Abandon, found "
             "Rollback; the template of a workload that a Rollout follows is its owner's, who takes "
             "it back with `sluice rollback`\n")
    assert found(sluice("lint", "-", stdin=FOLLOWER)) == f"<stdin>:{words}"
    planned = sluice("plan", "-", stdin=FOLLOWER)
    assert (planned.status, planned.out) == (1, "") and planned.err.endswith(words)
    assert sluice("lint", "-", stdin=FOLLOWER.replace("Rollback", "Abandon")).status == 0
