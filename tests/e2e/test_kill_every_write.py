# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every write: before it arrives at the API server, and after it has been done there and
before the answer is heard. Each roll is proved from the history of the workload and its pods.

SLUICE_SEED repeats the choice of writes; in the long version of the proofs all of them are taken."""

import os
from contextlib import closing

import pytest

from harness import apps
from harness.followed import KINDS, SIZE, rollout
from harness.gate import UNHEARD, UNSENT, Gate

LONG = os.environ.get("SLUICE_PROOF") == "long"
BATCHES = [1, 2, 2]
IMAGES = ["4.0.6", "5.0.2"]

every_kind = pytest.mark.parametrize("kind", KINDS)
both_ways = pytest.mark.parametrize("way", [UNSENT, UNHEARD])


def life(web, before: dict, image: str) -> None:
    """A workload is taken, rolled by the plan and given back, and everything that may not happen
    hasn't happened."""
    web.stage.put(rollout(web.kind, *BATCHES))
    web.wait_held()
    held, since = web.status()["lastTargetAppRevision"], web.stage.history.number()
    web.set_image(image)
    web.wait_held(held)
    apps.wait_all_ready(web.stage, image, SIZE)
    web.assert_batches(since, image, 1, 3, SIZE)
    web.assert_none_taken_back(since, image)
    assert web.fewest_ready(since) >= web.kind.least
    pods = web.identities()
    web.wait_gone()
    assert_never_unknown(web)
    web.assert_given_back(before)
    web.assert_quiet()
    web.assert_stay(pods, image)


def assert_never_unknown(web) -> None:
    """A process that has just begun doesn't take what it hasn't listed yet for what isn't there."""
    for version in web.stage.history.versions("Rollout", "web"):
        why = version.object.get("status", {}).get("reason", {})
        assert why.get("code") != "KindUnknown", why["message"]


@every_kind
@both_ways
def test_no_process_writes_twice(follow, kind, way):
    """Each one is killed at its first write (unheard) or its second (unsent)."""
    web = follow(KINDS[kind])
    before = web.run()
    with closing(Gate(web.stage)) as gate:
        gate.kill_at(1 if way == UNHEARD else 2, way, again=True)
        web.controller()
        life(web, before, IMAGES[1])
        gate.leave_open()
    print(f"{gate.kills} kills, {len(gate.written)} writes")
    assert gate.kills > 8


def numbers(chance):
    """Of the writes at which to kill, one a life."""
    return range(1, 1000) if LONG else sorted(chance.sample(range(1, 13), 2))


@every_kind
@both_ways
def test_killed_once(follow, kind, way):
    """At one write of a life; another one of the next, until there are no more."""
    web = follow(KINDS[kind])
    before = web.run()
    with closing(Gate(web.stage)) as gate:
        web.controller()
        for life_number, number in enumerate(numbers(apps.seeded())):
            gate.kill_at(number, way)
            life(web, before, IMAGES[(life_number + 1) % 2])
            if gate.is_armed():
                break
        gate.leave_open()
    print(f"{gate.kills} kills, {len(gate.written)} writes")
    assert gate.kills
