"""A golden chip with vectors that arrive where and when a test wants them."""

import numpy as np

from sw.arch.config import Config, load
from sw.arch.floorplan import floorplan
from sw.arch.stream import Stream
from sw.asm.program import Program
from sw.golden.chip import GoldenMachine
from sw.isa.table import instruction
from sw.trace import DRIVE, WRITE

#: The tiny chip with enough slices to feed 16 streams at once from either side.
TINY = load("tiny").replace(mem={"slices": 16})


class Bench:
    """A program that grows by operands (`give`) and instructions (`program.at`), and its results after
    `run`."""

    def __init__(self, config: Config):
        self.config = config
        self.program = Program(config)
        self.plan = floorplan(config)
        self._read = instruction("READ").timing(config, {}).d_func
        self._taken: set[tuple[str, int]] = set()
        self._free = dict.fromkeys((unit.name for unit in self.plan.slices), 0)

    def slice(self, name: str) -> int:
        """Number of a slice in host order."""
        return [unit.name for unit in self.plan.slices].index(name)

    def give(self, unit: str, cycle: int, stream: str, vector: np.ndarray) -> None:
        """Makes uint8 [VL] stand on `stream` at the stop of `unit` in `cycle`, read from some slice
        upstream."""
        here = self.plan.unit(unit).stop
        west = stream.startswith("W")
        for source in self.plan.slices:
            hops = source.stop - here if west else here - source.stop
            issue = cycle - self._read - hops + 1
            if hops > 0 and issue >= 0 and (source.name, issue) not in self._taken:
                addr = self._free[source.name]
                self._free[source.name] += 1
                self._taken.add((source.name, issue))
                self.program.data(source.name, addr, vector)
                self.program.at(issue).queue(source.name).read(addr, stream)
                return
        raise AssertionError(f"no slice is free to feed {stream} at {unit} in cycle {cycle}")

    def group(self, unit: str, cycle: int, stream: str, lanes: np.ndarray) -> None:
        """The same for elements of several bytes on as many streams from `stream` on."""
        parts = np.ascontiguousarray(lanes).view(np.uint8).reshape(len(lanes), -1)
        for j in range(parts.shape[1]):
            self.give(unit, cycle, f"{stream[0]}{int(stream[1:]) + j}", parts[:, j])

    def run(self, iterations: int = 1) -> GoldenMachine:
        """Runs the program, tracing everything."""
        self.chip = GoldenMachine(self.config)
        self.chip.load(self.program.image())
        self.result = self.chip.run(iterations, traced=range(iterations))
        self.records = self.chip.trace().records
        return self.chip

    def drive(self, unit: str, cycle: int, stream: str, streams: int = 1) -> np.ndarray:
        """What `unit` drove on `stream` in its neighbour's register in `cycle`: uint8 [streams, VL]."""
        first = Stream.parse(stream)
        stop = self.plan.unit(unit).stop + (-1 if first.west else 1)
        return np.stack([
            self._pick(DRIVE, cycle, stop, first.code(self.config.streams) + j) for j in range(streams)
        ])

    def lanes(self, unit: str, cycle: int, stream: str, dtype) -> np.ndarray:
        """The same as elements of a numpy type."""
        parts = self.drive(unit, cycle, stream, np.dtype(dtype).itemsize)
        return np.ascontiguousarray(parts.T).view(dtype)[:, 0]

    def written(self, name: str, cycle: int, addr: int) -> np.ndarray:
        """What was written to a word in a cycle."""
        return self._pick(WRITE, cycle, self.slice(name), addr)

    def _pick(self, kind: int, cycle: int, place: int, item: int) -> np.ndarray:
        r = self.records
        found = r[(r["kind"] == kind) & (r["cycle"] == cycle) & (r["place"] == place) & (r["item"] == item)]
        assert list(found["superlane"]) == list(range(self.config.superlanes)), "not once in every superlane"
        return found["data"].reshape(-1)


def timing(config: Config, name: str, **values):
    """An instruction's constants; fields not given are 0."""
    row = instruction(name)
    return row.timing(config, dict.fromkeys(row.fields, 0) | values)
