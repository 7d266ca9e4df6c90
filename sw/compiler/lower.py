"""From a graph to intrinsics on vectors.

Every last axis is cut into tiles of VL lanes; a tensor is a grid of vectors, one row for each index of the axes before
it. A last axis of 1 stands in every lane, so that it meets any other without a copy.
"""

import numpy as np

from sw.arch.dtype import DType
from sw.asm.operands import immediate
from sw.compiler.chains import runs
from sw.compiler.chip import Chip
from sw.compiler.fuse import Links, chained, stage
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.vectors import (
    Chain,
    Gathering,
    Home,
    Operand,
    Permutation,
    Product,
    Reduction,
    Scattering,
    Stage,
    Storing,
    Table,
    Task,
    Tile,
    Vector,
)

#: Items of one chain or reduction at the most, and operands that one chain sums up.
ITEMS, TERMS = 16, {"SUM": 4, "MAX": 8, "MIN": 8}
_FOLD = {"SUM": "ADD", "MAX": "MAX", "MIN": "MIN"}


class Lowering:
    """A graph as tasks. `grids` has the vectors of every tensor, [rows, tiles]."""

    def __init__(self, graph: Graph, chip: Chip):
        self.graph, self.chip, self.vl = graph, chip, chip.config.vl
        self.grids: dict[Tensor, np.ndarray] = {}
        self.tasks: list[Task] = []
        #: Tables by their tensor, or by number where the lowering made them.
        self.tables: dict[Tensor | int, Table] = {}
        self._links = Links(graph, chip)
        self._chain_of = {chain[-1]: chain for chain in self._links.chains()}
        self._planes = list(chip.planes)
        self._turn = 0
        self._tiles: dict[tuple, Tile] = {}
        self._indices: dict[tuple, Vector] = {}
        self._offset_tables: dict[bytes, Table] = {}
        self._copied: dict[tuple[int, int], Vector] = {}
        self._maps: dict[bytes, Vector] = {}
        self._zero = {dtype: Vector(dtype, np.zeros(self.vl, dtype.numpy)) for dtype in DType}
        self._weights = self._weight_states()
        for tensor in self._ordered():
            self._lower(tensor)
        for name, value in graph.stores.items():
            self._store(graph.states[name], value)
        #: Vectors of every output.
        self.results = {name: self._result(value) for name, value in graph.outputs.items()}
        self._send_both_ways()
        self._order_tasks()

    def _ordered(self) -> list[Tensor]:
        """Tensors so that a chain comes when all that its members need is there."""
        done: set[Tensor] = set()
        order: list[Tensor] = []
        chain_end = {member: chain[-1] for chain in self._chain_of.values() for member in chain}

        def visit(tensor: Tensor) -> None:
            stack = [(chain_end.get(tensor, tensor), False)]
            while stack:
                current, expanded = stack.pop()
                if current in done:
                    continue
                members = self._chain_of.get(current, [current])
                if expanded:
                    done.update(members)
                    order.append(current)
                    continue
                stack.append((current, True))
                for member in members:
                    for operand in member.operands:
                        end = chain_end.get(operand, operand)
                        if end is not current and end not in done:
                            stack.append((end, False))

        for tensor in self.graph.tensors:
            visit(tensor)
        return order

    def _lower(self, tensor: Tensor) -> None:
        match tensor.op:
            case "input":
                given = np.zeros(tensor.shape, tensor.dtype.numpy)
                users = [user for user in self._users(tensor) if user is not None]
                gathered = any(user.op == "gather" and user.operands[0] is tensor for user in users)
                self.grids[tensor] = self._table(tensor, given) if gathered else self._fresh(tensor)
            case "constant":
                self.grids[tensor] = self._constant(tensor)
            case "state":
                self.grids[tensor] = self._table(tensor, tensor.attributes["initial"])
            case "elementwise":
                if chained(tensor):
                    self._chain(self._chain_of[tensor])
                else:
                    self.grids[tensor] = self.grids[tensor.operands[0]]
            case "dot":
                self.grids[tensor] = self._dot(tensor)
            case "reduce":
                self.grids[tensor] = self._reduce(tensor)
            case "move":
                self.grids[tensor] = self._move(tensor)
            case "gather":
                self.grids[tensor] = self._gather(tensor)
            case "scatter":
                self.grids[tensor] = self._scatter(tensor)

    # Layout ----------------------------------------------------------------------------------------------------

    def _size(self, tensor: Tensor) -> tuple[int, int]:
        """Rows and tiles of a tensor's grid."""
        last = tensor.shape[-1] if tensor.shape else 1
        return tensor.size // last, -(-last // self.vl)

    def _fresh(self, tensor: Tensor) -> np.ndarray:
        return _filled(self._size(tensor), lambda: Vector(tensor.dtype))

    def _constant(self, tensor: Tensor) -> np.ndarray:
        values = tensor.attributes["values"]
        rows, tiles = self._size(tensor)
        flat = values.reshape(rows, -1)
        grid = np.empty((rows, tiles), object)
        for r in range(rows):
            for t in range(tiles):
                part = flat[r, t * self.vl : (t + 1) * self.vl]
                data = np.full(self.vl, part[0]) if flat.shape[1] == 1 else np.zeros(self.vl, values.dtype)
                data[: len(part)] = part if flat.shape[1] > 1 else part[0]
                grid[r, t] = Vector(tensor.dtype, data)
        return grid

    def _at(self, tensor: Tensor, shape: tuple[int, ...]) -> np.ndarray:
        """The grid of an operand broadcast to the rows and tiles of a result of `shape`."""
        grid = self.grids[tensor]
        last = shape[-1] if shape else 1
        rows, tiles = int(np.prod(shape[:-1], dtype=np.int64)), -(-last // self.vl)
        leading = tensor.shape[:-1]
        index = np.broadcast_to(np.arange(len(grid)).reshape(leading), shape[:-1]).reshape(rows)
        wide = grid[index]
        return wide if wide.shape[1] == tiles else np.broadcast_to(wide, (rows, tiles))

    # Elementwise -----------------------------------------------------------------------------------------------

    def _chain(self, members: list[Tensor]) -> None:
        """One chain for every group of items of a tensor."""
        args: list[np.ndarray] = []
        numbers: dict[Tensor, int] = {}
        stages: list[Stage] = []
        outs: dict[int, np.ndarray] = {}
        shape = members[-1].shape

        def operand(tensor: Tensor, before: Tensor | None) -> Operand:
            if tensor is before:
                return Operand("PREV")
            if tensor.op == "constant" and tensor.size == 1 and not any(o.kind == "IMM" for o in given):
                return Operand("IMM", immediate(tensor.attributes["values"].reshape(-1)[0].item(), tensor.dtype))
            if tensor not in numbers:
                numbers[tensor] = len(args)
                args.append(self._at(tensor, shape))
            return Operand("ARG", numbers[tensor])

        before = None
        for tensor in members:
            given: list[Operand] = []
            operands = tensor.operands
            if tensor.attributes["fn"] == "SELECT":
                if operands[0] is not before:
                    mask = operand(operands[0], None)
                    stages.append(Stage("MOV", DType.INT8, DType.INT8, "sat", (mask,)))
                operands, before = operands[1:], None
            for value in operands:
                given.append(operand(value, before))
            stages.append(stage(tensor, tuple(given)))
            if self._leaves(tensor):
                grid = self._fresh(tensor)
                self.grids[tensor] = outs[len(stages) - 1] = grid
            before = tensor
        rows, tiles = self._size(members[-1])
        for part in _parts(rows, tiles):
            self.tasks.append(
                Chain(
                    members[-1].name or members[-1].attributes["fn"].lower(),
                    stages,
                    [[grid[at] for at in part] for grid in args],
                    {k: [grid[at] for at in part] for k, grid in outs.items()},
                )
            )

    def _leaves(self, tensor: Tensor) -> bool:
        """Whether anything but its successor in the chain wants a tensor."""
        successor = self._links.next.get(tensor)
        return successor is None or any(user is not successor for user in self._users(tensor)) or self._twice(tensor)

    def _twice(self, tensor: Tensor) -> bool:
        """Whether its successor takes it as a value of SELECT too, which does not come from the chain."""
        successor = self._links.next[tensor]
        return successor.attributes["fn"] == "SELECT" and tensor in successor.operands[1:]

    def _users(self, tensor: Tensor) -> list:
        if not hasattr(self, "_use_table"):
            self._use_table: dict[Tensor, list] = {}
            for user in self.graph.tensors:
                for operand in user.operands:
                    self._use_table.setdefault(operand, []).append(user)
            for value in (*self.graph.outputs.values(), *self.graph.stores.values()):
                self._use_table.setdefault(value, []).append(None)
        return self._use_table.get(tensor, [])

    def _combine(self, fn: str, name: str, terms: list[list[Vector]], width: int, into=None) -> list[Vector]:
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

    # Products --------------------------------------------------------------------------------------------------

    def _dot(self, tensor: Tensor) -> np.ndarray:
        a, b = tensor.operands
        if not self._planes:
            raise GraphError(f"Node '{tensor.name}' is a product, the chip '{self.chip.config.name}' has no planes.")
        if a.dtype.text not in self.chip.config.mxm.types:
            known = ", ".join(self.chip.config.mxm.types)
            raise GraphError(f"Node '{tensor.name}' is a product of {a.dtype.text}, the planes do {known}.")
        out = self._fresh(tensor)
        m, n = tensor.shape[-2:]
        # All rows meet the same columns if the second operand has no axes in front.
        batches = tensor.size // (m * n) if len(b.shape) > 2 else 1
        m = tensor.size // (n * batches)
        for batch in range(batches):
            rows = self.grids[a][batch * m : (batch + 1) * m]
            columns = self.grids[b]
            if len(b.shape) > 2:
                columns = columns[batch * n : (batch + 1) * n]
            self._matrix(tensor, rows, columns, n, out[batch * m : (batch + 1) * m])
        return out

    def _matrix(self, tensor: Tensor, rows: np.ndarray, columns: np.ndarray, n: int, out: np.ndarray) -> None:
        ks, ns = columns.shape[1], out.shape[1]
        tiles = [[self._tile(columns[:, k], j, n, rows[0, 0].dtype) for j in range(ns)] for k in range(ks)]
        planes = [self._planes[(self._turn + p) % len(self._planes)] for p in range(len(self._planes))]
        self._turn += max(1, min(ns, len(planes)))
        shares = self._shares(tiles, planes)
        step = self._rows_at_once(ks, max(len(js) for _, js, _ in shares))
        for part in (slice(first, first + step) for first in range(0, len(rows), step)):
            sums: dict[int, list] = {j: [] for j in range(ns)}
            for plane, js, share in shares:
                whole = len(share) == ks
                outs = [list(out[part, j]) if whole else _vectors(out[part, j]) for j in js]
                weights = [[tiles[k][j] for j in js] for k in share]
                self._product(tensor, weights, [list(rows[part, k]) for k in share], outs, plane)
                for j, made in zip(js, outs, strict=True):
                    sums[j].append(made)
            for j, parts in sums.items():
                if len(parts) > 1:
                    self._combine("ADD", tensor.name, parts, 4, into=list(out[part, j]))

    def _shares(self, tiles, planes: list[str]) -> list[tuple[str, list[int], list[int]]]:
        """Which plane does which tiles: (plane, tiles of n, tiles of k).

        Columns that lie in memory go to the planes of their hemisphere. Otherwise tiles of n go round the planes, and
        where they are fewer than planes the tiles of k are divided, to be added up afterwards.
        """
        ks, ns = len(tiles), len(tiles[0])
        sides = [[_side(tile) for tile in row] for row in tiles]
        of_side = {side: [p for p in planes if self.chip.planes[p].hemisphere == side] for side in (0, 1)}
        if all(of_side.values()) and not any(None in row for row in sides):
            if ns > 1 and all(row == sides[0] for row in sides):
                shares = [(p, [j for j in range(ns) if sides[0][j] == s][i :: len(of_side[s])], list(range(ks)))
                          for s in (0, 1) for i, p in enumerate(of_side[s])]  # fmt: skip
                return [share for share in shares if share[1]]
            if ns == 1:
                shares = [(p, [0], [k for k in range(ks) if sides[k][0] == s][i :: len(of_side[s])])
                          for s in (0, 1) for i, p in enumerate(of_side[s])]  # fmt: skip
                return [share for share in shares if share[2]]
        used = min(ns, len(planes))
        split = max(1, min(len(planes) // used, ks))
        return [
            (planes[(p + s * used) % len(planes)], list(range(p, ns, len(planes))), list(range(s, ks, split)))
            for p in range(used)
            for s in range(split)
        ]

    def _rows_at_once(self, ks: int, ns: int) -> int:
        return 128 if ks == 1 else max(1, min(128, self.chip.config.mxm.acc_rows // ns))

    def _product(self, tensor: Tensor, tiles, acts, outs, plane: str) -> None:
        task = Product(tensor.name or "dot", tensor.operands[0].dtype, tiles, acts, outs, plane)
        slices = self.chip.weight_slices(plane)
        for row in tiles:
            for tile in row:
                for j, column in enumerate(tile.columns):
                    if column.data is None and column.home is None and column.wish is None:
                        at = j * column.bytes % len(slices)
                        column.wish = tuple(slices[at : at + column.bytes])
        self.tasks.append(task)

    def _tile(self, columns: np.ndarray, j: int, n: int, dtype: DType) -> Tile:
        """VL columns from `j` VL on; a product of one column has it everywhere."""
        part = [columns[0]] * self.vl if n == 1 else list(columns[j * self.vl : (j + 1) * self.vl])
        part += [self._zero[dtype]] * (self.vl - len(part))
        at_once = self.chip.load_streams // dtype.streams
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
        return self._copy(column, at)

    # Reductions and lane movement ------------------------------------------------------------------------------

    def _reduce(self, tensor: Tensor) -> np.ndarray:
        (source,) = tensor.operands
        fn, axis = tensor.attributes["fn"], tensor.attributes["axis"]
        grid, last = self.grids[source], len(source.shape) - 1
        name = tensor.name or fn.lower()
        if axis != last:
            rows = np.arange(len(grid)).reshape(source.shape[:-1])
            terms = [list(grid[index.reshape(-1)].reshape(-1)) for index in np.moveaxis(rows, axis, 0)]
            made = self._combine(_FOLD[fn], name, terms, TERMS[fn])
            return _grid(made, self._size(tensor))
        terms = [list(grid[:, t]) for t in range(grid.shape[1])]
        folded = self._combine(_FOLD[fn], name, terms, TERMS[fn])
        if source.shape[last] == 1:
            return _grid(folded, self._size(tensor))
        outs = [Vector(tensor.dtype) for _ in folded]
        for first in range(0, len(outs), ITEMS):
            self.tasks.append(Reduction(name, fn, folded[first : first + ITEMS], outs[first : first + ITEMS]))
        return _grid(outs, self._size(tensor))

    def _move(self, tensor: Tensor) -> np.ndarray:
        """Vectors that are wanted as they stand are taken as they are; all others are permuted and put together."""
        rows, tiles = self._size(tensor)
        last = tensor.shape[-1] if tensor.shape else 1
        index = tensor.attributes["index"].reshape(rows, last)
        grid = np.empty((rows, tiles), object)
        wanted: dict[tuple, list] = {}
        for r in range(rows):
            for t in range(tiles):
                part = index[r, t * self.vl : (t + 1) * self.vl]
                pieces = self._pieces(tensor.operands, part, everywhere=last == 1)
                grid[r, t] = Vector(tensor.dtype)
                if not pieces:
                    grid[r, t] = self._zero[tensor.dtype]
                elif len(pieces) == 1 and pieces[0][1] is None:
                    grid[r, t] = pieces[0][0]
                else:
                    wanted.setdefault(tuple(m.tobytes() for _, m in pieces), []).append((grid[r, t], pieces))
        for group in wanted.values():
            self._permute(tensor, group)
        return grid

    def _pieces(self, sources: tuple[Tensor, ...], part: np.ndarray, everywhere: bool) -> list:
        """(vector, map of lanes or None if it is taken as it is) of each source vector of one result vector."""
        found: dict[int, tuple[Vector, np.ndarray]] = {}
        aligned = True
        bounds = np.cumsum([0, *(source.size for source in sources)])
        for lane, element in enumerate(part):
            if element < 0:
                aligned = False
                continue
            number = int(np.searchsorted(bounds, element, "right")) - 1
            source = sources[number]
            last = source.shape[-1] if source.shape else 1
            row, at = divmod(int(element - bounds[number]), last)
            vector = self.grids[source][row, at // self.vl]
            from_lane = lane if last == 1 else at % self.vl
            if last == 1 and everywhere:
                from_lane = 0
            elif last > 1 and everywhere:
                aligned = False
            if from_lane != lane:
                aligned = False
            if id(vector) not in found:
                found[id(vector)] = vector, np.full(self.vl, self.vl, np.int16)
            found[id(vector)][1][lane] = from_lane
        if everywhere and not aligned:
            for vector, lanes in found.values():
                return [(vector, np.full(self.vl, lanes[0], np.int16))]
        if len(found) == 1 and aligned:
            ((vector, _),) = found.values()
            return [(vector, None)]
        return list(found.values())

    def _permute(self, tensor: Tensor, group: list) -> None:
        """Result vectors that are made of source vectors by the same maps."""
        parts, wanted = [], [vector for vector, _ in group]
        bits = {1: DType.INT8, 2: DType.INT16, 4: DType.INT32}[tensor.dtype.streams]
        for k, (_, lanes) in enumerate(group[0][1]):
            sources = [pieces[k][0] for _, pieces in group]
            outs = wanted if len(group[0][1]) == 1 else [Vector(bits) for _ in group]
            by_map = self._maps.setdefault(lanes.tobytes(), Vector(DType.INT16, lanes))
            for first in range(0, len(outs), ITEMS):
                part = slice(first, first + ITEMS)
                self.tasks.append(Permutation(tensor.name or "move", by_map, sources[part], outs[part]))
            parts.append(outs)
        if len(parts) > 1:
            self._combine("OR", tensor.name or "move", parts, 8, into=wanted)

    # Tables ----------------------------------------------------------------------------------------------------

    def _weight_states(self) -> set[Tensor]:
        """States whose rows become columns of weights."""
        found = set()
        for tensor in self.graph.tensors:
            todo = [tensor.operands[1]] if tensor.op == "dot" else []
            while todo:
                current = todo.pop()
                if current.op == "state":
                    found.add(current)
                elif current.op in ("move", "scatter"):
                    todo.extend(current.operands[:1] if current.op == "scatter" else current.operands)
        return found

    def _table(self, tensor: Tensor, values: np.ndarray) -> np.ndarray:
        rows, tiles = self._size(tensor)
        table = Table(tensor.name or "table", tensor.dtype, rows, tiles, values, weights=tensor in self._weights)
        if table.weights:
            table.stripes = min(self.chip.load_streams // tensor.dtype.streams, tiles if tiles > 1 else rows)
            table.block = 1 if tiles > 1 else self.vl
            if {unit.hemisphere for unit in self.chip.planes.values()} == {0, 1} and rows >= 2 * table.block:
                table.sides = 2
        self.tables[tensor] = table
        grid = np.empty((rows, tiles), object)
        for r in range(rows):
            for t in range(tiles):
                grid[r, t] = Vector(tensor.dtype, home=Home(table, r, t))
        return grid

    def _root(self, tensor: Tensor) -> Tensor:
        while tensor.op == "scatter":
            tensor = tensor.operands[0]
        return tensor

    def _gather(self, tensor: Tensor) -> np.ndarray:
        source, index = tensor.operands
        root = self._root(source)
        if root.op == "constant" and root not in self.tables:
            self._constant_table(root)
        table = self.tables[root]
        if table.stripes > 1:
            raise GraphError(f"Node '{tensor.name}' gathers from '{root.name}', whose rows also become weights.")
        reads = [] if root.op == "constant" else self.grids[source]
        out = self._fresh(tensor)
        indices = list(self.grids[index][:, 0])
        for t in range(table.tiles):
            for first in range(0, len(indices), ITEMS):
                part = slice(first, first + ITEMS)
                known = [] if root.op == "constant" else list(reads[:, t])
                self.tasks.append(Gathering(tensor.name or "gather", table, t, indices[part], list(out[part, t]), known))
        return out

    def _constant_table(self, root: Tensor) -> None:
        rows, tiles = self._size(root)
        values = root.attributes["values"]
        if root.shape[-1] == 1:
            values = np.repeat(values, self.vl, axis=-1)
        self.tables[root] = Table(root.name or "table", root.dtype, rows, tiles, values)

    def _scatter(self, tensor: Tensor) -> np.ndarray:
        state, index, rows = tensor.operands
        table = self.tables[self._root(state)]
        grid = self.grids[state].copy()
        for i in range(rows.shape[0]):
            at = self.grids[index][i, 0]
            for tile in range(table.tiles):
                members: dict[tuple, list[int]] = {}
                for r in range(table.rows):
                    members.setdefault(table.region(r, tile), []).append(r)
                for region, numbers in members.items():
                    before = [grid[r, tile] for r in numbers]
                    outs = [Vector(v.dtype, home=v.home) for v in before]
                    map_ = self._offset(at, region, table)
                    data = self.grids[rows][i, tile]
                    self.tasks.append(Scattering(tensor.name or "scatter", table, region, map_, data, before, outs))
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
                values = np.repeat(offsets[:, None] + np.int16(1), self.vl, axis=1)
                made = Table(f"offsets of {table.name}", DType.INT16, table.rows, 1, values)
                self._offset_tables[offsets.tobytes()] = self.tables[len(self.tables)] = made
            found, result = Vector(DType.INT16), Vector(DType.INT16)
            self.tasks.append(Gathering("offset", self._offset_tables[offsets.tobytes()], 0, [index], [found], []))
            less = Stage("SUB", DType.INT16, DType.INT16, "sat", (Operand("ARG", 0), Operand("IMM", 1)))
            self.tasks.append(Chain("offset", [less], [[found]], {0: [result]}))
            self._indices[key] = result
        return self._indices[key]

    def _store(self, state: Tensor, value: Tensor) -> None:
        """Brings what a state becomes to the state's place."""
        for old, new in zip(self.grids[state].reshape(-1), self.grids[value].reshape(-1), strict=True):
            if new.home != old.home:
                source = new if new.data is None and new.home is None else self._copy(new)
                self.tasks.append(Storing(f"store {state.name}", source, old.home, old))

    def _result(self, value: Tensor) -> np.ndarray:
        """The vectors of an output; what a state was is copied before the state changes."""
        grid = self.grids[value].copy()
        last = {id(vector) for stored in self.graph.stores.values() for vector in self.grids[stored].reshape(-1)}
        changing = {id(self.tables[self.graph.states[name]]) for name in self.graph.stores}
        for at, vector in np.ndenumerate(grid):
            if vector.home is not None and id(vector.home.table) in changing and id(vector) not in last:
                grid[at] = self._copy(vector)
        return grid

    def _copy(self, vector: Vector, key: int = -1) -> Vector:
        """A vector of its own with the same elements, one for each `key`."""
        if (id(vector), key) not in self._copied:
            made = self._copied[id(vector), key] = Vector(vector.dtype)
            move = Stage("MOV", vector.dtype, vector.dtype, "sat", (Operand("ARG", 0),))
            self.tasks.append(Chain("copy", [move], [[vector]], {0: [made]}))
        return self._copied[id(vector), key]

    # Order -----------------------------------------------------------------------------------------------------

    def _send_both_ways(self) -> None:
        """Activations for planes of both hemispheres leave the vector unit twice, by a further stage of their chain."""
        makers = {id(out[0]): task for task in self.tasks if isinstance(task, Chain) for out in [task.outs[max(task.outs)]]}
        products: dict[Task, list[Product]] = {}
        for task in self.tasks:
            if isinstance(task, Product):
                for maker in dict.fromkeys(makers[id(v)] for group in task.acts for v in group if id(v) in makers):
                    products.setdefault(maker, []).append(task)
        for maker, users in products.items():
            last = max(maker.outs)
            kind = maker.stages[last].to if maker.stages[last].fn == "CONVERT" else maker.stages[last].dtype
            twice = [*maker.stages, Stage("MOV", kind, kind, "sat", (Operand("PREV"),))]
            sides = {self.chip.planes[user.plane].hemisphere for user in users}
            if last != len(maker.stages) - 1 or sides != {0, 1} or not runs(self.chip, twice):
                continue
            twins = {id(vector): Vector(vector.dtype) for vector in maker.outs[last]}
            maker.outs[last + 1] = list(twins.values())
            maker.stages = twice
            for user in users:
                if self.chip.planes[user.plane].hemisphere == 0:
                    user.acts = [[twins.get(id(v), v) for v in group] for group in user.acts]

    def _order_tasks(self) -> None:
        """Who comes after whom: makers before readers, readers of old rows before their writer."""
        makers = {id(vector): task for task in self.tasks for vector in task.makes}
        for task in self.tasks:
            for vector in task.needs:
                vector.readers.append(task)
                if id(vector) in makers:
                    task.after.add(makers[id(vector)])
        for task in self.tasks:
            if isinstance(task, Scattering | Storing):
                for vector in task.before if isinstance(task, Scattering) else [task.before]:
                    task.after.update(reader for reader in vector.readers if reader is not task)
                    if id(vector) in makers:
                        task.after.add(makers[id(vector)])


def _side(tile: Tile) -> int | None:
    """The hemisphere in which the columns of a tile lie from the beginning."""
    homes = [column.home for column in tile.columns if column.home is not None]
    sides = {home.table.region(home.row, home.tile)[0] for home in homes if home.table.sides > 1}
    return sides.pop() if len(sides) == 1 else None


def _parts(rows: int, tiles: int):
    """The places of a grid in lists of up to ITEMS, each out of one column."""
    for t in range(tiles):
        for first in range(0, rows, ITEMS):
            yield [(r, t) for r in range(first, min(rows, first + ITEMS))]


def _vectors(like) -> list[Vector]:
    """Fresh vectors of the types of others."""
    return [Vector(vector.dtype) for vector in like]


def _filled(size: tuple[int, int], make) -> np.ndarray:
    grid = np.empty(size, object)
    for at in np.ndindex(size):
        grid[at] = make()
    return grid


def _grid(vectors: list[Vector], size: tuple[int, int]) -> np.ndarray:
    grid = np.empty(size, object)
    for at, vector in zip(np.ndindex(size), vectors, strict=True):
        grid[at] = vector
    return grid
