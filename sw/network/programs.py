"""A schedule as a program on every chip.

A vector that comes is written to a word of memory as it flows by, and read so that it stands at the port when it is sent.
Each port has a stream for what it takes and one for what it sends, so no two vectors of ports ever meet; what one unit
sends by several ports in one cycle is read once. Sums are read from memory, added by a chain of ALUs and written again.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sw.arch.config import Config
from sw.arch.floorplan import Unit, floorplan
from sw.arch.stream import Stream
from sw.asm.flow import lead
from sw.asm.operands import Neighbour
from sw.asm.program import Program
from sw.network.adder import Adder, Addition, Step
from sw.network.costs import near
from sw.network.graph import Network
from sw.network.schedule import Forward, Name, Receive, Schedule, Send, Sum
from sw.network.words import Copy, Drive, RoomError, Wanted, Words

#: Numbers of frames.
NUMBERS = 4096
#: A step of a schedule.
Event = Send | Forward | Receive | Sum


@dataclass(frozen=True)
class Room:
    """What of every chip is free for a schedule.

    slices : slices for vectors, all of the chip if None
    first : streams of ports are numbered from here on, twice `c2c.links` in each direction
    sums : streams for what is added, all behind those of ports if None
    """

    slices: tuple[str, ...] | None = None
    first: int = 0
    sums: range | None = None


def lead_in(config: Config) -> int:
    """Cycles before a schedule's cycle 0 in which chips may already read what they send then."""
    plan = floorplan(config)
    return max(lead(config, unit, plan.unit(name)) for unit in plan.slices for name in ("C2C_W", "C2C_E"))


class Traffic:
    """Adds a schedule to the programs of all chips, and knows where its vectors lie.

    programs : one for every chip, in which links are aligned before the schedule begins
    origins : for every chip the cycle of its program that is the schedule's cycle 0, at least `lead_in` behind anything that
        uses the same ports, streams, slices or ALUs
    addition : what sums add up

    What a chip has before lies in the words of `given` (by chip and name), each of which the host or the program fills in
    time; what comes to it or is added lies in those of `kept` in the end. Words are (slice in host order, address). Those
    of `given` are inputs of the programs and those of `kept` outputs: `given_W0`, `kept_W0` for slice W0.
    RoomError in a sentence for what does not fit.
    """

    def __init__(
        self,
        schedule: Schedule,
        programs: Sequence[Program],
        origins: Sequence[int],
        addition: Addition | None = None,
        room: Room | None = None,
    ):
        self.given: dict[tuple[int, Name], list[tuple[int, int]]] = {}
        self.kept: dict[tuple[int, Name], tuple[int, int]] = {}
        addition, room = addition or Addition(), room or Room()
        numbers, events, there = _numbers(schedule), _by_chip(schedule), defaultdict(list)
        for chip, name in schedule.given:
            there[chip].append(name)
        for number, (program, origin) in enumerate(zip(programs, origins, strict=True)):
            try:
                chip = _Chip(program, origin, addition, room)
                chip.put(there[number], events[number], schedule.network, numbers)
            except RoomError as error:
                raise RoomError(f"Chip {number}: {error}.") from error
            self.given |= {(number, name): words for name, words in chip.given.items()}
            self.kept |= {(number, name): word for name, word in chip.kept.items()}


def _numbers(schedule: Schedule) -> dict[tuple[int, int], int]:
    """The number of every frame by link and the cycle in which it stands at its end; each port counts what it sends, and a
    frame that is passed on keeps its number."""
    counts: dict[int, int] = defaultdict(int)
    found: dict[tuple[int, int], int] = {}
    latencies, forward = schedule.network.latencies, schedule.costs.forward
    leaving = [event for event in schedule.events if isinstance(event, (Send, Forward))]
    for event in sorted(leaving, key=lambda event: event.cycle):
        if isinstance(event, Send):
            number = counts[event.link] % NUMBERS
            counts[event.link] += 1
        else:
            number = found[event.came, event.cycle - forward]
        found[event.link, event.cycle + latencies[event.link]] = number
    return found


def _by_chip(schedule: Schedule) -> dict[int, list[Event]]:
    """What happens at every chip, in order of time."""
    found: dict[int, list[Event]] = defaultdict(list)
    sources, targets = schedule.network.sources, schedule.network.targets
    for event in sorted(schedule.events, key=lambda event: event.cycle):
        if isinstance(event, Sum):
            chip = event.chip
        else:
            chip = targets[event.link] if isinstance(event, Receive) else sources[event.link]
        found[chip].append(event)
    return found


class _Chip:
    """One chip's program while it grows. Cycles are those of the program."""

    def __init__(self, program: Program, origin: int, addition: Addition, room: Room):
        self.given: dict[Name, list[tuple[int, int]]] = {}
        self.kept: dict[Name, tuple[int, int]] = {}
        self._program, self._config, self._origin = program, program.config, origin
        self._addition, self._first = addition, room.first
        self._links = self._config.c2c.links
        self._plan = floorplan(self._config)
        self._words = Words(self._config, room.slices)
        behind = range(room.first + 2 * self._links, self._config.streams)
        if behind.start > self._config.streams:
            raise RoomError(f"its ports need streams to {behind.start - 1}, it has {self._config.streams} in each direction")
        self._adder = Adder(self._config, addition, room.sums or behind)
        #: Name -> where it first comes from (None: it is there before), with the number of its stream; what it is read for.
        self._drives: dict[Name, tuple[Drive | None, int]] = {}
        self._wanted: dict[Name, list[Wanted]] = defaultdict(list)

    def put(self, there: list[Name], events: list[Event], network: Network, numbers: dict[tuple[int, int], int]) -> None:
        """All that happens on this chip, from the names that it has before."""
        self._drives |= {name: (None, 0) for name in there}
        sends: dict[tuple[Unit, int, Name], list[tuple[int, int]]] = defaultdict(list)
        sums = [event for event in events if isinstance(event, Sum)]
        for event in events:
            if isinstance(event, Receive):
                self._receive(network.links[event.link].target.number, event, numbers[event.link, event.cycle])
            elif isinstance(event, Send):
                port, comes = network.links[event.link].source.number, event.cycle + network.latencies[event.link]
                sends[self._unit(port), event.cycle, event.name].append((port, numbers[event.link, comes]))
            elif isinstance(event, Forward):
                port, came = network.links[event.link].source.number, network.links[event.came].target.number
                self._program.at(self._origin + event.cycle).port(port).forward(came % self._links)
        for (unit, cycle, name), ports in sends.items():
            self._send(unit, cycle, name, ports)
        for event in sums:
            self._result(event)
        for event in sums:
            self._add(event)
        self._place()

    def _unit(self, port: int) -> Unit:
        return self._plan.unit("C2C_W" if port < self._links else "C2C_E")

    def _receive(self, port: int, event: Receive, number: int) -> None:
        """What comes from the west flows east, and the other way round."""
        west, stream = port >= self._links, self._first + port % self._links
        entry = self._program.at(self._origin + event.cycle).port(port).receive(Stream(west, stream), number)
        if event.name not in self._drives:
            stands = entry.time + entry.word[0].timing(self._config).d_func
            self._drives[event.name] = (Drive(entry.queue.unit, stands, west), stream)

    def _send(self, unit: Unit, cycle: int, name: Name, ports: list[tuple[int, int]]) -> None:
        """Sends a vector by ports of one unit, all from the stream of one of them."""
        west = unit.name == "C2C_W"
        stream = self._first + self._links + ports[0][0] % self._links
        for port, number in ports:
            self._program.at(self._origin + cycle).port(port).send(Stream(west, stream), number)
        self._wanted[name].append(Wanted(unit, self._origin + cycle, west, stream))

    def _result(self, event: Sum) -> None:
        """Where a sum comes from: it flows to where it is sent first, if it is."""
        width = self._addition.dtype.streams
        if len(event.names) != width:
            raise RoomError(
                f"a sum of numbers of {len(event.names)} bytes is scheduled for cycle {event.cycle}, those of "
                f"{self._addition.dtype.text} have {width}"
            )
        wanted = self._wanted[event.names[0]]
        west = min(wanted, key=lambda one: one.cycle).west if wanted else event.cycle % 2 == 0
        stands = self._last(event) + self._addition.timing(self._config).d_func
        for name in event.names:
            # The stream is known when the chain is.
            self._drives[name] = (Drive(self._plan.unit("VXM"), stands, west), 0)

    def _last(self, event: Sum) -> int:
        """Cycle of the last ADD: what it gives is written near by, and then stands at either unit when it may be sent."""
        vxm = self._plan.unit("VXM")
        farthest = max(self._plan.hops(vxm, self._plan.unit(name)) for name in ("C2C_W", "C2C_E"))
        timing = self._addition.timing(self._config)
        return self._origin + event.cycle - 1 - farthest - 2 * near(self._config) - timing.d_func

    def _add(self, event: Sum) -> None:
        sides = [self._side(names, event) for names in zip(*event.parts, strict=True)]
        steps, streams, out = self._adder.sum(sides)
        timing = self._addition.timing(self._config)
        level, last = timing.d_chain - timing.chain_skew, self._last(event)
        for step in steps:
            issue = last - step.early * level
            self._step(step, issue, sides, streams, Stream(self._drives[event.names[0]][0].west, out))
            for part in step.operands:
                if not isinstance(part, Neighbour):
                    for byte, names in enumerate(event.parts):
                        wanted = Wanted(self._plan.unit("VXM"), issue + timing.d_skew, sides[part], streams[part] + byte)
                        self._wanted[names[part]].append(wanted)
        for byte, name in enumerate(event.names):
            self._drives[name] = (self._drives[name][0], out + byte)

    def _side(self, names: Sequence[Name], event: Sum) -> bool:
        """Whether a part flows west to the vector unit: from the hemisphere it came to first."""
        drive, _ = self._drives[names[0]]
        if drive is None:
            return event.cycle % 2 == 0
        return drive.west if drive.unit.kind == "C2C" else not drive.west

    def _step(self, step: Step, issue: int, sides: Sequence[bool], streams: dict[int, int], out: Stream) -> None:
        a, b = (one if isinstance(one, Neighbour) else Stream(sides[one], streams[one]) for one in step.operands)
        given = {"dtype": self._addition.dtype, "overflow": "sat" if self._addition.saturating else "mod"}
        result = {} if step.early else {"dst": out}
        self._program.at(issue).vxm(step.alu).add(a=a, b=b, **given, **result)

    def _place(self) -> None:
        """Finds words for everything, what comes before what is there, earliest first; reads and writes them."""
        slices = {unit.name: number for number, unit in enumerate(self._plan.slices)}
        order = sorted(self._drives.items(), key=lambda one: (one[1][0] is None, one[1][0].cycle if one[1][0] else 0))
        for name, (drive, stream) in order:
            copies = self._words.place(drive, self._wanted[name])
            for copy in copies:
                self._access(copy, drive, stream)
            words = [(slices[copy.slice.name], copy.addr) for copy in copies]
            if drive is None:
                self.given[name] = words
            else:
                self.kept[name] = words[0]
        for kind, counts, first in (("given", self._words.given, 0), ("kept", self._words.written, self._config.bank_words)):
            declare = self._program.input if kind == "given" else self._program.output
            for name, count in counts.items():
                if count:
                    declare(f"{kind}_{name.removeprefix('MEM_')}", name, first, count)

    def _access(self, copy: Copy, drive: Drive | None, stream: int) -> None:
        if copy.written is not None:
            self._program.at(copy.written).mem(copy.slice.name).write(copy.addr, Stream(drive.west, stream))
        for one in copy.wanted:
            read = one.cycle - lead(self._config, copy.slice, one.unit)
            self._program.at(read).mem(copy.slice.name).read(copy.addr, Stream(one.west, one.stream))
