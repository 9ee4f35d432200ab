# SPDX-License-Identifier: Apache-2.0
"""The verbs that change a rollout: what they say, what they send, and when they do nothing."""

import copy
import json

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


def test_output(ask, server):
    """As it has become, or as it would; what was done is said beside it."""
    server.put(at_gate())
    before = copy.deepcopy(server.objects["shop"])
    would = ask("approve", "shop", "-o", "json", "--dry-run")
    before["spec"]["rolloutPlan"]["batchPartition"] = 2
    assert (would.status, json.loads(would.out)) == (0, before)
    assert would.err.endswith(" may be rolled (not done)\n") and not patches(server)
    ran = ask("approve", "shop", "-o", "json")
    assert (ran.status, json.loads(ran.out)) == (0, server.objects["shop"])
    assert "rollout.sluice.dev/asked" in json.loads(ran.out)["metadata"]["annotations"]
    assert ran.err == would.err.replace(" (not done)", "")
    assert "\n    paused: true\n" in ask("pause", "shop", "-o", "yaml").out
    assert ask("resume", "shop", "-o", "name").out == "approllouts.core.oam.dev/shop\n"


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
    assert ran.err == ("sluice approve: somebody else has changed AppRollout shop at the same time; "
                       "nothing was done. Look at it (sluice status shop) and ask again\n")
    assert server.objects["shop"]["spec"]["rolloutPlan"]["batchPartition"] == 0


def bare(thing: dict) -> dict:
    """Without an annotation."""
    del thing["metadata"]["annotations"]
    return thing


def moves_on(server, times: int) -> None:
    """The status of `shop` is written before each of so many patches is looked at."""
    left = [times]

    def write():
        if left[0]:
            left[0] -= 1
            server.put(copy.deepcopy(server.objects["shop"]))
    server.before_patch = write


@pytest.mark.parametrize("verb, found, tries", [
    ("approve", at_gate(), 1), ("approve", bare(at_gate()), 3), ("abort", at_gate(), 3),
    ("retry", ended("rolloutFailed"), 3)])
def test_a_status_that_moves_on_is_no_conflict(ask, server, verb, found, tries):
    """What holds for one version only is asked of the next."""
    server.put(copy.deepcopy(found))
    moves_on(server, 2)
    ran = ask(verb, "shop")
    assert (ran.status, ran.err, len(patches(server))) == (0, "", tries)
    assert server.objects["shop"]["metadata"]["annotations"]["rollout.sluice.dev/asked"].startswith(
        f"{verb} by jo at ")


def test_a_status_that_never_rests(ask, server):
    server.put(at_gate())
    moves_on(server, 1000)
    ran = ask("abort", "shop")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "sluice abort: AppRollout shop changes all the time; nothing was done\n"


def test_the_first_annotation_takes_nobodys_away(ask, server):
    """Annotations raise no generation."""
    server.put(bare(at_gate()))

    def somebody_else():
        other = copy.deepcopy(server.objects["shop"])
        other["metadata"]["annotations"] = {"note": "mine"}
        server.put(other)
        server.before_patch = None
    server.before_patch = somebody_else
    assert ask("approve", "shop").status == 0
    notes = server.objects["shop"]["metadata"]["annotations"]
    assert notes["note"] == "mine" and notes["rollout.sluice.dev/asked"].startswith("approve by jo")


# ── what is asked of the controller once ──

def wish_of(server) -> str:
    return server.objects["shop"]["metadata"]["annotations"].get("rollout.sluice.dev/wish")


@pytest.mark.parametrize("verb, found, said", [
    ("abort", at_gate(), "batch 2 of 3 stops where it stands, with 4 of 5 pods at shop-v2; it ends as "
                         "rolloutFailed, and `sluice retry shop` begins it anew"),
    ("abort", ended("finalising"), "the roll to shop-v2 is given up in finalising; it ends as "
                                   "rolloutFailed, and `sluice retry shop` begins it anew"),
    ("retry", ended("rolloutFailed"), "the roll to shop-v2 begins anew in 3 batches"),
    ("retry", ended("rolloutFailing"), "the roll to shop-v2 begins anew in 3 batches"),
])
def test_a_wish(ask, server, verb, found, said):
    server.put(copy.deepcopy(found))
    before = copy.deepcopy(server.objects["shop"])
    version = before["metadata"]["resourceVersion"]
    ran = ask(verb, "shop", "--dry-run")
    assert (ran.status, ran.out, ran.err) == (0, f"AppRollout shop: {said} (not done)\n", "")
    assert not patches(server)
    would = json.loads(ask(verb, "shop", "--dry-run", "-o", "json").out)
    assert would["metadata"]["annotations"]["rollout.sluice.dev/wish"] == (
        f"{verb} shop-v2 {version}")

    ran = ask(verb, "shop")
    assert (ran.status, ran.out, ran.err) == (0, f"AppRollout shop: {said}\n", "")
    (_, body), = patches(server)
    assert {"op": "test", "path": "/metadata/resourceVersion", "value": version} in body
    assert {"op": "test", "path": "/metadata/uid", "value": "u"} in body
    after = server.objects["shop"]
    assert (after["spec"], after["status"]) == (before["spec"], before["status"])
    assert wish_of(server) == f"{verb} shop-v2 {version}"


def test_a_second_person_wishes_the_same(ask, server):
    """He is told that it is asked for, and by whom; when it was answered he may ask again."""
    server.put(at_gate())
    ask("abort", "shop")
    first = wish_of(server)
    ran = ask("abort", "shop")
    assert (ran.status, ran.out) == (0, "AppRollout shop: jo has asked for that already, and no "
                                        "controller has looked at it yet\n")
    assert wish_of(server) == first and len(patches(server)) == 1
    server.objects["shop"]["status"]["answeredWish"] = first.split()[2]
    assert ask("abort", "shop").status == 0
    assert wish_of(server) != first


def test_two_wish_at_once(ask, server):
    """Whoever comes second finds the wish of the first."""
    server.put(at_gate())

    def somebody_else():
        other = copy.deepcopy(server.objects["shop"])
        other["metadata"]["annotations"].update({
            "rollout.sluice.dev/wish": "abort shop-v2 7",
            "rollout.sluice.dev/asked": "abort by ann at 2026-01-31T12:00:00Z"})
        server.put(other)
        server.before_patch = None
    server.before_patch = somebody_else
    ran = ask("abort", "shop")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("sluice abort: somebody else has changed AppRollout shop at the same ")
    assert ask("abort", "shop").out.startswith("AppRollout shop: ann has asked for that already")
    assert wish_of(server) == "abort shop-v2 7"


def test_abort_with_a_plan_that_makes_no_sense(ask, server):
    """An edit that has gone wrong mustn't keep anybody from stopping the roll."""
    broken = at_gate()
    broken["spec"]["rolloutPlan"]["numBatches"] = 9
    server.put(broken)
    assert ask("abort", "shop").out.startswith("AppRollout shop: batch 2 stops where it stands, ")
    assert wish_of(server)


def being_deleted() -> dict:
    going = at_gate()
    going["metadata"]["deletionTimestamp"] = "2026-01-31T12:00:00Z"
    return going


@pytest.mark.parametrize("verb, found, error", [
    ("abort", ended("rolloutSucceed"), "nothing is under way, it has ended (rolloutSucceed)"),
    ("abort", ended("rolloutFailed"), "nothing is under way, it has ended (rolloutFailed)"),
    ("abort", ended("rolloutFailing"), "it is failing already (rolloutFailing)"),
    ("abort", ended("rolloutAbandoning"), "the last roll is being left; ask again when the next one "
                                          "has begun (rolloutAbandoning)"),
    ("abort", rollout(), "nothing is under way: no controller has looked at it yet"),
    ("abort", being_deleted(), "it is being deleted"),
    ("retry", at_gate(), "it hasn't failed (batchReady)"),
    ("retry", ended("rolloutSucceed"), "it hasn't failed (rolloutSucceed)"),
    ("retry", rollout(), "nothing is under way: no controller has looked at it yet"),
    ("retry", being_deleted(), "it is being deleted"),
])
def test_a_wish_that_makes_no_sense(ask, server, verb, found, error):
    server.put(copy.deepcopy(found))
    ran = ask(verb, "shop")
    assert (ran.status, ran.out, ran.err) == (1, "", f"sluice {verb}: shop: {error}\n")
    assert not patches(server)


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
