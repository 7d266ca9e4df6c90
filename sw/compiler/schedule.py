"""When and where: the greedy schedule of tasks on a chip.

Tasks are taken in the order of their height, the longest way from them to the end of the program, so that makers come
before readers and what everything waits for comes first. Each is put at the earliest cycle in which all that it needs
is free, also between tasks that were placed before it. Nothing is ever moved again.
"""

from sw.compiler.board import Board
from sw.compiler.chains import Chains
from sw.compiler.chip import Chip
from sw.compiler.lower import Lowering
from sw.compiler.memory import Memory, MemoryFull
from sw.compiler.products import Products
from sw.compiler.route import TRIES, Router
from sw.compiler.switches import Switches
from sw.compiler.tables import Tables
from sw.compiler.vectors import (
    Chain,
    Copy,
    Gathering,
    Permutation,
    Product,
    Reduction,
    Scattering,
    Storing,
    Task,
    Vector,
)

#: Cycles after which operands that never come together are copied apart.
PATIENCE = 48


class Schedule:
    """All instructions of a program, on `board`, and where everything lies, in `memory`."""

    def __init__(self, lowering: Lowering, chip: Chip, memory: Memory):
        self.chip, self.memory, self.board = chip, memory, Board()
        self.router = Router(chip, self.board, memory)
        self.chains = Chains(chip, self.router)
        self.products = Products(chip, self.router, memory)
        self.switches = Switches(chip, self.router)
        self.tables = Tables(chip, self.router)
        self._side = 0
        for task in ordered(lowering.tasks, self._latency):
            self._place(task)

    def _latency(self, task: Task) -> int:
        """About how long a task takes, for its height."""
        hops = self.chip.config.mem.slices // self.chip.config.mem.slices_per_stop
        if isinstance(task, Chain):
            offsets = self.chains.offsets(task.stages)
            return offsets[-1] + 10 + len(next(iter(task.outs.values())))
        if isinstance(task, Product):
            passes = len(task.acts[0]) * self.chip.timing("ABC", task.dtype.is_float).turn
            return 20 + 2 * hops + len(task.tiles) * len(task.tiles[0]) * max(self.products.beats(task.dtype), passes)
        if isinstance(task, Reduction):
            return self.chip.timing("REDUCE").d_func + 2 * hops + len(task.source)
        if isinstance(task, Permutation):
            return 16 + 2 * hops + len(task.source) * task.source[0].bytes
        return 12 + hops

    def _place(self, task: Task) -> None:
        if isinstance(task, Chain):
            self._chain(task)
        elif isinstance(task, Product):
            self._search(task, self.products.earliest(task), lambda at: self.products.place(task, at))
        elif isinstance(task, Reduction | Permutation):
            self._search(task, self.switches.earliest(task), lambda at: self.switches.place(task, at))
        elif isinstance(task, Gathering):
            self._spread([task.index], self.tables.stop(task))
            self._search(task, self.tables.earliest(task), lambda at: self.tables.gather(task, at))
        elif isinstance(task, Scattering):
            self._spread([[task.index], [task.data]], self.tables.stop(task))
            self._search(task, self.tables.earliest(task), lambda at: self.tables.scatter(task, at))
        elif isinstance(task, Storing):
            self.tables.store(task)

    def _search(self, task: Task, first: int, place) -> None:
        for at in range(max(0, first), max(0, first) + TRIES):
            if place(at):
                return
        raise MemoryFull(f"Task '{task.name}' finds no place in the schedule within {TRIES} cycles from {first} on.")

    def _chain(self, task: Chain) -> None:
        west = self._westward(task)
        if self._clash(task):
            self._spread(task.args, self.chip.vxm)
        for _ in range(8):
            for gap in sorted(self._gaps(task), reverse=True):
                if self.chains.place(task, self.chains.earliest(task, gap), gap, west):
                    return
            first = self.chains.earliest(task, 1)
            for at in range(max(0, first), max(0, first) + PATIENCE):
                if self.chains.place(task, at, 1, west):
                    return
            self._spread(task.args, self.chip.vxm)
        self._search(task, first, lambda at: self.chains.place(task, at, 1, west))

    def _gaps(self, task: Chain) -> set[int]:
        """Cycles between items with which operands come by on streams."""
        gaps = set()
        for arg in task.args:
            flights = [vector.flight for vector in arg[:2]]
            if None not in flights:
                gaps.add(flights[-1].cycle - flights[0].cycle if len(flights) > 1 else 1)
        return {gap for gap in gaps if gap > 0}

    def _clash(self, task: Chain) -> bool:
        """Whether operands that are wanted at one time lie in the same slices."""
        taken: dict[int, int] = {}
        for number, arg in enumerate(task.args):
            for vector in arg:
                if vector.data is None and len(vector.copies) == 1:
                    for s in vector.copies[0].slices:
                        if taken.setdefault(s, number) != number:
                            return True
        return False

    def _spread(self, args: list[list[Vector]], stop: int) -> None:
        """Copies operands so that each has slices of its own and can come to a stop."""
        taken: set[int] = set()
        for arg in args:
            mine: set[int] = set()
            for vector in arg:
                if vector.data is not None:
                    continue
                copy = next((copy for copy in vector.copies if self._comes(copy, taken, stop)), None)
                if copy is None:
                    copy = self._copy_apart(vector, taken, stop)
                mine.update(copy.slices)
            taken |= mine

    def _comes(self, copy: Copy, taken: set[int], stop: int) -> bool:
        sides = {(self.chip.slice_stop[s] > stop) - (self.chip.slice_stop[s] < stop) for s in copy.slices}
        return len(sides) == 1 and 0 not in sides and not taken.intersection(copy.slices)

    def _copy_apart(self, vector: Vector, taken: set[int], stop: int) -> Copy:
        """A copy of a vector in slices that are not taken, all on one side of a stop."""
        stops = {self.chip.slice_stop[s] for copy in vector.copies for s in copy.slices} | {stop}
        for _ in range(2):
            self._side += 1
            side = self.chip.sides[self._side % 2]
            free = [s for s in side if s not in taken and self.chip.slice_stop[s] not in stops]
            free.sort(key=lambda s: (self.chip.nearness[s], self.memory.pressure(s)))
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


def ordered(tasks: list[Task], latency) -> list[Task]:
    """Tasks by falling height; among equal ones in the order of the graph."""
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
    for task in reversed(order):
        task.height = latency(task) + max((reader.height for reader in readers[task]), default=0)
    return sorted(order, key=lambda task: -task.height)
