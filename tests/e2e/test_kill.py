# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments of real rolls, and a new process each time.

SLUICE_KILLS says how many (50; in the long version of the proofs 500), SLUICE_SEED repeats a run.
"""

import os
import random
import time

from harness import proof
from harness.objects import component, is_current, restarts, rollout

LONG = os.environ.get("SLUICE_PROOF") == "long"
KILLS = int(os.environ.get("SLUICE_KILLS", "500" if LONG else "50"))
SEED = int(os.environ.get("SLUICE_SEED", random.randrange(1_000_000)))
VERSIONS = ["4.0.6", "5.0.2", "5.0.3", "6.0.0"]


def test_killed_at_random_moments(stage):
    print(f"SLUICE_SEED={SEED}")
    chance = random.Random(SEED)
    controller = stage.controller()
    stage.deploy()
    kills, roll = 0, 0
    while kills < KILLS:
        roll += 1
        kills += roll_with_kills(stage, controller, chance, roll)
        check_roll(stage, roll)
    print(f"{kills} kills in {roll} rolls")


def version_of(roll):
    """4.0.6 is the one to begin with; then around and around."""
    return VERSIONS[roll % len(VERSIONS)]


def roll_with_kills(stage, controller, chance, roll):
    """Kills until the roll is at its end; how often."""
    source = f"shop-v{roll}"
    target = stage.record(roll + 1, component(version=version_of(roll)))
    stage.put(rollout(target, source, batches=[1, 2, 2]))
    kills = 0
    while not ended(stage, target):
        wait_for_a_moment(stage, chance)
        controller.restart_after_kill()
        kills += 1
    stage.history.catch_up()
    return kills


def ended(stage, target):
    found = stage.rollout()
    status = (found or {}).get("status", {})
    return (is_current(found) and status.get("rollingState") == "rolloutSucceed"
            and status.get("lastTargetAppRevision") == target)


def wait_for_a_moment(stage, chance):
    """Half of the kills come at any time, half right after a write of the controller: between two
    writes is where it matters. Nothing is waited for here but the moment."""
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0.02, 1.0))
    else:
        stage.history.quiet(stage.history.number(), 2, "AppRollout", "CloneSet")
        time.sleep(chance.uniform(0, 0.05))


def check_roll(stage, roll):
    """No batch was skipped or done twice: the partition was moved along the plan's targets and no
    other way, and every container was started once more, neither less nor more often."""
    history = stage.history
    began = next(version.number for version in history.versions("AppRollout", "roll")
                 if version.object["spec"]["targetAppRevisionName"] == f"shop-v{roll + 1}")
    image = version_of(roll)
    assert proof.goals(history, "web", image, began) == [0, 1, 3, 5]
    assert proof.update_batches(history, "web", image, began) == [1, 2, 2]
    assert proof.fewest_ready(history, "web", began) >= 4
    current = [version.number for version in history.versions("AppRollout", "roll", began - 1)
               if is_current(version.object)]
    proof.assert_in_order(proof.states(history, "roll", current[0] - 1), 3)
    for name, pod in history.objects("Pod").items():
        assert restarts(pod) == roll, name
        assert len(proof.containers(history, name)) == roll + 1, name
    assert len(history.objects("Pod")) == 5


def test_killed_right_after_giving_back(stage):
    """Between the workload's last patch and the status that tells of it: what is given back is not
    taken over once more."""
    controller = stage.controller()
    stage.deploy(fake=True)
    for roll in range(1, 6):
        target = stage.record(roll + 1, component(version=version_of(roll), fake=True))
        since = stage.history.number()
        stage.put(rollout(target, f"shop-v{roll}", numBatches=1))
        stage.wait("it is taken over", lambda: holders(stage, since))
        stage.wait("it is given back", lambda: holders(stage, since)[-1] is None)
        controller.restart_after_kill()
        stage.wait("the roll has ended", lambda: ended(stage, target))
        stage.history.catch_up()
        assert proof.goals(stage.history, "web", version_of(roll), since) == [0, 5]


def holders(stage, since):
    """Who held the workload, from the first one on after a resource version."""
    marks = [version.object["metadata"].get("annotations", {}).get("rollout.sluice.dev/holder")
             for version in stage.history.versions("CloneSet", "web", since)]
    return marks[next((at for at, mark in enumerate(marks) if mark), len(marks)):]
