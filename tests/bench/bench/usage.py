# SPDX-License-Identifier: Apache-2.0
"""What a process takes: memory, CPU time, file descriptors, threads."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Memory:
    """In KiB. `rss` counts every page that is mapped and present, those of shared libraries' files
    too, which any other process may be using; `pss` counts such a page in equal shares among its
    users; `private` counts what would be freed if this process ended; `anonymous` is its heap,
    stacks and written data. `peak` is the highest `rss` so far."""

    rss: int
    pss: int
    private: int
    anonymous: int
    peak: int


def memory(pid: int) -> Memory:
    rollup = _fields(Path(f"/proc/{pid}/smaps_rollup").read_text())
    status = _fields(Path(f"/proc/{pid}/status").read_text())
    return Memory(rss=rollup["Rss"], pss=rollup["Pss"], anonymous=rollup["Anonymous"],
                  private=rollup["Private_Clean"] + rollup["Private_Dirty"], peak=status["VmHWM"])


def cpu(pid: int) -> float:
    """Seconds that the process itself has run, all threads, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)


def cpu_of_children(pid: int) -> float:
    """Of those that have ended and of those that run."""
    ended = _stat(pid)
    return (int(ended[13]) + int(ended[14])) / TICKS + sum(cpu(child) for child in children(pid))


def children(pid: int) -> list:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.iterdir()
            for child in (task / "children").read_text().split()]


def is_adapter(pid: int) -> bool:
    """Is it the process of an isolated adapter?"""
    return "sluice-adapter-host" in Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8")


def cpu_of_adapters(pid: int) -> float:
    """Of those that run."""
    return sum(cpu(child) for child in children(pid) if is_adapter(child))


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def wakeups(pid: int) -> int:
    """How often it has gone to sleep of its own accord, and so how often it was woken."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += _fields((task / "status").read_text())["voluntary_ctxt_switches"]
    return total


def _stat(pid: int) -> list:
    """The fields that follow the name, the first of them being the state."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _fields(text: str) -> dict:
    """The lines "Name: number …"."""
    found = {}
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        words = rest.split()
        if words and words[0].isdigit():
            found[name] = int(words[0])
    return found
