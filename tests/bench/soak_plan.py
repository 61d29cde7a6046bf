"""What happens to the server during a soak, and when: phases, each with its faults, from a seed."""

import random
from collections.abc import Iterator
from typing import Final, NamedTuple

KILLS_PER_HOUR: Final = 200
CHILDREN: Final = ("web", "worker", "store")
ANY_TARGET: Final = (*CHILDREN * 5, *("children", "supervisor", "tree") * 1)
"""Two in eighteen are aimed at all three at once, one of them with the supervisor; one at that alone."""
JUMPS_S: Final = (45, 0, -45, 0, 1_200, 0, -1_200, 0)
"""Where the clock stands, one after the other: a bad time server, a machine that was asleep."""
DISK_ROUNDS: Final = ("low", "full", "low", "full")


class Phase(NamedTuple):
    """A part of the run: its share of the time, and whom kills may hit in it."""

    name: str
    share: float
    targets: tuple[str, ...]
    what: str


PHASES: Final = (
    Phase("kills", 0.21, ANY_TARGET, "kills alone"),
    Phase("clock", 0.15, ANY_TARGET, "the clock jumps, kills"),
    Phase("disk", 0.12, CHILDREN, "the disk below its floor, and full to the last byte; kills"),
    Phase("frozen", 1 / 6, ("web", "worker"), "the store stands still (SIGSTOP); kills"),
    Phase("dead", 0.05, ("web", "worker"), "the store is killed whenever it comes up; kills"),
    Phase("kills again", 0.10, ANY_TARGET, "kills alone, on what all this has left"),
    Phase("steady", 1 - 0.63 - 1 / 6, (), "load alone: what memory does"),
)


class Step(NamedTuple):
    """Something to be done, seconds after the beginning."""

    at_s: float
    phase: str
    action: str
    value: str = ""


def plan(seconds: float, seed: int, *, steady: bool = False) -> list[Step]:
    """Return the steps of a run, in order; the last one is `end`.

    Args:
        seconds: How long it lasts.
        seed: Of the kills.
        steady: Load alone from beginning to end, which shows what memory does.
    """
    if steady:
        alone = PHASES[-1]
        return [Step(0.0, alone.name, "phase", alone.what), Step(seconds, alone.name, "end")]
    rng = random.Random(seed)
    steps: list[Step] = []
    began_s = 0.0
    for phase in PHASES:
        length_s = phase.share * seconds
        steps.append(Step(began_s, phase.name, "phase", phase.what))
        steps += [
            Step(began_s + share * length_s, phase.name, action, value)
            for share, action, value in _faults(phase.name)
        ]
        began_s += length_s
    steps += _kills(seconds, rng)
    steps.append(Step(seconds, "steady", "end"))
    return sorted(steps, key=lambda step: (step.at_s, step.action != "phase"))


def _faults(phase: str) -> Iterator[tuple[float, str, str]]:
    """Yield share of the phase, action and value."""
    if phase == "clock":
        for at, offset_s in enumerate(JUMPS_S):
            yield (at + 0.5) / (len(JUMPS_S) + 1), "clock", str(offset_s)
    if phase == "disk":
        for at, kind in enumerate(DISK_ROUNDS):
            yield (at + 0.2) / len(DISK_ROUNDS), "fill", kind
            yield (at + 0.6) / len(DISK_ROUNDS), "free", ""
    if phase == "frozen":
        yield 0.0, "freeze", ""
        yield 0.999, "thaw", ""
    if phase == "dead":
        yield 0.0, "keep dead", ""
        yield 0.999, "let live", ""
    if phase != "steady":
        yield 0.9999, "audit", ""


def _kills(seconds: float, rng: random.Random) -> list[Step]:
    """Spread the kills over every phase but the last, at random within even spans."""
    count = max(6, round(KILLS_PER_HOUR * seconds / 3_600))
    over_s = seconds * (1 - PHASES[-1].share)
    steps = []
    for number in range(count):
        at_s = (number + rng.random()) * over_s / count
        phase = _phase_at(at_s / seconds)
        steps.append(Step(at_s, phase.name, "kill", rng.choice(phase.targets)))
    return steps


def _phase_at(share: float) -> Phase:
    upto = 0.0
    for phase in PHASES:
        upto += phase.share
        if share < upto:
            return phase
    return PHASES[-1]
