"""Where inputs, states and tables lie: fixed before anything is scheduled."""

import numpy as np

from sw.compiler.chip import Chip
from sw.compiler.graph import Tensor
from sw.compiler.lower.lowering import Lowering
from sw.compiler.memory import Memory, MemoryFull, as_bytes
from sw.compiler.tasks import Product
from sw.compiler.vectors import Copy, Table


class Placer:
    """Gives tables and inputs their words."""

    def __init__(self, lowering: Lowering, chip: Chip, memory: Memory):
        self.lowering, self.chip, self.memory = lowering, chip, memory
        self._turn = 0
        for root, table in lowering.tables.items():
            self._table(table)
            if isinstance(root, Tensor) and root.op in ("state", "input"):
                for vector in lowering.grids[root].reshape(-1):
                    self._home(vector)
        for tensor in lowering.graph.inputs.values():
            if tensor not in lowering.tables:
                self._input(tensor.name, lowering.grids[tensor])

    def _table(self, table: Table) -> None:
        size, step, c = table.dtype.streams, self.chip.config.mem.slices_per_stop, self.chip.config
        if table.region_words > c.bank_words:
            raise MemoryFull(
                f"The table '{table.name}' has {table.region_words} rows in a slice, a bank has {c.bank_words} words."
            )
        groups = -(-table.tiles // table.stripes) if table.tiles > 1 else 1
        for side in range(table.sides):
            there = self.chip.sides[side if table.sides > 1 else self._turn % 2]
            for stripe in range(table.stripes):
                for group in range(groups):
                    slices = self._weight_slices(there, stripe, size) if table.weights else self._slices(there, size, step)
                    first = [self._reserve(s, table.region_words, f"The table '{table.name}'") for s in slices]
                    table.regions[side, stripe, group] = tuple(slices), tuple(first)
        self._turn += 1
        self._fill(table)

    def _weight_slices(self, side, stripe: int, size: int) -> list[int]:
        outer = side[len(side) - self.chip.load_streams :]
        return list(outer[stripe * size : (stripe + 1) * size])

    def _slices(self, side, size: int, step: int) -> list[int]:
        """Slices of one stop, with the most room; those may be the first of any `step`."""
        if (there := self.chip.config.mem.slices_per_stop) < size:
            raise MemoryFull(f"A table of {size} bytes an element needs {size} slices at a stop, there are {there}.")
        best = min(range(0, len(side), step), key=lambda n: self.memory.constant_words(side[n]))
        return list(side[best : best + size])

    def _reserve(self, s: int, words: int, what: str) -> int:
        word = self.memory.reserve(s, words)
        if word is None:
            raise MemoryFull(f"{what} takes {words} words of {self.chip.slices[s].name}, no such room is left.")
        return word

    def _fill(self, table: Table) -> None:
        """The initial contents."""
        vl = self.chip.config.vl
        values = table.values.reshape(table.rows, -1)
        if values.shape[1] == 1:
            values = np.repeat(values, vl, axis=1)
        for region, (slices, first) in table.regions.items():
            raw = np.zeros((table.dtype.streams, table.region_words, vl), np.uint8)
            for row in range(table.rows):
                for tile in range(table.tiles):
                    if table.region(row, tile) == region:
                        raw[:, table.offset(row)] = as_bytes(values[row, tile * vl : (tile + 1) * vl], vl)
            for j, (s, word) in enumerate(zip(slices, first, strict=True)):
                self.memory.contents.append((s, word, raw[j]))

    def _home(self, vector) -> None:
        home = vector.home
        slices, first = home.table.regions[home.table.region(home.row, home.tile)]
        vector.lie(Copy(slices, tuple(word + home.table.offset(home.row) for word in first), 0))

    def _input(self, name: str, grid: np.ndarray) -> None:
        """Consecutive words in as many slices as an element has bytes; of several rows for products each tile of the last
        axis has its own slices, so that planes can read all rows of different ones at once."""
        side, size = self.chip.sides[self._turn % 2], grid[0, 0].bytes
        self._turn += 1
        apart = len(grid) > 1 and any(isinstance(reader, Product) for reader in grid[0, 0].readers)
        for vectors in grid.T if apart else [grid.reshape(-1)]:
            slices = self._slices(side, size, size if apart else self.chip.config.mem.slices_per_stop)
            first = [self._reserve(s, len(vectors), f"The input '{name}'") for s in slices]
            for k, vector in enumerate(vectors):
                vector.lie(Copy(tuple(slices), tuple(word + k for word in first), 0))
