"""A chip whose planes are fed in every cycle while frames go through it by two ways that are longer than need be."""

from collections.abc import Sequence

import numpy as np

from sw.arch.config import Config
from sw.arch.links import link_latency
from sw.arch.system import Port, System, cables
from sw.asm.flow import arrival, read_time
from sw.asm.program import Program
from sw.isa.table import instruction
from sw.network.costs import costs
from sw.network.graph import Network
from sw.network.programs import Room, Traffic
from sw.network.schedule import Receive, Schedule
from sw.network.start import Start

#: The chip that computes, and what it leaves to the traffic: two slices, and streams behind those of the products.
BUSY = 1
ROOM = Room(slices=("W2", "W3"), first=8)
SEED = 77


def triangle(config: Config, cable: int) -> System:
    """Chips 0 and 2 are joined; frames that go by chip 1 instead come to its port 0, of the unit that sends them on, or to port
    2, which is across the chip. `config` has two links on each side."""
    ends = [((0, 1), (2, 1)), ((0, 0), (1, 0)), ((0, 2), (1, 2)), ((1, 1), (2, 0))]
    return System(config, 3, cables([(Port(*a), Port(*b)) for a, b in ends], link_latency(config, cable)))


def detours(system: System, frames: int) -> Schedule:
    """Vectors 0, 1, ... from chip 0 to chip 2, all of them through chip 1, each by the other way."""
    network = Network(system)
    by_ports = {(link.source.chip, link.source.number): number for number, link in enumerate(system.links)}
    schedule = Schedule(network, costs(system.config))
    for number in range(frames):
        schedule.start(0, number)
        schedule.send(number, (by_ports[0, 2 * (number % 2)], by_ports[1, 1]))
    return schedule


def window(config: Config, time: int, rows: int) -> range:
    """The cycles in which planes whose weights come from `time` on are given a row in each cycle."""
    first = time + config.vl - 1 + instruction("IW").timing(config, {}).d_func
    return range(first, first + rows)


class Products:
    """int8 [rows, VL] @ int8 [VL, VL] on a plane of each of the `sides`, from memory to memory, in a program from `time` on."""

    def __init__(self, program: Program, time: int, sides: str, rows: int):
        self._program, self._vl = program, program.config.vl
        rng = np.random.default_rng(SEED)
        self._weights = rng.integers(-128, 128, (self._vl, self._vl), np.int8)
        self._rows = {side: rng.integers(-128, 128, (rows, self._vl), np.int8) for side in sides}
        for side in sides:
            self._plane(side, time, window(program.config, time, rows))

    def _plane(self, side: str, time: int, fed: range) -> None:
        """What flows east comes from the west, and sums flow the other way."""
        at, config, last = self._program.at, self._program.config, self._vl - 1
        other, plane, first = "WE"[side == "W"], f"MXM_{side}0", 4 * (side == "W")
        rows, weights, times = f"{other}{first}", f"{other}{first + 1}", len(fed) - 1
        self._program.data(rows, 0, self._rows[side])
        self._program.data(weights, 0, self._weights.T)
        at(read_time(config, f"MEM_{weights}", plane, time)).mem(weights).read(0, f"{side}0", stride=1).repeat(last)
        at(time).queue(f"{plane}_W").lw("int8", f"{side}0", 1, 0, stride=1).repeat(last - 1)
        at(time + last).queue(f"{plane}_W").lw("int8", f"{side}0", 1, last)
        at(time + last).queue(f"{plane}_W").iw()
        at(read_time(config, f"MEM_{rows}", plane, fed.start)).mem(rows).read(0, f"{side}1", stride=1).repeat(times)
        passes = at(fed.start).queue(f"{plane}_A").abc("int8", f"{side}1").repeat(times)
        meets = at(fed.start + passes.word[0].timing(config).d_func).queue(f"{plane}_R")
        sums = meets.acc("int8", "pass", 0, f"{other}4", stride=0).repeat(times)
        for byte in range(4):
            there = f"{side}{first + byte}"
            self._program.output(f"product_{side}{byte}", there, 0, len(fed))
            at(arrival(sums, f"MEM_{there}")).mem(there).write(0, f"{other}{4 + byte}", stride=1).repeat(times)

    def right(self, chip) -> bool:
        """Whether the outputs of a machine are the products."""
        for side, rows in self._rows.items():
            found = np.stack([chip.read(f"product_{side}{byte}", 0, len(rows)) for byte in range(4)], axis=-1)
            if (found.view(np.int32)[..., 0] != rows.astype(np.int32) @ self._weights.astype(np.int32)).any():
                return False
        return True


class Both:
    """Programs of three chips that compute, or pass frames on, or both: `programs`, and `products` and `traffic` if so."""

    def __init__(self, system: System, sides: str, rows: int, frames: int, computing: bool = True, sending: bool = True):
        self.system, self.schedule = system, detours(system, frames)
        self.programs = [Program(system.config) for _ in range(system.chips)]
        start = Start(system)
        for chip, program in enumerate(self.programs):
            start.write(chip, program)
        # What is read first comes from far away.
        begin = start.begin + 2 * len(self.programs[0].floorplan.stops)
        time = start.cycle(BUSY, begin)
        self.window = window(system.config, time, rows)
        self.products = Products(self.programs[BUSY], time, sides, rows) if computing else None
        # Frames stand at the busy chip when it has been computing for a link's latency.
        origin = begin + self.window.start - time
        self.origins = [start.cycle(chip, origin) for chip in range(system.chips)]
        self.traffic = Traffic(self.schedule, self.programs, self.origins, room=ROOM) if sending else None

    def passing(self) -> dict[type, list[int]]:
        """The cycles in which the busy chip takes frames, sends them, or passes them on."""
        network, found = self.schedule.network, {}
        for event in self.schedule.events:
            if event.link in (network.coming if isinstance(event, Receive) else network.leaving)[BUSY]:
                found.setdefault(type(event), []).append(self.origins[BUSY] + event.cycle)
        return found

    def vectors(self) -> np.ndarray:
        return np.random.default_rng(SEED).integers(0, 256, (len(self.schedule.given), self.system.config.vl), np.uint8)

    def fill(self, chips: Sequence) -> None:
        """Gives the traffic's vectors to machines."""
        if self.traffic:
            for (chip, number), words in self.traffic.given.items():
                for where, addr in words:
                    chips[chip].write(where, addr, self.vectors()[number : number + 1])

    def right(self, chips: Sequence) -> bool:
        """Whether everything is where it belongs."""
        done = self.products is None or self.products.right(chips[BUSY])
        if self.traffic:
            for number, vector in enumerate(self.vectors()):
                done &= bool((chips[2].read(*self.traffic.kept[2, number], 1)[0] == vector).all())
        return done
