"""The intrinsics: what a graph is lowered to, and what becomes one timed template each over the instruction table.

A task is one intrinsic on a short sequence of vectors, all treated alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from sw.arch.dtype import DType
from sw.compiler.graph import SUMS
from sw.compiler.vectors import Home, Table, Tile, Vector


@dataclass(frozen=True)
class Operand:
    """Where an operand of a stage comes from: `PREV`, the stage before; `ARG`, an argument of the chain, by number; `IMM`,
    an immediate, by the bits that a lane sees."""

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
        """The vectors that it computes."""
        return []

    @property
    def overwrites(self) -> list[Vector]:
        """Vectors in whose place its results come to lie."""
        return []

    @abstractmethod
    def faults(self) -> Iterator[str]:
        """What is wrong with its lists and types, as ends of a sentence about it."""


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

    def faults(self) -> Iterator[str]:
        yield from _counts(*self.args, *self.outs.values())
        made = None
        for number, stage in enumerate(self.stages):
            mask = stage.fn == "SELECT"
            if mask and made is not DType.INT8:
                yield "selects by something other than a mask"
            for operand in stage.operands:
                if operand.kind == "ARG":
                    yield from _wide(self.args[operand.value], stage.dtype)
                elif operand.kind == "PREV" and (mask or made is not stage.dtype):
                    yield "hands on another type than its stage takes"
            made = stage.to
            yield from _wide(self.outs.get(number, []), made)


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

    def faults(self) -> Iterator[str]:
        yield from _counts(*self.acts, *self.outs)
        if len(self.acts) != len(self.tiles):
            yield f"has {len(self.acts)} tiles of k in its activations and {len(self.tiles)} in its weights"
        yield from _wide([v for row in self.tiles for tile in row for v in tile.columns], self.dtype)
        yield from _wide([v for group in self.acts for v in group], self.dtype)
        for vector in self.makes:
            if vector.dtype is not SUMS[self.dtype]:
                yield f"sums up {self.dtype.text} to {vector.dtype.text}"


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

    def faults(self) -> Iterator[str]:
        yield from _counts(self.source, self.outs)
        yield from _wide(self.source, self.outs[0].dtype)


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

    def faults(self) -> Iterator[str]:
        yield from _counts(self.source, self.outs)
        yield from _wide(self.outs, self.source[0].dtype)


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

    def faults(self) -> Iterator[str]:
        yield from _counts(self.index, self.outs)
        yield from _wide(self.index, DType.INT16)
        yield from _wide(self.outs, self.table.dtype)


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

    @property
    def overwrites(self) -> list[Vector]:
        return self.before

    def faults(self) -> Iterator[str]:
        yield from _counts(self.before, self.outs)
        yield from _wide([self.index], DType.INT16)
        yield from _wide([self.data], self.table.dtype)


@dataclass(eq=False)
class Storing(Task):
    """A vector to its home in memory, once all that was there has been read."""

    source: Vector
    home: Home
    before: Vector

    @property
    def needs(self) -> list[Vector]:
        return [self.source]

    @property
    def overwrites(self) -> list[Vector]:
        return [self.before]

    def faults(self) -> Iterator[str]:
        yield from _wide([self.source], self.home.table.dtype)


@dataclass(eq=False)
class Departure(Task):
    """Vectors that go to another chip, as part `part` of departure `number`. Bytes go one by one."""

    number: int
    part: int
    source: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return self.source

    def faults(self) -> Iterator[str]:
        yield from _wide(self.source, self.source[0].dtype)


@dataclass(eq=False)
class Arrival(Task):
    """Vectors that come from another chip, those of the departure of the same number and part."""

    number: int
    part: int
    outs: list[Vector]

    @property
    def needs(self) -> list[Vector]:
        return []

    @property
    def makes(self) -> list[Vector]:
        return self.outs

    def faults(self) -> Iterator[str]:
        yield from _wide(self.outs, self.outs[0].dtype)


def topological(tasks: list[Task]) -> list[Task]:
    """Tasks so that each comes after all in its `after`; ValueError if one waits for itself."""
    readers: dict[Task, list[Task]] = {task: [] for task in tasks}
    waiting = {task: len(task.after) for task in tasks}
    for task in tasks:
        for before in task.after:
            readers[before].append(task)
    order = [task for task in tasks if not waiting[task]]
    for task in order:
        for reader in readers[task]:
            waiting[reader] -= 1
            if not waiting[reader]:
                order.append(reader)
    if len(order) < len(tasks):
        stuck = next(task.name for task in tasks if waiting[task])
        raise ValueError(f"Task '{stuck}' waits for itself.")
    return order


def _counts(*lists: list[Vector]) -> Iterator[str]:
    counts = {len(items) for items in lists}
    if len(counts) != 1:
        yield f"has lists of {sorted(counts)} items"


def _wide(vectors: list[Vector], dtype: DType) -> Iterator[str]:
    """Vectors that are not as wide as a type; the same bits may be of another type."""
    for vector in vectors:
        if vector.bytes != dtype.streams:
            yield f"has a vector of {vector.dtype.text} for {dtype.text}"
