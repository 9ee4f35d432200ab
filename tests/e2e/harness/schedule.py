# SPDX-License-Identifier: Apache-2.0
"""What a seed makes of ten seconds: the workload and its plan, what people do, what goes wrong between
the controllers and the API server, and which of them are stopped, killed and frozen meanwhile."""

import random
from dataclasses import dataclass

from .followed import SIZE
from .weather import FAULTS

KINDS = ("deployment", "statefulset", "cloneset")
IMAGES = ("4.0.6", "5.0.2", "5.0.3", "6.0.0")
SECONDS = 10.0
LEADER, OTHER = "leader", "other"


@dataclass(frozen=True)
class Act:
    """After so many seconds; `how` are the arguments of the act that is called so."""

    at: float
    what: str
    how: tuple = ()

    def __str__(self) -> str:
        return f"{self.at:6.2f} s  {self.what} {' '.join(map(str, self.how))}".rstrip()


@dataclass(frozen=True)
class Schedule:
    """`batches` are their pods, `partition` the last of them that may be rolled at first; None: all."""

    seed: int
    kind: str
    batches: tuple
    partition: int
    acts: tuple

    def __str__(self) -> str:
        head = (f"SLUICE_SEED={self.seed}: a {self.kind}, batches of {list(self.batches)}, "
                f"partition {self.partition}")
        return "\n".join([head, *map(str, self.acts)])

    def image(self) -> str:
        """The last one that is asked for."""
        return [act.how[0] for act in self.acts if act.what == "image"][-1]


def schedule(seed: int) -> Schedule:
    dice = random.Random(seed)
    kind, batches = dice.choice(KINDS), _batches(dice)
    partition = dice.randrange(len(batches)) if dice.random() < 0.5 else None
    acts = [*_images(dice), *_plan(dice, partition, len(batches)), *_faults(dice), *_ends(dice)]
    return Schedule(seed, kind, batches, partition, tuple(sorted(acts, key=lambda act: act.at)))


def _batches(dice) -> tuple:
    """All pods, in two to four."""
    ends = sorted(dice.sample(range(1, SIZE), dice.randint(1, 3)))
    return tuple(end - begin for begin, end in zip([0, *ends], [*ends, SIZE]))


def _images(dice) -> list:
    """The first one early; what comes later comes in the middle of a roll, or after it, and may go back."""
    times = [dice.uniform(0.2, 1)] + [dice.uniform(2, SECONDS - 1) for _ in range(dice.choice((0, 0, 1, 2)))]
    acts, image = [], IMAGES[0]
    for at in sorted(times):
        image = dice.choice([other for other in IMAGES if other != image])
        acts.append(Act(at, "image", (image,)))
    return acts


def _plan(dice, partition, batches: int) -> list:
    """The partition rises, at most to the end; a pause ends by itself, or with the faults."""
    acts = []
    if partition is not None:
        times = sorted(dice.uniform(1, SECONDS - 1) for _ in range(dice.randint(0, 3)))
        acts += [Act(at, "partition", (min(partition + 1 + step, batches - 1),))
                 for step, at in enumerate(times)]
    if dice.random() < 0.3:
        at = dice.uniform(0, SECONDS - 3)
        acts += [Act(at, "pause"), Act(at + dice.uniform(0.5, 3), "resume")]
    return acts


def _faults(dice) -> list:
    acts = []
    for number in range(dice.randint(4, 12)):
        begin = dice.uniform(0, SECONDS - 2)
        fault, percent = dice.choice(list(FAULTS)), dice.choice((10, 25, 50))
        acts += [Act(begin, "begin", (number, fault, percent)),
                 Act(min(begin + dice.uniform(1, 6), SECONDS), "end", (number,))]
    return acts


def _ends(dice) -> list:
    """Of controllers. One that is frozen may be a leader again when it wakes up, or not any more."""
    acts = []
    for _ in range(dice.randint(1, 3)):
        at, who = dice.uniform(0.5, SECONDS - 1), LEADER if dice.random() < 0.8 else OTHER
        what = dice.choice(("freeze", "freeze", "kill", "stop"))
        how = (who, round(dice.uniform(0.3, 7), 2)) if what == "freeze" else (who,)
        acts.append(Act(at, what, how))
    return acts
