# SPDX-License-Identifier: Apache-2.0
"""Runs the tests, step by step, and counts every case. `tests/run --help` says what there is."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build-logs"
SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
WORKERS = 4  # more than there are cores, because tests mostly wait
# Proofs that take seconds without a cluster; all but those that are marked as `real` run there.
ON_SANDBOX = [f"tests/e2e/test_{name}.py"
              for name in ("application", "bad_input", "definitions", "faults", "rules", "seed", "simulate")]
ON_SANDBOX_FOR_LONGER = [f"tests/e2e/test_{name}.py" for name in ("hooks", "kill", "leader", "shards")]
CLANG = ["--native-file", str(ROOT / "tests" / "clang.ini"), "-Dcue=disabled"]


class Tally:
    """What has passed and failed so far, and where to read about what failed."""

    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed: int, failures: list) -> None:
        self.passed += passed
        self.failures += failures

    def close(self) -> int:
        for failure in self.failures:
            print(f"failed: {failure}")
        print(f"{self.passed} passed, {len(self.failures)} failed")
        return 1 if self.failures else 0


class Child:
    """A command whose output goes to a log, unless it is to be seen. It has a process group of its
    own, so that an interrupt at the terminal reaches it once, through us."""

    running = []

    def __init__(self, name: str, command: list, environment: dict = None, nice: int = 0,
                 shown: bool = False):
        LOGS.mkdir(exist_ok=True)
        self.log = LOGS / f"{name.replace(' ', '-').replace('/', '-')}.log"
        output = {} if shown else {"stdout": self.log.open("w"), "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            ["nice", "-n", str(nice), *map(str, command)], cwd=ROOT, stdin=subprocess.DEVNULL,
            process_group=0, env={**os.environ, **(environment or {})}, **output)
        Child.running.append(self)

    def wait(self) -> int:
        code = self.process.wait()
        Child.running.remove(self)
        return code

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def on_signal(number: int, _) -> None:
    """Unwinds to main(), which ends the children: waiting for one here, while it is being waited
    for already, would never end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(128 + number)


def end_children() -> None:
    """Each in good order: what it has made, clusters too, must not stay behind."""
    for child in Child.running:
        child.process.terminate()
    for child in Child.running:
        child.process.wait()


def say(name: str, what: str, start: float) -> None:
    print(f"{name:24} {what}  ({time.monotonic() - start:.0f} s)", flush=True)


# ── Steps ───────────────────────────────────────────────────────────────────────────────────


def setup_of(folder: str, options: list) -> list:
    """What meson is to be told before the build; deploy/quickstart leaves one without tests."""
    told = ROOT / folder / "meson-info" / "intro-buildoptions.json"
    if not (ROOT / folder / "build.ninja").exists():
        return ["meson", "setup", folder, *options]
    tests = {"name": "tests", "value": True}
    if any(tests.items() <= option.items() for option in json.loads(told.read_text())):
        return []
    return ["meson", "configure", folder, "-Dtests=true"]


def build(tally: Tally, folder: str, options: list = (), *targets: str) -> bool:
    """One case: does it, or do these targets of it, build without a warning?"""
    start = time.monotonic()
    command = setup_of(folder, options)
    if command:
        setup = Child(f"setup {folder}", command)
        if setup.wait():
            tally.add(0, [f"meson setup {folder}: {setup.log}"])
            print(setup.tail())
            return False
    child = Child(f"build {folder}", ["ninja", "-C", folder, *targets])
    if child.wait():
        tally.add(0, [f"building {folder}: {child.log}"])
        print(child.tail())
        return False
    tally.add(1, [])
    say(f"build {folder}", "without a warning", start)
    return True


def complaint(output: str) -> str:
    """What a test that isn't of cmocka says is wrong: in the last lines of a run there is room for
    little, and a failure that comes and goes is seen there alone."""
    said = re.findall(r"^ *(?:FAIL +|.*(?:runtime error|ERROR): ).*", output, re.M)
    return "; ".join(line.strip() for line in said)[:400]


def cases_of(test: dict) -> tuple:
    """How many cases of a meson test have passed and failed: by cmocka's own count or by Go's,
    where there is one, otherwise the test is one case."""
    output = test.get("stdout", "") + test.get("stderr", "")
    passed = sum(int(n) for n in re.findall(r"^\[  PASSED  \] (\d+) test", output, re.M))
    passed += len(re.findall(r"^--- PASS: ", output, re.M))
    failed = [f"{test['name']}: {name}" for name in
              re.findall(r"^(?:\[  FAILED  \]|--- FAIL:) (\w+)", output, re.M)
              if not name.isdigit()]
    good = test["result"] in ("OK", "EXPECTEDFAIL", "SKIP")
    if test["result"] == "SKIP":
        return 0, []
    if good:
        return max(passed, 1), []
    return passed, sorted(set(failed)) or [f"{test['name']}: {complaint(output) or test['result']}"]


def unit_tests(tally: Tally, name: str, folder: str, *options: str) -> None:
    """The folder has been built, as far as these tests need it."""
    start = time.monotonic()
    suffix = "-valgrind" if "valgrind" in options else ""
    log = ROOT / folder / "meson-logs" / f"testlog{suffix}.json"
    log.unlink(missing_ok=True)
    child = Child(name, ["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                         *options], {"ASAN_OPTIONS": "detect_leaks=1",
                                     "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    code = child.wait()
    passed, failures = 0, []
    for line in log.read_text().splitlines() if log.exists() else []:
        good, bad = cases_of(json.loads(line))
        passed, failures = passed + good, failures + [f"{name}: {what}" for what in bad]
    if code and not failures:
        failures = [f"{name}: ended with {code}: {child.log}"]
    if failures:
        print(child.tail(80))
    tally.add(passed, failures)
    say(name, f"{passed} passed, {len(failures)} failed", start)


class PythonTests:
    """With workers, each of them has its own fixtures, clusters too, and takes the next case. They run
    from the beginning; `end` waits for them."""

    def __init__(self, name: str, paths: list, environment: dict = None, workers: int = 0):
        self.name, self.start = name, time.monotonic()
        self.report = LOGS / f"{name.replace(' ', '-')}.xml"
        self.report.unlink(missing_ok=True)
        self.child = Child(name, ["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-v",
                                  f"--numprocesses={workers}", "--dist=loadgroup", "--durations=15",
                                  f"--junitxml={self.report}", *paths], environment)

    def end(self, tally: Tally) -> None:
        name, child = self.name, self.child
        code = child.wait()
        cases = list(xml.parse(self.report).getroot().iter("testcase")) if self.report.exists() else []
        failures = [f"{name}: {case.get('classname')}.{case.get('name')}: {child.log}"
                    for case in cases
                    if case.find("failure") is not None or case.find("error") is not None]
        skipped = sum(case.find("skipped") is not None for case in cases)
        if code and not failures:
            failures = [f"{name}: ended with {code}: {child.log}"]
        if failures:
            print(child.tail(80))
        passed = max(len(cases) - skipped - len(failures), 0)
        tally.add(passed, failures)
        say(name, f"{passed} passed, {len(failures)} failed", self.start)


def python_tests(tally: Tally, *arguments, **options) -> None:
    PythonTests(*arguments, **options).end(tally)


def plain(tally: Tally, name: str, command: list, environment: dict = None) -> None:
    """A command that is one case."""
    start = time.monotonic()
    child = Child(name, command, environment)
    failed = child.wait() != 0
    if failed:
        print(child.tail())
    tally.add(0 if failed else 1, [f"{name}: {child.log}"] if failed else [])
    say(name, "failed" if failed else "passed", start)


def shown(tally: Tally, command: list) -> None:
    """A command whose output is what one wants to see."""
    failed = Child(Path(command[0]).name, command, shown=True).wait() != 0
    tally.add(0 if failed else 1, [" ".join(map(str, command))] if failed else [])


# ── What can be asked for ───────────────────────────────────────────────────────────────────


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


# What asserts of the impossible isn't there to be reached.
GCOVR = ["gcovr", "--root", ".", "--object-directory", "build-coverage", "--gcov-ignore-parse-errors",
         "--exclude-branches-by-pattern", r"\s*assert\(.*", "--exclude-lines-by-pattern", r"\s*assert\(.*"]

# Nor are these, each one branch where it stands: jansson's macros ask whether there is a value at all, where
# that is known, json_is_boolean() twice; and a switch over an enumeration, which has a case for each value,
# gets a way for others, and one for the count that ends the enumeration.
OF_MACROS = re.compile(r"json_is_|json_object_foreach|^ *switch \(")
OF_COUNTS = re.compile(r"^ *case \w+_STATES:\n(?! *case)", re.M)


def covered(tally: Tally, folder: str, *options: str) -> None:
    """A table of what was reached, and one case: is it enough?"""
    shown(tally, [*GCOVR, "--filter", folder, *options])


def branches_missed(file: dict) -> list:
    """Lines of which more was never taken than macros account for."""
    source = (ROOT / file["file"]).read_text().splitlines(keepends=True)
    missed = []
    for line in file["lines"]:
        never = sum(branch["count"] == 0 for branch in line.get("branches", []))
        text = source[line["line_number"] - 1]
        allowed = len(OF_MACROS.findall(text)) + text.count("json_is_boolean")
        if "switch (" in text:
            block = "".join(source[line["line_number"]:]).split("\n    }\n")[0]
            allowed += len(OF_COUNTS.findall(block))
        if never > allowed:
            missed.append(f"{file['file']}:{line['line_number']}: {never} never taken: {text.strip()}")
    return missed


def branches_covered(tally: Tally, folder: str) -> None:
    """One case: is every branch taken?"""
    found = subprocess.run([*GCOVR, "--filter", folder, "--exclude", ".*_main.c", "--json"], cwd=ROOT,
                           check=True, stdout=subprocess.PIPE)
    files = json.loads(found.stdout)["files"]
    missed = [line for file in files for line in branches_missed(file)]
    taken = sum(branch["count"] > 0 for file in files for line in file["lines"]
                for branch in line.get("branches", []))
    print("\n".join([*missed, f"{folder}: {taken} branches taken, {len(missed)} lines with others"]))
    tally.add(not missed, [f"branches of {folder}"] if missed else [])


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


def fuzz(tally: Tally) -> None:
    """Each for a minute, or as many seconds as SLUICE_FUZZ_SECONDS says."""
    seconds = int(os.environ.get("SLUICE_FUZZ_SECONDS", 60))
    options = ["--native-file", str(ROOT / "tests" / "clang.ini"), "-Dfuzz=true", "-Dcue=disabled",
               "-Db_lundef=false"]
    if build(tally, "build-fuzz", options):
        for target in sorted((ROOT / "build-fuzz" / "tests" / "fuzz").glob("fuzz_*")):
            if target.is_file() and os.access(target, os.X_OK):
                fuzz_one(tally, target, seconds)


def fuzz_one(tally: Tally, target: Path, seconds: int) -> None:
    """What it finds is kept in the build, so that the next run goes on from there."""
    name = target.name.removeprefix("fuzz_")
    found = ROOT / "build-fuzz" / "found" / name
    found.mkdir(parents=True, exist_ok=True)
    plain(tally, target.name, [target, f"-max_total_time={seconds}", "-print_final_stats=1",
                               f"-artifact_prefix={found}-", found, ROOT / "tests" / "fuzz" / "corpus" / name])
    said = (LOGS / f"{target.name}.log").read_text(errors="replace")
    inputs = re.findall(r"number_of_executed_units: (\d+)", said)
    edges = re.findall(r"cov: (\d+)", said)
    print(f"{name:24} {inputs[-1] if inputs else 0} inputs, {edges[-1] if edges else 0} edges", flush=True)


def bench(tally: Tally) -> None:
    shown(tally, ["tests/bench/run", "all"])


def proof(tally: Tally) -> None:
    if build(tally, "build"):
        faults = ROOT / "build" / "tests" / "faults" / "faults"
        shown(tally, [faults, ROOT / "build" / "plugins", "1000"])
        shown(tally, [ROOT / "tests" / "soak" / "run"])
        python_tests(tally, "proof", ["tests/e2e"], {"SLUICE_PROOF": "long"}, workers=WORKERS)


STEPS = {"all": everything, "quick": quick, "e2e": end_to_end, "sanitize": sanitize,
         "valgrind": valgrind, "threads": threads, "clang": clang, "tidy": tidy,
         "coverage": coverage, "fuzz": fuzz, "bench": bench, "proof": proof}


def main() -> int:
    if len(sys.argv) != 2 or sys.argv[1] not in STEPS:
        print(f"usage: tests/run [{'|'.join(STEPS)}]", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    tally = Tally()
    try:
        STEPS[sys.argv[1]](tally)
    finally:
        end_children()
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
