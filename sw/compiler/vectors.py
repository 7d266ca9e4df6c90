"""Vectors, and the intrinsics on them: what a graph is lowered to.

A vector is VL elements of one type, one on every lane. A task is one intrinsic on a short sequence of vectors, all
treated alike; it becomes one timed template over the instruction table. There are seven kinds: chain (elementwise),
product, reduction, permutation, gather, scatter and store.
"""

from abc import ABC, abstractmethod
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

    @property
    def bytes(self) -> int:
        """Streams that it takes."""
        return self.dtype.streams


@dataclass(eq=False)
class Table:
    """Rows of a constant or a state that GATHER and SCATTER address, `rows` of `tiles` vectors.

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


#: Where an operand of a stage comes from: the stage before, argument `index` of the chain, or an immediate.
@dataclass(frozen=True)
class Operand:
    """`PREV`, `ARG` with its number, or `IMM` with the bits that a lane sees."""

    kind: str
    value: int = 0


@dataclass(frozen=True)
class Stage:
    """One operation of a chain. SELECT takes its mask from the stage before."""

    fn: str
    dtype: DType
    to: DType
    overflow: str
    operands: tuple[Operand, ...]


@dataclass(eq=False)
class Task(ABC):
    """One intrinsic. `needs` are the vectors it reads, `makes` those it computes, `after` tasks that come first."""

    name: str
    after: set = field(default_factory=set, init=False)
    height: int = field(default=0, init=False)
    #: Issue cycle of its first instruction, once scheduled.
    start: int = field(default=-1, init=False)

    @property
    @abstractmethod
    def needs(self) -> list[Vector]:
        """The vectors that it reads."""

    @property
    def makes(self) -> list[Vector]:
        return []


@dataclass(eq=False)
class Chain(Task):
    """Elementwise operations on n items, each in its own ALU, results handed from neighbour to neighbour.

    args : for every argument the n vectors it stands for
    outs : stage number -> the n vectors that leave it
    """

    stages: list[Stage]
    args: list[list[Vector]]
    outs: dict[int, list[Vector]]

    @property
    def needs(self) -> list[Vector]:
        return [vector for arg in self.args for vector in arg]

    @property
    def makes(self) -> list[Vector]:
        return [vector for out in self.outs.values() for vector in out]


@dataclass(eq=False)
class Tile:
    """VL columns of weights, each a vector over the lanes of the activations."""

    columns: list[Vector]

    @property
    def constant(self) -> bool:
        """Whether all columns are known now."""
        return all(column.data is not None for column in self.columns)


@dataclass(eq=False)
class Product(Task):
    """m activation vectors times columns: outs[n][i] = sum over k of acts[k][i] times tiles[k][n].

    plane : the plane that does it
    """

    dtype: DType
    tiles: list[list[Tile]]
    acts: list[list[Vector]]
    outs: list[list[Vector]]
    plane: str

    @property
    def needs(self) -> list[Vector]:
        columns = [v for row in self.tiles for tile in row for v in tile.columns if v.data is None]
        return [v for group in self.acts for v in group] + columns

    @property
    def makes(self) -> list[Vector]:
        return [vector for out in self.outs for vector in out]


@dataclass(eq=False)
class Reduction(Task):
    """MAX, MIN or SUM over all lanes of each of n vectors; the result stands in every lane."""

    fn: str
    source: list[Vector]
    outs: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return self.source

    @property
    def makes(self) -> list[Vector]:
        return self.outs


@dataclass(eq=False)
class Permutation(Task):
    """out[i][lane] = source[i][map[lane]], or 0 where the map is VL or more."""

    map: Vector
    source: list[Vector]
    outs: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return [*self.source, self.map]

    @property
    def makes(self) -> list[Vector]:
        return self.outs


@dataclass(eq=False)
class Gathering(Task):
    """outs[i] = row index[i] of one tile of a table, `reads` being the vectors that this may read."""

    table: Table
    tile: int
    index: list[Vector]
    outs: list[Vector]
    reads: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return [*self.index, *self.reads]

    @property
    def makes(self) -> list[Vector]:
        return self.outs


@dataclass(eq=False)
class Scattering(Task):
    """Row index of one region of a table <- data; `outs` are the region's vectors afterwards."""

    table: Table
    region: tuple[int, int, int]
    index: Vector
    data: Vector
    before: list[Vector]
    outs: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return [self.index, self.data]

    @property
    def makes(self) -> list[Vector]:
        return self.outs


@dataclass(eq=False)
class Storing(Task):
    """A vector to its home in memory, once all that was there has been read."""

    source: Vector
    home: Home
    before: Vector

    @property
    def needs(self) -> list[Vector]:
        return [self.source]
