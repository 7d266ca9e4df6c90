"""The template of a dense product on one plane: weights in, passes, sums.

A use of the plane is one tile of weights with the passes that it serves. Its weights come in shortly before the first
pass, while the tile before still multiplies; uses of other tasks may lie between. With one activation vector the tiles
of k are outermost, so that a vector is taken once and held; with several, all rows meet a tile one after the other.
"""

from dataclasses import dataclass

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.loads import Loads
from sw.compiler.memory import Memory
from sw.compiler.route import TRIES, Router, no_place
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
        #: From when on a plane has nothing to do any more.
        self._ends = dict.fromkeys(chip.planes, 0)

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

    def place(self, task: Product) -> None:
        """Schedules a prepared product, every tile with its passes as soon as it can be. MemoryFull if that is never."""
        ks, ns, count = len(task.tiles), len(task.tiles[0]), len(task.acts[0])
        mark, row = self.board.mark(), self.sums.some_rows(task.plane, ns * count) if ks > 1 else 0
        begins = [max(0, self.earliest(task))] * ns
        while not self._tiles_from(task, begins, row):
            self.board.undo(mark)

    def _tiles_from(self, task: Product, begins: list[int], row: int) -> bool:
        """Takes all tiles, those of n from the cycles `begins` on. False where accumulator rows are others' meanwhile; then
        `begins` has a later cycle, from which on they may be free."""
        ks, ns, count = len(task.tiles), len(task.tiles[0]), len(task.acts[0])
        order = [(k, n) for k in range(ks) for n in range(ns)]
        if count > 1:
            order.sort(key=lambda use: (use[1], use[0]))
        turn, again = (self.chip.timing(name, task.dtype is DType.FP16).turn for name in ("ABC", "ACC"))
        state = _State(0, -1, None, {})
        for k, n in order:
            first = max(begins[n], state.free)
            if k:
                # The row that adds up a sum can be met again only after a while.
                first = max(first, state.passes[k - 1, n][-1] + again - (count - 1) * turn)
            if state.passes and state.held is None:
                first = max(first, self._arrive(task, k))
            self._soonest(task, k, n, first, row + n * count, state)
            free = self.sums.free_from(task, row + n * count, state.passes[0, n], state.passes[k, n]) if ks > 1 else None
            if free is not None:
                begins[n] = free
                return False
            # With one vector the tiles of n that follow take what this pass leaves.
            state.held = state.free - turn if count == 1 and n + 1 < ns else None
        if ks > 1:
            for n in range(ns):
                self.sums.keep(task, row + n * count, state.passes[0, n], state.passes[ks - 1, n])
        task.start, self._ends[task.plane] = state.passes[0, 0][0], max(self._ends[task.plane], state.free)
        return True

    def _soonest(self, task: Product, k: int, n: int, first: int, row: int, state: _State) -> None:
        """Takes one tile with its passes as soon as it can be, from cycle `first` on. MemoryFull if that is never."""
        at, limit = first, max(first, self._ends[task.plane]) + TRIES
        while at < limit:
            late = self._ready(task, k, at, limit, state)
            if late == at:
                late = self._use(task, k, n, at, limit, row, state)
                if late is None:
                    return
            at = late
        raise no_place(task, first)

    def _ready(self, task: Product, k: int, at: int, limit: int, state: _State) -> int:
        """The first cycle from `at` on in which a use may begin, as far as the array and the ports of activations tell by
        themselves."""
        turn, stop = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.chip.planes[task.plane].stop
        if state.held is None:
            at += self.router.delay([(v, at + i * turn) for i, v in enumerate(task.acts[k])], stop, limit - at)
        unit = QUEUE + self.chip.queues[f"{task.plane}_A"].index
        while self.board.held(unit, at) is not None:
            at += 1
        return at

    def _use(self, task: Product, k: int, n: int, at: int, limit: int, row: int, state: _State) -> int | None:
        """Takes one tile with its passes from cycle `at` on; if that cannot be, the next cycle that is worth a try."""
        turn, mark = self.chip.timing("ABC", task.dtype is DType.FP16).turn, self.board.mark()
        unit, words = self.chip.planes[task.plane], self._tiles[k][n]
        cycles, late = [at + i * turn for i in range(len(task.acts[k]))], at + 1
        if (busy := self._passes(task, cycles)) is not None:
            late = max(late, busy)
        elif self._activate(task, k, cycles, state.held):
            installed = self.loads.stand(unit, task.dtype, words, at, state.installed, state.free)
            if installed is None:
                self.board.undo(mark)
                return self.loads.fill(unit, words, state.installed).first(late, state.free, limit)
            if self.sums.meet(task, k, n, cycles, row):
                state.passes[k, n], state.installed, state.free = cycles, installed, cycles[-1] + turn
                return None
        self.board.undo(mark)
        return late

    def _passes(self, task: Product, cycles: list[int]) -> int | None:
        """Takes the array and its way out; if that cannot be, the cycle after the one that is taken."""
        queue, timing = self.chip.queues[f"{task.plane}_A"].index, self.chip.timing("ABC", task.dtype is DType.FP16)
        for cycle in cycles:
            if not self.board.claim(MEETS + queue, cycle + timing.d_func):
                return cycles[0] + 1
            for at in range(cycle, cycle + timing.turn):
                if not self.board.claim(QUEUE + queue, at):
                    return at + 1
        return None

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
