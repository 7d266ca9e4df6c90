"""States and tables: rows that are addressed by data, and rows that become weights."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import GraphError, Tensor
from sw.compiler.lower.draft import ITEMS, Draft
from sw.compiler.tasks import Chain, Gathering, Operand, Scattering, Stage, Storing
from sw.compiler.vectors import Home, Table, Vector


class Rows:
    """Lowers inputs and states that are tables, gathers, scatters and stores."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self._weights = self._weight_states()
        self._indices: dict[tuple, Vector] = {}
        self._offset_tables: dict[bytes, Table] = {}

    def _weight_states(self) -> set[Tensor]:
        """States whose rows become columns of weights."""
        found = set()
        for tensor in self.draft.graph.tensors:
            todo = [tensor.operands[1]] if tensor.op == "dot" else []
            while todo:
                current = todo.pop()
                if current.op == "state":
                    found.add(current)
                elif current.op in ("move", "scatter"):
                    todo.extend(current.operands[:1] if current.op == "scatter" else current.operands)
        return found

    def input(self, tensor: Tensor) -> np.ndarray:
        """The vectors of an input, in a table if rows are gathered from it."""
        users = [user for user in self.draft.users(tensor) if user is not None]
        if any(user.op == "gather" and user.operands[0] is tensor for user in users):
            return self.table(tensor, np.zeros(tensor.shape, tensor.dtype.numpy))
        return self.draft.fresh(tensor)

    def table(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        rows, tiles = self.draft.size(tensor)
        table = Table(tensor.name or "table", tensor.dtype, rows, tiles, values, weights=tensor in self._weights)
        if table.weights:
            table.stripes = min(self.draft.chip.load_streams // tensor.dtype.streams, tiles if tiles > 1 else rows)
            table.block = 1 if tiles > 1 else self.draft.vl
            if {unit.hemisphere for unit in self.draft.chip.planes.values()} == {0, 1} and rows >= 2 * table.block:
                table.sides = 2
        self.draft.tables[tensor] = table
        grid = np.empty((rows, tiles), object)
        for r in range(rows):
            for t in range(tiles):
                grid[r, t] = Vector(tensor.dtype, home=Home(table, r, t))
        return grid

    def _root(self, tensor: Tensor) -> Tensor:
        while tensor.op == "scatter":
            tensor = tensor.operands[0]
        return tensor

    def gather(self, tensor: Tensor) -> np.ndarray:
        source, index = tensor.operands
        root = self._root(source)
        if root.op == "constant" and root not in self.draft.tables:
            self._constant_table(root)
        table = self.draft.tables[root]
        if table.stripes > 1:
            raise GraphError(f"Node '{tensor.name}' gathers from '{root.name}', whose rows also become weights.")
        reads = [] if root.op == "constant" else self.draft.grids[source]
        out = self.draft.fresh(tensor)
        indices = list(self.draft.grids[index][:, 0])
        for t in range(table.tiles):
            for first in range(0, len(indices), ITEMS):
                part = slice(first, first + ITEMS)
                known = [] if root.op == "constant" else list(reads[:, t])
                self.draft.tasks.append(Gathering(tensor.name or "gather", table, t, indices[part], list(out[part, t]), known))
        return out

    def _constant_table(self, root: Tensor) -> None:
        rows, tiles = self.draft.size(root)
        values = root.attributes["values"]
        if root.shape[-1] == 1:
            values = np.repeat(values, self.draft.vl, axis=-1)
        self.draft.tables[root] = Table(root.name or "table", root.dtype, rows, tiles, values)

    def scatter(self, tensor: Tensor) -> np.ndarray:
        state, index, rows = tensor.operands
        table = self.draft.tables[self._root(state)]
        grid = self.draft.grids[state].copy()
        for i in range(rows.shape[0]):
            at = self.draft.grids[index][i, 0]
            for tile in range(table.tiles):
                members: dict[tuple, list[int]] = {}
                for r in range(table.rows):
                    members.setdefault(table.region(r, tile), []).append(r)
                for region, numbers in members.items():
                    before = [grid[r, tile] for r in numbers]
                    outs = [Vector(v.dtype, home=v.home) for v in before]
                    map_ = self._offset(at, region, table)
                    data = self.draft.grids[rows][i, tile]
                    self.draft.tasks.append(Scattering(tensor.name or "scatter", table, region, map_, data, before, outs))
                    for r, vector in zip(numbers, outs, strict=True):
                        grid[r, tile] = vector
        return grid

    def _offset(self, index: Vector, region: tuple[int, int, int], table: Table) -> Vector:
        """The offset of a row in one region of a table, -1 if it is not there: looked up in a table of constants."""
        if table.sides == 1 and (table.stripes == 1 or table.tiles > 1):
            return index
        tile = region[2] * table.stripes + region[1] if table.tiles > 1 else 0
        offsets = np.array([table.offset(r) if table.region(r, tile) == region else -1 for r in range(table.rows)], np.int16)
        key = (id(index), offsets.tobytes())
        if key not in self._indices:
            if offsets.tobytes() not in self._offset_tables:
                # One more than the offset, because a gather gives 0 for an index below 0.
                values = np.repeat(offsets[:, None] + np.int16(1), self.draft.vl, axis=1)
                made = Table(f"offsets of {table.name}", DType.INT16, table.rows, 1, values)
                self._offset_tables[offsets.tobytes()] = self.draft.tables[len(self.draft.tables)] = made
            found, result = Vector(DType.INT16), Vector(DType.INT16)
            self.draft.tasks.append(Gathering("offset", self._offset_tables[offsets.tobytes()], 0, [index], [found], []))
            less = Stage("SUB", DType.INT16, DType.INT16, "sat", (Operand("ARG", 0), Operand("IMM", 1)))
            self.draft.tasks.append(Chain("offset", [less], [[found]], {0: [result]}))
            self._indices[key] = result
        return self._indices[key]

    def store(self, state: Tensor, value: Tensor) -> None:
        """Brings what a state becomes to the state's place."""
        for old, new in zip(self.draft.grids[state].reshape(-1), self.draft.grids[value].reshape(-1), strict=True):
            if new.home != old.home:
                source = new if new.data is None and new.whole.home is None else self.draft.copy(new)
                self.draft.tasks.append(Storing(f"store {state.name}", source, old.home, old))

    def result(self, value: Tensor) -> np.ndarray:
        """The vectors of an output; what a state was is copied before the state changes."""
        grid = self.draft.grids[value].copy()
        last = {id(vector) for stored in self.draft.graph.stores.values() for vector in self.draft.grids[stored].reshape(-1)}
        changing = {id(self.draft.tables[self.draft.graph.states[name]]) for name in self.draft.graph.stores}
        for at, vector in np.ndenumerate(grid):
            home = vector.whole.home
            if home is not None and id(home.table) in changing and id(vector) not in last:
                grid[at] = self.draft.copy(vector)
        return grid
