"""What a row of the instruction table is: fields, operands, timing. The rows themselves are in `sw.isa.rows`."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sw.arch.config import Config

#: Field values of one instruction, by field name.
Values = Mapping[str, int]
#: Streams that an instruction reads or drives: (stream code of the first, number of streams).
Streams = tuple[tuple[int, int], ...]


class Kind(enum.Enum):
    """How a field's bits are read and written in text."""

    UINT = "unsigned"
    SINT = "signed"
    STREAM = "stream"
    ENUM = "one of"
    FLAG = "flag"
    BITS = "bit pattern"


@dataclass(frozen=True)
class Field:
    """One field of a word: its width follows from the configuration."""

    name: str
    kind: Kind
    bits: Callable[[Config], int]
    doc: str
    #: Names of the values of an ENUM, value 0 first.
    names: tuple[str, ...] = ()

    def limits(self, c: Config) -> tuple[int, int]:
        """Least and greatest value that the field may hold."""
        bits = self.bits(c)
        if self.kind is Kind.SINT:
            return -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        if self.kind is Kind.ENUM:
            return 0, len(self.names) - 1
        return 0, (1 << bits) - 1


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Cycles, all counted from issue in superlane-0 time; None where the instruction has no such event."""

    #: Operands stand at the unit's stop.
    d_skew: int | None = None
    #: The result stands in the next stop's register (or, where it is not a stream, is in force).
    d_func: int | None = None
    #: A chain operand is taken from the neighbour's result register (VXM).
    chain_skew: int | None = None
    #: The result stands in the ALU's result register, for its chain neighbours (VXM).
    d_chain: int | None = None
    #: The SRAM is accessed (MEM).
    access: int | None = None
    #: Least distance to the next instruction of the same kind on the same resource.
    turn: int = 1


def at_issue(config: Config, values: Values) -> Timing:
    """An instruction that is done when it issues."""
    return Timing()


def no_streams(config: Config, values: Values) -> Streams:
    """An instruction that touches no stream."""
    return ()


def groups(count: int, *fields: str) -> Callable[[Config, Values], Streams]:
    """An instruction whose groups of `count` streams start at the streams in these fields."""
    return lambda config, values: tuple((values[field], count) for field in fields)


@dataclass(frozen=True, kw_only=True)
class Instr:
    """One row: an instruction of one slot of one queue class."""

    name: str
    #: Queue class that takes it (`MEM`, `VXM`, `MXM_W` …), or `ICU` for every queue.
    cls: str
    #: Slot of the word; instructions of different slots may share a word.
    slot: str
    #: Value of the slot's `op` field (0 is an empty slot) or, in slot `icu`, of `kind`.
    code: int
    #: Fields that it uses, in the order of its assembly text.
    fields: tuple[str, ...]
    doc: str
    timing: Callable[[Config, Values], Timing]
    reads: Callable[[Config, Values], Streams] = no_streams
    drives: Callable[[Config, Values], Streams] = no_streams
    #: Field -> stride field, for what REPEAT advances.
    strides: tuple[tuple[str, str], ...] = ()
    #: Whether REPEAT may follow.
    repeatable: bool = True
    #: A sentence if these values are not legal together, else None.
    refuse: Callable[[Config, Values], str | None] = lambda config, values: None
    #: Whether it releases every queue that is parked by SYNC, d_func cycles after issue.
    releases: bool = False


@dataclass(frozen=True)
class Op:
    """One instruction with its field values (all fields of the row present)."""

    instr: Instr
    values: Values

    def __getitem__(self, field: str) -> int:
        return self.values[field]

    def timing(self, c: Config) -> Timing:
        """This instruction's constants under configuration `c`."""
        return self.instr.timing(c, self.values)

    def reads(self, c: Config) -> Streams:
        """Streams it takes operands from."""
        return self.instr.reads(c, self.values)

    def drives(self, c: Config) -> Streams:
        """Streams it drives."""
        return self.instr.drives(c, self.values)


#: The instructions of one queue word, at most one a slot.
Word = tuple[Op, ...]
