"""A chip moved cycle by cycle, register by register, which writes its own random program while it runs.

In every cycle it gives random queues random instructions whose operands stand there just then, and does at
once what they mean, in loops that look nothing like the golden model. What it drove and wrote is the expected
trace.
"""

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import Queue, floorplan
from sw.asm.entry import Entry
from sw.asm.program import Program
from sw.isa.codec import EncodeError, check, make
from sw.isa.fields import SLOTS
from sw.isa.spec import Kind, Op
from sw.isa.table import TABLE
from sw.trace import DRIVE
from tests.golden.reference_units import UNITS, Refused, Vector


class Reference:
    """`program`, `records` and `memory` ((slice, address) -> `Vector`) after `run`."""

    def __init__(self, config: Config, seed: int, masked: bool = False):
        self.c, self.plan, self.masked = config, floorplan(config), masked
        self.rng = np.random.default_rng(seed)
        self.full = (1 << config.superlanes) - 1
        self.program = Program(config)
        #: The bytes of a GATHER change until its access.
        self._records: list[tuple] = []
        self.registers: dict[tuple[int, int], Vector] = {}
        #: cycle -> (stop, stream) -> new value.
        self.drives: dict[int, dict[tuple[int, int], Vector]] = {}
        #: cycle -> things to do before instructions issue.
        self.later: dict[int, list] = {}
        self.memory: dict[tuple[int, int], Vector] = {}
        self.slice_numbers = {unit.name: i for i, unit in enumerate(self.plan.slices)}
        self.masks = {queue.name: self.full for queue in self.plan.queues}
        self.used: set[tuple] = set()
        self.chain: dict[tuple[int, int], tuple[np.ndarray, int]] = {}
        self.maps: dict[tuple[str, int], Vector] = {}
        self.buffer: dict[tuple[str, int], tuple[int, np.ndarray]] = {}
        self.array: dict[tuple[str, int], tuple[int, np.ndarray]] = {}
        self.held: dict[str, tuple[int, np.ndarray]] = {}
        self.passes: dict[tuple[str, int], tuple[int, np.ndarray]] = {}
        self.sums: dict[tuple[str, int], tuple[int, np.ndarray]] = {}
        self._fill_memory()

    def _fill_memory(self) -> None:
        half = self.c.mem.words // 2
        for name, number in self.slice_numbers.items():
            rows = self.rng.integers(0, 256, (half, self.c.vl), np.uint8)
            # Small offsets, so that gathers hit.
            rows[::3, :: self.c.lanes] %= 4
            rows[1::3, :] = 0
            self.program.data(name, half // 2, rows)
            for k, row in enumerate(rows):
                self.memory[number, half // 2 + k] = Vector(row, self.full)

    def run(self, cycles: int) -> None:
        """Runs, issuing instructions in the first `cycles` cycles."""
        rows: dict[tuple[str, str], list] = {}
        for instr in TABLE:
            if instr.cls != "ICU":
                rows.setdefault((instr.cls, instr.slot), []).append(instr)
        for self.now in range(cycles + 200):
            self._move()
            for action in self.later.pop(self.now, []):
                action()
            if self.now >= cycles:
                continue
            for queue in self.plan.queues:
                if self.masked and self.rng.random() < 0.03:
                    self._power(queue)
                    continue
                for slot in SLOTS[queue.cls]:
                    # Some tries, since most random instructions do not fit.
                    for _ in range(4):
                        if self.rng.random() < 0.7:
                            try:
                                instr = rows[queue.cls, slot][self.rng.integers(len(rows[queue.cls, slot]))]
                                self._issue(queue, instr)
                                break
                            except (Refused, EncodeError):
                                pass

    def _move(self) -> None:
        moved = {}
        for (stop, code), value in self.registers.items():
            there = stop + (-1 if code >= self.c.streams else 1)
            if 0 <= there < len(self.plan.stops):
                moved[there, code] = value
        for (stop, code), value in self.drives.pop(self.now, {}).items():
            old = moved.get((stop, code))
            if value.valid != self.full and old:
                value = Vector(self.mix(value.valid, value.data, old.data), value.valid | old.valid)
            if 0 <= stop < len(self.plan.stops):
                moved[stop, code] = value
        self.registers = moved

    def mix(self, mask: int, new: np.ndarray, old: np.ndarray) -> np.ndarray:
        """Elements of `new` in the superlanes of `mask`, else of `old`."""
        out = old.copy()
        size = len(out) // self.c.superlanes
        for r in range(self.c.superlanes):
            if mask >> r & 1:
                out[r * size : (r + 1) * size] = new[r * size : (r + 1) * size]
        return out

    def _power(self, queue: Queue) -> None:
        mask = int(self.rng.integers(self.full + 1))
        self._enter(queue, make("CONFIG", mask=mask))
        self.masks[queue.name] = mask

    def _enter(self, queue: Queue, op: Op) -> None:
        entries = self.program.entries[queue.name]
        entries.setdefault(self.now, Entry(self.c, queue, self.now)).put(op)

    def _issue(self, queue: Queue, instr) -> None:
        """Makes random fields, and if they fit does what they mean; Refused if not."""
        fields = {field.name: field for field in SLOTS[queue.cls][instr.slot]}
        values = {}
        for name in instr.fields:
            low, high = fields[name].limits(self.c)
            values[name] = int(self.rng.integers(low, high + 1))
            if fields[name].kind is Kind.STREAM:
                values[name] = self._stream(values[name])
        if "stride" in values:
            values["stride"] = 0
        if "addr" in values:
            values["addr"] = self.c.mem.words // 4 + int(self.rng.integers(8))
        if "rows" in values:
            values["rows"] = 4
        if "row" in values:
            values["row"] %= 3
        if "dtype" in values and queue.cls.startswith("MXM"):
            # One type a plane, so that its columns can all be of that type.
            values["dtype"] = queue.unit.hemisphere
        op = Op(instr, values)
        check(op, self.c, queue.cls)
        self.queue, self.mask, self.timing = queue, self.masks[queue.name], op.timing(self.c)
        targets = [self._target(first + j) for first, n in op.drives(self.c) for j in range(n)]
        done = self.now + (self.timing.d_func or 0)
        if any(target in self.drives.get(done, {}) for target in targets):
            raise Refused
        inputs = [self._operand(first + j) for first, n in op.reads(self.c) for j in range(n)]
        outputs = UNITS[queue.cls](self, op, inputs)
        self._enter(queue, op)
        for (stop, code), data in zip(targets, outputs, strict=True):
            self.drives.setdefault(done, {})[stop, code] = Vector(data, self.mask)
            if 0 <= stop < len(self.plan.stops):
                self.record(done, DRIVE, stop, code, data, self.mask)

    def _stream(self, value: int) -> int:
        """Few streams, so that most of them carry something, and many that begin a group."""
        return value % 8 // 4 * 4 * (self.rng.random() < 0.5) + value // self.c.streams * self.c.streams

    def _target(self, code: int) -> tuple[int, int]:
        stop = self.queue.unit.stop
        return stop + (-1 if code >= self.c.streams else 1), code

    def _operand(self, code: int) -> np.ndarray:
        value = self.registers.get((self.queue.unit.stop, code))
        if value is None or self.mask & ~value.valid:
            raise Refused
        return value.data

    def take(self, *resource) -> None:
        """Refused if something else uses this."""
        if resource in self.used:
            raise Refused
        self.used.add(resource)

    def record(self, cycle: int, kind: int, place: int, item: int, data: np.ndarray, mask: int) -> None:
        """One record for every superlane of `mask`."""
        lanes = self.c.lanes
        for r in range(self.c.superlanes):
            if mask >> r & 1:
                self._records.append((cycle, kind, place, item, r, data[r * lanes : (r + 1) * lanes]))

    @property
    def records(self) -> list[tuple]:
        """What was driven and written: (cycle, kind, place, item, superlane, bytes), sorted."""
        return sorted((*where, data.tolist()) for *where, data in self._records)
