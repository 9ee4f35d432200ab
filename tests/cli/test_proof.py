# SPDX-License-Identifier: Apache-2.0
"""`tests/run proof` goes on where it was ended (tests/running)."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from running import fuzzing  # noqa: E402
from running.children import Child, Tally  # noqa: E402
from running.proof import Part, play  # noqa: E402
from running.record import Record  # noqa: E402


@pytest.fixture
def tree(tmp_path):
    """With one commit."""
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "file").write_text("1\n")
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> None:
    somebody = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *somebody, *arguments], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=x")


@pytest.fixture
def record(tree, tmp_path):
    return lambda again=False: Record(tmp_path / "proof", tree, again)


# ── What is remembered ──────────────────────────────────────────────────────────────────────


def test_of_the_same_commit(record):
    record().keep("soak", 1)
    assert record().of("soak") == 1
    assert record().of("faults") == 0


def test_of_each_commit_by_itself(record, tree):
    record().keep("soak", 1)
    (tree / "file").write_text("2\n")
    commit(tree)
    assert record().of("soak") == 0
    git(tree, "checkout", "--quiet", "HEAD~")
    assert record().of("soak") == 1


@pytest.mark.parametrize("name", ["file", "another"])
def test_not_of_a_tree_with_changes(record, tree, name):
    record().keep("soak", 1)
    (tree / name).write_text("changed\n")
    record().keep("faults", 100)
    assert record().of("soak") == 0
    assert record().of("faults") == 0
    git(tree, "stash", "--quiet", "--include-untracked")
    assert record().of("soak") == 1


def test_begun_anew(record):
    record().keep("soak", 1)
    assert record(again=True).of("soak") == 0
    assert record().of("soak") == 0


def test_forgotten_when_the_tree_has_changed_meanwhile(record, tree):
    proving = record()
    proving.keep("soak", 1)
    (tree / "file").write_text("2\n")
    proving.close()
    git(tree, "checkout", "--quiet", "file")
    assert record().of("soak") == 0


# ── Parts ───────────────────────────────────────────────────────────────────────────────────


class Parts:
    """Three, of which the second fails until it is mended."""

    def __init__(self):
        self.ran, self.broken = [], True
        self.all = [Part(name, "what it does", getattr(self, name))
                    for name in ("first", "second", "third")]

    def first(self, tally, _) -> None:
        self.ran.append("first")
        tally.add(5, [])

    def second(self, tally, _) -> None:
        self.ran.append("second")
        tally.add(2, ["it"] if self.broken else [])

    def third(self, tally, _) -> None:
        self.ran.append("third")
        raise SystemExit(130)


def test_parts_that_have_passed_are_not_run_again(record, capsys):
    parts, tally = Parts(), Tally()
    with pytest.raises(SystemExit):
        play(tally, parts.all, record())
    assert (parts.ran, tally.passed, tally.failures) == (["first", "second", "third"], 7, ["it"])
    assert "1 of 3: first: passed, 5 cases" in capsys.readouterr().out

    parts.ran, parts.broken, tally = [], False, Tally()
    with pytest.raises(SystemExit):
        play(tally, parts.all, record())
    assert (parts.ran, tally.passed, tally.failures) == (["second", "third"], 7, [])
    assert "1 of 3: first: has passed before, 5 cases" in capsys.readouterr().out

    parts.ran = []
    with pytest.raises(SystemExit):
        play(Tally(), parts.all, record(again=True))
    assert parts.ran == ["first", "second", "third"]


def test_a_change_is_seen_also_when_it_is_ended(record, tree, capsys):
    first, _, ends = Parts().all
    change = Part("change", "changes the tree", lambda *_: (tree / "file").write_text("2\n"))
    with pytest.raises(SystemExit):
        play(Tally(), [first, change, ends], record())
    assert "The tree has changed meanwhile" in capsys.readouterr().out
    git(tree, "checkout", "--quiet", "file")
    assert record().of("first passed") == 0


# ── Cases of pytest ─────────────────────────────────────────────────────────────────────────

CASES = """
import os, signal
import pytest

def ran(name):
    with open("ran", "a") as file:
        file.write(name + "\\n")

def test_it():
    ran("it")

@pytest.mark.xdist_group("group")
@pytest.mark.parametrize("what", ["a b", "c@d"])
def test_it_too(what):
    ran(what)

def test_it_ends():
    ran("ends")
    if os.path.exists("deadly"):
        os.kill(int(os.environ["RUNNER"]), signal.SIGKILL)

@pytest.fixture
def spoilt():
    yield
    assert not os.path.exists("deadly")

def test_spoilt(spoilt):
    ran("spoilt")

@pytest.mark.skip
def test_skipped():
    pass
"""


class Cases:
    def __init__(self, folder: Path, *options: str):
        self.folder = folder
        self.command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "running.resume",
                        "-q", *options, "test_cases.py"]
        self.environment = {**os.environ, "PYTHONPATH": str(TESTS),
                            "SLUICE_PASSED": str(folder / "passed")}
        (folder / "test_cases.py").write_text(CASES)

    def run(self) -> tuple:
        """How pytest has ended, and which cases have run."""
        (self.folder / "ran").write_text("")
        shell = ["sh", "-c", 'RUNNER=$$ exec "$0" "$@"', *self.command]
        done = subprocess.run(shell, cwd=self.folder, env=self.environment, check=False,
                              capture_output=True)
        return done.returncode, sorted((self.folder / "ran").read_text().splitlines())


def test_cases_that_have_passed_are_left_out_after_a_kill(tmp_path):
    cases = Cases(tmp_path)
    (tmp_path / "deadly").touch()
    assert cases.run() == (-9, ["a b", "c@d", "ends", "it"])
    (tmp_path / "deadly").unlink()
    assert cases.run() == (0, ["ends", "spoilt"])
    assert cases.run() == (0, [])


def test_a_case_that_spoils_what_comes_after_has_not_passed(tmp_path):
    cases = Cases(tmp_path, "--deselect=test_cases.py::test_it_ends")
    (tmp_path / "deadly").touch()
    assert cases.run() == (1, ["a b", "c@d", "it", "spoilt"])
    assert cases.run() == (1, ["spoilt"])


def test_workers_leave_out_the_same(tmp_path):
    cases = Cases(tmp_path, "--numprocesses=2", "--dist=loadgroup")
    assert cases.run() == (0, ["a b", "c@d", "ends", "it", "spoilt"])
    passed = tmp_path / "passed"
    lines = passed.read_text().splitlines(True)
    passed.write_text("".join(line for line in lines if "[c@d]" not in line))
    assert cases.run() == (0, ["c@d"])
    assert cases.run() == (0, [])


# ── Fuzzers ─────────────────────────────────────────────────────────────────────────────────


class FakeTarget:
    """Takes half of the time that it is given; notes how much that was."""

    def __init__(self, name: str, log: Path, finds: bool = False):
        self.name, self.program, self.log = name, Path(f"fuzz_{name}"), log
        self.finds, self.given = finds, []

    def start(self, seconds: int):
        self.given.append(seconds)
        return SimpleNamespace(wait=lambda: int(self.finds), cpu=seconds / 2, log=self.log,
                               tail=lambda: "")


@pytest.fixture
def fake(tmp_path):
    log = tmp_path / "log"
    log.write_text("#8 NEW cov: 12 ft: 3\nstat::number_of_executed_units: 345\n")
    return lambda name, finds=False: FakeTarget(name, log, finds)


def test_each_target_has_its_time_of_cpu(fake):
    target, tally, kept = fake("a"), Tally(), []
    spent = {}
    fuzzing.Fuzzing([target], 100, spent, lambda: kept.append(dict(spent))).run(tally)
    assert target.given[:3] == [60, 60, 40]
    assert kept[:2] == [{"a": 30}, {"a": 60}]
    assert spent["a"] >= 100
    assert (tally.passed, tally.failures) == (1, [])


def test_time_that_was_spent_before_counts(fake):
    done, begun = fake("done"), fake("begun")
    fuzzing.Fuzzing([done, begun], 100, {"done": 100, "begun": 90}).run(Tally())
    assert done.given == []
    assert begun.given[0] == 10


def test_what_has_found_something_is_not_run_again_and_not_remembered(fake):
    bad, good, tally, spent = fake("bad", finds=True), fake("good"), Tally(), {}
    fuzzing.Fuzzing([bad, good], 50, spent).run(tally)
    assert len(bad.given) == 1
    assert (tally.passed, len(tally.failures)) == (1, 1)
    assert list(spent) == ["good"]


# ── Commands ────────────────────────────────────────────────────────────────────────────────


def test_what_a_command_has_taken(monkeypatch, tmp_path, capsys):
    """And it is heard of while it runs."""
    monkeypatch.setattr("running.children.LOGS", tmp_path)
    monkeypatch.setattr("running.children.TELL", 0.01)
    work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
    child = Child("a name", ["sh", "-c", f"echo at half; {work}; exit 3"])
    assert child.wait() == 3
    assert child.cpu > 0
    assert "at half" in capsys.readouterr().out
