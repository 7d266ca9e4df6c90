"""The RTL as a machine: a chip in a simulator that runs beside us, driven through its host port."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from sw.asm.struck import struck
from sw.isa.codec import words_to_bytes
from sw.isa.fields import WORD_BYTES
from sw.machine import Fault, MachineError, Run, find_region
from sw.trace import Trace
from tb.chip import build_chip
from tb.host import Counters
from tb.simulation import Simulation


class CocotbChip:
    """A chip of a simulation, by its number there. MachineError for what it refuses."""

    def __init__(self, config: Config, simulation: Simulation, number: int):
        self.config, self.simulation, self.number = config, simulation, number
        self.plan = floorplan(config)
        self.image: Image | None = None
        self.request("connect", config.hash)

    def request(self, name: str, *arguments):
        """What the chip answers, see `tb.tb_serve`."""
        return self.simulation.request(self.number, name, *arguments)

    def load(self, image: Image) -> None:
        """Loads every queue and all memory segments."""
        for name, *arguments in self.loads(image):
            self.request(name, *arguments)

    def loads(self, image: Image) -> Iterator[tuple]:
        """The requests by which the chip comes to hold an image."""
        if image.config.hash != self.config.hash:
            raise MachineError(f"The image is for configuration '{image.config.name}', this chip is '{self.config.name}'.")
        self.image = image
        for queue, words in zip(self.plan.queues, image.boot.values(), strict=True):
            data = np.frombuffer(words_to_bytes(words), np.uint8).reshape(-1, WORD_BYTES)
            yield "load_queue", queue.index, data
        for segment in image.memory:
            yield "load_mem", segment.slice, segment.addr, segment.data

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] in consecutive words."""
        slice_number, first = self._place(place, addr)
        self.request("load_mem", slice_number, first, np.ascontiguousarray(vectors, np.uint8))

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray:
        """Consecutive words, uint8 [words, VL]."""
        slice_number, first = self._place(place, addr)
        return self.request("read_mem", slice_number, first, words)

    def register(self, name: str) -> int:
        """The value of a register of the host port, by its name in `sw.arch.hostmap`."""
        return self.request("register", name)

    def set_register(self, name: str, value: int) -> None:
        """Writes a register of the host port."""
        self.request("set_register", name, value)

    def counters(self, queue: str) -> Counters:
        """What a queue, by its name, counted in the last run."""
        return self.request("counters", self.plan.queue(queue).index)

    def ended(self, cycles: int, fault, iterations: int) -> Run:
        """How a run ended, with the names of what faulted."""
        if fault is None:
            return Run(cycles, iterations)
        queue = self.plan.queues[fault.queue].name if fault.queue is not None else ""
        kind = fault.code.name
        what = struck(self.image, kind, queue, fault.cycle)
        return Run(cycles, iterations, Fault(kind, self.plan.units[fault.unit].name, queue, fault.cycle, what))

    def _place(self, place: str | int, addr: int) -> tuple[int, int]:
        if isinstance(place, int):
            return place, addr
        region = find_region(self.image, place)
        return region.slice, region.addr + addr


class CocotbMachine(CocotbChip):
    """The `Machine` protocol on the RTL in Verilator. Use it as a context manager: the simulator ends with it.

    config : Config
    build_dir : a simulator from `build_chip`; a traced one is built when None
    folder : where the log and waves of the run go; a temporary one when None

    `seconds` is the wall time of the last run. MachineError for what the chip or the simulator refuses.
    """

    def __init__(self, config: Config, build_dir: Path | None = None, folder: Path | None = None):
        self.seconds = 0.0
        self._log_at = 0
        super().__init__(config, Simulation(build_dir or build_chip(config), folder), 0)

    @property
    def folder(self) -> Path:
        """Where the log and waves of the run are."""
        return self.simulation.folder

    def __enter__(self) -> "CocotbMachine":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """Ends the simulator; MachineError if a simulation assertion or a test of its own failed."""
        self.simulation.close()

    def run(self, iterations: int = 1, traced: range = range(0), limit: int = 100_000_000) -> Run:
        """Runs the loaded program to its end, or `limit` cycles at the most."""
        if self.image is None:
            raise MachineError("No image is loaded.")
        self._log_at = self.simulation.log.stat().st_size
        begin = time.monotonic()
        cycles, fault = self.request("run", iterations, limit)
        self.seconds = time.monotonic() - begin
        return self.ended(cycles, fault, iterations)

    def trace(self) -> Trace:
        """What the last run drove and wrote, all iterations."""
        with self.simulation.log.open() as log:
            log.seek(self._log_at)
            return Trace.parse(self.config, log)
