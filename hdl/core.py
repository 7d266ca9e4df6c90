"""The core: every unit of the floorplan between its stops, with its queues. Loops over the floorplan, no hand wiring."""

from functools import reduce
from operator import or_

from amaranth.hdl import Assert, Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hdl.c2c.units import LinkUnits
from hdl.columns import Placed, columns
from hdl.host.bus import HostBus
from hdl.lib.bus import bus_shape
from hdl.lib.fault import FaultReport, FaultSource, chip_corrected_bits, report_first
from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.tree import tree_sum
from hdl.queue import RELEASE_CYCLES, Queue
from hdl.row import Row
from sw.arch.config import Config
from sw.arch.floorplan import floorplan
from sw.arch.hostmap import Fault
from sw.isa.codec import make
from sw.isa.stages import latch

RELEASE = RELEASE_CYCLES + 1
"""Cycles from `start` to cycle 0: one to reach the queues."""
GATHER = 1
"""Cycles from an event in the core to `halted`, `fault` and `corrected`."""


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
    With links also what `hdl.c2c.units.LinkUnits` has outside.
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
            "corrected": Out(chip_corrected_bits(c)),
            **(LinkUnits.members(c) if c.c2c.links else {}),
        })

    def elaborate(self, platform):
        m = Module()
        c = self.config
        self.plan = floorplan(c)
        self._control(m)
        self._cycle = self._cycles(m) if self.sim else None
        queues = self._queues(m)
        placed = [[one for unit in stop for one in columns(c, unit, self.sim)] for stop in self.plan.stops]
        rows = self._rows(m, placed)
        spines = self._spines(m, placed, queues, rows)
        self._bus(m, placed, queues, spines)
        owners = self._fetches(m, queues, rows)
        release = self._links(m, spines)
        self._notify(m, queues, release)
        self._reports(m, placed, queues, rows, spines, owners)
        return m

    def _control(self, m: Module) -> None:
        """One register stage for the wires that reach every queue."""
        self._wires = {name: Signal(name=f"{name}_q") for name in ("clear", "reset", "start", "freeze")}
        m.d.sync += [wire.eq(getattr(self, name)) for name, wire in self._wires.items()]

    def _cycles(self, m: Module) -> Signal:
        """Simulation only: cycles since cycle 0 of the first iteration, for trace lines."""
        cycle = Signal(32)
        armed = Signal()
        m.d.sync += cycle.eq(cycle + 1 + (self.correction.as_signed() if self.config.c2c.links else 0))
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

    def _rows(self, m: Module, placed: list[list[Placed]]) -> list:
        """The superlanes."""
        rows = []
        for r in range(self.config.superlanes):
            m.submodules[f"row_{r}"] = row = stamp(Row(self.config, placed, self.sim), "row")
            if self.sim:
                m.d.comb += [row.superlane.eq(r), row.cycle.eq(self._cycle)]
            rows.append(row)
        return rows

    def _spines(self, m: Module, placed: list[list[Placed]], queues: list, rows: list) -> dict:
        """The columns by name, joined to their queues and to their tiles in the rows."""
        spines = {}
        for one in (one for members in placed for one in members):
            tiles = {f"tile_{r}": getattr(row, one.name) for r, row in enumerate(rows)}
            m.submodules[one.name] = spine = stamp(one.column, one.module, **tiles)
            for q, queue in enumerate(one.queues):
                wiring.connect(m, queues[queue.index].issue, getattr(spine, f"issue_{q}"))
                m.d.comb += queues[queue.index].corrected.eq(getattr(spine, f"corrected_{q}"))
            if one.unit.kind == "MEM":
                number = self.plan.slices.index(one.unit)
                m.d.comb += spine.index.eq(number)
                if self.sim:
                    m.d.comb += [spine.place.eq(number), spine.cycle.eq(self._cycle)]
            spines[one.name] = spine
        return spines

    def _bus(self, m: Module, placed: list[list[Placed]], queues: list, spines: dict) -> None:
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
            answers += [spines[one.name] for one in members if one.unit.kind == "MEM"]
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

    def _fetches(self, m: Module, queues: list, rows: list) -> list[Signal]:
        """One fetch port a stop, shared by its queues: the stream pair goes north with the stagger, text comes south.
        Returns for every stop which of its queues the text is for."""
        owners = []
        for x in range(len(self.plan.stops)):
            users = [queues[queue.index] for queue in self.plan.queues if queue.unit.stop == x]
            tiles = [getattr(row, f"fetch_{x}") for row in rows]
            asked = Cat(user.fetch for user in users)
            take, stream = asked.any(), Signal(len(tiles[0].stream), name=f"fetch_stream_{x}_0")
            for user in users:
                with m.If(user.fetch):
                    m.d.comb += stream.eq(user.fetch_stream)
            owner = self._owner(m, x, asked)
            if self.sim:
                self._watch_fetches(m, x, asked)
            for r, tile in enumerate(tiles):
                if r:
                    take, stream = delay(m, take, stream, 1, f"fetch_{x}_{r}")
                m.d.comb += [tile.take.eq(take), tile.stream.eq(stream)]
            for low, high in zip(tiles, tiles[1:], strict=False):
                m.d.comb += [low.above_valid.eq(high.valid), low.above.eq(high.pair)]
            for k, user in enumerate(users):
                m.d.comb += [user.fetched.eq(tiles[0].valid & owner[k]), user.pair.eq(tiles[0].pair)]
            owners.append(owner)
        return owners

    def _owner(self, m: Module, x: int, asked) -> Signal:
        """Which queue's text is coming south: the last that asked, from when its first words can be there."""
        valid, asked = delay(m, asked.any(), asked, latch(self.config) - 1, f"fetch_asked_{x}")
        owner = Signal(len(asked), name=f"fetch_owner_{x}")
        with m.If(valid):
            m.d.sync += owner.eq(asked)
        return owner

    def _watch_fetches(self, m: Module, x: int, asked) -> None:
        """Simulation only: one fetch at a time, and `turn` cycles for each."""
        before = Signal(make("IFETCH").timing(self.config).turn - 1, name=f"fetch_busy_{x}")
        m.d.sync += before.eq(Cat(asked.any(), before))
        twice = (asked & (asked - 1)).any() | asked.any() & before.any()
        m.d.sync += Assert(~twice, "a fetch port was used before it was free")

    def _links(self, m: Module, spines: dict):
        """What the ports have in common; whether queues go on as after a NOTIFY."""
        ports = [spine for name, spine in spines.items() if "_port" in name]
        if not ports:
            return Const(0)
        m.submodules.links = links = LinkUnits(self.config, ports)
        for name in LinkUnits.members(self.config):
            member, inner = getattr(self, name), getattr(links, name)
            m.d.comb += inner.eq(member) if self.signature.members[name].flow is In else member.eq(inner)
        m.d.comb += [getattr(links, name).eq(self._wires[name]) for name in ("start", "reset", "clear")]
        return links.release

    def _notify(self, m: Module, queues: list, release) -> None:
        """A NOTIFY reaches every queue d_func cycles after issue; queues take it RELEASE_CYCLES ahead."""
        stages = make("NOTIFY").timing(self.config).d_func - RELEASE_CYCLES
        landing = Cat(release, *(queue.notify for queue in queues)).any()
        for k in range(stages):
            later = Signal(name=f"notify_{k}")
            m.d.sync += later.eq(landing)
            landing = later
        m.d.comb += [queue.notified.eq(landing) for queue in queues]

    def _reports(self, m: Module, placed: list, queues: list, rows: list, spines: dict, owners: list[Signal]) -> None:
        """Gathers halts, faults and corrections, one register stage from where they happen. A stream conflict is reported
        as of the first queue of its stop."""
        m.d.sync += self.halted.eq(Cat(queue.halted for queue in queues).all())
        codes, fixed = {}, []
        for x, members in enumerate(placed):
            for one in members:
                unit = spines[one.name]
                for q, queue in enumerate(one.queues):
                    codes.setdefault(queue.index, []).append(getattr(unit, f"fault_{q}"))
                    fixed.append(getattr(unit, f"corrected_{q}"))
            fetches = [getattr(row, f"fetch_{x}") for row in rows]
            local = [queue for queue in self.plan.queues if queue.unit.stop == x]
            if not local:
                continue
            conflict = Signal(Fault, name=f"conflict_{x}")
            with m.If(Cat(row.conflict[x] for row in rows).any()):
                m.d.comb += conflict.eq(Fault.STREAM_CONFLICT)
            codes.setdefault(local[0].index, []).append(conflict)
            for k, queue in enumerate(local):
                lost = Signal(Fault, name=f"text_lost_{queue.index}")
                with m.If(Cat(tile.uncorrectable for tile in fetches).any() & owners[x][k]):
                    m.d.comb += lost.eq(Fault.ECC)
                codes.setdefault(queue.index, []).append(lost)
            fixed += [tile.corrected[0] + tile.corrected[1] for tile in fetches]
        total = Signal.like(self.corrected)
        m.d.comb += total.eq(tree_sum(fixed))
        m.d.sync += self.corrected.eq(total)
        sources = [
            FaultSource(queue.index, self.plan.units.index(queue.unit), (unit.fault, *codes.get(queue.index, ())))
            for queue, unit in zip(self.plan.queues, queues, strict=True)
        ]
        report_first(m, self.fault, sources)


def _flat(interface) -> Cat:
    return Cat(getattr(interface, name) for name in interface.signature.members if name != "valid")

