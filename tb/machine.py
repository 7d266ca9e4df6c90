"""The RTL as a machine: a simulator that runs beside us and is driven through its host port."""

import os
import tempfile
import threading
import time
from multiprocessing.connection import Listener
from pathlib import Path

import numpy as np

from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.asm.image import Image
from sw.isa.codec import words_to_bytes
from sw.isa.fields import WORD_BYTES
from sw.machine import Fault, MachineError, Run, find_region
from sw.trace import Trace
from tb.chip import build_chip
from tb.harness import run
from tb.host import Counters
from tb.tb_serve import ADDRESS, KEY


class CocotbMachine:
    """The `Machine` protocol on the RTL in Verilator. Use it as a context manager: the simulator ends with it.

    config : Config
    build_dir : a simulator from `build_chip`; a traced one is built when None
    folder : where the log and waves of the run go; a temporary one when None

    `seconds` is the wall time of the last run. MachineError for what the chip or the simulator refuses.
    """

    def __init__(self, config: Config, build_dir: Path | None = None, folder: Path | None = None):
        self.config = config
        self.seconds = 0.0
        self._plan = floorplan(config)
        self._image: Image | None = None
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        self.folder = Path(folder or self._temporary.name)
        self._failure: Exception | None = None
        key = os.urandom(16)
        self._listener = Listener(str(self.folder / "wire"), family="AF_UNIX", authkey=key)
        environment = {ADDRESS: self._listener.address, KEY: key.hex()}
        build_dir = build_dir or build_chip(config)
        self._thread = threading.Thread(target=self._simulate, args=(build_dir, environment), daemon=True)
        self._thread.start()
        self._wire = self._accept()
        self._log_at = 0
        self._request("connect", config.hash)

    def __enter__(self) -> "CocotbMachine":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """Ends the simulator; MachineError if a simulation assertion or a test of its own failed."""
        if self._wire:
            try:
                self._request("close")
            finally:
                self._wire.close()
                self._wire = None
                self._listener.close()
                self._thread.join()
                failure = self._failure
                if self._temporary:
                    self._temporary.cleanup()
            if failure:
                raise MachineError(str(failure)) from failure

    def load(self, image: Image) -> None:
        """Loads every queue and all memory segments."""
        if image.config.hash != self.config.hash:
            raise MachineError(f"The image is for configuration '{image.config.name}', this chip is '{self.config.name}'.")
        self._image = image
        for queue, words in zip(self._plan.queues, image.boot.values(), strict=True):
            data = np.frombuffer(words_to_bytes(words), np.uint8).reshape(-1, WORD_BYTES)
            self._request("load_queue", queue.index, data)
        for segment in image.memory:
            self._request("load_mem", segment.slice, segment.addr, segment.data)

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] in consecutive words."""
        slice_number, first = self._place(place, addr)
        self._request("load_mem", slice_number, first, np.ascontiguousarray(vectors, np.uint8))

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray:
        """Consecutive words, uint8 [words, VL]."""
        slice_number, first = self._place(place, addr)
        return self._request("read_mem", slice_number, first, words)

    def run(self, iterations: int = 1, traced: range = range(0), limit: int = 100_000_000) -> Run:
        """Runs the loaded program to its end, or `limit` cycles at the most."""
        if self._image is None:
            raise MachineError("No image is loaded.")
        log = self.folder / "sim.log"
        self._log_at = log.stat().st_size
        begin = time.monotonic()
        cycles, fault = self._request("run", iterations, limit)
        self.seconds = time.monotonic() - begin
        if fault is None:
            return Run(cycles, iterations)
        queue = self._plan.queues[fault.queue].name if fault.queue is not None else ""
        return Run(cycles, iterations, Fault(fault.code.name, self._plan.units[fault.unit].name, queue, fault.cycle))

    def register(self, name: str) -> int:
        """The value of a register of the host port, by its name in `sw.arch.hostmap`."""
        return self._request("register", name)

    def counters(self, queue: str) -> Counters:
        """What a queue, by its name, counted in the last run."""
        return self._request("counters", self._plan.queue(queue).index)

    def trace(self) -> Trace:
        """What the last run drove and wrote, all iterations."""
        with (self.folder / "sim.log").open() as log:
            log.seek(self._log_at)
            return Trace.parse(self.config, log)

    def _place(self, place: str | int, addr: int) -> tuple[int, int]:
        if isinstance(place, int):
            return place, addr
        region = find_region(self._image, place)
        return region.slice, region.addr + addr

    def _simulate(self, build_dir: Path, environment: dict) -> None:
        try:
            run(build_dir, "tb.tb_serve", test_dir=self.folder, env=environment)
        except Exception as error:
            self._failure = error
            # Wakes `_accept` if the simulator died before it connected.
            self._listener.close()

    def _accept(self):
        try:
            return self._listener.accept()
        except OSError as error:
            self._thread.join()
            raise MachineError(f"The simulator did not start: {self._failure}") from error

    def _request(self, name: str, *arguments):
        try:
            self._wire.send((name, arguments))
            status, result = self._wire.recv()
        except (EOFError, OSError) as error:
            self._thread.join()
            raise MachineError(f"The simulator ended during '{name}': {self._failure}") from error
        if status != "ok":
            raise MachineError(f"The chip refused '{name}': {result}")
        return result
