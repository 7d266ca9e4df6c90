"""Counts of the HAC, as neighbours hear them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sw.arch.links import HAC_PERIOD
from sw.bringup.bench import Chip

#: Samples that are taken at a time, and times at most.
_BLOCK, _BLOCKS = 8, 16
#: A HAC changes its speed by a cycle in so many.
_SLEW = 8


def settling(depth: int) -> int:
    """Cycles after which HACs agree that follow each other over `depth` links: each has half a period to make up for."""
    return depth * (_SLEW * HAC_PERIOD // 2 + 300)


@dataclass(frozen=True)
class State:
    """What LINK_STATE says of a port: the count heard last, the own one then, whether any was and whether the mark was."""

    told: int
    own: int
    heard: bool
    marked: bool

    @classmethod
    def of(cls, chip: Chip) -> "State":
        """That of the port that LINK_INDEX names."""
        word = chip.register("LINK_STATE")
        return cls(word & 0xFF, word >> 8 & 0xFF, bool(word >> 16 & 1), bool(word >> 17 & 1))


def states(chip: Chip, port: int) -> list[State]:
    """Some states of a port in a row."""
    chip.set_register("LINK_INDEX", port)
    return [State.of(chip) for _ in range(_BLOCK)]


@dataclass(frozen=True)
class Ages:
    """How old the counts were that a port heard, by the HACs of both chips: mean, least and most, which may be below 0 or
    above the period where counts are about as old as it is long; and whether they settled."""

    mean: float
    least: int
    most: int
    settled: bool

    @classmethod
    def of(cls, chip: Chip, port: int) -> "Ages":
        """Takes samples until neither their mean nor their spread changes any more."""
        found = [state.own - state.told for state in states(chip, port)]
        ages = cls._from(found, False)
        for _ in range(_BLOCKS):
            found += [state.own - state.told for state in states(chip, port)]
            now = cls._from(found, False)
            if (now.least, now.most) == (ages.least, ages.most) and abs(now.mean - ages.mean) < 0.25:
                return cls._from(found, True)
            ages = now
        return ages

    @classmethod
    def _from(cls, differences: Iterable[int], settled: bool) -> "Ages":
        first, *_ = differences = [one % HAC_PERIOD for one in differences]
        ages = [first + near(one - first) for one in differences]
        return cls(sum(ages) / len(ages), min(ages), max(ages), settled)

    @property
    def spread(self) -> int:
        """By how much they varied."""
        return self.most - self.least


def near(cycles: int) -> int:
    """What is left of a difference without whole periods, from minus half a period on."""
    return (cycles + HAC_PERIOD // 2) % HAC_PERIOD - HAC_PERIOD // 2
