"""The templates of the switch unit: reductions over all lanes, and permutations of lanes."""

from sw.arch.dtype import DType
from sw.compiler.chip import Chip, Engine
from sw.compiler.route import Router
from sw.compiler.tasks import Permutation, Reduction
from sw.compiler.ways import QUEUE
from sw.isa.fields import REDUCE_OPS, REDUCE_TYPES


class Switches:
    """Places reductions and permutations."""

    def __init__(self, chip: Chip, router: Router):
        self.chip, self.router, self.board = chip, router, router.board
        self._reduce, self._permute = chip.engines("REDUCE"), chip.engines("PERMUTE")

    def earliest(self, task: Reduction | Permutation) -> int:
        """The first cycle in which an engine can have the first operand."""
        engines = self._reduce if isinstance(task, Reduction) else self._permute
        skew = 0 if isinstance(task, Reduction) else task.source[0].bytes
        times = [
            max(self.router.earliest(v, e.stop) - k * max(1, skew) for k, v in enumerate(task.source)) for e in engines
        ]
        return max(0, min(times) - (skew > 0))

    def free_from(self, task: Reduction | Permutation, start: int) -> int:
        """The first cycle, from `start` on, from which on the queue of an engine is free for all that a task issues."""
        reduce = isinstance(task, Reduction)
        count = len(task.source) if reduce else len(task.source) * task.source[0].bytes + 1
        return min(self._idle(engine, start, count) for engine in (self._reduce if reduce else self._permute))

    def _idle(self, engine: Engine, start: int, count: int) -> int:
        held, queue, good = self.board.held, QUEUE + engine.queue.index, 0
        at = start + count - 1
        # From the last of the cycles back, so that a busy one moves all of them behind it.
        while good < count:
            if held(queue, at - good) is None:
                good += 1
            else:
                at, good = at - good + count, 0
        return at - count + 1

    def place(self, task: Reduction | Permutation, start: int) -> bool:
        """Schedules a task with its first issue in cycle `start`, on any engine that can."""
        reduce = isinstance(task, Reduction)
        mark = self.board.mark()
        for engine in self._reduce if reduce else self._permute:
            if (self._reduction if reduce else self._permutation)(task, start, engine):
                task.start = start
                return True
            self.board.undo(mark)
        return False

    def _ways(self, engine: Engine, size: int) -> tuple[list[int], list[int]]:
        """Codes of aligned streams that come to an engine from the centre, and of those that go there."""
        out = list(range(0, self.chip.config.streams, size))
        back = [code + self.chip.config.streams for code in out]
        return (out, back) if engine.hemisphere else (back, out)

    def _reduction(self, task: Reduction, start: int, engine: Engine) -> bool:
        outward, inward = self._ways(engine, 4)
        cycles = [start + k for k in range(len(task.source))]
        if not all(self.board.claim(QUEUE + engine.queue.index, cycle) for cycle in cycles):
            return False
        source = self.router.bring(task.source, cycles, engine.stop, outward)
        if source is None:
            return False
        late = self.chip.timing("REDUCE").d_func
        stands = [cycle + late for cycle in cycles]
        target = self.router.land(task.outs, inward, engine.stop, stands, 4)
        if target is None:
            return False
        values = {
            "fn": REDUCE_OPS.index(task.fn),
            "dtype": REDUCE_TYPES.index(DType(task.source[0].dtype).text),
            "dst": target,
        }
        for cycle, code in zip(cycles, source, strict=True):
            self.board.issue(engine.queue.index, cycle, "REDUCE", values | {"src": code})
        return True

    def _permutation(self, task: Permutation, start: int, engine: Engine) -> bool:
        """The map, then every byte of every vector in cycles of their own."""
        queue, size = engine.queue.index, task.source[0].bytes
        count = len(task.source) * size
        if not all(self.board.claim(QUEUE + queue, start + k) for k in range(count + 1)):
            return False
        outward, inward = self._ways(engine, 2)
        by_map = self.router.bring([task.map], [start], engine.stop, outward)
        if by_map is None:
            return False
        self.board.issue(queue, start, "MAP", {"src": by_map[0]})
        late = self.chip.timing("PERMUTE").d_func
        firsts = [start + 1 + k * size for k in range(len(task.source))]
        outward, inward = self._ways(engine, size)
        # All operands first: they are where they are, results find other places.
        sources = []
        for vector, first in zip(task.source, firsts, strict=True):
            found = self.router.bring([vector], [first], engine.stop, outward, skew=1)
            if found is None:
                return False
            sources += found
        for out, first, source in zip(task.outs, firsts, sources, strict=True):
            target = self.router.land([out], inward, engine.stop, [first + late], size, skew=1)
            if target is None:
                return False
            for j in range(size):
                self.board.issue(queue, first + j, "PERMUTE", {"src": source + j, "dst": target + j})
        return True
