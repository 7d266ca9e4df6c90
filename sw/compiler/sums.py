"""What comes out of a plane: every pass meets an ACC word, and the last one of a sum sends it off."""

from functools import partial

from sw.arch.dtype import DType
from sw.compiler.chip import Chip
from sw.compiler.route import Router
from sw.compiler.tasks import Product
from sw.compiler.vectors import Vector
from sw.isa.fields import ACC_MODES

#: Bytes of a sum.
_SIZE = 4


class Sums:
    """Gives out accumulator rows and places ACCs."""

    def __init__(self, chip: Chip, router: Router):
        self.chip, self.router, self.board = chip, router, router.board
        #: Plane and accumulator row -> (first cycle, last cycle) of each of its uses.
        self._rows: dict[tuple[str, int], list[tuple[int, int]]] = {}
        self._next_row = dict.fromkeys(chip.planes, 0)

    def some_rows(self, plane: str, count: int) -> int:
        """The first of some accumulator rows, each time others."""
        first = self._next_row[plane]
        if first + count > self.chip.config.mxm.acc_rows:
            first = 0
        self._next_row[plane] = first + count
        return first

    def meet(self, task: Product, k: int, n: int, cycles: list[int], row: int) -> bool:
        """Meets the passes of a tile with ACCs on rows from `row` on; False if a sum that is complete finds no way."""
        fp16, unit = task.dtype is DType.FP16, self.chip.planes[task.plane]
        queue = self.chip.queues[f"{task.plane}_R"].index
        late, timing = self.chip.timing("ABC", fp16).d_func, self.chip.timing("ACC", fp16)
        last = len(task.tiles) - 1
        mode = "PASS" if last == 0 else "SET" if k == 0 else "ADD" if k < last else "ADD_OUT"
        code: int | None = 0
        if k == last:
            base = 0 if unit.hemisphere == 0 else self.chip.config.streams
            stands = [cycle + late + timing.d_func for cycle in cycles]
            # From the last streams down, since weights of the other side may come on the first ones.
            codes = range(base + self.chip.config.streams - _SIZE, base - 1, -_SIZE)
            code = self.router.land(task.outs[n], codes, unit.stop, stands, _SIZE, self._avoid(task.outs[n]))
            if code is None:
                return False
        values = {"dtype": int(fp16), "mode": ACC_MODES.index(mode), "dst": code, "stride": 0}
        for i, cycle in enumerate(cycles):
            self.board.issue(queue, cycle + late, "ACC", values | {"row": row + i if last else 0})
        return True

    def free_from(self, task: Product, first: int, begin: list[int], end: list[int]) -> int | None:
        """When others have accumulator rows, from `first` on, between the passes `begin` and `end` of a sum: the cycle for
        its first pass from which on they leave it those that they have. None if nobody has any."""
        late, turn = self._meets(task)
        return max(
            (
                b + turn - late - (opens - begin[0])
                for i, (opens, closes) in enumerate(zip(begin, end, strict=True))
                for a, b in self._rows.get((task.plane, first + i), ())
                if opens + late < b + turn and a < closes + late + turn
            ),
            default=None,
        )

    def keep(self, task: Product, first: int, begin: list[int], end: list[int]) -> None:
        """Takes accumulator rows, from `first` on, between the passes `begin` and `end` of a sum."""
        late, _ = self._meets(task)
        for i, (opens, closes) in enumerate(zip(begin, end, strict=True)):
            spans, meets = self._rows.setdefault((task.plane, first + i), []), (opens + late, closes + late)
            spans.append(meets)
            self.board.on_undo(partial(spans.remove, meets))

    def _meets(self, task: Product) -> tuple[int, int]:
        """Cycles from a pass to its ACC, and from an ACC to the next on its row."""
        fp16 = task.dtype is DType.FP16
        return self.chip.timing("ABC", fp16).d_func, self.chip.timing("ACC", fp16).turn

    def _avoid(self, vectors: list[Vector]) -> set[int]:
        return {
            s
            for reader in vectors[0].readers
            for other in reader.needs[:64]
            if other.flight is not None or other.home is not None
            for copy in other.copies[:1]
            for s in copy.slices
        }
