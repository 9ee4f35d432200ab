# SPDX-License-Identifier: Apache-2.0
"""What `sluice simulate` plays is what a controller does with the same files on a cluster: the same
states in the same order, and the same targets."""

import json
import subprocess

import pytest

from conftest import ROOT
from harness import proof
from harness.controller import BUILD, SLUICE
from harness.objects import is_current, reason, state

EXAMPLES = ROOT / "examples"
DEFINITION = EXAMPLES / "seed" / "componentdefinition-clonesetservice.yaml"
APPLICATIONS = [EXAMPLES / "seed" / f"application-v{number}.yaml" for number in (1, 2)]
TO_V1 = EXAMPLES / "seed" / "approllout-to-v1.yaml"
BEFORE_V2 = [DEFINITION, APPLICATIONS[0], TO_V1, APPLICATIONS[1]]
DEPLOYMENT = EXAMPLES / "rollout" / "deployment.yaml"

# The conditions of the states, but for the one of all batches together: in the record of a roll whose
# batches pass at once, its end stands in the place of its beginning.
CONDITIONS = {
    "locatingTargetApp": "RolloutLocating", "verifyingSpec": "RolloutSpecVerifying",
    "holding": "RolloutHolding", "initializing": "RolloutInitializing",
    "finalising": "RolloutFinalizing",
    "rolloutSucceed": "RolloutSucceed", "rolloutFailed": "RolloutFailed",
    "rolloutFailing": "RolloutFailing", "rolloutAbandoning": "RolloutAbandoning",
    "batchInitializing": "BatchInitializing", "batchInRolling": "BatchInRolling",
    "batchVerifying": "BatchVerifying", "batchFinalizing": "BatchFinalizing",
    "batchReady": "BatchReady",
}


def simulated(*words) -> list:
    """The steps, each as (conditions, targets)."""
    return [(way_of(step), targets_of(step)) for step in steps_of(*words)]


def steps_of(*words) -> list:
    ran = subprocess.run([SLUICE, "simulate", "-o", "json", "--ready-after", "1s", *words],
                         text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert ran.returncode in (0, 3), ran.stderr
    return json.loads(ran.stdout)["steps"]


def way_of(step: dict) -> list:
    states = [event["state"] for event in step["events"] if "state" in event]
    return [CONDITIONS[each] for each in states if each != "rollingInBatches"]


def targets_of(step: dict) -> list:
    return [event["target"] for event in step["events"] if "target" in event]


class Real:
    """The same on the stage's cluster, file by file."""

    def __init__(self, stage):
        self.stage = stage
        self.history = stage.history
        names = ("cloneset", "deployment")
        stage.controller(adapters=[{"name": name, "file": str(BUILD / "plugins" / name / f"{name}.so")}
                                   for name in names])

    def apply(self, file) -> dict:
        """The last object in it, as it is then, and the history knows it."""
        *_, thing = self.stage.cluster.apply_files(file, self.stage.namespace)
        self.history.wait_for(thing)
        return thing

    def roll(self, file) -> tuple:
        since = self.history.number()
        rollout = self.apply(file)
        return self.outcome(rollout["kind"], rollout["metadata"]["name"], since)

    def outcome(self, kind: str, name: str, since: int) -> tuple:
        """(conditions, targets) of what has happened to a rollout since then, once it is at rest."""
        self.stage.wait(f"{name} is at rest", lambda: self.is_at_rest(kind, name, since), 90)
        self.history.catch_up()
        versions = self.history.versions(kind, name)
        before = [version.object for version in versions if version.number <= since]
        after = proof.last_time(before[-1]) if before else ""
        trace = proof.trace(self.history, name, since, after, kind)
        return ([each for each in trace if each != "RolloutInProgress"],
                proof.step_targets(self.history, name, since, kind))

    def is_at_rest(self, kind: str, name: str, since: int) -> bool:
        changed, now = self.history.versions(kind, name, since), self.history.now(kind, name)
        return bool(changed) and is_current(now) and (
            state(now) in ("rolloutSucceed", "rolloutFailed")
            or reason(now).get("code") == "PartitionReached")


@pytest.fixture
def real(stage):
    return Real(stage)


@pytest.mark.parametrize("example", [
    "seed/approllout-v1-to-v2.yaml", "seed/approllout-overview.yaml",
    "rollouts/chosen-pods.yaml", "rollouts/pause-and-partition.yaml", "rollouts/rollback.yaml",
    "rollouts/scale.yaml"])
def test_approllouts(real, example):
    """After a first deployment, and with both revisions there."""
    *_, first, _, last = simulated(*BEFORE_V2, EXAMPLES / example)
    assert begin(real) == first
    assert real.roll(EXAMPLES / example) == last


def begin(real) -> tuple:
    """The outcome of the first deployment; the second revision is there behind it."""
    real.stage.cluster.apply_files(DEFINITION)
    real.apply(APPLICATIONS[0])
    real.stage.wait_revision("test-rolling-v1")
    outcome = real.roll(TO_V1)
    real.apply(APPLICATIONS[1])
    real.stage.wait_revision("test-rolling-v2")
    return outcome


def test_hooks(real, receiver, tmp_path):
    """The example's, with somebody who answers."""
    text = (EXAMPLES / "rollouts" / "hooks.yaml").read_text()
    file = tmp_path / "hooks.yaml"
    file.write_text(text.replace("http://gates.platform.svc/", receiver.url("")))
    last = steps_of(*BEFORE_V2, file)[-1]
    begin(real)
    assert real.roll(file) == (way_of(last), targets_of(last))
    assert receiver.paths() == [event["hook"] for event in last["events"] if "hook" in event]


def test_a_rollout(real):
    """It is held, and its restart is rolled up to the first gate."""
    _, held, restarted = simulated(DEPLOYMENT)
    assert real.roll(DEPLOYMENT) == held
    since = real.history.number()
    done = subprocess.run([SLUICE, "restart", "web", "--kubeconfig", real.stage.cluster.kubeconfig,
                           "-n", real.stage.namespace], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    real.stage.wait("web stands at the gate", lambda: reason(
        real.history.now("Rollout", "web")).get("code") == "PartitionReached")
    assert real.outcome("Rollout", "web", since) == restarted
