# SPDX-License-Identifier: Apache-2.0
"""Sluice beside Argo Rollouts and OpenKruise Rollouts: many workloads, all of them given another image, in four
steps each. Each contender has a control plane of its own, one after the other.
"""

import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster, audit, wait_for

from . import crowd, show, usage
from .contenders import PODS, Argo, Kruise, Sluice, image, name
from .objects import IMAGES
from .traffic import READS, Traffic, log_reads_too, now, traffic

NEWS = ("deployments", "replicasets")  # whose status tells how many pods are available
NUMBER = re.compile(r"^web-(\d+)")


@dataclass
class Found:
    """Of one contender. Memory and CPU are those of its process."""

    empty: usage.Memory
    idle: usage.Memory  # all workloads there and at rest
    after: usage.Memory
    idle_cpu: float
    cpu: float          # of all rolls
    seconds: float
    traffic: Traffic
    reactions: list     # seconds
    decided: float      # seconds after its start with all there; None: there was nothing to decide
    size: int           # bytes of its program


class Bench:
    def __init__(self, cluster, contender, count: int, seconds: int):
        self.cluster, self.contender = cluster, contender
        self.count, self.seconds = count, seconds
        self.controller = contender.start(cluster)

    def run(self) -> Found:
        empty = self.begun()
        self.contender.make(self.cluster, range(self.count))
        idle_cpu = self.quiet()
        idle = usage.memory(self.controller.pid)
        since, cpu, began = now(), usage.cpu(self.controller.pid), time.monotonic()
        self.roll(range(self.count), 2, 1)
        seconds = time.monotonic() - began
        cpu = usage.cpu(self.controller.pid) - cpu
        asked = traffic(self.cluster, self.controller.user, since)
        reactions = self.reactions(since)
        self.quiet()
        after = usage.memory(self.controller.pid)
        decided = self.restart() if self.contender.may_be_down else None
        return Found(empty, idle, after, idle_cpu, cpu, seconds, asked, reactions, decided,
                     sum(program.stat().st_size for program in self.contender.programs))

    def begun(self) -> usage.Memory:
        """With nothing there. What it does when it has just begun isn't what it takes."""
        time.sleep(3)
        return usage.memory(self.controller.pid)

    def roll(self, numbers, version: int, rolls: int) -> None:
        crowd.send(self.cluster, "images changed", numbers, lambda wire, i: wire.send(
            "PATCH", f"{self.contender.changed}/{name(i)}", image(version), "merge"))
        crowd.collect(self.cluster, "rolled", {name(i) for i in numbers}, self.contender.rollouts,
                      lambda it: self.contender.is_done(it, rolls) and self._has(it, version))

    def _has(self, thing: dict, version: int) -> bool:
        """Where the rollout is the workload: the image that it is to have, and not only rest."""
        template = thing["spec"].get("template")
        return not template or template["spec"]["containers"][0]["image"] == IMAGES[version]

    def quiet(self) -> float:
        """CPU seconds a minute, when everything has come to rest."""
        def rests() -> bool:
            before = usage.cpu(self.controller.pid)
            time.sleep(5)
            return usage.cpu(self.controller.pid) - before < 0.25

        wait_for("it comes to rest", rests, 120)
        before = usage.cpu(self.controller.pid)
        time.sleep(self.seconds)
        return (usage.cpu(self.controller.pid) - before) * 60 / self.seconds

    def restart(self, version: int = 1) -> float:
        """While it is down, one workload is given that image: from its start to its first write."""
        self.controller.stop()
        crowd.send(self.cluster, "one changed", [0], lambda wire, i: wire.send(
            "PATCH", f"{self.contender.changed}/{name(i)}", image(version), "merge"))
        since = now()
        self.controller.start()
        wait_for("the first decision", lambda: self._first_step(since), 120)
        return audit.seconds_between(since, self._first_step(since))

    def _first_step(self, since: str) -> str:
        return next((event["requestReceivedTimestamp"] for event in _written(
            self.cluster.audit_log, self.controller.user) if self._is_about(event, 0)
            and event["requestReceivedTimestamp"] > since), "")

    @staticmethod
    def _is_about(event: dict, number: int) -> bool:
        return event.get("objectRef", {}).get("name", "").startswith(name(number))

    def reactions(self, since: str) -> list:
        events = [event for event in _written(self.cluster.audit_log)
                  if event["requestReceivedTimestamp"] >= since]
        return reactions(events, self.controller.user, self.contender.steps)

    def close(self) -> None:
        self.controller.stop()


def _written(log: Path, user: str = "") -> list:
    """The log of this bench has reads too."""
    return [event for event in audit.writes(log, user=user) if event["verb"] not in READS]


def reactions(events: list, user: str, steps: str) -> list:
    """Seconds from the answer to the last write that told how many pods are available, to the next step that
    the user wrote; but for the first step, which answers a person. News that comes once the pods are
    available makes it shorter."""
    told, stepped, found = {}, set(), []
    for event in sorted(events, key=lambda event: event["requestReceivedTimestamp"]):
        about = event.get("objectRef", {})
        number = NUMBER.match(about.get("name", ""))
        if not number or event["responseStatus"]["code"] >= 300:
            continue
        number, ours = number[1], event["user"]["username"] == user
        if not ours and about["resource"] in NEWS and about.get("subresource") == "status":
            told[number] = event["stageTimestamp"]
        elif ours and about["resource"] == steps and not about.get("subresource"):
            if number in stepped and number in told:
                found.append(audit.seconds_between(told.pop(number), event["requestReceivedTimestamp"]))
            stepped.add(number)
    return found


def run(build: Path, count: int, seconds: int, alone: bool) -> dict:
    log_reads_too()
    found = {}
    for contender in [Sluice(build)] if alone else [Sluice(build), Argo(), Kruise()]:
        show.title(contender.name)
        cluster = Cluster.up("bench", kubelet=False, kwok=max(10, count * PODS // 100))
        try:
            bench = Bench(cluster, contender, count, seconds)
            try:
                found[contender.name] = bench.run()
            finally:
                bench.close()
        finally:
            cluster.down()
    return found


def percentile(reactions: list, share: float) -> float:
    return sorted(reactions)[int(len(reactions) * share)] * 1000 if reactions else float("nan")


ROWS = [
    ("resident with nothing there, MiB", lambda f, n: f.empty.rss / 1024, "{:.1f}", ""),
    ("resident, all at rest, MiB", lambda f, n: f.idle.rss / 1024, "{:.1f}", "10×"),
    ("  private", lambda f, n: f.idle.private / 1024, "{:.1f}", ""),
    ("  heap and written data", lambda f, n: f.idle.anonymous / 1024, "{:.1f}", ""),
    ("  more than with nothing, KiB each", lambda f, n: (f.idle.rss - f.empty.rss) / n, "{:.1f}", ""),
    ("resident after the rolls, MiB", lambda f, n: f.after.rss / 1024, "{:.1f}", ""),
    ("resident at the peak, MiB", lambda f, n: f.after.peak / 1024, "{:.1f}", "10×"),
    ("CPU at rest, ms a minute", lambda f, n: f.idle_cpu * 1000, "{:.1f}", ""),
    ("CPU, ms a roll", lambda f, n: f.cpu * 1000 / n, "{:.1f}", "10×"),
    ("writes a roll", lambda f, n: f.traffic.writes.total() / n, "{:.1f}", "2×"),
    ("Events written a roll", lambda f, n: f.traffic.events.total() / n, "{:.1f}", ""),
    ("reads a roll", lambda f, n: f.traffic.reads.total() / n, "{:.1f}", ""),
    ("refused of these", lambda f, n: f.traffic.refused.total() / n, "{:.2f}", ""),
    ("ready to next step, p50 ms", lambda f, n: statistics.median(f.reactions) * 1000, "{:.1f}", "< 50"),
    ("ready to next step, p99 ms", lambda f, n: percentile(f.reactions, 0.99), "{:.1f}", ""),
    ("seconds for all", lambda f, n: f.seconds, "{:.0f}", ""),
    ("start to first decision, s", lambda f, n: f.decided, "{:.2f}", ""),
    ("program, MB", lambda f, n: f.size / 1e6, "{:.1f}", ""),
]


def _cells(row: tuple, one: Found, ours: Found, count: int) -> list:
    """A contender's figure, and behind another's how many times ours it is."""
    _, of, form, _ = row
    figure, own = of(one, count), of(ours, count)
    cells = ["–" if figure is None else form.format(figure)]
    if one is not ours:
        cells.append(f"{figure / own:.1f}×" if own and figure is not None else "–")
    return cells


def report(count: int, found: dict) -> None:
    show.title(f"{count} workloads of {PODS} pods, all given another image, in four steps")
    ours = next(iter(found.values()))
    heads = [head for name, one in found.items() for head in ([name] if one is ours else [name, "ratio"])]
    show.table(["", *heads, "aim"], [
        [row[0], *(cell for one in found.values() for cell in _cells(row, one, ours, count)), row[-1]]
        for row in ROWS])
    for contender, one in found.items():
        asked = one.traffic
        show.step(f"{contender}: {show.counted(asked.writes + asked.events + asked.reads)}")
        show.step(f"  {len(one.reactions)} steps followed news of pods"
                  + (f"; refused: {show.counted(asked.refused)}" if asked.refused else ""))
