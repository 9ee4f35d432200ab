# SPDX-License-Identifier: Apache-2.0
"""What the soak (tests/soak) makes of its figures."""

import random
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "soak"))

from figures import Sample, judge, row, told  # noqa: E402


def flat(count: int = 21) -> list:
    """A page here and there, as it is."""
    chance = random.Random(1)
    return [Sample(rolls=2000 + 1000 * i, resident=16000 + chance.randrange(-100, 100),
                   heap=6000 + chance.randrange(-100, 100), descriptors=17, threads=2,
                   cpu=60 + 30.0 * i, time=100 * i) for i in range(count)]


def test_flat():
    assert judge(flat()) == []


def test_a_leak_of_few_bytes_a_roll():
    """24 bytes: by the end 2.9 % of the memory."""
    leaking = [replace(each, resident=each.resident + 24 * each.rolls // 1024,
                       heap=each.heap + 24 * each.rolls // 1024) for each in flat()]
    found = judge(leaking)
    assert [line.split(" by ")[0] for line in found] == ["resident memory has grown", "heap memory has grown"]
    bound = int(found[0].split("; ")[1].split()[0])
    assert 158 <= bound <= 162


@pytest.mark.parametrize("field", ["resident", "heap"])
def test_either_is_enough(field):
    """What the heap takes may be hidden by pages of a library that are dropped meanwhile."""
    leaking = [replace(each, **{field: getattr(each, field) + 24 * each.rolls // 1024}) for each in flat()]
    assert [line.split()[0] for line in judge(leaking)] == [field]


def test_what_is_given_back_is_no_growth():
    shrinking = [replace(each, resident=each.resident - 20 * i) for i, each in enumerate(flat())]
    assert judge(shrinking) == []


@pytest.mark.parametrize("field", ["descriptors", "threads"])
def test_one_more_is_too_many(field):
    """Once is enough, in the middle too: whoever has closed it has done so by chance."""
    samples = flat()
    samples[10] = replace(samples[10], **{field: getattr(samples[10], field) + 1})
    before = getattr(samples[0], field)
    assert judge(samples) == [f"{field}: {before} at first, {before + 1} later"]


def test_two_samples_are_compared():
    first, second = flat(2)
    assert judge([first, replace(second, resident=first.resident + 200)])


def test_what_is_printed():
    first, second, *_ = flat()
    assert row(None, first).split()[-2:] == ["2", "0"]
    assert row(first, second).split()[-2:] == ["30.0", "100"]
    assert "CPU a roll 30.0 ms at first, 30.0 ms at last" in told(flat())
