"""Bring-up of a system: hears every link, has clocks agree, measures, and tries what was measured."""

from dataclasses import dataclass, replace

from sw.arch.config import ConfigError
from sw.arch.links import HAC_PERIOD, TOLD, slack, told_latency
from sw.arch.system import Link, System
from sw.asm.image import Image
from sw.asm.program import Program
from sw.bringup.bench import Bench
from sw.bringup.counts import Ages, State, settling, states
from sw.bringup.exchange import Exchange
from sw.bringup.programs import calling, calling_in_time, waiting
from sw.bringup.table import Follow, Table
from sw.machine import Run
from sw.network.start import Start

#: What a fault of a receive half says of its link.
_FAULTS = {
    "LINK_UNDERRUN": "its mark or its words come too late or not at all",
    "LINK_OVERRUN": "its words come too early",
    "LINK_FRAME": "frames come damaged, or others than were sent",
}
#: Cycles for which a mark is waited for.
_PATIENCE = 2_000
#: Cycles after which all chips that a host starts together run.
_STARTED = 500
#: Times that ages of counts are looked at, at most; cycles between two of them; and what clocks may add to an age in phases
#: to each other that they did not come to meanwhile.
_ROUNDS, _APART, _UNSEEN = 12, 1_500, 2
#: Decides about the vectors that are sent.
_SEED = 20
#: Picoseconds of the slowest clock that HACs are given time for.
_SLOWEST = 1_000_000
#: Every chip has come to its end in so many cycles.
_LIMIT = 100_000


class BringUpError(RuntimeError):
    """No system is left; the text tells what is missing and which links fail."""


@dataclass(frozen=True)
class Failure:
    """A link that fails, and how."""

    link: Link
    how: str

    def __str__(self) -> str:
        return f"The link from {self.link.source} to {self.link.target} fails: {self.how}."


class BringUp:
    """Finds out what the links of `system` are like; the latencies that they have there count for nothing.

    `failures` are the links that do not work, `table` is the rest. BringUpError if that does not join all chips.
    """

    def __init__(self, bench: Bench, system: System):
        self._bench, self._chips, self._system = bench, bench.chips, system
        self.failures: list[Failure] = []
        self._hear()
        while True:
            self._join()
            self._follow()
            table = self._measure()
            if table is not None and self._carries(table):
                self.table = table
                break

    def _run(self, images: list[Image], late: int = 0) -> list[Run]:
        """Loads programs and runs them, chip 0 so many cycles later than the others."""
        self._bench.load(images)
        return self._bench.run(delays=[late * _SLOWEST] + [0] * (self._system.chips - 1), limit=_LIMIT + late)

    def _hear(self) -> None:
        """Leaves out links of which nothing is heard, or not what should be."""
        self._tree: tuple[Link, ...] = ()
        self._run(calling(self._system))
        for link in self._system.links:
            found = states(self._chips[link.target.chip], link.target.number)
            if not found[-1].heard:
                self._fail(link, "no counts are heard")
            elif len({state.told for state in found}) == 1:
                self._fail(link, f"nothing new comes, the count that is heard stands still at {found[0].told}")
            elif not found[-1].marked:
                self._fail(link, "counts are heard, but not the mark")

    def _fail(self, link: Link, how: str) -> None:
        self.failures.append(Failure(link, how))
        self._system = replace(self._system, links=tuple(one for one in self._system.links if one is not link))

    def _join(self) -> None:
        """Leaves out links whose other direction fails, and has a tree of the rest."""
        for link in self._system.links:
            if self._back(link) is None:
                self._fail(link, "its other direction fails, without which its latency cannot be measured")
        try:
            self._tree = Start(self._system).tree
        except ConfigError as error:
            raise BringUpError(" ".join([str(error), *map(str, self.failures)])) from error

    def _back(self, link: Link) -> Link | None:
        back = self._system.from_port(link.target)
        return back if back is not None and back.target == link.source else None

    @property
    def _depth(self) -> int:
        """Links from chip 0 to the chip that is farthest from it in the tree."""
        depths = {0: 0}
        for link in self._tree:
            depths[link.target.chip] = depths[link.source.chip] + 1
        return max(depths.values())

    def _follow(self) -> None:
        """Has every HAC go with its parent's: first as it is heard, so that the parent hears how long both ways take
        together, then so much ahead that both take as long."""
        self._agree(dict.fromkeys(self._tree, 0))
        ages, leads = self._ages(), {}
        for link in self._tree:
            both = ages[self._back(link)].mean
            # No count is younger than TOLD.
            leads[link] = round(both if both > 2 * TOLD - 4 else both + HAC_PERIOD) // 2
        self._agree(leads)

    def _agree(self, leads: dict[Link, int]) -> None:
        """Sets the registers HAC, and waits."""
        self._leads = {link: lead % HAC_PERIOD for link, lead in leads.items()}
        for link, lead in self._leads.items():
            follow = Follow(link.source.chip, link.target.number, lead)
            self._chips[link.target.chip].set_register("HAC", follow.register)
        self._run(waiting(self._system, settling(self._depth)))

    def _ages(self) -> dict[Link, Ages]:
        """How old counts are that come over each link, found again and again until that says nothing new."""
        ages = dict.fromkeys(self._system.links, Ages())
        for _ in range(_ROUNDS):
            before = dict(ages)
            for link in ages:
                ages[link] = ages[link].more(states(self._chips[link.target.chip], link.target.number))
            if all(before[link].samples and ages[link].settled(before[link]) for link in ages):
                break
            self._run(waiting(self._system, _APART))
        return ages

    def _measure(self) -> Table | None:
        """How old counts are by HACs that agree, and to how many periods that is by marks; None if links fail."""
        while True:
            ages = self._ages()
            most = slack(self._system.config) // 2
            for link, age in ages.items():
                if age.spread > most:
                    self._fail(link, f"the age of its counts varies by {age.spread} cycles, at most {most} are made up for")
            if len(ages) > len(self._system.links):
                return None
            latencies = {link: told_latency(self._system.config, age.most + _UNSEEN) for link, age in ages.items()}
            late = self._late(latencies)
            if late is None:
                return None
            if not (odd := [link for link in self._tree if late[self._back(link)] % 2]):
                return self._tabulate(ages, latencies, late)
            # Both ways take an odd number of periods more than was thought, so half of them is half a period more.
            self._agree({link: lead + HAC_PERIOD // 2 * (link in odd) for link, lead in self._leads.items()})

    def _late(self, latencies: dict[Link, int]) -> dict[Link, int] | None:
        """By how many periods marks stand later at their ports, in their chips' programs, than they would if links had these
        latencies; for all links but the tree's, which are over when programs begin. None if links fail."""
        links = tuple(replace(link, latency=max(1, latency)) for link, latency in latencies.items())
        start, found = Start(replace(self._system, links=links), links=()), {}
        images, sent = calling_in_time(start, _PATIENCE)
        for port in range(2 * self._system.config.c2c.links):
            for chip in self._chips:
                chip.set_register("LINK_INDEX", port)
            self._run(images, _STARTED)
            for link in [link for link in latencies if link.target.number == port]:
                chip = self._chips[link.target.chip]
                if not State.of(chip).marked:
                    self._fail(link, f"its mark is not heard within {_PATIENCE} cycles, no latency is that great")
                elif link not in self._tree:
                    time = chip.register("LINK_MARK") - start.cycle(link.target.chip, sent)
                    found[link] = round((time - latencies[link]) / HAC_PERIOD)
        return found if len(self._system.links) == len(latencies) else None

    def _tabulate(self, ages: dict[Link, Ages], latencies: dict[Link, int], late: dict[Link, int]) -> Table | None:
        """Chips begin later by half of the periods that both ways to them and back take more than was thought, together
        with those by which their parents do; what is left of a mark's being late is in its link. None if links fail."""
        begins = {0: 0}
        for link in self._tree:
            begins[link.target.chip] = begins[link.source.chip] + late[self._back(link)] // 2
        found = []
        for link, latency in latencies.items():
            periods = late.get(link, 0) + begins[link.target.chip] - begins[link.source.chip]
            latency += HAC_PERIOD * periods
            if latency < 1:
                self._fail(link, f"its latency comes out as {latency} by clocks that agree over other links")
            else:
                found.append(replace(link, latency=latency))
        if len(found) < len(latencies):
            return None
        self._system = replace(self._system, links=tuple(found))
        follows = {k.target.chip: Follow(k.source.chip, k.target.number, lead) for k, lead in self._leads.items()}
        return Table(self._system, tuple(ages[link].spread for link in latencies), follows)

    def _carries(self, table: Table) -> bool:
        """Whether every link carries marks and vectors; leaves out those that do not."""
        if not self._attempt(Start(table.system)):
            return True
        for link in table.system.links:
            if wrong := self._attempt(Start(table.system, [link])):
                self._fail(link, wrong)
        if len(self._system.links) == len(table.system.links):
            raise BringUpError("Every link carries vectors by itself, but all together do not.")
        return False

    def _attempt(self, start: Start) -> str:
        """Sends a vector over links; what went wrong, nothing if nothing did."""
        programs = [Program(self._system.config) for _ in self._chips]
        exchange = Exchange(start, programs, start.begin, _SEED)
        for chip, program in enumerate(programs):
            start.write(chip, program)
            start.end(chip, program, exchange.end)
        for run in self._run([program.image() for program in programs], settling(self._depth)):
            if run.fault is not None:
                return _FAULTS.get(run.fault.kind, str(run.fault))
        return "other data comes than was sent" if exchange.wrong(self._chips) else ""
