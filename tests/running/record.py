# SPDX-License-Identifier: Apache-2.0
"""What has been proved of a commit, so that a proof that was ended can go on."""

import json
import shutil
import subprocess
from pathlib import Path


def commit_of(tree: Path) -> str:
    """That the tree is at; empty when there is more or less in it than was committed."""
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=tree, capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else "?"

    return "" if git("status", "--porcelain") else git("rev-parse", "HEAD").strip("?")


class Record:
    """Amounts by name: cases, schedules, seconds. Each commit has a folder of its own, into which files may be
    written too. A tree with changes that aren't committed has one that is emptied at each start."""

    def __init__(self, folder: Path, tree: Path, again: bool):
        self.tree, self.commit = tree, commit_of(tree)
        self.folder = folder / (self.commit or "uncommitted")
        if again or not self.commit:
            shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "amounts.json"
        self.amounts = json.loads(self.file.read_text()) if self.file.exists() else {}

    def of(self, name: str):
        """A number, or a dict that may be changed."""
        return self.amounts.get(name, 0)

    def keep(self, name: str, amount) -> None:
        """At once, and all or nothing of it."""
        self.amounts[name] = amount
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(self.amounts, indent=2) + "\n")
        draft.replace(self.file)

    def told(self) -> str:
        if not self.commit:
            return "The tree isn't that of a commit: nothing of this will be known the next time."
        so_far = "nothing" if not self.amounts else "what has passed before"
        return f"Of {self.commit[:12]} {so_far} is known ({self.folder})."

    def close(self) -> None:
        """What was proved of a tree that has changed meanwhile is proved of no commit."""
        if self.commit and commit_of(self.tree) != self.commit:
            print("The tree has changed meanwhile: what has passed is forgotten.")
            shutil.rmtree(self.folder, ignore_errors=True)
