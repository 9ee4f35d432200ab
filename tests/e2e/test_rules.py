# SPDX-License-Identifier: Apache-2.0
"""What an operator's rules hold back: more rolls than may be at once, and rolls out of hours."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from harness import apps, followed
from harness.controller import BUILD, config_text
from harness.objects import is_current

DEPLOYMENT = followed.KINDS["deployment"]
ADAPTERS = [{"name": "deployment", "file": str(BUILD / "plugins" / "deployment" / "deployment.so")}]
PODS = 2
UNDER_WAY = ("initializing", "rollingInBatches", "finalising", "rolloutFailing", "rolloutAbandoning")


class Shops:
    """Deployments of two pods each, with Rollouts of two batches that stand at the first."""

    def __init__(self, pattern, *names):
        self.pattern, self.stage = pattern, pattern.stage
        for name in names:
            self.stage.put(self.deployment(name))
        self.stage.wait("all pods are ready", lambda: len(self.at("4.0.6")) == PODS * len(names))
        self.controller = self.stage.controller_with(self.config())
        self.controller.start()
        for name in names:
            self.stage.put(followed.rollout(DEPLOYMENT, 1, 1, name=name, workload=name, batchPartition=0))
        self.stage.wait("all are held", lambda: all(self.reason(name) == "Held" for name in names))

    def config(self, **rolls) -> str:
        settings = {"rolls": rolls} if rolls else {}
        return config_text(ADAPTERS, namespace=self.stage.namespace, **settings)

    def rule(self, **rolls) -> None:
        """From here on, in the controller that is running."""
        read = self.rules_read()
        self.controller.configure(self.config(**rolls))
        self.stage.wait("the rules are read", lambda: self.rules_read() > read)

    def rules_read(self) -> int:
        return sum(line["message"] == "read again" for line in self.controller.log_lines())

    def deployment(self, name: str) -> dict:
        whole = self.pattern.manifest(size=PODS)
        text = json.dumps(whole).replace('"app": "web"', f'"app": "{name}"')
        return {**json.loads(text), "metadata": {"name": name}}

    def change(self, name: str, version="5.0.2") -> None:
        self.stage.patch("Deployment", name, [
            {"op": "replace", "path": "/spec/template/spec/containers/0/image",
             "value": f"stefanprodan/podinfo:{version}"}])

    def plan(self, name: str, **fields) -> None:
        self.stage.patch("Rollout", name, {"spec": {"rolloutPlan": fields}})

    def at(self, version: str, name: str = "") -> list:
        return [pod for pod in apps.at(self.stage, version)
                if pod["metadata"]["labels"]["app"].startswith(name)]

    def status(self, name: str) -> dict:
        return (self.stage.history.now("Rollout", name) or {}).get("status", {})

    def reason(self, name: str) -> str:
        current = is_current(self.stage.history.now("Rollout", name))
        return self.status(name).get("reason", {}).get("code") if current else None

    def wait_reason(self, name: str, code: str) -> dict:
        self.stage.wait(f"{name} says {code}", lambda: self.reason(name) == code)
        return self.status(name)

    def most_under_way(self, since: int) -> int:
        """At any moment, by what was recorded."""
        self.stage.history.catch_up()
        states, most = {}, 0
        for version in self.stage.history.versions("Rollout", since=since):
            states[version.name] = version.object.get("status", {}).get("rollingState")
            most = max(most, sum(state in UNDER_WAY for state in states.values()))
        return most


@pytest.fixture
def shops(follow):
    return lambda *names: Shops(follow(DEPLOYMENT), *names)


def test_one_after_the_other(shops):
    """In the order in which they came, also when the controller dies between."""
    made = shops("first", "second", "third")
    made.rule(atOncePerNamespace=1)
    since = made.stage.history.number()
    made.change("first")
    made.wait_reason("first", "PartitionReached")
    for name in ("second", "third"):
        made.change(name)
        status = made.wait_reason(name, "Queued")
        assert status["rollingState"] == "verifyingSpec"
        assert status["reason"]["message"] == (
            f"waits for its turn: 1 roll may be under way in namespace {made.stage.namespace} "
            "(rolls.atOncePerNamespace)")
    made.controller.restart_after_kill()
    made.plan("first", batchPartition=None)
    made.wait_reason("second", "PartitionReached")
    assert made.reason("third") == "Queued"
    assert len(made.at("5.0.2", "first")) == PODS and not made.at("5.0.2", "third")
    made.plan("second", batchPartition=None)
    made.plan("third", batchPartition=None)
    made.wait_reason("third", "Held")
    made.stage.wait("all are there", lambda: len(made.at("5.0.2")) == 3 * PODS)
    assert made.most_under_way(since) == 1


def test_who_waits_may_leave(shops):
    """And what is raised or taken away lets the others begin at once."""
    made = shops("first", "second", "third")
    made.rule(atOnce=1)
    made.change("first")
    made.wait_reason("first", "PartitionReached")
    made.change("second")
    made.wait_reason("second", "Queued")
    made.change("third")
    made.wait_reason("third", "Queued")
    made.stage.delete("Rollout", "second")
    made.stage.wait("it has gone", lambda: made.stage.history.now("Rollout", "second") is None)
    assert made.reason("third") == "Queued"
    made.rule()
    made.wait_reason("third", "PartitionReached")


def window(hours_from: int, hours_to: int) -> dict:
    """Its edges are whole hours, counted from the present one."""
    now = datetime.now(timezone.utc).replace(minute=0)
    return {"from": f"{now + timedelta(hours=hours_from):%H:%M}",
            "to": f"{now + timedelta(hours=hours_to):%H:%M}"}


def test_out_of_hours(shops):
    """No roll and no batch begins; what has begun is brought to the end of its batch."""
    made = shops("first")
    made.rule(windows=[window(12, 13)])
    made.change("first")
    status = made.wait_reason("first", "WindowClosed")
    assert "waits for a maintenance window (rolls.windows); the next one opens at 20" in \
        status["reason"]["message"]
    assert not made.at("5.0.2")
    made.rule(windows=[window(-1, 2)])
    made.wait_reason("first", "PartitionReached")
    made.rule(windows=[window(12, 13)])
    made.plan("first", batchPartition=None)
    assert made.wait_reason("first", "WindowClosed")["batchRollingState"] == "batchReady"
    assert len(made.at("5.0.2")) == 1
    made.change("first", "4.0.6")  # its pods are of two templates: it may go back at any hour
    made.stage.wait("it has gone back", lambda: len(made.at("4.0.6")) == PODS and not made.at("5.0.2"))
    made.wait_reason("first", "Held")
