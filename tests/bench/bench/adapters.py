# SPDX-License-Identifier: Apache-2.0
"""What it costs to have an adapter in a process of its own: for one call, and for many rollouts."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster, ClusterError

from . import controllers, show
from .idle import Idle
from .idle import Options as IdleOptions

CASE = controllers.ROOT / "plugins" / "cloneset" / "cases" / "advance-next-batch.json"
PLACES = ["inProcess", "process"]


@dataclass(frozen=True)
class Options:
    count: int = 1000
    calls: int = 20000


@dataclass(frozen=True)
class Calls:
    """Of one way to call, in microseconds."""

    name: str
    p50: float
    p99: float
    cpu: float  # of the caller's process alone, on average


def run(build: Path, options: Options) -> dict:
    found = {"calls": _calls(build, options.calls)}
    for place in PLACES if options.count else []:
        show.step(f"{options.count} rollouts, isolation: {place}")
        found[place] = _rolls(build, options.count, place)
    return found


def _calls(build: Path, calls: int) -> list:
    """advance() of the CloneSet's adapter, in the middle of a roll."""
    program = build / "tests" / "bench" / "adapter_calls"
    subprocess.run(["ninja", "-C", build, program.relative_to(build)], check=True,
                   stdout=subprocess.DEVNULL)
    done = subprocess.run(
        [program, build / "plugins" / "cloneset" / "cloneset.so", CASE,
         build / "core" / "sluice-adapter-host", str(calls)], text=True, capture_output=True,
        check=False)
    if done.returncode:
        raise ClusterError(done.stderr)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [Calls(name, *[int(ns) / 1000 for ns in numbers]) for name, *numbers in lines]


def _rolls(build: Path, count: int, place: str) -> dict:
    cluster = Cluster.up("bench", kubelet=False, kwok=10)
    try:
        idle = Idle(cluster, build, IdleOptions(count, 1, 5), place)
        try:
            return idle.rolls()
        finally:
            idle.close()
    finally:
        cluster.down()


def report(options: Options, found: dict) -> None:
    here = found["calls"][0]
    show.title(f"A call of the CloneSet's adapter (advance), {options.calls} of each, in turn")
    show.table(["microseconds", "p50", "p99", "ratio at p50", "more at p50", "aim",
                "CPU of the caller"], [
        [way.name, f"{way.p50:.1f}", f"{way.p99:.1f}", f"{way.p50 / here.p50:.2f}×",
         f"{way.p50 - here.p50:.1f}", "< 100" if way is not here else "", f"{way.cpu:.1f}"]
        for way in found["calls"]])
    if options.count:
        _report_rolls(options.count, *[found[place] for place in PLACES])


def _report_rolls(count: int, here: dict, apart: dict) -> None:
    def row(name: str, of) -> list:
        a, b = of(here), of(apart)
        return [name, f"{a * 1000 / count:.2f}", f"{b * 1000 / count:.2f}",
                f"{(b / a - 1) * 100:+.1f} %" if a else "–"]

    show.title(f"CPU of {count} rollouts of a CloneSet, first deployment and v1 to v2, in four "
               "batches each")
    show.table(["ms for each rollout", "in process", "isolated", "more"], [
        row("controller", lambda f: f["deployed"].cpu + f["rolled"].cpu) + ["≤ 10 %"],
        row("the adapter's process",
            lambda f: f["deployed"].adapter_cpu + f["rolled"].adapter_cpu) + [""],
    ])
