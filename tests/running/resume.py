# SPDX-License-Identifier: Apache-2.0
"""For pytest (-p running.resume): leaves out the cases that are named in the file SLUICE_PASSED, and adds those that
pass, each as soon as it has: so a run that was ended goes on where it was."""

import os
from pathlib import Path

import pytest


def _name(nodeid: str) -> str:
    """Without the group that xdist appends in its workers."""
    path, colons, case = nodeid.partition("::")
    bare, at, group = case.rpartition("@")
    return path + colons + (bare if at and "]" not in group else case)


class Resumed:
    """`passed` are those of earlier runs."""

    def __init__(self, passed):
        self.passed = frozenset(passed)

    def pytest_collection_modifyitems(self, config, items) -> None:
        left_out = [item for item in items if _name(item.nodeid) in self.passed]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]

    def pytest_sessionfinish(self, session, exitstatus) -> None:
        """When all have passed before there is nothing to collect, which pytest takes for a mistake."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.passed:
            session.exitstatus = pytest.ExitCode.OK


class Noting(Resumed):
    """In the process that hears of all cases; workers must leave out the same, also one that comes later."""

    def __init__(self, kept: Path):
        super().__init__(kept.read_text().splitlines() if kept.exists() else [])
        self.kept = kept
        self.not_passed = set()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        node.workerinput["passed"] = sorted(self.passed)

    def pytest_runtest_logreport(self, report) -> None:
        """A case has passed when what comes before and after it has too."""
        if not report.passed:
            self.not_passed.add(report.nodeid)
        elif report.when == "teardown" and report.nodeid not in self.not_passed:
            with self.kept.open("a") as kept:
                kept.write(_name(report.nodeid) + "\n")


def pytest_configure(config) -> None:
    worker = getattr(config, "workerinput", None)
    plugin = Resumed(worker["passed"]) if worker else Noting(Path(os.environ["SLUICE_PASSED"]))
    config.pluginmanager.register(plugin)
