"""The golden chip: bit- and cycle-exact, and independent of hardware and compiler."""

from collections.abc import Sequence

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.system import System
from sw.asm.image import Image
from sw.asm.timeline import Timeline, timeline
from sw.golden.plan import Plans
from sw.golden.record import record
from sw.golden.state import Memory
from sw.isa.table import restart_gap, run_cycles
from sw.machine import MachineError, Run, find_region
from sw.trace import Trace


class GoldenChip:
    """What a chip holds: its program, and its memory, which starts uninitialised with every `load`."""

    def __init__(self, config: Config):
        self.config = config
        self.faulty = False
        self.memory = Memory(config)
        self.image: Image | None = None
        self.traces: list[np.ndarray] = []

    def load(self, image: Image) -> None:
        """Takes over an image; MachineError if it was made for another configuration."""
        if image.config.hash != self.config.hash:
            raise MachineError(
                f"The image was made for '{image.config.name}', this chip is '{self.config.name}'."
            )
        self.image, self.faulty, self.traces = image, False, []
        self.memory = Memory(self.config)
        for segment in image.memory:
            self.memory.store(segment.slice * self.config.mem.words + segment.addr, segment.data)

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] from word `addr` of a place on."""
        if vectors.dtype != np.uint8 or vectors.shape[1:] != (self.config.vl,):
            raise MachineError(
                f"Vectors are {vectors.dtype} {vectors.shape}, they must be uint8 [n, {self.config.vl}]."
            )
        self.memory.store(self._word(place, addr, len(vectors)), vectors)

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray:
        """uint8 [words, VL]; MachineError after a fault, since memory then holds no results."""
        if self.faulty:
            raise MachineError(
                "The last run ended with a fault, memory holds no results; load the program again."
            )
        word = self._word(place, addr, words)
        return self.memory.data[word : word + words].copy()

    def trace(self) -> Trace:
        """What the traced iterations of the last run drove and wrote, sorted."""
        return Trace.of(self.config, self.traces)

    def _word(self, place: str | int, addr: int, words: int) -> int:
        """Number of the first of `words` words of a place."""
        if isinstance(place, str):
            region = find_region(self.image, place)
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


class GoldenSystem:
    """Chips joined by links, run together. Their programs are resolved in the first run after a `load`.

    `chips` are loaded, written and read one by one; GoldenError for programs without a meaning.
    """

    def __init__(self, system: System, chips: tuple[GoldenChip, ...] | None = None):
        self.system = system
        self.chips = chips or tuple(GoldenChip(system.config) for _ in range(system.chips))
        self._images: list[Image | None] = []
        self._timelines: list[Timeline] = []

    def load(self, images: Sequence[Image]) -> None:
        """Loads every chip with its image."""
        for chip, image in zip(self.chips, images, strict=True):
            chip.load(image)

    def run(self, iterations: int = 1, traced: range = range(0)) -> list[Run]:
        """Runs all programs, and tells how each chip's run ended; the first fault of one ends the run of all."""
        self._resolve()
        gap = restart_gap(self.system.config)
        for chip in self.chips:
            chip.traces = []
        for iteration in range(iterations):
            origins = [iteration * (one.cycles + gap) for one in self._timelines]
            states = self._plans.evaluate([chip.memory for chip in self.chips], origins)
            if iteration in traced:
                for chip, plan, state in zip(self.chips, self._plans.chips, states, strict=True):
                    chip.traces.append(record(plan, state))
            if any(state.faults for state in states):
                return [self._ended(chip, state, iteration) for chip, state in zip(self.chips, states, strict=True)]
        return [Run(run_cycles(self.system.config, one.cycles, iterations), iterations) for one in self._timelines]

    def _ended(self, chip: GoldenChip, state, iteration: int) -> Run:
        chip.faulty = True
        if not state.faults:
            return Run(state.origin, iteration)
        *_, fault = min(state.faults, key=lambda found: found[:2])
        return Run(fault.cycle, iteration + 1, fault)

    def _resolve(self) -> None:
        images = [chip.image for chip in self.chips]
        if None in images:
            raise MachineError("No program is loaded.")
        if any(chip.faulty for chip in self.chips):
            raise MachineError("The last run ended with a fault; load the program again.")
        if any(a is not b for a, b in zip(images, self._images or [None] * len(images), strict=True)):
            self._timelines = [timeline(image) for image in images]
            self._plans = Plans(self.system, self._timelines)
            self._images = images


class GoldenMachine(GoldenChip):
    """A `Machine` (see `sw.machine`): one chip, alone."""

    def __init__(self, config: Config):
        super().__init__(config)
        self._system = GoldenSystem(System(config, 1), (self,))

    def run(self, iterations: int = 1, traced: range = range(0)) -> Run:
        """Runs the program; the first fault ends the run. GoldenError for a program without a meaning."""
        return self._system.run(iterations, traced)[0]
