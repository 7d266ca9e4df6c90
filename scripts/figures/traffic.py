"""Schedules of the network as programs: the cycles that they take on the golden system."""

from collections.abc import Mapping

import numpy as np

from figures.figure import Bound, Figure, Found
from figures.network import vectors
from sw.arch.config import load
from sw.arch.floorplan import floorplan
from sw.asm.flow import lead
from sw.asm.program import Program
from sw.check.system import check_system
from sw.golden.chip import GoldenSystem
from sw.network.collectives import Outcome, all_reduce
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.programs import Traffic, lead_in
from sw.network.schedule import Receive, Sum
from sw.network.start import Start
from sw.network.topology import node
from sw.trace import WRITE, Trace

#: The published chip; memory is cut to what eight golden chips need.
FULL = load("full").replace(name="full_shallow", mem={"words": 256})
SIZES = (8192, 65536)
SEED = 8


class Reduction:
    """An all-reduce of so many vectors of int8 over a node of 8, run on the golden system.

    RuntimeError if the checker finds something, a chip does, or a sum is wrong.
    """

    def __init__(self, count: int):
        self._system = node(FULL)
        self.outcome: Outcome = all_reduce(Network(self._system), costs(FULL), count)
        start, programs = Start(self._system), [Program(FULL) for _ in range(self._system.chips)]
        for chip, program in enumerate(programs):
            start.write(chip, program)
        begin = start.begin + lead_in(FULL)
        self._origins = [start.cycle(chip, begin) for chip in range(self._system.chips)]
        self._traffic = Traffic(self.outcome.schedule, programs, self._origins)
        images = [program.image() for program in programs]
        if findings := check_system(self._system, images):
            raise RuntimeError(f"The programs have {len(findings)} faults, one of them: {findings[0]}")
        self._golden = GoldenSystem(self._system)
        for chip, image in zip(self._golden.chips, images, strict=True):
            chip.load(image)
        self._run(count)

    def _run(self, count: int) -> None:
        values = np.random.default_rng(SEED).integers(0, 256, (self._system.chips, count, FULL.vl), np.uint8)
        for (chip, (_, _, number)), words in self._traffic.given.items():
            for where, addr in words:
                self._golden.chips[chip].write(where, addr, values[chip, number][None])
        if faults := [end.fault for end in self._golden.run(traced=range(1)) if end.fault]:
            raise RuntimeError(str(faults[0]))
        found = [self._golden.chips[chip].read(*self._traffic.kept[chip, name], 1)[0] for chip, name in self.outcome.goals]
        wanted = values.sum(axis=0, dtype=np.uint8)
        if sorted(map(bytes, found)) != sorted(bytes(total) for total in wanted for _ in range(self._system.chips)):
            raise RuntimeError("An all-reduce on the golden system gave a wrong sum.")

    def cycles(self) -> int:
        """From the schedule's cycle 0 until the last sum came by a link, or could stand at any: as its word was written."""
        plan, ways = floorplan(FULL), {}
        units = [plan.unit("C2C_W"), plan.unit("C2C_E")]
        for event in self.outcome.schedule.events:
            if isinstance(event, Receive):
                port = self._system.links[event.link].target
                # A name that comes twice counts from where it came first.
                ways.setdefault((port.chip, event.name), units[port.number >= FULL.c2c.links])
            elif isinstance(event, Sum):
                ways |= {(event.chip, name): None for name in event.names}
        written = [_written(chip.trace()) for chip in self._golden.chips]
        last = 0
        for chip, name in self.outcome.goals:
            where, addr = self._traffic.kept[chip, name]
            unit, cycle = plan.slices[where], written[chip][where, addr] - self._origins[chip]
            came = ways[chip, name]
            if came is None:
                last = max(last, cycle + 1 + max(lead(FULL, unit, port) for port in units))
            else:
                last = max(last, cycle + 1 - plan.hops(came, unit))
        return last


def _written(trace: Trace) -> Mapping[tuple[int, int], int]:
    """The cycle of the write of every word."""
    records = trace.records[trace.records["kind"] == WRITE]
    return {(int(place), int(item)): int(cycle) for place, item, cycle in records[["place", "item", "cycle"]].tolist()}


def reduction() -> Found:
    """All-reduce of 8 and 64 KiB: what the schedule says, and what the programs take."""
    runs = {size: Reduction(vectors(size)) for size in SIZES}
    taken = {size: run.cycles() for size, run in runs.items()}
    rows = {f"scheduled, {size:,} bytes": run.outcome.cycles for size, run in runs.items()}
    return Found(taken[8192], rows | {f"taken, {size:,} bytes": cycles for size, cycles in taken.items()})


FIGURES = (
    Figure(
        "net.allreduce.run",
        "cycles",
        reduction,
        (Bound("==", "scheduled, 8,192 bytes"), Bound("==", "scheduled, 65,536 bytes", "taken, 65,536 bytes")),
    ),
)
