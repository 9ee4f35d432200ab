# SPDX-License-Identifier: Apache-2.0
"""`sluice status` and `sluice explain`, on an API that a test fills."""

import datetime
import json
import threading

import pytest

# What at_gate() looks like, 80 columns wide.
GATE_80 = """\
AppRollout default/shop

web: to shop-v2 from shop-v1, 5 pods

  BATCH  PODS       STATE
  1      ●     1/1  done
  2      ●●○   3/3  batchReady  batchPartition holds it here
  3      ·     0/1  to come

  rollingInBatches, batchReady for 6m: batch 2 of 3 is ready; batchPartition is
  1, raise it to go on
  next: sluice approve shop
"""


def ago(seconds: int) -> str:
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def rollout(name: str = "shop", status: dict = None, **plan) -> dict:
    made = {"apiVersion": "core.oam.dev/v1beta1", "kind": "AppRollout",
            "metadata": {"name": name, "namespace": "default", "uid": "u", "generation": 3,
                         "annotations": {"team": "shop"}},
            "spec": {"targetAppRevisionName": f"{name}-v2", "sourceAppRevisionName": f"{name}-v1",
                     "rolloutPlan": {"rolloutBatches": [{"replicas": 1}, {"replicas": "50%"}, {}],
                                     **plan}}}
    if status is not None:
        made["status"] = {"component": "web", "rolloutOriginalSize": 5, "rolloutTargetSize": 5,
                          "lastTargetAppRevision": f"{name}-v2", "observedGeneration": 3, **status}
    return made


def at_gate() -> dict:
    return rollout(batchPartition=1, status={
        "rollingState": "rollingInBatches", "batchRollingState": "batchReady", "currentBatch": 1,
        "upgradedReplicas": 4, "upgradedReadyReplicas": 3,
        "reason": {"code": "PartitionReached", "field": "spec.rolloutPlan.batchPartition",
                   "message": "batch 2 of 3 is ready; batchPartition is 1, raise it to go on",
                   "expected": "at least 2", "found": "1", "since": ago(400)},
        "conditions": [{"type": "BatchReady", "status": "True", "reason": "BatchDone",
                        "lastTransitionTime": ago(400)}]})


def ended(state: str, **status) -> dict:
    return rollout(status={"rollingState": state, "upgradedReplicas": 5,
                           "upgradedReadyReplicas": 5, **status})


@pytest.fixture
def ask(sluice, kubeconfig):
    return lambda *words, **env: sluice(*words, "--kubeconfig", kubeconfig, **env)


def test_a_table(ask, server):
    server.put(at_gate())
    server.put(rollout("api"))
    assert ask("status", COLUMNS="80").out == """\
NAME  STATE         BATCH  PODS   READY  FOR  WHY
api   not seen yet                            no controller has looked at it ye…
shop  batchReady    2/3    ●●●○·  3/5    6m   batch 2 of 3 is ready; batchParti…
"""
    assert ask("status", "-o", "wide").out == """\
NAME  COMPONENT  TARGET   STATE         BATCH  PODS   READY  FOR  WHY
api              api-v2   not seen yet                            no controller has looked at it \
yet; is one running?
shop  web        shop-v2  batchReady    2/3    ●●●○·  3/5    6m   batch 2 of 3 is ready; \
batchPartition is 1, raise it to go on
"""
    assert ask("status", "-o", "name").out == ("approllouts.core.oam.dev/api\n"
                                               "approllouts.core.oam.dev/shop\n")
    listed = json.loads(ask("status", "-o", "json").out)
    assert [item["metadata"]["name"] for item in listed["items"]] == ["api", "shop"]
    assert json.loads(ask("status", "shop", "-o", "json").out) == server.objects["shop"]


def test_one(ask, server):
    server.put(at_gate())
    assert ask("status", "shop", COLUMNS="80").out == GATE_80


def test_explain(ask, server):
    server.put(at_gate())
    since = server.objects["shop"]["status"]["reason"]["since"][:19] + "Z"
    assert ask("explain", "shop").out == f"""\
AppRollout default/shop, component web

  state        batchReady
  which        waits for the leave to go on to the next batch
  since        {since}, for 6m
  why          batch 2 of 3 is ready; batchPartition is 1, raise it to go on
  reason       PartitionReached
  field        spec.rolloutPlan.batchPartition
  expected     at least 2
  found        1
  waits since  {since}, for 6m
  what to do   sluice approve shop

From there it goes

  to batchInitializing  when the partition allows the next batch
"""


@pytest.mark.parametrize("end, status, words", [
    (ended("rolloutSucceed"), 0, "AppRollout shop has succeeded"),
    (ended("rolloutFailed"), 3, "AppRollout shop has failed"),
])
def test_wait_ends_with_the_rollout(ask, server, end, status, words):
    server.put(at_gate())
    watching = watched(server)
    changer = threading.Thread(target=lambda: (watching.wait(20), server.put(end)))
    changer.start()
    ran = ask("status", "shop", "--wait", "--timeout", "60s")
    changer.join()
    state = end["status"]["rollingState"]
    assert ran.out == f"batchReady, batch 2 of 3  ●●●○·\n{state}\n{words}\n"
    assert (ran.status, ran.err) == (status, "")


def watched(server) -> threading.Event:
    """Set when somebody watches."""
    begun, watch = threading.Event(), server.watch

    def tell(*request):
        begun.set()
        watch(*request)
    server.watch = tell
    return begun


@pytest.mark.parametrize("change, words", [
    (lambda server: server.delete("shop"), "was deleted"),
    (lambda server: server.put(turned()), "has turned to another target"),
])
def test_wait_for_what_is_given_up(ask, server, change, words):
    server.put(at_gate())
    watching = watched(server)
    changer = threading.Thread(target=lambda: (watching.wait(20), change(server)))
    changer.start()
    ran = ask("status", "shop", "--wait", "--timeout", "60s")
    changer.join()
    assert ran.status == 4 and ran.out.endswith(f"AppRollout shop {words}\n")


def turned() -> dict:
    other = at_gate()
    other["spec"]["targetAppRevisionName"] = "shop-v3"
    return other


def test_wait_runs_out_of_time(ask, server):
    """An end of the spec before this one doesn't count."""
    server.put(ended("rolloutSucceed", observedGeneration=2))
    ran = ask("status", "shop", "--wait", "--timeout", "1s")
    assert (ran.status, ran.out, ran.err) == (5, "rolloutSucceed\n",
                                              "sluice status: the time ran out\n")


def test_bad_input(ask, sluice, server, tmp_path):
    server.put(rollout("shop"))
    for verb in ("status", "explain"):
        ran = ask(verb, "shp")
        assert (ran.status, ran.out) == (1, "")
        assert ran.err == (f'sluice {verb}: there is no rollout "shp" in namespace default; did you '
                           'mean "shop"?\n')
    assert "no way to the cluster: KUBECONFIG is not set" in sluice("status").err
    ran = sluice("status", "--kubeconfig", "nowhere")
    assert (ran.status, ran.err) == (1, "sluice status: there is no kubeconfig at nowhere\n")
    assert "--wait needs the name of a rollout" in ask("status", "--wait").err
    assert 'expected a time such as 90s or 15m, found "soon"' in ask("status", "--timeout",
                                                                    "soon").err
    server.denied.add("list")
    assert 'User "jo" cannot list resource "approllouts"' in ask("status").err


def test_no_cluster(ask, server):
    where = server.url()
    server.close()
    ran = ask("status")
    assert ran.status == 1 and f"no answer from {where}" in ran.err


def test_a_cluster_without_sluice(ask, server):
    ran = ask("status", "-n", "elsewhere")
    assert ran.status == 1
    assert ran.err == (f"sluice status: {server.url()} has no AppRollouts and no Rollouts: Sluice's "
                       "resource definitions are not installed\n")
