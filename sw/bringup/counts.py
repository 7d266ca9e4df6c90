"""Counts of the HAC, as neighbours hear them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sw.arch.links import HAC_PERIOD
from sw.bringup.bench import Chip

#: Samples that are taken at a time.
_BLOCK = 8
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
    """How old the counts were that a port heard, by the HACs of both chips. They may come out below 0 or above the period
    where counts are about as old as it is long."""

    samples: tuple[int, ...] = ()

    def more(self, found: Iterable[State]) -> "Ages":
        """These and what else was found, as near to the first as whole periods allow."""
        ages = [(state.own - state.told) % HAC_PERIOD for state in found]
        first = (*self.samples, *ages)[0]
        return Ages((*self.samples, *(first + near(age - first) for age in ages)))

    @property
    def mean(self) -> float:
        return sum(self.samples) / len(self.samples)

    @property
    def most(self) -> int:
        return max(self.samples)

    @property
    def spread(self) -> int:
        """By how much they varied."""
        return max(self.samples) - min(self.samples)

    def settled(self, before: "Ages") -> bool:
        """Whether what was found since `before` says nothing new."""
        return self.spread == before.spread and abs(self.mean - before.mean) < 0.25


def near(cycles: int) -> int:
    """What is left of a difference without whole periods, from minus half a period on."""
    return (cycles + HAC_PERIOD // 2) % HAC_PERIOD - HAC_PERIOD // 2
