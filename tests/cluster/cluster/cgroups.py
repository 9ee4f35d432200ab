# SPDX-License-Identifier: Apache-2.0
"""A cluster's own control group, so that two kubelets don't tidy away each other's pods.

With version 2 there is one tree, with version 1 one for each controller. Some machines have both;
there the second is without controllers, yet runc leaves folders in it.
"""

import os
import time
from pathlib import Path


def create(name: str) -> None:
    for root in _roots():
        (root / name).mkdir(exist_ok=True)
        if (root / "cgroup.controllers").exists():
            _delegate(root)
            _delegate(root / name)


def remove(name: str) -> None:
    """The processes are gone already; the kernel may need a moment to notice."""
    deadline = time.monotonic() + 10
    for root in _roots():
        while (root / name).exists():
            try:
                _remove_tree(root / name)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


def exists(name: str) -> bool:
    return any((root / name).exists() for root in _roots())


def member(name: str, part: str) -> int:
    """Some process in a group of ours whose path has this in it; 0 when there is none."""
    for root in _roots():
        for tasks in (root / name).rglob(f"*{part}*/**/cgroup.procs"):
            pids = tasks.read_text().split()
            if pids:
                return int(pids[0])
    return 0


def _remove_tree(folder: Path) -> None:
    for path, _, _ in os.walk(folder, topdown=False):
        os.rmdir(path)


def _roots():
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(fields[1]) for fields in mounts if fields[2] in ("cgroup", "cgroup2")]


def _delegate(folder: Path) -> None:
    """One at a time: a controller that can't be had must not keep the others away."""
    for controller in (folder / "cgroup.controllers").read_text().split():
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError:
            continue
