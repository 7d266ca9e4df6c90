"""A word and its copies: what REPEAT does to the fields of a word."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sw.arch.config import Config
from sw.arch.floorplan import Queue
from sw.isa.codec import EncodeError, check
from sw.isa.spec import Instr, Op, Word

_NO_REFUSE = Instr.__dataclass_fields__["refuse"].default


def advance(op: Op, k: int) -> Mapping[str, int]:
    """The field values of copy k of an instruction: every strided field moved by k strides."""
    if k == 0 or not op.instr.strides:
        return op.values
    moved = dict(op.values)
    for field, stride in op.instr.strides:
        moved[field] += k * moved[stride]
    return moved


def check_copies(word: Word, copies: int, cls: str, c: Config) -> None:
    """EncodeError if one of the copies 1 … `copies` of a word has values that are not legal."""
    for op in word:
        strides = [op.values[stride] for _, stride in op.instr.strides]
        if not any(strides):
            continue
        try:
            # Fields move linearly, so their limits hold for all copies if they hold for the last.
            check(Op(op.instr, advance(op, copies)), c, cls)
            if op.instr.refuse is not _NO_REFUSE:
                for k in range(1, copies):
                    check(Op(op.instr, advance(op, k)), c, cls)
        except EncodeError as error:
            raise EncodeError(f"A copy that REPEAT makes is not legal: {error}") from error


@dataclass(frozen=True, eq=False)
class Burst:
    """A word issued `count` times, `gap` cycles apart, the first at cycle `start` of the iteration.

    `mask` has bit r set where superlane r is powered; `values(k)` are the field values of copy k, op by op.
    """

    queue: Queue
    word: Word
    start: int
    count: int
    gap: int
    mask: int

    def values(self, k: int) -> tuple[Mapping[str, int], ...]:
        """Field values of copy k (0 <= k < count), one mapping for each instruction of the word."""
        return tuple(advance(op, k) for op in self.word)

    @cached_property
    def last(self) -> int:
        """Issue cycle of the last copy."""
        return self.start + (self.count - 1) * self.gap

    def copy_at(self, cycle: int) -> int | None:
        """The number of the copy that issues in this cycle, or None."""
        k, rest = divmod(cycle - self.start, self.gap)
        return k if not rest and 0 <= k < self.count else None
