# SPDX-License-Identifier: Apache-2.0
"""What a soak has read from /proc, as a table, and whether it stays the same."""

from dataclasses import dataclass
from statistics import median

GROWTH = 0.01
HEADING = (f"{'rolls':>7} {'resident':>12} {'heap':>11} {'descriptors':>12} {'threads':>8} "
           f"{'CPU, ms a roll':>15} {'seconds':>8}")


@dataclass(frozen=True)
class Sample:
    """At rest after so many rolls. Memory in KiB, `heap` with all other written data; CPU and time in
    seconds since the controller was started."""

    rolls: int
    resident: int
    heap: int
    descriptors: int
    threads: int
    cpu: float
    time: float


def cpu_of_a_roll(before: Sample, after: Sample) -> float:
    """In milliseconds, of those between the two."""
    return 1000 * (after.cpu - before.cpu) / (after.rolls - before.rolls)


def row(before: Sample, sample: Sample) -> str:
    """Of the table; `before` is None for its first."""
    cpu = f"{cpu_of_a_roll(before, sample):.1f}" if before else ""
    return (f"{sample.rolls:>7} {sample.resident:>8} KiB {sample.heap:>7} KiB {sample.descriptors:>12} "
            f"{sample.threads:>8} {cpu:>15} {sample.time:>8.0f}")


def third(samples: list, last: bool, field: str) -> float:
    """The median of the first or of the last third: one sample is as much as a page here and there."""
    count = max(len(samples) // 3, 1)
    return median(getattr(each, field) for each in (samples[-count:] if last else samples[:count]))


def judge(samples: list) -> list:
    """What has grown, in words. The first sample is of the moment at which all that has a bound is full."""
    found = []
    for field in ("resident", "heap"):
        first, last = third(samples, False, field), third(samples, True, field)
        bound = third(samples, False, "resident") * GROWTH
        if last - first > bound:
            found.append(f"{field} memory has grown by {last - first:.0f} KiB; {bound:.0f} may be")
    for field in ("descriptors", "threads"):
        counts = [getattr(each, field) for each in samples]
        if max(counts) > counts[0]:
            found.append(f"{field}: {counts[0]} at first, {max(counts)} later")
    return found


def told(samples: list) -> str:
    """The growth, and what a roll takes at the beginning and at the end."""
    def grown(field: str) -> str:
        first, last = third(samples, False, field), third(samples, True, field)
        return f"{100 * (last - first) / first:+.2f} %"

    first, last = (cpu_of_a_roll(*pair) for pair in (samples[:2], samples[-2:]))
    return (f"resident {grown('resident')}, heap {grown('heap')}, "
            f"CPU a roll {first:.1f} ms at first, {last:.1f} ms at last")
