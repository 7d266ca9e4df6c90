"""What a program is run on: one protocol, implemented by the golden model and by the simulated hardware."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sw.asm.image import Image, Region
from sw.asm.struck import Struck
from sw.trace import Trace


class MachineError(RuntimeError):
    """A request that a machine refuses; the text says what was asked and why it cannot be."""


@dataclass(frozen=True)
class Fault:
    """What stopped a chip: the name of its code (see `sw.arch.hostmap`), the unit and queue, and the cycle in
    superlane-0 time; of a fault of a link also what it was to bring."""

    kind: str
    unit: str
    queue: str
    cycle: int
    struck: Struck | None = None

    def __str__(self) -> str:
        what = f", {self.struck}" if self.struck else ""
        return f"Fault: {self.kind} in {self.unit}, queue {self.queue}, cycle {self.cycle}{what}."


@dataclass(frozen=True)
class Run:
    """How a run ended. `cycles` counts from cycle 0 of the first iteration through the last cycle of the last
    one, or to the fault."""

    cycles: int
    iterations: int
    fault: Fault | None = None


def find_region(image: Image | None, name: str) -> Region:
    """The input or output of a loaded image with this name; MachineError if there is none."""
    regions = (*image.inputs, *image.outputs) if image else ()
    for region in regions:
        if region.name == name:
            return region
    known = ", ".join(region.name for region in regions) or "none"
    raise MachineError(f"There is no region '{name}'; known are {known}.")


class Machine(Protocol):
    """A chip that programs run on. A place in memory is the name of a region of the image, or a slice in host
    order; addresses count words from its beginning."""

    def load(self, image: Image) -> None:
        """Takes over queues, memory contents and regions; forgets everything before."""

    def write(self, place: str | int, addr: int, vectors: np.ndarray) -> None:
        """Stores uint8 [n, VL] in consecutive words."""

    def run(self, iterations: int = 1, traced: range = range(0)) -> Run:
        """Runs the loaded program; the iterations in `traced` are recorded."""

    def read(self, place: str | int, addr: int, words: int) -> np.ndarray:
        """Consecutive words, uint8 [words, VL]."""

    def trace(self) -> Trace:
        """What the traced iterations of the last run drove and wrote."""


class MachineSystem(Protocol):
    """Chips that run together. Each is loaded, written and read as a `Machine` is."""

    chips: Sequence

    def load(self, images: Sequence[Image]) -> None:
        """Loads every chip with its image."""

    def run(self, iterations: int = 1, traced: range = range(0)) -> list[Run]:
        """Runs the programs of all chips, and tells of each how it ended."""


class Alone:
    """A machine as a system of one chip."""

    def __init__(self, machine: Machine):
        self.chips = (machine,)

    def load(self, images: Sequence[Image]) -> None:
        """Loads its chip."""
        (image,) = images
        self.chips[0].load(image)

    def run(self, iterations: int = 1, traced: range = range(0)) -> list[Run]:
        """Runs its program."""
        return [self.chips[0].run(iterations, traced)]
