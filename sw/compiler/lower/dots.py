"""Products of matrices as products of vectors with tiles, divided over the planes."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import GraphError, Tensor
from sw.compiler.lower.division import Division
from sw.compiler.lower.draft import Draft
from sw.compiler.tasks import Product
from sw.compiler.vectors import Tile, Vector


class Dots:
    """Lowers products."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self._planes = list(draft.chip.planes)
        self._turn = 0
        self._tiles: dict[tuple, Tile] = {}

    def lower(self, tensor: Tensor) -> np.ndarray:
        """The grid of a product, and its tasks."""
        a, b = tensor.operands
        if not self._planes:
            raise GraphError(f"Node '{tensor.name}' is a product, the chip '{self.draft.chip.config.name}' has no planes.")
        if a.dtype.text not in self.draft.chip.config.mxm.types:
            known = ", ".join(self.draft.chip.config.mxm.types)
            raise GraphError(f"Node '{tensor.name}' is a product of {a.dtype.text}, the planes do {known}.")
        out = self.draft.fresh(tensor)
        n = tensor.shape[-1]
        # All rows meet the same columns if the second operand has no axes in front, or repeats itself along them.
        groups: dict[tuple[int, ...], list[int]] = {}
        for batch in range(len(self.draft.grids[b]) // n):
            columns = self.draft.grids[b][batch * n : (batch + 1) * n]
            groups.setdefault(tuple(map(id, columns.flat)), []).append(batch)
        m = len(out) // (len(self.draft.grids[b]) // n)
        for batches in groups.values():
            rows = self._distinct(self.draft.grids[a], [batch * m + row for batch in batches for row in range(m)], out)
            columns = self.draft.grids[b][batches[0] * n : (batches[0] + 1) * n]
            self._matrix(tensor, self.draft.grids[a][rows], columns, n, out[rows])
        return out

    def _distinct(self, a: np.ndarray, rows: list[int], out: np.ndarray) -> list[int]:
        """Rows of activations without those that repeat an earlier one, whose results become that one's."""
        first: dict[tuple[int, ...], int] = {}
        for row in rows:
            out[row] = out[first.setdefault(tuple(map(id, a[row])), row)]
        return list(first.values())

    def _matrix(self, tensor: Tensor, rows: np.ndarray, columns: np.ndarray, n: int, out: np.ndarray) -> None:
        ks, ns = columns.shape[1], out.shape[1]
        tiles = [[self._tile(columns[:, k], j, n, rows[0, 0].dtype) for j in range(ns)] for k in range(ks)]
        planes = [self._planes[(self._turn + p) % len(self._planes)] for p in range(len(self._planes))]
        self._turn += max(1, min(ns, len(planes)))
        division = Division(self.draft.chip, tensor.operands[0].dtype, len(rows))
        shares = division.shares(tiles, planes)
        if self._read_by_product(tensor):
            shares = division.halves(shares)
        step = self._rows_at_once(ks, max(len(js) for _, js, _ in shares))
        for part in (slice(first, first + step) for first in range(0, len(rows), step)):
            sums: dict[int, list] = {j: [] for j in range(ns)}
            for plane, js, share in shares:
                whole = len(share) == ks
                outs = [list(out[part, j]) if whole else _like(out[part, j]) for j in js]
                weights = [[tiles[k][j] for j in js] for k in share]
                self._product(tensor, weights, [list(rows[part, k]) for k in share], outs, plane)
                for j, made in zip(js, outs, strict=True):
                    sums[j].append(made)
            for j, parts in sums.items():
                if len(parts) > 1:
                    self.draft.combine("ADD", tensor.name, parts, 4, into=list(out[part, j]))

    def _read_by_product(self, tensor: Tensor) -> bool:
        """Whether a product can begin with some tiles of what becomes of a tensor."""
        todo, seen = [tensor], set()
        while todo:
            value = todo.pop()
            for user in self.draft.users(value):
                if user is not None and user.op == "dot" and user.operands[0] is value:
                    return True
                if user is not None and user.op == "elementwise" and user not in seen:
                    seen.add(user)
                    todo.append(user)
        return False

    def _rows_at_once(self, ks: int, ns: int) -> int:
        return 128 if ks == 1 else max(1, min(128, self.draft.chip.config.mxm.acc_rows // ns))

    def _product(self, tensor: Tensor, tiles, acts, outs, plane: str) -> None:
        task = Product(tensor.name or "dot", tensor.operands[0].dtype, tiles, acts, outs, plane)
        slices = self.draft.chip.weight_slices(plane)
        for row in tiles:
            for tile in row:
                for j, column in enumerate(tile.columns):
                    if column.data is None and column.home is None and column.wish is None:
                        at = j * column.bytes % len(slices)
                        column.wish = tuple(slices[at : at + column.bytes])
        self.draft.tasks.append(task)

    def _tile(self, columns: np.ndarray, j: int, n: int, dtype: DType) -> Tile:
        """VL columns from `j` VL on; a product of one column has it everywhere."""
        part = [columns[0]] * self.draft.vl if n == 1 else list(columns[j * self.draft.vl : (j + 1) * self.draft.vl])
        part += [self.draft.zero[dtype]] * (self.draft.vl - len(part))
        at_once = self.draft.chip.load_streams // dtype.streams
        part = [self._loadable(column, at % at_once) for at, column in enumerate(part)]
        key = tuple(map(id, part))
        if key not in self._tiles:
            self._tiles[key] = Tile(part)
        return self._tiles[key]

    def _loadable(self, column: Vector, at: int) -> Vector:
        """A column, or a copy of it where its home is in the way of others that are loaded in the same cycle."""
        home = column.home
        if home is None or (home.table.weights and home.table.region(home.row, home.tile)[1] == at):
            return column
        return self.draft.copy(column, at)


def _like(vectors) -> list[Vector]:
    """Fresh vectors of the types of others."""
    return [Vector(vector.dtype) for vector in vectors]
