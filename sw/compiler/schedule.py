"""When and where: the greedy schedule of tasks on chips.

Tasks are taken in the order of their height, the longest way from them to the end of the program, so that makers come
before readers and what everything waits for comes first. Each is put at the earliest cycle in which all that it needs
is free, also between tasks that were placed before it. Nothing is ever moved again.
"""

from collections import Counter

from sw.compiler.board import Board, Pauses
from sw.compiler.chains import Chains
from sw.compiler.chip import Chip
from sw.compiler.lower.lowering import Lowering
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.products import Products
from sw.compiler.route import TRIES, Router, no_place
from sw.compiler.switches import Switches
from sw.compiler.tables import Tables
from sw.compiler.tasks import (
    Chain,
    Gathering,
    Permutation,
    Product,
    Reduction,
    Scattering,
    Storing,
    Task,
    topological,
)
from sw.compiler.vectors import Copy, Vector

#: Cycles for each item of a chain, after the first in which half of it might be placed, after which it is divided because
#: it finds no place.
PATIENCE = 16
#: How often a chain is tried in one piece before it is divided.
ATTEMPTS = 24


class Schedule:
    """All instructions of a chip's program, on `board`, and where everything lies, in `memory`."""

    def __init__(self, lowering: Lowering, chip: Chip, memory: Memory, pauses: Pauses | None = None):
        self.lowering, self.chip, self.memory = lowering, chip, memory
        self.board = Board(chip.config.streams, pauses)
        self.router = Router(chip, self.board, memory)
        self.chains = Chains(chip, self.router)
        self.products = Products(chip, self.router, memory)
        self.switches = Switches(chip, self.router)
        self.tables = Tables(chip, self.router)
        self._side = 0
        self._waiting = Counter(id(vector) for task in lowering.tasks for vector in _wholes(task))
        self._waiting.update(id(v.whole) for value in lowering.graph.outputs.values() for v in lowering.grids[value].flat)

    def place(self, task: Task) -> None:
        """Places a task of this chip alone. MemoryFull if it finds no place."""
        self._place(task)
        self.settle(task)

    def settle(self, task: Task) -> None:
        """Gives back what nobody wants any more when a task is placed."""
        for vector in _wholes(task):
            self._waiting[id(vector)] -= 1
            if not self._waiting[id(vector)]:
                self.router.release(vector)

    def latency(self, task: Task) -> int:
        """About how long a task takes, for its height."""
        hops = self.chip.config.mem.slices // self.chip.config.mem.slices_per_stop
        if isinstance(task, Chain):
            offsets = self.chains.offsets(task.stages)
            return offsets[-1] + 10 + len(next(iter(task.outs.values())))
        if isinstance(task, Product):
            passes = len(task.acts[0]) * self.chip.timing("ABC", task.dtype.is_float).turn
            return 20 + 2 * hops + len(task.tiles) * len(task.tiles[0]) * max(self.chip.beats(task.dtype), passes)
        if isinstance(task, Reduction):
            return self.chip.timing("REDUCE").d_func + 2 * hops + len(task.source)
        if isinstance(task, Permutation):
            return 16 + 2 * hops + len(task.source) * task.source[0].bytes
        return 12 + hops

    def _place(self, task: Task) -> None:
        if isinstance(task, Chain):
            self._chain(task)
        elif isinstance(task, Product):
            self.products.prepare(task)
            self.products.place(task)
        elif isinstance(task, Reduction | Permutation):
            first = self.switches.earliest(task)
            search(task, first, lambda at: self.switches.place(task, at), lambda at: self.switches.free_from(task, at))
        elif isinstance(task, Gathering):
            self._spread([(vector, k) for k, vector in enumerate(task.index)], self.tables.stop(task))
            search(task, self.tables.earliest(task), lambda at: self.tables.gather(task, at))
        elif isinstance(task, Scattering):
            self._spread([(task.index, 0), (task.data, 0)], self.tables.stop(task))
            search(task, self.tables.earliest(task), lambda at: self.tables.scatter(task, at))
        elif isinstance(task, Storing):
            self.tables.store(task)

    def _chain(self, task: Chain) -> None:
        west = self._westward(task)
        self._spread(self._wanted(task), self.chip.vxm)
        for gap in sorted(self._gaps(task), reverse=True):
            at = self.chains.earliest(task, gap)
            if self.chains.free_from(task, at, gap, 1) == at and self.chains.place(task, at, gap, west):
                return
        first, items = max(0, self.chains.earliest(task, 1)), len(next(iter(task.outs.values())))
        if items == 1:
            search(
                task,
                first,
                lambda at: self.chains.place(task, at, 1, west),
                lambda at: self.chains.free_from(task, at, 1, TRIES),
            )
            return
        halves = [self._part(task, part) for part in (slice(0, items // 2), slice(items // 2, items))]
        last = self.chains.free_from(halves[0], first, 1, TRIES) + PATIENCE * items
        at = self.chains.free_from(task, first, 1, last - first)
        for _ in range(ATTEMPTS):
            if at >= last:
                break
            if self.chains.place(task, at, 1, west):
                return
            at = self.chains.free_from(task, at + 1, 1, last - at)
        for half in halves:
            self._chain(half)
        task.start = min(half.start for half in halves)

    def _part(self, task: Chain, part: slice) -> Chain:
        """A chain of some of the items of another."""
        outs = {k: out[part] for k, out in task.outs.items()}
        return Chain(task.name, task.stages, [arg[part] for arg in task.args], outs)

    def _gaps(self, task: Chain) -> set[int]:
        """Cycles between items with which operands come by on streams, as far as they are worth it."""
        gaps = set()
        for arg in task.args:
            flights = [vector.flight for vector in arg[:2]]
            if None not in flights:
                gaps.add(flights[-1].cycle - flights[0].cycle if len(flights) > 1 else 1)
        return {gap for gap in gaps if 0 < gap <= PATIENCE}

    def _wanted(self, task: Chain) -> list[tuple[Vector, int]]:
        """Operands of a chain that has items in every cycle, and when they are wanted."""
        return [
            (vector, offset + item)
            for stage, offset in zip(task.stages, self.chains.offsets(task.stages), strict=True)
            for number in dict.fromkeys(operand.value for operand in stage.operands if operand.kind == "ARG")
            for item, vector in enumerate(task.args[number])
        ]

    def _spread(self, operands: list[tuple[Vector, int]], stop: int) -> None:
        """Copies operands that could not come to a stop together, because they would be read from one slice at once.

        operands : vectors, and when they are wanted, in cycles from any one
        """
        taken: set[tuple[int, int]] = set()
        for vector, when in operands:
            if vector.data is not None:
                continue
            copy = next((copy for copy in vector.copies if self._comes(copy, taken, when, stop)), None)
            if copy is None:
                copy = self._copy_apart(vector, taken, when, stop)
            taken.update((s, when) for s in copy.slices)

    def _comes(self, copy: Copy, taken: set[tuple[int, int]], when: int, stop: int) -> bool:
        sides = {(self.chip.slice_stop[s] > stop) - (self.chip.slice_stop[s] < stop) for s in copy.slices}
        return len(sides) == 1 and 0 not in sides and not any((s, when) in taken for s in copy.slices)

    def _copy_apart(self, vector: Vector, taken: set[tuple[int, int]], when: int, stop: int) -> Copy:
        """A copy of a vector in slices that are not taken then, all on one side of a stop."""
        stops = {self.chip.slice_stop[s] for copy in vector.copies for s in copy.slices} | {stop}
        for _ in range(2):
            self._side += 1
            side = self.chip.sides[self._side % 2]
            free = [s for s in side if (s, when) not in taken and self.chip.slice_stop[s] not in stops]
            free.sort(key=self.router.crowding)
            for west in (False, True):
                there = [s for s in free if (self.chip.slice_stop[s] > stop) == west]
                if len(there) >= vector.bytes:
                    return self.router.recopy(vector, there[: vector.bytes])
        raise MemoryFull("The operands of one instruction take more slices than the chip has.")

    def _westward(self, task: Chain) -> bool:
        """The side to which the results of a chain are sent first: where they are wanted most."""
        last = task.outs[max(task.outs)][0]
        for reader in sorted(last.readers, key=lambda reader: -reader.height):
            if isinstance(reader, Product):
                return self.chip.planes[reader.plane].hemisphere == 0
        self._side += 1
        return self._side % 2 == 0


def search(task: Task, first: int, place, skip=lambda at: at) -> None:
    """Tries one cycle after the other, beginning with `first`; `skip` gives the next that is worth it."""
    at = max(0, first) - 1
    for _ in range(TRIES):
        at = skip(at + 1)
        if place(at):
            return
    raise no_place(task, first)


def ordered(tasks: list[Task], latency) -> list[Task]:
    """Tasks by falling height; among equal ones in the order of the graph."""
    number = {task: k for k, task in enumerate(tasks)}
    order = topological(tasks)
    for task in reversed(order):
        task.height += latency(task)
        for before in task.after:
            before.height = max(before.height, task.height)
    return sorted(order, key=lambda task: (-task.height, number[task]))


def _wholes(task: Task) -> dict[Vector, None]:
    """The vectors that a task reads any byte of."""
    return dict.fromkeys(vector.whole for vector in task.needs)
