# SPDX-License-Identifier: Apache-2.0
"""Random schedules of faults: two controllers that share a Lease roll a workload while everything
between them and the API server goes wrong, leaders are frozen, killed and stopped, and people change
their minds. Then the faults stop, it has to settle, and everything that has happened is judged.

    SLUICE_SEED        the first seed; without SLUICE_SCHEDULES that one alone
    SLUICE_SCHEDULES   how many"""

import os
import random
import signal
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from harness import apps, recorded
from harness.crew import Crew
from harness.followed import KINDS, Followed, rollout, watch
from harness.judge import unsettled, violations
from harness.schedule import IMAGES, schedule
from harness.stage import Stage
from harness.weather import Weather

LONG = os.environ.get("SLUICE_PROOF") == "long"
GIVEN = os.environ.get("SLUICE_SEED")
FIRST = int(GIVEN or random.randrange(1_000_000))
COUNT = int(os.environ.get("SLUICE_SCHEDULES", 1 if GIVEN else 50 if LONG else 3))
SETTLE_S = 90


class Play:
    """Of one schedule, on a stage."""

    def __init__(self, plan, stage, opened: ExitStack):
        self.plan, self.stage = plan, stage
        self.web = Followed(stage, KINDS[plan.kind], real=not stage.cluster.is_real)
        self.weather, self.ends = Weather(random.Random(plan.seed)), Counter()
        self.web.run()
        self.crew = Crew(stage, plan.kind, self.weather, self.ends)
        opened.callback(self.crew.close)
        self.thaws = []  # (when, of whom)

    def begin(self) -> None:
        fields = {} if self.plan.partition is None else {"batchPartition": self.plan.partition}
        self.stage.put(rollout(self.web.kind, *self.plan.batches, **fields))
        self.web.wait_held()
        self.stage.history.catch_up()
        self.since = self.stage.history.number()

    def run(self) -> None:
        began = time.monotonic()
        for act in self.plan.acts:
            self._live(began + act.at)
            getattr(self, f"_{act.what}")(*act.how)

    def _live(self, until: float) -> None:
        while (now := time.monotonic()) < until:
            self.crew.check()
            for when, candidate in [it for it in self.thaws if it[0] <= now]:
                self.thaws.remove((when, candidate))
                candidate.thaw()
            self.stage.history.closing.wait(min(until - now, 0.05))

    # Acts

    def _image(self, version: str) -> None:
        self.web.set_image(version)

    def _partition(self, last: int) -> None:
        self.web.plan(batchPartition=last)

    def _pause(self) -> None:
        self.web.plan(paused=True)

    def _resume(self) -> None:
        self.web.plan(paused=None)

    def _begin(self, *fault) -> None:
        self.weather.begin(*fault)

    def _end(self, number: int) -> None:
        self.weather.end(number)

    def _freeze(self, who: str, seconds: float) -> None:
        candidate = self.crew.who(who)
        candidate.freeze()
        self.thaws.append((time.monotonic() + seconds, candidate))

    def _kill(self, who: str) -> None:
        self.crew.who(who).end(signal.SIGKILL)

    def _stop(self, who: str) -> None:
        self.crew.who(who).end(signal.SIGTERM)

    # The end

    def calm(self) -> None:
        """Faults stop, whoever is frozen wakes up, and nothing is kept back any more."""
        self.weather.calm()
        for candidate in self.crew.candidates:
            candidate.thaw()
        self.web.plan(batchPartition=None, paused=None)

    def settle(self) -> list:
        """Why it doesn't, if so. What was at rest before the last act, as far as the history knows by
        then, isn't what is asked about."""
        try:
            self.stage.history.catch_up()
            self.stage.wait("it settles", lambda: not unsettled(self.seen()), SETTLE_S)
            self.stage.history.catch_up()
            apps.assert_quiet(self.stage, self.web.kind.kind, 1)
        except AssertionError as error:
            return [f"it doesn't settle: {error}"]
        return []

    def seen(self):
        return recorded.seen(self.web, self.since)


@pytest.fixture
def opened():
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("number", range(COUNT))
def test_nothing_is_violated(number, cluster, account, tmp_path, monkeypatch, opened):
    plan = schedule(FIRST + number)
    print(plan)
    watch(monkeypatch, KINDS[plan.kind])
    stage = Stage(cluster, recorded.free_namespace(cluster.api), account, tmp_path)
    opened.callback(stage.close)
    play = Play(plan, stage, opened)
    play.begin()
    play.run()
    play.calm()
    found = play.settle()
    record = recorded.record(play.web, play.since, play.crew)
    print(f"{len(record.versions)} versions, {len(record.writes)} writes; "
          f"struck: {dict(play.weather.struck)}; ends: {dict(play.ends)}")
    found += violations(record)
    assert not found, "\n".join([*found, str(plan)])
