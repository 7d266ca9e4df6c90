"""The tiled dense product int8 [m, k] @ int8 [k, n] = int32 [m, n], memory to memory.

Rows are split over the planes. A plane takes blocks of rows that fit its accumulators; for every block and
group of column tiles it runs over k, and each tile of weights meets all rows of the block while the next is
loaded:

    for block of rows: for group of column tiles: for k tile: for column tile of the group: one use of weights

Planes of one hemisphere use the same weights at the same time. Each hemisphere has its own copy of the
weights; from the edge inwards its slices hold the results (4 for each plane), the weights, and the rows (1
for each plane).
"""

import numpy as np

from examples.gemm.uses import Use, uses
from sw.arch.config import Config
from sw.arch.floorplan import Unit, floorplan
from sw.asm.entry import Entry
from sw.asm.flow import arrival, lead, read_time
from sw.asm.image import Image
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.isa.table import instruction
from sw.machine import Machine, MachineError

#: Columns that one LW brings; first stream of the rows and of the results, clear of the weights.
COLUMNS, ROWS_STREAM, RESULT_STREAM = 16, 16, 20


class Product:
    """The program of one shape, what its schedule says about it, and its way in and out of a machine.

    planes : names such as `MXM_E0`, by default all of the chip

    All cycles are read off the schedule. `cycles` counts one run to the last HALT; `span` counts from cycle 0
    through the last write in the last superlane.
    """

    def __init__(self, config: Config, m: int, k: int, n: int, planes: tuple[str, ...] | None = None):
        self.config, self.m, self.k, self.n = config, m, k, n
        plan = floorplan(config)
        self.planes = [u for u in plan.units if u.kind == "MXM" and (planes is None or u.name in planes)]
        self.vl = config.vl
        self.k_tiles, self.n_tiles = -(-k // self.vl), -(-n // self.vl)
        #: Rows of every plane but the last ones, which may have fewer.
        self.share = -(-m // len(self.planes))
        self.loads = self.vl // COLUMNS
        acc_rows = config.mxm.acc_rows if self.k_tiles > 1 else self.share
        turn = instruction("ACC").timing(config, {"dtype": 0}).turn
        self.uses = uses(self.share, self.k_tiles, self.n_tiles, acc_rows, self.loads, turn)
        self.program = Program(config)
        self._install = instruction("IW").timing(config, {}).d_func
        for side, letter in enumerate("WE"):
            if members := [unit for unit in self.planes if unit.hemisphere == side]:
                self._side(letter, members)
        self.image: Image = self.program.image()
        plan = timeline(self.image)
        self.cycles = plan.cycles
        writes = (burst.last for burst in plan.bursts if burst.word[0].instr.name == "WRITE")
        self.span = max(writes) + 1 + config.superlanes - 1
        #: Cycle in which the first activation is taken.
        self.first_pass = min(burst.start for burst in plan.bursts if burst.word[0].instr.name == "ABC")

    @property
    def utilisation(self) -> float:
        """Multiplications of the product, of those that the planes can do within `span`."""
        return self.m * self.k * self.n / (self.span * len(self.planes) * self.vl**2)

    def multiply(self, machine: Machine, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Runs the program on int8 [m, k] and [k, n] and gives int32 [m, n].

        MachineError for a fault, or if the run does not take `cycles`.
        """
        machine.load(self.image)
        self._write(machine, a, b)
        run = machine.run()
        if run.fault or run.cycles != self.cycles:
            raise MachineError(f"The run took {run.cycles} cycles of {self.cycles}. {run.fault or ''}")
        return self._read(machine)

    def _write(self, machine: Machine, a: np.ndarray, b: np.ndarray) -> None:
        weights = _padded(b, self.k_tiles * self.vl, self.n_tiles * self.vl)
        # [k tile, lane, n tile, load, column] to one word of lanes for every tile and load of a column.
        words = weights.reshape(self.k_tiles, self.vl, self.n_tiles, self.loads, COLUMNS).transpose(
            4, 0, 2, 3, 1
        )
        for letter in {"WE"[unit.hemisphere] for unit in self.planes}:
            for j in range(COLUMNS):
                machine.write(f"weights_{letter}{j}", 0, words[j].reshape(-1, self.vl).view(np.uint8))
        rows = _padded(a, self.share * len(self.planes), self.k_tiles * self.vl)
        for p, unit in enumerate(self.planes):
            mine = rows[p * self.share : (p + 1) * self.share].reshape(self.share, self.k_tiles, self.vl)
            vectors = np.ascontiguousarray(mine.transpose(1, 0, 2)).reshape(-1, self.vl)
            machine.write(f"rows_{unit.name}", 0, vectors.view(np.uint8))

    def _read(self, machine: Machine) -> np.ndarray:
        parts, count = [], self.share * self.n_tiles
        for unit in self.planes:
            words = [machine.read(f"result_{unit.name}_{j}", 0, count) for j in range(4)]
            sums = np.stack(words, axis=-1).view(np.int32).reshape(self.n_tiles, self.share, self.vl)
            parts.append(sums.transpose(1, 0, 2))
        return np.concatenate(parts).reshape(-1, self.n_tiles * self.vl)[: self.m, : self.n]

    def _side(self, letter: str, planes: list[Unit]) -> None:
        """Everything of one hemisphere."""
        free = [f"{letter}{number}" for number in reversed(range(self.config.mem.slices))]
        results = {unit.name: [free.pop(0) for _ in range(4)] for unit in planes}
        weights = [free.pop(0) for _ in range(COLUMNS)]
        plan = floorplan(self.config)
        far = max(lead(self.config, plan.unit(f"MEM_{name}"), planes[0]) for name in weights)
        first = far + self.loads - 1 + self._install
        for j, name in enumerate(weights):
            self.program.input(f"weights_{letter}{j}", name, 0, self.k_tiles * self.n_tiles * self.loads)
        for use in self.uses:
            self._load(letter, planes, weights, use, first + use.start)
        for p, unit in enumerate(planes):
            rows = free.pop(0)
            self.program.input(f"rows_{unit.name}", rows, 0, self.share * self.k_tiles)
            for j, name in enumerate(results[unit.name]):
                self.program.output(f"result_{unit.name}_{j}", name, 0, self.share * self.n_tiles)
            for use in self.uses:
                self._pass(unit, p, rows, results[unit.name], use, first + use.start)

    def _load(self, letter: str, planes: list[Unit], slices: list[str], use: Use, start: int) -> None:
        """Brings the weights of a use to all planes of a hemisphere, in force from `start` on."""
        begin = start - self._install - self.loads + 1
        word = (use.k * self.n_tiles + use.n) * self.loads
        for j, name in enumerate(slices):
            place = self.program.at(read_time(self.config, f"MEM_{name}", planes[0].name, begin)).mem(name)
            _repeat(place.read(word, f"{letter}{j}", stride=1), self.loads)
        last = begin + self.loads - 1
        for unit in planes:
            queue = f"{unit.name}_W"
            if self.loads > 1:
                early = self.program.at(begin).queue(queue)
                _repeat(early.lw("int8", f"{letter}0", COLUMNS, 0, stride=COLUMNS), self.loads - 1)
            late = self.program.at(last).queue(queue)
            late.lw("int8", f"{letter}0", COLUMNS, self.vl - COLUMNS)
            late.iw()

    def _pass(self, unit: Unit, p: int, rows: str, results: list[str], use: Use, start: int) -> None:
        """The passes of one use on one plane, from reading the rows to writing finished sums."""
        letter, back = "WE"[unit.hemisphere], "EW"[unit.hemisphere]
        stream = f"{letter}{ROWS_STREAM + p}"
        place = self.program.at(read_time(self.config, f"MEM_{rows}", unit.name, start)).mem(rows)
        _repeat(place.read(use.k * self.share + use.row, stream, stride=1), use.rows)
        passes = _repeat(self.program.at(start).queue(f"{unit.name}_A").abc("int8", stream), use.rows)
        meets = self.program.at(start + passes.word[0].timing(self.config).d_func).queue(f"{unit.name}_R")
        if use.k + 1 < self.k_tiles:
            _repeat(meets.acc("int8", "add" if use.k else "set", use.acc, stride=1), use.rows)
            return
        out, mode = RESULT_STREAM + 4 * p, "add_out" if use.k else "pass"
        row, stride = (use.acc, 1) if use.k else (0, 0)
        sums = _repeat(meets.acc("int8", mode, row, f"{back}{out}", stride=stride), use.rows)
        for j, name in enumerate(results):
            there = self.program.at(arrival(sums, f"MEM_{name}")).mem(name)
            _repeat(there.write(use.n * self.share + use.row, f"{back}{out + j}", stride=1), use.rows)


def _repeat(entry: Entry, times: int) -> Entry:
    return entry.repeat(times - 1) if times > 1 else entry


def _padded(matrix: np.ndarray, rows: int, columns: int) -> np.ndarray:
    return np.pad(matrix, ((0, rows - matrix.shape[0]), (0, columns - matrix.shape[1])))
