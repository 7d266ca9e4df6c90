"""The core: every unit of the floorplan between its stops, with its queues. Loops over the floorplan, no hand wiring."""

from functools import reduce
from operator import or_

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hdl.columns import Placed, columns
from hdl.fetch import FetchTile
from hdl.host.bus import HostBus
from hdl.lib.bus import bus_shape
from hdl.lib.fault import FaultReport
from hdl.lib.stamp import stamp
from hdl.queue import RELEASE_CYCLES, Queue
from hdl.stop import Stop
from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.hostmap import Fault
from sw.isa.codec import make
from sw.isa.fields import width_of
from sw.isa.table import latch

RELEASE = RELEASE_CYCLES + 1
"""Cycles from `start` to cycle 0: one to reach the queues."""
GATHER = 1
"""Cycles from an event in the core to `halted`, `fault` and `corrected`."""
CORRECTED_BITS = 16


class Core(wiring.Component):
    """The chip without its host port.

    Members
    -------
    bus : In(HostBus)
    clear, reset, start, freeze : In(1)
        Counters to zero; everything but MEM, queue memories and counters to its start; begin an iteration; hold.
    halted : Out(1)
        Every queue has reached HALT.
    fault : Out(FaultReport), corrected : Out
        First fault of the cycle by queue order, and errors corrected in it.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        shape = bus_shape(c)
        super().__init__({
            "bus": In(HostBus(shape)),
            "clear": In(1),
            "reset": In(1),
            "start": In(1),
            "freeze": In(1),
            "halted": Out(1),
            "fault": Out(FaultReport(bits_for(shape.units - 1), bits_for(shape.queues - 1))),
            "corrected": Out(CORRECTED_BITS),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        self.plan = floorplan(c)
        self._control(m)
        self._cycle = self._cycles(m) if self.sim else None
        queues = self._queues(m)
        placed = [
            [one for unit in stop for one in columns(c, unit, self.sim)] for stop in self.plan.stops
        ]
        stops = self._stops(m, placed)
        self._units(m, placed, queues, stops)
        self._bus(m, placed, queues)
        self._fetches(m, queues, stops)
        self._notify(m, queues)
        self._reports(m, placed, queues, stops)
        return m

    def _control(self, m: Module) -> None:
        """One register stage for the wires that reach every queue."""
        self._wires = {name: Signal(name=f"{name}_q") for name in ("clear", "reset", "start", "freeze")}
        m.d.sync += [wire.eq(getattr(self, name)) for name, wire in self._wires.items()]

    def _cycles(self, m: Module) -> Signal:
        """Simulation only: cycles since cycle 0 of the first iteration, for trace lines."""
        cycle, armed = Signal(32), Signal()
        m.d.sync += cycle.eq(cycle + 1)
        with m.If(self.clear):
            m.d.sync += armed.eq(1)
        with m.If(self.start & armed):
            m.d.sync += [cycle.eq(1 - RELEASE), armed.eq(0)]
        return cycle

    def _queues(self, m: Module) -> list:
        made = []
        for queue in self.plan.queues:
            unit = stamp(Queue(self.config, queue.cls), f"queue_{queue.cls.lower()}")
            m.submodules[f"{queue.name.lower()}_queue"] = unit
            m.d.comb += [
                unit.index.eq(queue.index),
                unit.clear.eq(self._wires["clear"]),
                unit.reset.eq(self._wires["reset"]),
                unit.start.eq(self._wires["start"]),
                unit.run.eq(~self._wires["freeze"]),
            ]
            made.append(unit)
        return made

    def _stops(self, m: Module, placed: list[list[Placed]]) -> list[list]:
        """The stop components, joined east and west; nothing enters at the edges."""
        c, rows = self.config, []
        for x, members in enumerate(placed):
            kinds = tuple(drive for one in members for drive in one.column.drives)
            name = "stop_" + "_".join(dict.fromkeys(unit.kind.lower() for unit in self.plan.stops[x]))
            row = []
            for r in range(c.superlanes):
                stop = stamp(Stop(c, kinds, self.sim), name)
                m.submodules[f"stop_{x}_{r}"] = stop
                if self.sim:
                    m.d.comb += [stop.place.eq(x), stop.superlane.eq(r), stop.cycle.eq(self._cycle)]
                row.append(stop)
            rows.append(row)
        suffixes = ("", "_check") + (("_written",) if self.sim else ())
        for west, east in zip(rows, rows[1:], strict=False):
            for low, high in zip(west, east, strict=True):
                for suffix in suffixes:
                    m.d.comb += getattr(high.here, f"east{suffix}").eq(getattr(low, f"east{suffix}"))
                    m.d.comb += getattr(low.here, f"west{suffix}").eq(getattr(high, f"west{suffix}"))
        return rows

    def _units(self, m: Module, placed: list[list[Placed]], queues: list, stops: list[list]) -> None:
        """Instantiates the columns and joins them to their queues and their stop."""
        self._columns = {}
        for x, members in enumerate(placed):
            first_drive = 0
            for one in members:
                unit = stamp(one.column, one.module)
                name = one.queues[0].name.lower() if len(one.queues) == 1 else one.unit.name.lower()
                m.submodules[name] = unit
                self._columns[id(one)] = unit
                for q, queue in enumerate(one.queues):
                    wiring.connect(m, queues[queue.index].issue, getattr(unit, f"issue_{q}"))
                    m.d.comb += queues[queue.index].corrected.eq(getattr(unit, f"corrected_{q}"))
                for r, stop in enumerate(stops[x]):
                    for member in stop.here.signature.members:
                        m.d.comb += getattr(getattr(unit, f"streams_{r}"), member).eq(getattr(stop.here, member))
                    for k in range(len(one.column.drives)):
                        wiring.connect(m, getattr(unit, f"drive_{k}_{r}"), getattr(stop, f"drive_{first_drive + k}"))
                first_drive += len(one.column.drives)
                if self.sim and one.unit.kind == "MEM":
                    slice_number = self.plan.slices.index(one.unit)
                    m.d.comb += [unit.place.eq(slice_number), unit.cycle.eq(self._cycle)]

    def _bus(self, m: Module, placed: list[list[Placed]], queues: list) -> None:
        """The host bus past every stop; `hdl.lib.bus` says why answers cannot meet."""
        request, answer = self.bus.request, None
        for x, members in enumerate(placed):
            here = Signal(len(_flat(request)), name=f"request_{x}")
            valid = Signal(name=f"request_valid_{x}")
            m.d.sync += valid.eq(request.valid)
            with m.If(request.valid):
                m.d.sync += here.eq(_flat(request))
            standing = request.signature.create(path=(f"standing_{x}",))
            m.d.comb += [_flat(standing).eq(here)]
            m.d.comb += standing.valid.eq(valid)
            request = standing
            answers = [queues[queue.index] for queue in self.plan.queues if queue.unit.stop == x]
            for one in members:
                if one.unit.kind == "MEM":
                    slice_unit = self._columns[id(one)]
                    m.d.comb += slice_unit.index.eq(self.plan.slices.index(one.unit))
                    answers.append(slice_unit)
            for unit in answers:
                for name in request.signature.members:
                    m.d.comb += getattr(unit.request, name).eq(getattr(standing, name))
            answer = self._join(m, x, answers, answer)
        for name in ("valid", "data", "check"):
            m.d.comb += getattr(self.bus.answer, name).eq(answer[name])

    def _join(self, m: Module, x: int, units: list, before) -> dict:
        """The answers of a stop's units and of those west of it, one cycle later."""
        joined = {}
        for name in ("valid", "data", "check"):
            values = [getattr(unit.answer, name) for unit in units] + ([before[name]] if before else [])
            joined[name] = Signal(len(getattr(self.bus.answer, name)), name=f"answer_{name}_{x}")
            total = reduce(or_, values, Const(0))
            m.d.sync += joined[name].eq(total)
        return joined

    def _fetches(self, m: Module, queues: list, stops: list[list]) -> None:
        """One fetch port a stop, shared by its queues: the stream pair goes north with the stagger, text comes south."""
        c = self.config
        stream_bits = width_of(c.streams) + 1
        for x, row in enumerate(stops):
            users = [queues[queue.index] for queue in self.plan.queues if queue.unit.stop == x]
            take, stream = Signal(name=f"fetch_{x}_0"), Signal(stream_bits, name=f"fetch_stream_{x}_0")
            m.d.comb += take.eq(Cat(user.fetch for user in users).any())
            for user in users:
                with m.If(user.fetch):
                    m.d.comb += stream.eq(user.fetch_stream)
            owner = Signal(len(users), name=f"fetch_owner_{x}")
            pipe, taken = Cat(user.fetch for user in users), take
            for k in range(latch(c) - 1):
                owners = Signal(len(users), name=f"fetch_owner_{x}_{k}")
                going = Signal(name=f"fetch_going_{x}_{k}")
                m.d.sync += [owners.eq(pipe), going.eq(taken)]
                pipe, taken = owners, going
            with m.If(taken):
                m.d.sync += owner.eq(pipe)
            tiles = []
            for r, stop in enumerate(row):
                if r:
                    take_q, stream_q = Signal(name=f"fetch_{x}_{r}"), Signal(stream_bits, name=f"fetch_stream_{x}_{r}")
                    m.d.sync += take_q.eq(take)
                    with m.If(take):
                        m.d.sync += stream_q.eq(stream)
                    take, stream = take_q, stream_q
                tile = stamp(FetchTile(c, self.sim), "fetch_tile")
                m.submodules[f"fetch_{x}_tile_{r}"] = tile
                for member in stop.here.signature.members:
                    m.d.comb += getattr(tile.streams, member).eq(getattr(stop.here, member))
                m.d.comb += [tile.take.eq(take), tile.stream.eq(stream)]
                tiles.append(tile)
            for low, high in zip(tiles, tiles[1:], strict=False):
                m.d.comb += [low.above_valid.eq(high.valid), low.above.eq(high.pair)]
            for k, user in enumerate(users):
                m.d.comb += [user.fetched.eq(tiles[0].valid & owner[k]), user.pair.eq(tiles[0].pair)]
            self._fetch_tiles = getattr(self, "_fetch_tiles", {}) | {x: tiles}

    def _notify(self, m: Module, queues: list) -> None:
        """A NOTIFY reaches every queue d_func cycles after issue; queues take it RELEASE_CYCLES ahead."""
        delay = make("NOTIFY").timing(self.config).d_func - RELEASE_CYCLES
        landing = Cat(queue.notify for queue in queues).any()
        for k in range(delay):
            later = Signal(name=f"notify_{k}")
            m.d.sync += later.eq(landing)
            landing = later
        m.d.comb += [queue.release.eq(landing) for queue in queues]

    def _reports(self, m: Module, placed: list[list[Placed]], queues: list, stops: list[list]) -> None:
        """Gathers halts, faults and corrections, one register stage from where they happen."""
        m.d.sync += self.halted.eq(Cat(queue.halted for queue in queues).all())
        codes, fixed = {}, []
        for x, members in enumerate(placed):
            for one in members:
                unit = self._columns[id(one)]
                for q, queue in enumerate(one.queues):
                    codes.setdefault(queue.index, []).append(getattr(unit, f"fault_{q}"))
                    fixed.append(getattr(unit, f"corrected_{q}"))
            local = [queue for queue in self.plan.queues if queue.unit.stop == x]
            if not local:
                continue
            extra = codes.setdefault(local[0].index, [])
            conflict, lost = Signal(Fault, name=f"conflict_{x}"), Signal(Fault, name=f"text_lost_{x}")
            with m.If(Cat(stop.conflict for stop in stops[x]).any()):
                m.d.comb += conflict.eq(Fault.STREAM_CONFLICT)
            with m.If(Cat(tile.uncorrectable for tile in self._fetch_tiles[x]).any()):
                m.d.comb += lost.eq(Fault.ECC)
            extra += [conflict, lost]
            fixed += [tile.corrected[0] + tile.corrected[1] for tile in self._fetch_tiles[x]]
        total = Signal(CORRECTED_BITS)
        m.d.comb += total.eq(_total(fixed))
        m.d.sync += self.corrected.eq(total)

        found = []
        for queue, unit in zip(self.plan.queues, queues, strict=True):
            code, code_q = Signal(Fault, name=f"code_{queue.index}"), Signal(Fault, name=f"code_{queue.index}_q")
            for one in [unit.fault, *codes.get(queue.index, [])]:
                with m.If(one != Fault.NONE):
                    m.d.comb += code.eq(one)
            m.d.sync += code_q.eq(code)
            found.append((queue, code_q))
        m.d.comb += self.fault.valid.eq(Cat(code != Fault.NONE for _, code in found).any())
        for queue, code in reversed(found):
            with m.If(code != Fault.NONE):
                m.d.comb += [
                    self.fault.code.eq(code),
                    self.fault.queue.eq(queue.index),
                    self.fault.unit.eq(self.plan.units.index(queue.unit)),
                ]


def _flat(interface) -> Cat:
    return Cat(getattr(interface, name) for name in interface.signature.members if name != "valid")


def _total(values: list):
    while len(values) > 1:
        values = [values[k] + values[k + 1] if k + 1 < len(values) else values[k] for k in range(0, len(values), 2)]
    return values[0]


