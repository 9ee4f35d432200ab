# SPDX-License-Identifier: Apache-2.0
"""The long proofs, part by part. What has passed at a commit isn't run again for it: a proof that was ended, by
whatever, goes on with the rest when it is started again."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from running import fuzzing
from running.children import LOGS, ROOT, Tally
from running.record import Record
from running.suites import WORKERS, build, python_tests, shown

SCHEDULES, SCHEDULES_AT_ONCE = 1000, 100
TROUBLES = 2
FUZZED = 600  # seconds of CPU of each target


def faults(tally: Tally, record: Record) -> None:
    """A hundred schedules are one case."""
    program, plugins = ROOT / "build" / "tests" / "faults" / "faults", ROOT / "build" / "plugins"
    done = record.of("faults")
    tally.add(done // SCHEDULES_AT_ONCE, [])
    for first in range(done + 1, SCHEDULES + 1, SCHEDULES_AT_ONCE):
        shown(tally, [program, plugins, SCHEDULES_AT_ONCE, first])
        if tally.failures:
            return
        record.keep("faults", first - 1 + SCHEDULES_AT_ONCE)


def model(tally: Tally, _: Record) -> None:
    shown(tally, [ROOT / "build" / "tests" / "model" / "model", TROUBLES])


def on_clusters(tally: Tally, record: Record) -> None:
    """running/resume.py notes each case that passes."""
    passed = record.folder / "e2e.passed"
    tally.add(len(passed.read_text().splitlines()) if passed.exists() else 0, [])
    python_tests(tally, "proof e2e", ["-p", "running.resume", "tests/e2e"], {
        "SLUICE_PROOF": "long", "SLUICE_PASSED": str(passed), "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONUNBUFFERED": "1"}, workers=WORKERS)


def soak(tally: Tally, _: Record) -> None:
    shown(tally, [ROOT / "tests" / "soak" / "run"])


def fuzz(tally: Tally, record: Record) -> None:
    spent = record.of("fuzz") or {}
    if fuzzing.build_targets(tally):
        fuzzing.Fuzzing(fuzzing.targets(), FUZZED, spent, lambda: record.keep("fuzz", spent)).run(tally)


@dataclass(frozen=True)
class Part:
    name: str
    what: str
    run: Callable  # (tally, record)


PARTS = [
    Part("faults", f"{SCHEDULES} schedules of faults, judged", faults),
    Part("model", f"the machine, in every order of up to {TROUBLES} troubles", model),
    Part("e2e", "the proofs on real clusters, their long versions", on_clusters),
    Part("soak", "20,000 rolls through one controller, figures as it goes", soak),
    Part("fuzz", f"each target for {FUZZED // 60} minutes of CPU", fuzz),
]


def prove(tally: Tally, part: Part, record: Record) -> str:
    """What has become of it: has it passed now, or before, or not?"""
    name, start, own = f"{part.name} passed", time.monotonic(), Tally()
    before = record.of(name)
    if before:
        tally.add(before, [])
        return f"has passed before, {before} cases"
    part.run(own, record)
    tally.add(own.passed, own.failures)
    if own.failures:
        return f"{len(own.failures)} failed"
    record.keep(name, own.passed)
    return f"passed, {own.passed} cases in {(time.monotonic() - start) / 60:.0f} min"


def play(tally: Tally, parts: list, record: Record) -> None:
    print(record.told())
    try:
        for number, part in enumerate(parts, 1):
            print(f"── {number} of {len(parts)}: {part.name}: {part.what}", flush=True)
            print(f"── {number} of {len(parts)}: {part.name}: {prove(tally, part, record)}", flush=True)
    finally:
        record.close()


def proof(tally: Tally, again: bool) -> None:
    if build(tally, "build"):
        play(tally, PARTS, Record(LOGS / "proof", ROOT, again))
