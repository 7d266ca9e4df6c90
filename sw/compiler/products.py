"""The template of a dense product on one plane: weights in, passes, sums.

A use of the plane is one tile of weights with the passes that it serves. Its weights come in shortly before the first
pass, while the tile before still multiplies; uses of other tasks may lie between. With one activation vector the tiles
of k are outermost, so that a vector is taken once and held; with several, all rows meet a tile one after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.loads import Loads
from sw.compiler.memory import Memory
from sw.compiler.route import TRIES, Router
from sw.compiler.sums import Sums
from sw.compiler.tasks import Product
from sw.compiler.vectors import Vector
from sw.compiler.ways import QUEUE

#: Unit numbers on the board for the ways out of the arrays, and for the activations that they hold.
MEETS, HOLDS = 6 << 12, 7 << 12


@dataclass
class _State:
    """How far the uses of a product have come: from when on the array is free, its last IW, the pass whose activations
    it holds for the next use, and the passes so far by tiles of k and n."""

    free: int
    installed: int
    held: int | None
    passes: dict[tuple[int, int], list[int]]


class Products:
    """Places products on planes."""

    def __init__(self, chip: Chip, router: Router, memory: Memory):
        self.chip, self.router, self.board = chip, router, router.board
        self.loads, self.sums = Loads(chip, router, memory), Sums(chip, router)

    def earliest(self, task: Product) -> int:
        """The first cycle in which activations and weights allow the first pass of a prepared product."""
        return max(self.loads.earliest(self.chip.planes[task.plane], self._tiles[0][0]), self._arrive(task, 0))

    def _arrive(self, task: Product, k: int) -> int:
        """The first cycle for a first pass from which on all activations for a tile of k can be there in time."""
        turn, stop = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.chip.planes[task.plane].stop
        return max(self.router.earliest(vector, stop) - i * turn for i, vector in enumerate(task.acts[k]))

    def prepare(self, task: Product) -> None:
        """Sees to it that all weights of a product lie where they can be loaded from."""
        self._tiles = [[self.loads.words(task.plane, task.dtype, tile) for tile in row] for row in task.tiles]

    def free_from(self, task: Product, cycle: int) -> int:
        """The first cycle, from `cycle` on, in which the plane starts no pass and is in none."""
        unit = QUEUE + self.chip.queues[f"{task.plane}_A"].index
        while self.board.held(unit, cycle) is not None:
            cycle += 1
        return cycle

    def place(self, task: Product, start: int) -> bool:
        """Schedules a prepared product with its first pass in cycle `start` exactly, the others as soon as they can be."""
        ks, ns, count = len(task.tiles), len(task.tiles[0]), len(task.acts[0])
        order = [(k, n) for k in range(ks) for n in range(ns)]
        if count > 1:
            order.sort(key=lambda use: (use[1], use[0]))
        mark, row = self.board.mark(), self.sums.some_rows(task.plane, ns * count) if ks > 1 else 0
        turn, again = (self.chip.timing(name, task.dtype is DType.FP16).turn for name in ("ABC", "ACC"))
        state = _State(0, -1, None, {})
        for k, n in order:
            first = max(start, state.free)
            if k:
                # The row that adds up a sum can be met again only after a while.
                first = max(first, state.passes[k - 1, n][-1] + again - (count - 1) * turn)
            if state.passes and state.held is None:
                first = max(first, self._arrive(task, k))
            tries = TRIES if state.passes else 1
            if not any(self._use(task, k, n, at, row + n * count, state) for at in self._starts(task, k, first, tries, state)):
                self.board.undo(mark)
                return False
            # With one vector the tiles of n that follow take what this pass leaves.
            state.held = state.free - turn if count == 1 and n + 1 < ns else None
        if not self.sums.keep(task, state.passes, row):
            self.board.undo(mark)
            return False
        task.start = start
        return True

    def _starts(self, task: Product, k: int, first: int, tries: int, state: _State) -> Iterator[int]:
        """Cycles from `first` on in which a use may begin, as far as the array and the ports of activations tell."""
        turn, stop = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.chip.planes[task.plane].stop
        at = first
        while at < first + tries:
            late = at
            if state.held is None:
                late += self.router.delay([(v, at + i * turn) for i, v in enumerate(task.acts[k])], stop, first + tries - at)
            late = self.free_from(task, late)
            if late == at:
                yield at
                late += 1
            at = late

    def _use(self, task: Product, k: int, n: int, at: int, row: int, state: _State) -> bool:
        """Takes one tile with its passes from cycle `at` on."""
        turn, mark = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.board.mark()
        cycles = [at + i * turn for i in range(len(task.acts[k]))]
        if self._passes(task, cycles) and self._activate(task, k, cycles, state.held):
            unit, words = self.chip.planes[task.plane], self._tiles[k][n]
            installed = self.loads.stand(unit, task.dtype, words, at, state.installed, state.free)
            if installed is not None and self.sums.meet(task, k, n, cycles, row):
                state.passes[k, n], state.installed, state.free = cycles, installed, cycles[-1] + turn
                return True
        self.board.undo(mark)
        return False

    def _passes(self, task: Product, cycles: list[int]) -> bool:
        """Takes the array and its way out."""
        queue, timing = self.chip.queues[f"{task.plane}_A"].index, self.chip.timing("ABC", task.dtype is DType.FP16)
        return all(
            self.board.claim(MEETS + queue, cycle + timing.d_func)
            and all(self.board.claim(QUEUE + queue, cycle + j) for j in range(timing.turn))
            for cycle in cycles
        )

    def _activate(self, task: Product, k: int, cycles: list[int], held: int | None) -> bool:
        """Starts the passes, with activations that the plane holds if nobody else brought others since."""
        unit, fp16 = self.chip.planes[task.plane], task.dtype is DType.FP16
        queue = self.chip.queues[f"{task.plane}_A"].index
        mark = self.board.mark()
        if held is not None:
            (cycle,) = cycles
            if all(self.board.claim(HOLDS + queue, between) for between in range(held + 1, cycle + 1)):
                self.board.issue(queue, cycle, "ABC_HOLD", {"dtype": int(fp16)})
                return True
            self.board.undo(mark)
        if not all(self.board.claim(HOLDS + queue, cycle) for cycle in cycles):
            return False
        base, size = (self.chip.config.streams if unit.hemisphere == 0 else 0), task.dtype.streams
        # From the last stream down, since weights come on the first ones.
        codes = range(base + self.chip.config.streams - size, base - 1, -size)
        found = self.router.bring(task.acts[k], cycles, unit.stop, [*self._flying(task.acts[k]), *codes])
        if found is None:
            return False
        for cycle, code in zip(cycles, found, strict=True):
            self.board.issue(queue, cycle, "ABC", {"dtype": int(fp16), "stream": code})
        return True

    def _flying(self, vectors: list[Vector]) -> list[int]:
        flight = vectors[0].flight
        return [flight.code] if flight is not None and flight.code % vectors[0].bytes == 0 else []
