"""A timeline as flat arrays: one row for every instruction of every word that is issued, copies written
out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sw.arch.floorplan import floorplan
from sw.asm.burst import advance
from sw.asm.show import show_word
from sw.asm.timeline import Timeline
from sw.isa.rows.icu import fetch_beats
from sw.isa.spec import Op


@dataclass(frozen=True)
class Touches:
    """Streams that instructions read or drive, one entry a stream: the instruction's row, the stream's code,
    and the cycle in which the value stands at the unit's stop (reads) or in the next stop's register
    (drives)."""

    row: np.ndarray
    code: np.ndarray
    cycle: np.ndarray


class Issues:
    """All instructions of one iteration.

    Arrays of one entry a row: `issue` cycle, `queue` index, superlane `mask`, number of the `copy` under
    REPEAT, and `op`, which indexes the distinct instructions `ops`.
    """

    def __init__(self, timeline: Timeline):
        self.config = timeline.image.config
        self.queues = floorplan(self.config).queues
        self.full = (1 << self.config.superlanes) - 1
        self.ops: list[Op] = []
        numbers: dict[int, int] = {}
        columns: list[tuple[int, ...]] = []
        for burst in timeline.bursts:
            for op in burst.word:
                # Equal words of a queue class are one object, so there are few different ops.
                number = numbers.setdefault(id(op), len(numbers))
                if number == len(self.ops):
                    self.ops.append(op)
                columns.append((burst.start, burst.count, burst.gap, burst.queue.index, burst.mask, number))
        table = np.array(columns, np.int64).reshape(-1, 6)
        count = table[:, 1]
        row = np.repeat(np.arange(len(table)), count)
        self.copy = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
        self.issue = table[row, 0] + self.copy * table[row, 2]
        self.queue, self.mask, self.op = table[row, 3], table[row, 4], table[row, 5]
        self._fields: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._times: dict[str, np.ndarray] = {}

    @cached_property
    def stop(self) -> np.ndarray:
        """Stop of the unit, for every queue."""
        return np.array([queue.unit.stop for queue in self.queues])

    def select(self, *names: str) -> np.ndarray:
        """Rows of the instructions with one of these names, in order of issue."""
        wanted = np.array([op.instr.name in names for op in self.ops], bool)
        rows = np.flatnonzero(wanted[self.op])
        return rows[np.argsort(self.issue[rows], kind="stable")]

    def select_class(self, cls: str) -> np.ndarray:
        """Rows of all instructions of a queue class, in order of issue."""
        return self.select(*{op.instr.name for op in self.ops if op.instr.cls == cls})

    def field(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A field's value in every one of `rows`, advanced by REPEAT; -1 in instructions that do not have
        it."""
        if name not in self._fields:
            strides = [op.values.get(dict(op.instr.strides).get(name), 0) for op in self.ops]
            values = [op.values.get(name, -1) for op in self.ops]
            self._fields[name] = np.array(values, np.int64), np.array(strides, np.int64)
        values, strides = self._fields[name]
        return values[self.op[rows]] + strides[self.op[rows]] * self.copy[rows]

    def time(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A constant of `Timing` for every one of `rows`; 0 where the instruction has none."""
        if name not in self._times:
            times = [getattr(op.timing(self.config), name) or 0 for op in self.ops]
            self._times[name] = np.array(times, np.int64)
        return self._times[name][self.op[rows]]

    def of_op(self, what: Callable[[Op], int], rows: np.ndarray) -> np.ndarray:
        """`what` of every one of `rows`, asked once for each distinct instruction."""
        used = np.unique(self.op[rows])
        values = np.zeros(len(self.ops), np.int64)
        values[used] = [what(self.ops[number]) for number in used.tolist()]
        return values[self.op[rows]]

    @cached_property
    def reads(self) -> Touches:
        """Every stream operand."""
        beats = fetch_beats(self.config)

        def entries(op: Op):
            skew = op.timing(self.config).d_skew
            for first, count in op.reads(self.config):
                for beat in range(beats if op.instr.name == "IFETCH" else 1):
                    yield from ((first + k, skew + beat) for k in range(count))

        return self._touches(entries)

    @cached_property
    def drives(self) -> Touches:
        """Every stream result."""

        def entries(op: Op):
            for first, count in op.drives(self.config):
                yield from ((first + k, op.timing(self.config).d_func) for k in range(count))

        return self._touches(entries)

    def _touches(self, entries) -> Touches:
        lists = [list(entries(op)) for op in self.ops]
        counts = np.array([len(found) for found in lists], np.int64)
        flat = np.array([entry for found in lists for entry in found], np.int64).reshape(-1, 2)
        each = counts[self.op]
        row = np.repeat(np.arange(len(self.op)), each)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        at = (np.cumsum(counts) - counts)[self.op[row]] + nth
        return Touches(row, flat[at, 0], self.issue[row] + flat[at, 1])

    def text(self, row: int) -> str:
        """An instruction as assembly text, with its queue and cycle."""
        op, queue = self.ops[self.op[row]], self.queues[self.queue[row]]
        moved = Op(op.instr, advance(op, int(self.copy[row])))
        shown = show_word((moved,), queue.cls, self.config)
        return f"'{shown}' of {queue.name} at cycle {self.issue[row]}"
