# SPDX-License-Identifier: Apache-2.0
"""Runs the tests, step by step, and counts every case. `tests/run --help` says what there is."""

import os
import signal
import subprocess
import sys
import time

from running.children import ROOT, Child, Tally, end_children, on_signal, say
from running.coverage import branches_covered, covered
from running.fuzzing import fuzz
from running.proof import proof
from running.suites import (SANITIZE, WORKERS, PythonTests, build, plain, python_tests, shown,
                            unit_tests)

# Proofs that take seconds without a cluster; all but those that are marked as `real` run there.
ON_SANDBOX = [f"tests/e2e/test_{name}.py"
              for name in ("application", "bad_input", "definitions", "faults", "judge", "rules", "seed",
                           "simulate")]
ON_SANDBOX_FOR_LONGER = [f"tests/e2e/test_{name}.py"
                         for name in ("hooks", "kill", "leader", "schedules", "shards")]
CLANG = ["--native-file", str(ROOT / "tests" / "clang.ini"), "-Dcue=disabled"]


def quick(tally: Tally) -> None:
    """What waits more than it works runs beside what computes."""
    if build(tally, "build"):
        waiting = [PythonTests("cli", ["tests/cli"], workers=WORKERS),
                   PythonTests("e2e sandbox", ON_SANDBOX, {"SLUICE_E2E_CLUSTER": "sandbox"}, WORKERS)]
        unit_tests(tally, "quick", "build")
        python_tests(tally, "sdk", ["tests/sdk"], workers=WORKERS)
        for tests in waiting:
            tests.end(tally)
        python_tests(tally, "api", ["tests/api"], workers=WORKERS)


def sanitize(tally: Tally) -> None:
    if build(tally, "build-asan", SANITIZE):
        unit_tests(tally, "sanitize", "build-asan", "--suite", "quick", "--timeout-multiplier", "4")


def threads(tally: Tally) -> None:
    """What there is of threads is in core/adapter: the watchdog. The rest of the build is no use."""
    folder = "build-tsan"
    options = ["-Db_sanitize=thread", "-Db_lundef=false", "-Dcue=disabled"]
    if build(tally, folder, options, "adapter-tests"):
        unit_tests(tally, "threads", folder, "--suite", "adapters", "--timeout-multiplier", "4")


def small_tests(folder: str) -> list:
    """The quick tests, but for the conformance runs, of which the cases alone: their random trials
    take minutes each under valgrind, and the sanitizers see them too."""
    listed = subprocess.run(["meson", "test", "-C", folder, "--list", "--suite", "quick", "--suite",
                             "replay"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [line.partition(" / ")[2] for line in listed.splitlines() if " / " in line]
    return [name for name in names if not name.startswith("cases of")]


def valgrind(tally: Tally) -> None:
    if build(tally, "build"):
        unit_tests(tally, "valgrind", "build", "--setup", "valgrind", *small_tests("build"))


def clang(tally: Tally) -> None:
    build(tally, "build-clang", CLANG)


def end_to_end(tally: Tally) -> None:
    if build(tally, "build"):
        alone = os.environ.get("SLUICE_E2E_CLUSTER")
        python_tests(tally, "e2e", ["tests/e2e"], workers=0 if alone else WORKERS)


def end_to_end_sanitized(tally: Tally) -> None:
    """The design's flow once more, with a controller that watches its own memory."""
    python_tests(tally, "e2e sanitized", ["tests/e2e/test_seed.py"],
                 {"SLUICE_BUILD": str(ROOT / "build-asan")})


def everything(tally: Tally) -> None:
    start = time.monotonic()
    tools = Child("cluster tools", ["tests/cluster/build"], nice=10)
    quick(tally)
    sanitize(tally)
    clang(tally)
    valgrind(tally)
    if tools.wait():
        tally.add(0, [f"building the cluster's tools: {tools.log}"])
        print(tools.tail())
        return
    say("cluster tools", "built", start)
    python_tests(tally, "cluster", ["tests/cluster", "tests/live"])
    python_tests(tally, "api real", ["tests/api"], {"SLUICE_API_SERVER": "real"})
    end_to_end(tally)
    end_to_end_sanitized(tally)


def tidy(tally: Tally) -> None:
    if build(tally, "build"):
        sources = [path for folder in ("core", "sdk", "plugins")
                   for path in sorted((ROOT / folder).rglob("*.c"))]
        plain(tally, "tidy", ["clang-tidy-19", "-p", "build", "--quiet", *sources])


def coverage(tally: Tally) -> None:
    """Of lines of core, and of branches of the machine. Unoptimised, so that a branch is one that
    somebody has written."""
    if not build(tally, "build-coverage", ["-Db_coverage=true", "-Doptimization=0"]):
        return
    for old in (ROOT / "build-coverage").rglob("*.gcda"):
        old.unlink()
    here = {"SLUICE_BUILD": str(ROOT / "build-coverage")}
    waiting = [PythonTests("coverage cli", ["tests/cli"], here, WORKERS),
               PythonTests("coverage e2e sandbox", [*ON_SANDBOX, *ON_SANDBOX_FOR_LONGER],
                           {"SLUICE_E2E_CLUSTER": "sandbox", **here}, WORKERS)]
    unit_tests(tally, "coverage", "build-coverage")
    for tests in waiting:
        tests.end(tally)
    covered(tally, "core/", "--fail-under-line", "90")
    branches_covered(tally, "core/rollout/")


def bench(tally: Tally) -> None:
    shown(tally, ["tests/bench/run", "all"])


STEPS = {"all": everything, "quick": quick, "e2e": end_to_end, "sanitize": sanitize,
         "valgrind": valgrind, "threads": threads, "clang": clang, "tidy": tidy,
         "coverage": coverage, "fuzz": fuzz, "bench": bench, "proof": proof}


def main() -> int:
    step, *options = sys.argv[1:] or [""]
    if step not in STEPS or options not in ([], ["--again"] if step == "proof" else []):
        print(f"usage: tests/run [{'|'.join(STEPS)}], tests/run proof --again", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    tally = Tally()
    try:
        STEPS[step](tally, *([bool(options)] if step == "proof" else []))
    finally:
        end_children()
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
