"""How the vector unit of a chip adds up several numbers: a chain of ALUs, from both ends to its middle."""

from collections.abc import Sequence
from dataclasses import dataclass

from sw.arch.config import Config
from sw.arch.dtype import DType
from sw.asm.operands import NEXT, PREV, Neighbour
from sw.isa.rows.vxm import reachable_groups
from sw.isa.spec import Op, Timing
from sw.isa.table import instruction
from sw.network.words import RoomError


@dataclass(frozen=True)
class Addition:
    """What is added: `dtype` int8, int16, int32 or fp32; integers modulo their width, or saturating."""

    dtype: DType = DType.INT8
    saturating: bool = False

    def timing(self, config: Config) -> Timing:
        """Constants of one ADD."""
        return Op(instruction("ADD"), {"dtype": self.dtype}).timing(config)


@dataclass(frozen=True)
class Step:
    """One ADD, `early` levels before the last one. An operand is the number of a part, `PREV` or `NEXT`."""

    alu: int
    early: int
    operands: tuple[int | Neighbour, int | Neighbour]


def chain(parts: int, last: int) -> list[Step]:
    """Steps of a sum whose last ADD is in ALU `last`, of `parts` >= 2 parts, the last one last.

    With h = ceil(parts / 2) that adds (part 0 + part 1 + ... + part h-1) to (part parts-1 + ... + part h), each of the two
    from left to right.
    """
    half = -(-parts // 2)
    steps = []
    for number in range(1, half):
        steps.append(Step(last - (half - number), half - number, (0 if number == 1 else PREV, number)))
    rest = parts - half
    for number in range(1, rest):
        first = parts - 1 if number == 1 else NEXT
        steps.append(Step(last + (rest - number), rest - number, (first, parts - 1 - number)))
    steps.append(Step(last, 0, (0 if half == 1 else PREV, parts - 1 if rest == 1 else NEXT)))
    return sorted(steps, key=lambda step: -step.early)


class Adder:
    """Finds ALUs and streams for sums. Sums of a chip are apart in time, so each has the whole vector unit.

    streams : numbers of the streams, in both directions, that it may use
    """

    def __init__(self, config: Config, addition: Addition, streams: range):
        self._config, self._addition = config, addition
        width = addition.dtype.streams
        #: First streams of aligned groups.
        self._groups = [g for g in range(0, config.streams, width) if g in streams and g + width - 1 in streams]

    def sum(self, sides: Sequence[bool]) -> tuple[list[Step], dict[int, int], int]:
        """Steps of a sum; for every part its first stream, and that of the result, which may flow either way.

        sides : for every part whether it flows west to the vector unit
        RoomError if the chip has too few ALUs, or too few streams that they reach.
        """
        alus = self._config.alus
        for last in range(alus):
            steps = chain(len(sides), last)
            if all(0 <= step.alu < alus and self._can(step.alu) for step in steps):
                streams = self._assign(steps, sides)
                reached = self._reached(last)
                if streams is not None and reached:
                    return steps, streams, reached[0]
        raise RoomError(
            f"a sum of {len(sides)} numbers of {self._addition.dtype.text} needs {len(sides) - 1} ALUs in a row that reach "
            f"streams for them, the chip has {alus} ALUs and leaves {len(self._groups)} groups of streams for sums"
        )

    def _can(self, alu: int) -> bool:
        return self._addition.dtype is not DType.FP32 or alu in self._config.vxm.float_alus

    def _reached(self, alu: int) -> list[int]:
        reach = reachable_groups(self._config, alu)
        return [group for group in self._groups if group // 4 in reach]

    def _assign(self, steps: list[Step], sides: Sequence[bool]) -> dict[int, int] | None:
        """A group for every part; parts of one level that flow in the same direction have different ones."""
        wanted = [(step, part) for step in steps for part in step.operands if isinstance(part, int)]
        found: dict[int, int] = {}
        taken: set[tuple[int, bool, int]] = set()

        def assign(at: int) -> bool:
            if at == len(wanted):
                return True
            step, part = wanted[at]
            for group in self._reached(step.alu):
                use = (step.early, sides[part], group)
                if use not in taken:
                    taken.add(use)
                    found[part] = group
                    if assign(at + 1):
                        return True
                    taken.remove(use)
            return False

        return found if assign(0) else None
