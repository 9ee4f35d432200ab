# SPDX-License-Identifier: Apache-2.0
"""A guide (docs/*.md) as its reader follows it: a block of YAML becomes the file that its first line
names, and what stands behind `$ ` in a block of `console` is typed into one shell. The lines below are
what is to be seen: `…` stands for anything, and times and hashes are alike."""

import os
import re
import subprocess
import time
from pathlib import Path

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
PATIENCE_S = 30
LOOKS = re.compile(r"(sluice (status|explain|history|adapters)|kubectl (get|apply))\b")
END = "--- that was "


class Step:
    """A file to write, or a command with what it is to print (None: whatever)."""

    def __init__(self, line: int, file: str = "", text: str = "", command: str = "", shown=None):
        self.line, self.file, self.text = line, file, text
        self.command, self.shown = command, shown


def steps_of(page: str) -> list:
    steps = []
    for block in BLOCK.finditer(page):
        line = page[:block.start()].count("\n") + 2
        if block[1] == "yaml":
            name = re.match(r"# (\S+\.yaml)\n", block[2])
            assert name, f"line {line}: the first line of the YAML has to name its file"
            steps.append(Step(line, file=name[1], text=block[2]))
        elif block[1] == "console":
            steps += _commands(block[2], line)
    return steps


def _commands(text: str, line: int) -> list:
    found = []
    for number, each in enumerate(text.splitlines()):
        if each.startswith("$ "):
            found.append(Step(line + number, command=each[2:], shown=None))
        else:
            found[-1].shown = [*(found[-1].shown or []), each]
    return found


def alike(text: str) -> str:
    """Without what differs from time to time, and trailing blanks."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b\d+[smhd]\b", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "HASH", text)
    return "\n".join(re.sub(" +", " ", line).rstrip() for line in text.strip("\n").splitlines())


def pattern(shown: list) -> re.Pattern:
    lines = []
    for line in alike("\n".join(shown)).splitlines():
        lines.append(r"(?:.*\n)*?" if line == "…" else
                     ".*".join(map(re.escape, line.split("…"))) + r"\n")
    return re.compile("".join(lines))


class Shell:
    def __init__(self, folder: Path, path: list):
        self.folder = folder
        self.process = subprocess.Popen(
            ["bash", "--norc"], cwd=folder, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={"PATH": ":".join([*map(str, path), os.environ["PATH"]]), "HOME": str(folder),
                 "LC_ALL": "C.UTF-8", "USER": "jo", "COLUMNS": "100"})

    def run(self, command: str) -> tuple:
        """Its exit status and all that it prints."""
        self.process.stdin.write(f"{command}\necho \"{END}$?\"\n")
        self.process.stdin.flush()
        printed = []
        for line in self.process.stdout:
            if line.startswith(END):
                return int(line.removeprefix(END)), "".join(printed)
            printed.append(line)
        raise AssertionError(f"the shell has ended:\n{''.join(printed)}")

    def follow(self, step: Step) -> None:
        if step.file:
            (self.folder / step.file).write_text(step.text)
            return
        deadline = time.monotonic() + PATIENCE_S
        while True:
            status, printed = self.run(step.command)
            if self.satisfied(step, status, printed):
                return
            assert LOOKS.match(step.command) and time.monotonic() < deadline, (
                f"line {step.line}: {step.command}\nended with {status} and printed\n{printed}"
                + ("" if step.shown is None else "instead of\n" + "\n".join(step.shown)))
            time.sleep(0.2)

    @staticmethod
    def satisfied(step: Step, status: int, printed: str) -> bool:
        """A command that fails has to be shown with its complaint."""
        if step.shown is None:
            return status == 0
        return bool(pattern(step.shown).fullmatch(alike(printed) + "\n"))

    def close(self) -> None:
        """Ends what was left running in the background, too."""
        self.process.stdin.write("kill $(jobs -p) 2>/dev/null; wait\nexit\n")
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait(20)
