# SPDX-License-Identifier: Apache-2.0
"""What Prometheus is told, and the alerts and the dashboard that are made from it."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from conftest import ROOT
from harness.exposition import Exposition, fetch, free_port
from harness.objects import rollout

MONITORING = ROOT / "deploy" / "monitoring"
LOCATING = {"kind": "AppRollout", "state": "locatingTargetApp"}
VERBS = {"get", "list", "watch", "create", "patch", "update", "delete"}
NAME = re.compile(r"\b(?:sluice|process)_\w+")


def begin(stage, **settings):
    """A controller; what is returned asks it for its metrics."""
    port = free_port()
    stage.controller(serve={"listen": f"127.0.0.1:{port}", **settings})

    def ask() -> Exposition:
        return Exposition(fetch(port))

    stage.wait("it answers", lambda: answers(port))
    ask.port = port
    return ask


@pytest.fixture
def told(stage):
    return begin(stage)


def answers(port: int) -> bool:
    try:
        return bool(fetch(port))
    except OSError:
        return False


def wait_count(stage, told, count: int, **labels) -> None:
    stage.wait(f"{count} rollouts with {labels}",
               lambda: told().value("sluice_rollouts", **labels) == count)


def test_rollouts_are_counted_where_they_are(stage, told):
    stage.deploy(fake=True)
    wait_count(stage, told, 1, kind="AppRollout", state="rolloutSucceed")
    now = told()
    assert now.value("sluice_rollouts", **LOCATING) == 0
    assert now.value("sluice_leader") == 1 and now.value("sluice_ready") == 1
    assert now.value("sluice_passes_total", kind="AppRollout", result="done") > 0
    assert now.value("sluice_adapter_calls_total", adapter="cloneset") > 0
    assert now.value("sluice_api_requests_total", verb="patch", code="200") > 0
    stage.delete("AppRollout", "roll")
    wait_count(stage, told, 0, kind="AppRollout", state="rolloutSucceed")


def test_fifty_rollouts_take_as_many_lines_as_one(stage, told):
    """Of requests there are as many lines as verbs and statuses have occurred, out of a few."""
    stage.put(rollout("nowhere-v1", name="roll-0", numBatches=1))
    wait_count(stage, told, 1, **LOCATING)
    stage.wait_reason("RevisionMissing", "roll-0")
    few = told().series()
    for number in range(1, 50):
        stage.put(rollout("nowhere-v1", name=f"roll-{number}", numBatches=1))
    wait_count(stage, told, 50, **LOCATING)
    stage.wait("each waits", lambda: told().value(
        "sluice_rollouts_by_reason", reason="RevisionMissing", person="true") == 50)
    many = told()
    assert many.series() == few
    requests = [dict(labels) for name, labels in many.samples
                if name == "sluice_api_requests_total"]
    assert {labels["verb"] for labels in requests} <= VERBS
    assert all(set(labels) == {"verb", "code"} and re.fullmatch(r"\d\d\d|3xx|none|other",
                                                                labels["code"])
               for labels in requests)


def test_each_rollout_only_where_it_is_asked_for(stage):
    told = begin(stage, rolloutMetrics=True)
    for name in ("roll-a", "roll-b"):
        stage.put(rollout("nowhere-v1", name=name, numBatches=1))
        stage.wait_reason("RevisionMissing", name)
        labels = {"kind": "AppRollout", "namespace": stage.namespace, "name": name,
                  "state": "locatingTargetApp", "reason": "RevisionMissing"}
        stage.wait(f"{name} is told", lambda: told().samples.get(
            ("sluice_rollout", tuple(sorted(labels.items())))) == 1)
    stage.delete("AppRollout", "roll-a")
    stage.wait("it isn't told any more", lambda: [
        dict(labels)["name"] for name, labels in told().samples if name == "sluice_rollout"
    ] == ["roll-b"])


def expressions() -> list:
    """Of all alerts, and of all panels."""
    rules = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    board = json.loads((MONITORING / "dashboard.json").read_text())
    return ([rule["expr"] for group in rules["groups"] for rule in group["rules"]]
            + [target["expr"] for panel in board["panels"] for target in panel["targets"]])


def test_alerts_and_dashboard_ask_for_what_there_is(told):
    names = {name for name, _ in told().samples}
    asked = {name for expression in expressions() for name in NAME.findall(expression)}
    assert asked and asked <= names


def promtool(*arguments, stdin: str = "") -> None:
    program = shutil.which("promtool")
    if not program:
        pytest.skip("promtool isn't installed")
    done = subprocess.run([program, *arguments], input=stdin, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def test_prometheus_can_read_it(told):
    promtool("check", "metrics", stdin=fetch(told.port))


def test_alerts_fire_when_they_should():
    promtool("check", "rules", MONITORING / "alerts.yaml")
    promtool("test", "rules", ROOT / "tests" / "e2e" / "alerts_test.yaml")
