# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets, as many at a time as there are cores. What one finds is kept in the build, so that the next run
goes on from there."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from running.children import ROOT, Child, Tally
from running.suites import SANITIZE, STRICT, build

BUILD = "build-fuzz"
OPTIONS = ["--native-file", str(ROOT / "tests" / "clang.ini"), "-Dfuzz=true", "-Dcue=disabled",
           *SANITIZE]
SLICE = 60  # seconds that a target runs until it is somebody else's turn
CORES = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Figures:
    """Of one run; `edges` is what all its inputs together have reached."""

    seconds: float
    inputs: int
    edges: int


class Target:
    """A program that goes on until its time is over or it has found something."""

    def __init__(self, program: Path):
        self.program, self.name = program, program.name.removeprefix("fuzz_")

    def start(self, seconds: int) -> Child:
        found = ROOT / BUILD / "found" / self.name
        found.mkdir(parents=True, exist_ok=True)
        return Child(self.program.name, [
            self.program, f"-max_total_time={seconds}", "-print_final_stats=1", f"-artifact_prefix={found}-",
            found, ROOT / "tests" / "fuzz" / "corpus" / self.name], STRICT)


def figures(child: Child) -> Figures:
    said = child.log.read_text(errors="replace")
    inputs = re.findall(r"number_of_executed_units: (\d+)", said)
    edges = re.findall(r"cov: (\d+)", said)
    return Figures(child.cpu, int(inputs[-1]) if inputs else 0, int(edges[-1]) if edges else 0)


def targets() -> list:
    folder = ROOT / BUILD / "tests" / "fuzz"
    return [Target(path) for path in sorted(folder.glob("fuzz_*"))
            if path.is_file() and os.access(path, os.X_OK)]


class Fuzzing:
    """Targets of which each is to run for `seconds` of CPU time. `spent` says how long each has run, by its
    name, and `keep` is called when that has changed."""

    def __init__(self, wanted: list, seconds: float, spent: dict, keep: Callable = lambda: None):
        self.wanted, self.seconds, self.spent, self.keep = wanted, seconds, spent, keep
        self.broken = set()

    def left(self, target: Target) -> float:
        return 0 if target.name in self.broken else self.seconds - self.spent.get(target.name, 0)

    def run(self, tally: Tally) -> None:
        """The one with the most left is the next. One that has found something isn't run again."""
        while rest := [target for target in self.wanted if self.left(target) > 0]:
            self._run_slices(tally, sorted(rest, key=self.left, reverse=True)[:CORES])
        tally.add(len(self.wanted) - len(self.broken), [])

    def _run_slices(self, tally: Tally, chosen: list) -> None:
        running = [(target, target.start(max(min(SLICE, round(self.left(target))), 1)))
                   for target in chosen]
        for target, child in running:
            failed = child.wait() != 0
            if failed:
                self.broken.add(target.name)
                print(child.tail())
                tally.add(0, [f"{target.program.name}: {child.log}"])
            self._note(target, figures(child))

    def _note(self, target: Target, found: Figures) -> None:
        if target.name not in self.broken:
            self.spent[target.name] = self.spent.get(target.name, 0) + found.seconds
            self.keep()
        done = sum(self.left(each) <= 0 for each in self.wanted)
        print(f"{target.program.name:24} {self.spent.get(target.name, 0):.0f} of {self.seconds:.0f} s of CPU, "
              f"{found.inputs} inputs, {found.edges} edges; {done} of {len(self.wanted)} targets done", flush=True)


def build_targets(tally: Tally) -> bool:
    return build(tally, BUILD, OPTIONS)


def fuzz(tally: Tally) -> None:
    """Each for a minute, or as many seconds as SLUICE_FUZZ_SECONDS says."""
    if build_targets(tally):
        Fuzzing(targets(), float(os.environ.get("SLUICE_FUZZ_SECONDS", 60)), {}).run(tally)
