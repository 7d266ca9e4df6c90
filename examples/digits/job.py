"""The job: a number of images on a machine, with the cycles that its schedule predicts."""

import time
from dataclasses import dataclass

import numpy as np

from examples.digits.network import CLASSES, LANE_BITS, LANES, Network
from examples.digits.program import build
from sw.arch.config import Config
from sw.asm.image import Image
from sw.asm.timeline import timeline
from sw.isa.table import run_cycles
from sw.machine import Machine, MachineError

PLANES = 2


@dataclass(frozen=True)
class Job:
    """A program for `images` images. All cycles are read off its schedule, none is measured.

    cycles : of one run, from cycle 0 to the last HALT
    last_write : cycle of the last write to memory
    """

    image: Image
    images: int
    cycles: int
    last_write: int

    @classmethod
    def of(cls, config: Config, network: Network, images: int) -> "Job":
        """The job for a number of images."""
        image = build(config, network, images).image()
        plan = timeline(image)
        writes = [burst.last for burst in plan.bursts if any(op.instr.slot == "write" for op in burst.word)]
        return cls(image, images, plan.cycles, max(writes))

    @property
    def utilisation(self) -> float:
        """Multiplications that the network needs, of those that both planes can do in all cycles of a run."""
        needed = self.images * (LANES * LANES + LANES * CLASSES)
        return needed / (self.cycles * PLANES * LANES * LANES)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a machine made of a job: cycles measured, int8 hidden layer [n, 64], int32 logit * 64 + 63 - lane
    [n, 64], and the class [n, 64] that stands in every lane."""

    cycles: int
    hidden: np.ndarray
    packed: np.ndarray
    classes: np.ndarray

    @property
    def logits(self) -> np.ndarray:
        """int32 [n, 10]."""
        return self.packed[:, :CLASSES] >> LANE_BITS

    def equal(self, other: "Outcome") -> np.ndarray:
        """bool [n]: the images of which every lane of every result is the same."""
        pairs = ((self.hidden, other.hidden), (self.packed, other.packed), (self.classes, other.classes))
        return np.all([(mine == theirs).all(axis=1) for mine, theirs in pairs], axis=0)


def perform(machine: Machine, job: Job, images: np.ndarray) -> Outcome:
    """Runs a job once on uint8 images [n, 64]. MachineError if the chip stops with a fault."""
    machine.load(job.image)
    machine.write("images", 0, images)
    run = machine.run()
    if run.fault:
        raise MachineError(f"The chip stopped. {run.fault}")
    words = {region.name: machine.read(region.name, 0, job.images) for region in job.image.outputs}
    packed = sum(words[f"packed{j}"].astype(np.uint32) << 8 * j for j in range(4))
    return Outcome(run.cycles, words["hidden"].view(np.int8), packed.view(np.int32), words["classes"])


def speed(machine: Machine, job: Job, iterations: int) -> float:
    """Simulated cycles per second of wall time, over `iterations` runs of the job that was performed last."""
    begin = time.monotonic()
    run = machine.run(iterations)
    seconds = time.monotonic() - begin
    expected = run_cycles(job.image.config, job.cycles, iterations)
    if run.fault or run.cycles != expected:
        raise MachineError(
            f"{iterations} runs took {run.cycles} cycles, they should take {expected}. {run.fault or ''}"
        )
    return run.cycles / seconds
