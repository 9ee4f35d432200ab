# SPDX-License-Identifier: Apache-2.0
"""`sluice plan`: the whole picture, as it is shown."""

import pytest
from conftest import ROOT

EXAMPLES = ROOT / "examples"


def test_with_the_size_from_an_application_beside_it(sluice):
    text = "\n---\n".join((EXAMPLES / path).read_text() for path in
                          ("seed/application-v1.yaml", "rollouts/hooks.yaml"))
    ran = sluice("plan", "-", stdin=text, COLUMNS="80")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == """\
AppRollout release-with-hooks: to test-rolling-v2 from test-rolling-v1
5 pods (Application test-rolling in the file)
new pods come before old ones go

BATCH  REPLICAS  PODS AT TARGET
1      1         0 → 1           ●····
2      50%       1 → 4           ●●●●·
3      the rest  4 → 5           ●●●●●

HOOK                    NAME           CALLS
before the first batch  change-window  POST http://gates.platform.svc/change-window
after every batch       error-budget   POST http://gates.platform.svc/error-budget
after batch 1           smoke-test     PUT http://gates.platform.svc/smoke-test
at the end              tell           POST http://gates.platform.svc/tell
"""


def test_a_partition_and_a_tolerance(sluice):
    assert sluice("plan", "--size", 30, EXAMPLES / "rollouts/pause-and-partition.yaml").out == """\
AppRollout careful: to test-rolling-v2 from test-rolling-v1
30 pods
new pods come before old ones go

BATCH  REPLICAS  PODS AT TARGET
1      1         0 → 1           ●···················  then it waits, for batchPartition is 0
2      40%       1 → 13          ●●●●●●●●············  3 may be missing
3      60%       13 → 30         ●●●●●●●●●●●●●●●●●●●●
"""


def test_a_size_that_nobody_says(sluice):
    assert sluice("plan", EXAMPLES / "rollouts/chosen-pods.yaml").out == """\
AppRollout canary-by-name: to test-rolling-v2 from test-rolling-v1
how many pods there are isn't known here; --size N shows them
new pods come before old ones go

BATCH  REPLICAS  PODS AT TARGET
1      2         ?                 metrics-provider-4x7kq, metrics-provider-m2c9t
2      the rest  ?                 30 s between two pods
"""


def test_a_scaling(sluice):
    assert sluice("plan", "--size", 3, EXAMPLES / "rollouts/scale.yaml").out == """\
AppRollout more-of-it: scales test-rolling-v2
from 3 to 20 pods

BATCH  REPLICAS  PODS
1      1/4       3 → 7    ●●●●●●●·············
2      1/4       7 → 11   ●●●●●●●●●●●·········
3      1/4       11 → 15  ●●●●●●●●●●●●●●●·····
4      1/4       15 → 20  ●●●●●●●●●●●●●●●●●●●●
"""


def test_the_size_of_a_workload_with_the_components_name(sluice):
    workload = ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: metrics-provider}\n"
                "spec: {replicas: 8}\n---\n")
    shown = sluice("plan", "-", stdin=workload + (EXAMPLES / "seed/approllout-overview.yaml")
                   .read_text()).out
    assert "8 pods (Deployment metrics-provider in the file)\n" in shown


def test_what_is_rejected_and_why(sluice):
    ran = sluice("plan", "--size", 7, EXAMPLES / "seed/approllout-v1-to-v2.yaml")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.endswith(
        "approllout-v1-to-v2.yaml:13:5: spec.rolloutPlan.rolloutBatches: the batches don't reach the "
        "end: 1 + 2 + 2 = 5, but there are 7 pods; 2 would be in no batch; leave the last batch's "
        "replicas out to take all the rest\n")


UNFIT = ("sluice plan: <stdin>: expected AppRollout (core.oam.dev/v1beta1) or Rollout "
         "(sluice.dev/v1alpha1), found ")


@pytest.mark.parametrize("text, error", [
    ("", f"{UNFIT}nothing\n"),
    ("kind: Deployment\n", f"{UNFIT}Deployment (no apiVersion)\n"),
    ("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n---\nkind: Service\n",
     f"{UNFIT}Rollout (argoproj.io/v1alpha1) and 1 more\n"),
    ("just words\n", f"{UNFIT}something that has no kind\n"),
    ("a: [b\n", "<stdin>:2:1: did not find expected ',' or ']' while parsing a flow sequence\n"),
])
def test_bad_input(sluice, text, error):
    ran = sluice("plan", "-", stdin=text)
    assert (ran.status, ran.out, ran.err) == (1, "", error)


def live(**status) -> dict:
    return {"apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout",
            "metadata": {"name": "rolling-example", "namespace": "default", "generation": 1},
            "spec": {}, "status": status}


def rolling(target: str) -> dict:
    return live(rollingState="rollingInBatches", batchRollingState="batchReady", currentBatch=1,
                rolloutOriginalSize=5, rolloutTargetSize=5, lastTargetAppRevision=target,
                LastSourceAppRevision="test-rolling-v1")


@pytest.mark.parametrize("there, sentence", [
    (None, "The cluster has none of this name. Applied, it begins.\n"),
    (rolling("test-rolling-v2"),
     "The one in the cluster is in rollingInBatches (batch 2, batchReady), to test-rolling-v2. "
     "Applied, it goes on with this plan.\n"),
    (rolling("test-rolling-v3"),
     "The one in the cluster is in rollingInBatches (batch 2, batchReady), to test-rolling-v3. "
     "Applied, the workload is given back where it stands, and this roll begins from there.\n"),
    (live(rollingState="rolloutSucceed", rolloutTargetSize=5, LastSourceAppRevision="",
          lastTargetAppRevision="test-rolling-v1"),
     "The one in the cluster is in rolloutSucceed, to test-rolling-v1. Applied, it begins anew.\n"),
])
def test_against_the_live_one(sluice, server, kubeconfig, there, sentence):
    if there:
        server.put(there)
    ran = sluice("plan", EXAMPLES / "seed/approllout-v1-to-v2.yaml", "--against", "--kubeconfig",
                 kubeconfig)
    assert (ran.status, ran.err) == (0, "") and ran.out.endswith("\n\n" + sentence)
    assert ("5 pods (as recorded in the cluster)" in ran.out) == bool(there)
    assert all(method == "GET" for method, *_ in server.requests)


def test_against_no_cluster(sluice):
    ran = sluice("plan", EXAMPLES / "seed/approllout-v1-to-v2.yaml", "--against")
    assert ran.status == 1 and "no way to the cluster" in ran.err
