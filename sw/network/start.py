"""The start of programs of several chips: when every chip goes on, when links are aligned, and the words for both."""

from collections.abc import Iterable
from functools import cached_property

from sw.arch.config import ConfigError
from sw.arch.links import HAC_PERIOD, slack
from sw.arch.system import Link, System
from sw.asm.program import Program
from sw.isa.rows.c2c import least_pause
from sw.isa.table import instruction
from sw.network.graph import Network


class Start:
    """The prologue of all chips of a system, in its system time, which is 0 when chip 0 goes on.

    Every chip parks its queues. Chip 0 goes on at an overflow of its HAC and sends marks along a breadth-first tree; each
    chip that hears one goes on at the next overflow and sends its own. Then a mark goes over every link in use, and all
    stand at their ports in the cycle before `begin`.

    Parameters
    ----------
    system : System
        ConfigError if there are chips that chip 0 does not reach.
    links : the links that programs use, all by default

    Attributes
    ----------
    tree : links along which chips are released, nearest to chip 0 first
    releases : for every chip the system time in which its queues go on, a multiple of the HAC's period
    marks : for every link of the tree the system time of the TRANSMIT that releases its target
    begin : system time from which on frames may leave on every link in use
    """

    def __init__(self, system: System, links: Iterable[Link] | None = None):
        self.system = system
        self.links = tuple(system.links if links is None else links)
        network = Network(system)
        self.tree = tuple(network.links[number] for number in network.tree(0))
        self.releases: list[int] = [0] * system.chips
        self.marks: dict[Link, int] = {}
        reached = {0, *(link.target.chip for link in self.tree)}
        if lost := sorted(set(range(system.chips)) - reached):
            raise ConfigError(f"Chip {lost[0]} cannot be started, no link leads to it from chip 0 or what that reaches.")
        for link in self.tree:
            self._release(link)
        self.begin = 1 + max((self._aligned(link) for link in self.links), default=max(self.releases))

    def _release(self, link: Link) -> None:
        """Has a chip released by its parent: as soon as that goes on, or so much later that the mark is surely late for one
        overflow rather than perhaps in time for it."""
        mark = self.releases[link.source.chip]
        comes = mark + link.latency + self._parked
        if (late := comes % HAC_PERIOD) < slack(self.system.config):
            mark += slack(self.system.config) - late
        self.marks[link] = mark
        self.releases[link.target.chip] = comes - late + HAC_PERIOD

    def _aligned(self, link: Link) -> int:
        """The first system time in which a mark for ALIGN can stand at the end of a link."""
        leaves = max(self.releases[link.source.chip], self.marks.get(link, -1) + 1)
        return max(leaves + link.latency, self.releases[link.target.chip])

    @cached_property
    def _parked(self) -> int:
        """Cycles of program time from DESKEW on to where queues go on."""
        return instruction("DESKEW").timing(self.system.config, {}).d_func

    @cached_property
    def _pause(self) -> int:
        """Cycles for which RUNTIME_DESKEW parks the queues."""
        return least_pause(self.system.config)

    def cycle(self, chip: int, time: int) -> int:
        """The cycle of a chip's program that system time `time`, not before its release, is."""
        return time - self.releases[chip] + (self._parked if self.tree else 0)

    def resume(self, time: int) -> int:
        """System time from which on programs go on when clocks are put right from `time` on (see `pause`)."""
        return time + self._pause + max((link.latency for link in self.links), default=0) + 1

    def write(self, chip: int, program: Program) -> None:
        """Puts the prologue of a chip into its program. A system without links needs none."""
        if not self.tree:
            return
        port = self._port(chip)
        program.at(0).port(port).deskew(chip != 0)
        self._park(program, port, 0)
        for link, mark in self.marks.items():
            if link.source.chip == chip:
                program.at(self.cycle(chip, mark)).port(link.source.number).transmit()
        self._align(chip, program, self.begin)

    def pause(self, chip: int, program: Program, time: int) -> None:
        """Has all queues of a chip parked at a system time, until its HAC has made up for what its clock is off, and links
        aligned anew. To be done to all chips, at a time when nothing is under way; programs go on at `resume(time)`."""
        if not self.tree:
            return
        cycle, port = self.cycle(chip, time), self._port(chip)
        program.at(cycle).port(port).runtime_deskew(self._pause)
        self._park(program, port, cycle)
        self._align(chip, program, self.resume(time))

    def end(self, chip: int, program: Program, time: int) -> None:
        """Has a chip's program last up to a system time. The next iteration needs all to end together, for a mark to find
        its chip listening."""
        program.at(self.cycle(chip, time)).queue(program.floorplan.queues[0].name).halt()

    def _port(self, chip: int) -> int:
        """The port whose receive half says DESKEW: where a chip hears of its parent."""
        return next((link.target.number for link in self.tree if link.target.chip == chip), 0)

    @staticmethod
    def _park(program: Program, port: int, cycle: int) -> None:
        """Parks all queues, that of the receive half of a port a cycle later."""
        config = program.config
        for queue in program.floorplan.queues:
            here = queue.cls == "C2C_RECEIVE" and queue.unit.hemisphere * config.c2c.links + queue.number == port
            program.at(cycle + here).queue(queue.name).sync()

    def _align(self, chip: int, program: Program, begin: int) -> None:
        """Marks on all links in use, that stand at their ports in the cycle before system time `begin`."""
        for link in self.links:
            if link.source.chip == chip:
                program.at(self.cycle(chip, begin - 1 - link.latency)).port(link.source.number).transmit()
            if link.target.chip == chip:
                program.at(self.cycle(chip, begin - 1)).port(link.target.number).align()
