# SPDX-License-Identifier: Apache-2.0
"""Builds, and the tests of meson and of pytest, each case of them counted."""

import json
import re
import time
import xml.etree.ElementTree as xml
from pathlib import Path

from running.children import LOGS, ROOT, Child, Tally, say

SANITIZE = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
STRICT = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
WORKERS = 4  # more than there are cores, because tests mostly wait


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
                         *options], STRICT)
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
