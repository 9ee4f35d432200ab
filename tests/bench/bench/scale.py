# SPDX-License-Identifier: Apache-2.0
"""Sluice alone with more and more workloads, most of them at rest: what each takes, and whether a few that are
rolled are served as fast as among few.

The few have 4 pods and are rolled in four steps, as in `peers`; the others are there with one pod each, since what
Sluice keeps of a workload doesn't grow with its pods.
"""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster

from . import contenders, peers, show, usage
from .traffic import log_reads_too, now, traffic

FEW = 100


@dataclass
class Size:
    """With so many workloads. Memory is that of the controller's process."""

    count: int
    rest: usage.Memory
    rest_cpu: float  # seconds a minute
    rolled: "Rolled"
    after: usage.Memory


@dataclass
class Rolled:
    """The few."""

    seconds: float
    cpu: float       # seconds, of all rolls
    requests: int    # likewise
    reactions: list  # seconds


@dataclass
class Found:
    empty: usage.Memory
    sizes: list
    decided: float  # after a start with all there
    restarted: usage.Memory


class Scale:
    def __init__(self, cluster, build: Path):
        self.bench = peers.Bench(cluster, contenders.Sluice(build), 0, 10)
        self.there = self.rolls = 0

    def run(self, counts: list) -> Found:
        empty = self.bench.begun()
        self._add(range(FEW), contenders.PODS)
        sizes = [self._at(count) for count in counts]
        decided = self.bench.restart(self._other_version)
        self.bench.quiet()
        return Found(empty, sizes, decided, usage.memory(self.pid))

    @property
    def pid(self) -> int:
        return self.bench.controller.pid

    @property
    def _other_version(self) -> int:
        """Than the few have."""
        return 2 - self.rolls % 2

    def close(self) -> None:
        self.bench.close()

    def _add(self, numbers: range, pods: int) -> None:
        self.bench.contender.make(self.bench.cluster, numbers, pods)
        self.there += len(numbers)

    def _at(self, count: int) -> Size:
        show.title(f"{count} workloads")
        self._add(range(self.there, count), 1)
        rest_cpu = self.bench.quiet()
        rest = usage.memory(self.pid)
        rolled = self._roll_few()
        self.bench.quiet()
        return Size(count, rest, rest_cpu, rolled, usage.memory(self.pid))

    def _roll_few(self) -> Rolled:
        since, cpu, began = now(), usage.cpu(self.pid), time.monotonic()
        self.bench.roll(range(FEW), self._other_version, self.rolls + 1)
        self.rolls += 1
        seconds, cpu = time.monotonic() - began, usage.cpu(self.pid) - cpu
        asked = traffic(self.bench.cluster, self.bench.controller.user, since)
        requests = sum((asked.reads + asked.writes + asked.events).values())
        return Rolled(seconds, cpu, requests, self.bench.reactions(since))


def run(build: Path, counts: list) -> Found:
    log_reads_too()
    cluster = Cluster.up("bench", kubelet=False, kwok=max(10, counts[-1] // 90))
    try:
        scale = Scale(cluster, build)
        try:
            return scale.run(counts)
        finally:
            scale.close()
    finally:
        cluster.down()


HEADS = ["workloads", "at rest", "KiB each", "CPU a minute", "after", "seconds", "to next step, p50", "p99",
         "requests a roll", "CPU a roll"]


def _row(found: Found, size: Size) -> list:
    rolled = size.rolled
    return [size.count, show.mib(size.rest.rss), f"{(size.rest.rss - found.empty.rss) / size.count:.1f}",
            f"{size.rest_cpu * 1000:.0f} ms", show.mib(size.after.rss), f"{rolled.seconds:.0f}",
            f"{statistics.median(rolled.reactions) * 1000:.1f} ms",
            f"{peers.percentile(rolled.reactions, 0.99):.0f} ms", f"{rolled.requests / FEW:.1f}",
            f"{rolled.cpu * 1000 / FEW:.1f} ms"]


def report(found: Found) -> None:
    show.title(f"{FEW} workloads of {contenders.PODS} pods rolled in four steps, among so many at rest")
    show.table(HEADS, [_row(found, size) for size in found.sizes])
    last = found.sizes[-1].count
    show.step(f"with nothing there {show.mib(found.empty.rss)}; what is more than that is counted for each")
    show.step(f"started with {last} there: first decision after {found.decided:.2f} s, "
              f"{show.mib(found.restarted.rss)}, {(found.restarted.rss - found.empty.rss) / last:.1f} KiB each")
