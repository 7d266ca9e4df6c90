"""Vectors: VL elements of one type, one on every lane. Where each is while a program runs, and where it is from the start."""

from dataclasses import dataclass, field

import numpy as np

from sw.arch.dtype import DType


@dataclass(eq=False, slots=True)
class Copy:
    """A vector in memory: slice and word of each byte, the first cycle in which it can be read, how often it is."""

    slices: tuple[int, ...]
    words: tuple[int, ...]
    ready: int
    reads: int = 0
    #: Where its WRITEs are among the issued instructions; empty for what the host writes.
    writes: list = field(default_factory=list)
    #: What it is a byte of.
    whole: "Copy | None" = None

    def count(self, more: int) -> None:
        """Counts reads, which are also reads of what it is a byte of."""
        self.reads += more
        if self.whole is not None:
            self.whole.count(more)


@dataclass(eq=False, slots=True)
class Flight:
    """A vector on a stream: driven at `stop` so that it stands at the next one in `cycle`, owned up to stop `end`."""

    code: int
    stop: int
    cycle: int
    end: int


@dataclass(eq=False, slots=True)
class Vector:
    """One vector.

    data : its elements if it is a constant
    home : the place it has from the beginning, for inputs, states and what comes of them
    """

    dtype: DType
    data: np.ndarray | None = None
    home: "Home | None" = None
    #: Slices to which it should be written, if it can be, because it becomes weights.
    wish: tuple[int, ...] | None = None
    #: Where the schedule has it.
    copies: list[Copy] = field(default_factory=list)
    flight: Flight | None = None
    #: What READs of its copies drive.
    passing: list[Flight] = field(default_factory=list)
    #: Tasks that read it.
    readers: list = field(default_factory=list)
    #: Last cycle in which memory that holds it is read.
    last_read: int = -1
    #: What it is a byte of, or itself, and which byte.
    whole: "Vector" = None
    number: int | None = None
    #: Its bytes as vectors of their own, where somebody takes them, by number.
    parts: dict[int, "Vector"] = field(default_factory=dict)

    def __post_init__(self):
        self.whole = self.whole or self

    @property
    def bytes(self) -> int:
        """Streams that it takes."""
        return self.dtype.streams

    def byte(self, number: int) -> "Vector":
        """One of its bytes, which comes and lies where that byte of it does."""
        if number not in self.parts:
            if self.data is not None:
                self.parts[number] = Vector(DType.INT8, self.data.view(np.int8)[number :: self.bytes])
            else:
                self.parts[number] = Vector(DType.INT8, whole=self, number=number)
        return self.parts[number]

    def each_byte(self) -> "list[Vector]":
        """Its bytes, as vectors."""
        return [self] if self.bytes == 1 else [self.byte(number) for number in range(self.bytes)]

    def lie(self, copy: Copy) -> None:
        """It lies in memory here, too."""
        self.copies.append(copy)
        for number, part in self.parts.items():
            part.copies.append(Copy((copy.slices[number],), (copy.words[number],), copy.ready, whole=copy))

    def fly(self, flight: Flight) -> None:
        """It is sent off so."""
        self.flight = flight
        for number, part in self.parts.items():
            part.flight = Flight(flight.code + number, flight.stop, flight.cycle, flight.end)

    def forget(self, copy: Copy) -> None:
        """It neither lies there nor is on its way."""
        for vector in (self, *self.parts.values()):
            vector.copies = [one for one in vector.copies if copy not in (one, one.whole)]
            vector.flight = None


@dataclass(eq=False)
class Table:
    """Rows of a constant, an input or a state that GATHER and SCATTER address, `rows` of `tiles` vectors.

    Rows (of one tile) or tiles (of several) go round `stripes` groups of slices, so that a plane can load that many
    columns in one cycle; blocks of `block` rows go round `sides` hemispheres, so that each has those of its planes.
    """

    name: str
    dtype: DType
    rows: int
    tiles: int
    values: np.ndarray
    stripes: int = 1
    sides: int = 1
    block: int = 1
    weights: bool = False
    #: Filled in by placement: (side, stripe, group) -> slice of each byte, first word in each slice.
    regions: dict = field(default_factory=dict)

    def region(self, row: int, tile: int) -> tuple[int, int, int]:
        """Which region holds a vector."""
        side = row // self.block % self.sides
        return (side, tile % self.stripes, tile // self.stripes) if self.tiles > 1 else (side, row % self.stripes, 0)

    def offset(self, row: int) -> int:
        """Words from the first one of its region."""
        local = row // (self.block * self.sides) * self.block + row % self.block
        return local if self.tiles > 1 else local // self.stripes

    @property
    def region_words(self) -> int:
        """Words of one region in each of its slices."""
        return max(map(self.offset, range(self.rows))) + 1


@dataclass(frozen=True, eq=True)
class Home:
    """The place of a vector in a table."""

    table: Table
    row: int
    tile: int


@dataclass(eq=False)
class Tile:
    """VL columns of weights, each a vector over the lanes of the activations."""

    columns: list[Vector]

    @property
    def constant(self) -> bool:
        """Whether all columns are known now."""
        return all(column.data is not None for column in self.columns)
