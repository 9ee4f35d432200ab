# SPDX-License-Identifier: Apache-2.0
"""How things are printed: steps as they happen, and tables at the end."""

import os
import platform
import sys
import time


class Progress:
    """One line that counts up; where nobody watches, a line every quarter."""

    def __init__(self, what: str, total: int):
        self.what = what
        self.total = total
        self.began = time.monotonic()
        self.shown = -1
        self.at(0)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def at(self, count: int) -> None:
        live = sys.stdout.isatty()
        step = count if live else count * 4 // self.total
        if step == self.shown:
            return
        self.shown = step
        line = f"  {self.what:34} {count:5} of {self.total}  {self.seconds:6.1f} s"
        print(f"\r{line}" if live else line, end="" if live else "\n", flush=True)
        if live and count == self.total:
            print()


def step(text: str) -> None:
    print(f"  {text}", flush=True)


def title(text: str) -> None:
    print(f"\n{text}", flush=True)


def machine() -> str:
    """What it was measured on."""
    with open("/proc/cpuinfo", encoding="ascii") as info:
        models = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (f"{cores} cores ({models[0] if models else platform.machine()}), {memory:.0f} GiB, "
            f"Linux {platform.release()}, {time.strftime('%Y-%m-%d')}, "
            f"load {os.getloadavg()[0]:.1f}")


def mib(kib: float) -> str:
    return f"{kib / 1024:.1f} MiB"


def counted(counts) -> str:
    """ "3 patch clonesets, 1 create events" """
    return ", ".join(f"{count} {what}" for what, count in counts.most_common()) or "none"


def table(heads: list, rows: list) -> None:
    """The first column to the left, the others to the right."""
    texts = [heads, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in texts) for i in range(len(heads))]
    for number, row in enumerate(texts):
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
        if number == 0:
            print("  " + "  ".join("─" * width for width in widths))
