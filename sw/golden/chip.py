"""The golden chip: bit- and cycle-exact, and independent of hardware and compiler."""

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.golden.plan import Plan
from sw.golden.record import record
from sw.golden.state import Memory
from sw.isa.table import restart_gap, run_cycles
from sw.machine import MachineError, Run, find_region
from sw.trace import Trace


class GoldenMachine:
    """A `Machine` (see `sw.machine`) in numpy. Memory starts uninitialised with every `load`.

    The program is resolved in the first run after `load`. GoldenError for a program without a meaning.
    """

    def __init__(self, config: Config):
        self.config = config
        self._image: Image | None = None
        self._memory = Memory(config)
        self._plan: Plan | None = None
        self._traces: list[np.ndarray] = []
        self._faulty = False

    def load(self, image: Image) -> None:
        """Takes over an image; MachineError if it was made for another configuration."""
        if image.config.hash != self.config.hash:
            raise MachineError(
                f"The image was made for '{image.config.name}', this chip is '{self.config.name}'."
            )
        self._image, self._plan, self._faulty, self._traces = image, None, False, []
        self._memory = Memory(self.config)
        for segment in image.memory:
            self._memory.store(segment.slice * self.config.mem.words + segment.addr, segment.data)

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] from word `addr` of a place on."""
        if vectors.dtype != np.uint8 or vectors.shape[1:] != (self.config.vl,):
            raise MachineError(
                f"Vectors are {vectors.dtype} {vectors.shape}, they must be uint8 [n, {self.config.vl}]."
            )
        self._memory.store(self._word(place, addr, len(vectors)), vectors)

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray:
        """uint8 [words, VL]; MachineError after a fault, since memory then holds no results."""
        if self._faulty:
            raise MachineError(
                "The last run ended with a fault, memory holds no results; load the program again."
            )
        word = self._word(place, addr, words)
        return self._memory.data[word : word + words].copy()

    def run(self, iterations: int = 1, traced: range = range(0)) -> Run:
        """Runs the program; the first fault ends the run."""
        if self._image is None:
            raise MachineError("No program is loaded.")
        if self._faulty:
            raise MachineError("The last run ended with a fault; load the program again.")
        if self._plan is None:
            self._timeline = timeline(self._image)
            self._plan = Plan(self.config, self._timeline)
        self._traces = []
        period = self._timeline.cycles + restart_gap(self.config)
        for iteration in range(iterations):
            state = self._plan.evaluate(self._memory, iteration * period)
            if iteration in traced:
                self._traces.append(record(self._plan, state))
            if state.faults:
                self._faulty = True
                *_, fault = min(state.faults, key=lambda found: found[:2])
                return Run(fault.cycle, iteration + 1, fault)
        return Run(run_cycles(self.config, self._timeline.cycles, iterations), iterations)

    def trace(self) -> Trace:
        """What the traced iterations of the last run drove and wrote, sorted."""
        return Trace.of(self.config, self._traces)

    def _word(self, place: str | int, addr: int, words: int) -> int:
        """Number of the first of `words` words of a place."""
        if isinstance(place, str):
            region = find_region(self._image, place)
            begin, size = region.slice * self.config.mem.words + region.addr, region.words
        else:
            slices = len(floorplan(self.config).slices)
            if not 0 <= place < slices:
                raise MachineError(f"There is no slice {place}, the last is {slices - 1}.")
            begin, size = place * self.config.mem.words, self.config.mem.words
        if addr < 0 or addr + words > size:
            raise MachineError(
                f"Words {addr} … {addr + words - 1} are outside of {place}, which has {size} words."
            )
        return begin + addr
