# SPDX-License-Identifier: Apache-2.0
"""The verbs that change a rollout: what they say, what they send, and when they do nothing."""

import copy

import pytest
from test_status import at_gate, ended, rollout


@pytest.fixture
def ask(sluice, kubeconfig):
    return lambda *words: sluice(*words, "--kubeconfig", kubeconfig, USER="jo")


def patches(server) -> list:
    return [(path, body) for method, path, body in server.requests if method == "PATCH"]


@pytest.mark.parametrize("verb, said, plan", [
    ("approve", "batchPartition goes from 1 to 2: batch 3 of 3 may be rolled",
     {"batchPartition": 2}),
    ("promote", "batchPartition 1 is removed: all batches may be rolled", {}),
    ("pause", "paused is set: it holds still where it is", {"batchPartition": 1, "paused": True}),
])
def test_one_patch_of_the_plan(ask, server, verb, said, plan):
    server.put(at_gate())
    before = copy.deepcopy(server.objects["shop"])
    ran = ask(verb, "shop", "--dry-run")
    assert (ran.status, ran.out) == (0, f"AppRollout shop: {said} (not done)\n")
    assert not patches(server) and server.objects["shop"] == before

    ran = ask(verb, "shop")
    assert (ran.status, ran.out, ran.err) == (0, f"AppRollout shop: {said}\n", "")
    (path, body), = patches(server)
    assert path.endswith("/approllouts/shop?fieldManager=sluice-cli")
    assert {"op": "test", "path": "/metadata/generation", "value": 3} in body
    assert {"op": "test", "path": "/metadata/uid", "value": "u"} in body
    after = server.objects["shop"]
    batches = before["spec"]["rolloutPlan"]["rolloutBatches"]
    assert after["spec"]["rolloutPlan"] == {"rolloutBatches": batches, **plan}
    asked = after["metadata"]["annotations"]["rollout.sluice.dev/asked"]
    assert asked.startswith(f"{verb} by jo at 20") and asked.endswith("Z")


def test_resume_and_what_is_so_already(ask, server):
    paused = at_gate()
    paused["spec"]["rolloutPlan"]["paused"] = True
    server.put(paused)
    assert ask("pause", "shop").out == "AppRollout shop: it is paused already\n"
    assert not patches(server)
    assert ask("resume", "shop").out == "AppRollout shop: paused is removed: it goes on\n"
    assert "paused" not in server.objects["shop"]["spec"]["rolloutPlan"]
    assert ask("resume", "shop").out == "AppRollout shop: it isn't paused\n"
    assert len(patches(server)) == 1


def test_approve_counts_from_where_it_stands(ask, server):
    """A partition below the present batch has held it long ago."""
    late = at_gate()
    late["spec"]["rolloutPlan"]["batchPartition"] = 0
    server.put(late)
    assert "from 0 to 2: batch 3 of 3" in ask("approve", "shop").out


def test_rollback(ask, server):
    server.put(at_gate())
    assert ask("rollback", "shop").out == (
        "AppRollout shop: target and source change places: it goes to shop-v1 from shop-v2 in 3 "
        "batches; batchPartition 1 holds it as before\n")
    spec = server.objects["shop"]["spec"]
    assert (spec["targetAppRevisionName"], spec["sourceAppRevisionName"]) == ("shop-v1", "shop-v2")


def test_two_at_once(ask, server):
    """Whoever comes second is told, and nothing is done."""
    server.put(at_gate())

    def somebody_else():
        other = copy.deepcopy(server.objects["shop"])
        other["metadata"]["generation"] = 4
        other["spec"]["rolloutPlan"]["batchPartition"] = 0
        server.put(other)
    server.before_patch = somebody_else
    ran = ask("approve", "shop")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == ("sluice approve: somebody else has changed shop at the same time; nothing was "
                       "done. Look at it (sluice status shop) and ask again\n")
    assert server.objects["shop"]["spec"]["rolloutPlan"]["batchPartition"] == 0


def test_a_status_that_moves_on_is_no_conflict(ask, server):
    server.put(at_gate())
    server.before_patch = lambda: server.put(copy.deepcopy(server.objects["shop"]))
    assert ask("approve", "shop").status == 0


@pytest.mark.parametrize("verb, found, error", [
    ("approve", ended("rolloutSucceed"), "shop: it has ended already (rolloutSucceed)"),
    ("pause", ended("rolloutFailed"), "shop: it has ended already (rolloutFailed)"),
    ("approve", rollout(), "shop: no batchPartition holds it"),
    ("pause", rollout(numBatches=9), "shop: numBatches is 9, but rolloutBatches has 3; leave one of "
                                     "them out"),
])
def test_what_makes_no_sense(ask, server, verb, found, error):
    server.put(found)
    ran = ask(verb, "shop")
    assert (ran.status, ran.out, ran.err) == (1, "", f"sluice {verb}: {error}\n")
    assert not patches(server)


def test_no_way_back(ask, server):
    first = at_gate()
    del first["spec"]["sourceAppRevisionName"]
    server.put(first)
    assert "it has no sourceAppRevisionName to go back to" in ask("rollback", "shop").err
    assert not patches(server)


def test_no_right(ask, server):
    server.put(at_gate())
    server.denied.add("patch")
    ran = ask("pause", "shop")
    assert ran.status == 1 and 'User "jo" cannot patch resource "approllouts"' in ran.err


def test_no_such_rollout(ask, server):
    server.put(at_gate())
    assert 'there is no rollout "shep" in namespace default; did you mean "shop"?' in ask(
        "approve", "shep").err
    assert ask("approve").status == 2
