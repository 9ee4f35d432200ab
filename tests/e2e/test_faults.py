# SPDX-License-Identifier: Apache-2.0
"""An API server that does everything wrong that it can, and nodes and pods too: a roll goes its way
through all of it and ends well. Only a sandbox does that on demand; the dice have seeds
(`SLUICE_SEED` repeats a run)."""

import os
import random

import pytest

from cluster.in_memory import SandboxCluster
from harness import apps
from harness.followed import KINDS, SIZE, Followed, watch

from conftest import SANDBOX, install, open_stage

FAULTS = "/sandbox/faults"


BACKED_OFF = 240  # seconds: nine faults in a row, and the rollout is tried again after its longest pause


@pytest.fixture
def shaky(request, tmp_path, monkeypatch):
    """A workload on a stage of a sandbox of its own."""
    kind = KINDS[request.param]
    watch(monkeypatch, kind)
    cluster = SandboxCluster(SANDBOX, tmp_path, "--ready-after", "0.2", "--nodes", "3", "--openkruise")
    stage = open_stage(cluster, install(cluster), tmp_path)
    yield Followed(stage, kind, real=True)
    cluster.api.delete(FAULTS)
    stage.close()
    cluster.down()


def schedule(seed: int) -> list:
    """Of everything some, for the controller alone; nothing for ever. What it asks for most meets one
    of them every few requests."""
    dice = random.Random(seed)

    def some(fault: str, times: int, **fields) -> dict:
        return {"fault": fault, "agent": "sluice*", "probability": 0.25, "times": times,
                "seed": dice.randrange(1000), **fields}

    writes, one = "[pu][ap][td]*", {"verb": "patch"}
    rules = [some("answer", 3, code=409, verb=writes), some("answer", 3, code=500),
             some("answer", 2, code=429, retryAfterSeconds=1), some("answer", 2, code=503),
             some("answer", 2, code=410, verb="[wl]*"), some("slow", 5, seconds=0.3),
             some("cut", 2, where="request", verb=writes), some("cut", 2, where="answer", **one),
             some("cut", 2, where="answer", verb="update"), some("cut", 3, where="body"),
             some("watchCut", 3), some("watchGone", 3), some("watchTwice", 20),
             some("watchLate", 3, seconds=0.3)]
    dice.shuffle(rules)
    return rules


def struck(api) -> dict:
    """How often each fault was met."""
    found = {}
    for rule in api.get(FAULTS)["faults"]:
        name = f"{rule['fault']} {rule.get('code', rule.get('where', ''))}".strip()
        found[name] = found.get(name, 0) + rule["done"]
    return found


@pytest.mark.parametrize("shaky", ["deployment", "cloneset"], indirect=True)
def test_a_roll_through_all_of_them(shaky):
    seed = int(os.environ.get("SLUICE_SEED", random.randrange(10000)))
    print(f"SLUICE_SEED={seed}")
    stage, api = shaky.stage, shaky.stage.api
    shaky.take(1, 2, 2, batchPartition=0)
    held = shaky.status()["lastTargetAppRevision"]
    since = stage.history.number()
    api.create(FAULTS, {"faults": schedule(seed)})
    shaky.set_image("5.0.2")
    shaky.step_by_step(1, 3, seconds=BACKED_OFF)
    shaky.wait_held(held, BACKED_OFF)
    apps.wait_all_ready(stage, "5.0.2", SIZE)
    shaky.assert_batches(since, "5.0.2", 1, 3, 5)
    shaky.assert_none_taken_back(since, "5.0.2")
    assert shaky.fewest_ready(since) >= shaky.kind.least
    met = struck(api)
    print(met)
    assert sum(met.values()) >= 10 and sum(count > 0 for count in met.values()) >= 8, met


@pytest.mark.parametrize("shaky", ["deployment"], indirect=True)
def test_a_pod_that_never_gets_ready_and_a_node_that_dies(shaky):
    """The batch waits for either, and for nothing else; then the roll ends well."""
    stage, api = shaky.stage, shaky.stage.api
    shaky.take(1, 4)
    held = shaky.status()["lastTargetAppRevision"]
    number = api.create(FAULTS, {"fault": "podNeverReady", "times": 1})["faults"][0]["id"]
    shaky.set_image("5.0.2")
    shaky.wait_reason("PodsNotReady")
    assert shaky.at("5.0.2") == 1
    node = stage.wait("it is on a node", lambda: apps.at(stage, "5.0.2")[0]["spec"].get("nodeName"))
    api.create(FAULTS, {"fault": "nodeDead", "name": node})
    api.delete(f"{FAULTS}/{number}")
    stage.wait("the pod is lost with its node", lambda: not any(
        condition["status"] == "True" for pod in apps.at(stage, "5.0.2")
        for condition in pod["status"]["conditions"] if condition["type"] == "Ready"))
    shaky.wait_reason("PodsNotReady")
    assert shaky.at("5.0.2") == 1
    api.delete(FAULTS)
    shaky.wait_held(held)
    apps.wait_all_ready(stage, "5.0.2", SIZE)
