# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every write, as in test_kill_every_write.py, while an Application is rolled out for the first
time, to its next version and back, each by an AppRollout in batches."""

from contextlib import closing

import pytest

from conftest import open_stage
from harness import apps, proof
from harness.gate import UNHEARD, UNSENT, Gate
from harness.objects import component, rollout
from test_kill_every_write import LONG

IMAGES = {1: "4.0.6", 2: "5.0.2"}
BATCHES = [1, 2, 2]
SIZES = [0, 1, 3, 5]


SHARES = 4 if LONG else 1  # a life takes half a minute, most of which is waiting


def numbers(chance, share: int):
    """Of the writes at which to kill, one a life; a life has some more than 50."""
    return range(1 + share, 1000, SHARES) if LONG else sorted(chance.sample(range(1, 51), 2))


def record(stage, number: int) -> None:
    stage.record(number, component(version=IMAGES[number], replicas=SIZES[-1], fake=True))


def come_into_being(stage) -> None:
    record(stage, 1)
    stage.put(rollout("shop-v1", batches=BATCHES))
    stage.wait_state("rolloutSucceed")
    assert proof.sizes(stage.history, "web") == SIZES
    assert proof.creation_batches(stage.history, "web") == BATCHES


def roll(stage, number: int, before: int) -> None:
    """No batch skipped, none done twice, never more pods away than the largest one has."""
    since, image = stage.history.number(), IMAGES[number]
    stage.put(rollout(f"shop-v{number}", f"shop-v{before}", batches=BATCHES))
    stage.wait_state("rolloutSucceed")
    assert proof.goals(stage.history, "web", image, since) == SIZES
    assert proof.update_batches(stage.history, "web", image, since) == BATCHES
    assert proof.fewest_ready(stage.history, "web", since) >= SIZES[-1] - max(BATCHES)
    apps.wait_all_ready(stage, image, SIZES[-1])
    assert apps.HOLDER not in stage.history.now("CloneSet", "web")["metadata"]["annotations"]


def life(stage) -> None:
    come_into_being(stage)
    record(stage, 2)
    roll(stage, 2, before=1)
    roll(stage, 1, before=2)
    stage.delete("AppRollout", "roll")
    stage.wait("it is gone", lambda: not stage.history.now("AppRollout", "roll"))


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.parametrize("way", [UNSENT, UNHEARD])
def test_killed_once(cluster, account, tmp_path, way, share):
    """At one write of a life; another one of the next, until there are no more."""
    kills = writes = 0
    for number in numbers(apps.seeded(), share):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(open_stage(cluster, account, folder)) as stage, closing(Gate(stage)) as gate:
            gate.kill_at(number, way)
            stage.controller()
            life(stage)
            kills, writes = kills + gate.kills, writes + len(gate.written)
            if gate.is_armed():
                break
    print(f"{kills} kills, {writes} writes")
    assert kills
