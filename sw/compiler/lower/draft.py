"""A graph's tensors as grids of vectors, and what every primitive is lowered with."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.graph import Graph, Tensor
from sw.compiler.tasks import Chain, Operand, Stage, Task
from sw.compiler.vectors import Table, Vector

#: Items of one chain or reduction at the most.
ITEMS = 64


class Draft:
    """Vectors and tasks of a graph, as far as it is lowered. `grids` has the vectors of every tensor, [rows, tiles]."""

    def __init__(self, graph: Graph, chip: Chip):
        self.graph, self.chip, self.vl = graph, chip, chip.config.vl
        self.grids: dict[Tensor, np.ndarray] = {}
        self.tasks: list[Task] = []
        #: Tables by their tensor, or by number where the lowering made them.
        self.tables: dict[Tensor | int, Table] = {}
        self.zero = {dtype: Vector(dtype, np.zeros(self.vl, dtype.numpy)) for dtype in DType}
        self._copied: dict[tuple[int, int], Vector] = {}
        self._users: dict[Tensor, list[Tensor | None]] = {}
        for user in graph.tensors:
            for operand in user.operands:
                self._users.setdefault(operand, []).append(user)
        for value in (*graph.outputs.values(), *graph.stores.values()):
            self._users.setdefault(value, []).append(None)

    def users(self, tensor: Tensor) -> list[Tensor | None]:
        """Tensors that take it; None for the host or a state."""
        return self._users.get(tensor, [])

    def size(self, tensor: Tensor) -> tuple[int, int]:
        """Rows and tiles of a tensor's grid."""
        last = tensor.shape[-1] if tensor.shape else 1
        return tensor.size // last, -(-last // self.vl)

    def fresh(self, tensor: Tensor) -> np.ndarray:
        """New vectors for a tensor."""
        rows, tiles = self.size(tensor)
        return grid_of([Vector(tensor.dtype) for _ in range(rows * tiles)], (rows, tiles))

    def constant(self, tensor: Tensor) -> np.ndarray:
        """The vectors of a constant, equal ones once."""
        values = tensor.attributes["values"]
        rows, tiles = self.size(tensor)
        flat = values.reshape(rows, -1)
        grid = np.empty((rows, tiles), object)
        known: dict[bytes, Vector] = {}
        for r in range(rows):
            for t in range(tiles):
                part = flat[r, t * self.vl : (t + 1) * self.vl]
                data = np.full(self.vl, part[0]) if flat.shape[1] == 1 else np.zeros(self.vl, values.dtype)
                data[: len(part)] = part if flat.shape[1] > 1 else part[0]
                grid[r, t] = known.setdefault(data.tobytes(), Vector(tensor.dtype, data))
        return grid

    def at(self, tensor: Tensor, shape: tuple[int, ...]) -> np.ndarray:
        """The grid of an operand broadcast to the rows and tiles of a result of `shape`."""
        grid = self.grids[tensor]
        last = shape[-1] if shape else 1
        rows, tiles = int(np.prod(shape[:-1], dtype=np.int64)), -(-last // self.vl)
        leading = tensor.shape[:-1]
        index = np.broadcast_to(np.arange(len(grid)).reshape(leading), shape[:-1]).reshape(rows)
        wide = grid[index]
        return wide if wide.shape[1] == tiles else np.broadcast_to(wide, (rows, tiles))

    def combine(self, fn: str, name: str, terms: list[list[Vector]], width: int, into=None) -> list[Vector]:
        """fn over lists of vectors, item by item, by chains of up to `width` terms; the result is `into` if given."""
        dtype = terms[0][0].dtype
        while len(terms) > 1:
            level = []
            for first in range(0, len(terms), width):
                group = terms[first : first + width]
                if len(group) == 1:
                    level.append(group[0])
                    continue
                stages = [Stage(fn, dtype, dtype, "mod", (Operand("ARG", 0), Operand("ARG", 1)))]
                stages += [
                    Stage(fn, dtype, dtype, "mod", (Operand("PREV"), Operand("ARG", k))) for k in range(2, len(group))
                ]
                outs = list(into) if into is not None and len(terms) <= width else [Vector(dtype) for _ in group[0]]
                for at in range(0, len(outs), ITEMS):
                    args = [arg[at : at + ITEMS] for arg in group]
                    self.tasks.append(Chain(name, stages, args, {len(stages) - 1: outs[at : at + ITEMS]}))
                level.append(outs)
            terms = level
        return terms[0]

    def copy(self, vector: Vector, key: int = -1) -> Vector:
        """A vector of its own with the same elements, one for each `key`."""
        if (id(vector), key) not in self._copied:
            made = self._copied[id(vector), key] = Vector(vector.dtype)
            move = Stage("MOV", vector.dtype, vector.dtype, "sat", (Operand("ARG", 0),))
            self.tasks.append(Chain("copy", [move], [[vector]], {0: [made]}))
        return self._copied[id(vector), key]


def grid_of(vectors: list[Vector], size: tuple[int, int]) -> np.ndarray:
    """Vectors, row by row, as a grid of rows and tiles."""
    grid = np.empty(size, object)
    for at, vector in zip(np.ndindex(size), vectors, strict=True):
        grid[at] = vector
    return grid
