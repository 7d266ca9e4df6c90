"""One superlane: the cells of all stops, joined by the streams.

Streams never leave a row, so that all rows are one module; what moves between rows goes through the columns.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.cell import Cell
from hdl.column import narrow
from hdl.columns import Placed
from hdl.fetch import FetchTile
from hdl.lib.stamp import stamp
from hdl.lib.stream import Streams
from sw.arch.config import Config
from sw.arch.floorplan import floorplan


class Row(wiring.Component):
    """One superlane of the core.

    Parameters
    ----------
    c : Config
    placed : columns by stop
    sim : simulation build

    Members
    -------
    one per column, under its name : the narrow ports of its tile
    fetch_x : the narrow ports of the fetch tile at stop x
    conflict : Out
        Bit x: two units drove one register at stop x in the cycle before.
    superlane, cycle : In, in simulation builds, for trace lines
    """

    def __init__(self, c: Config, placed: list[list[Placed]], sim: bool = False):
        self.config, self.sim, self._placed = c, sim, placed
        members = {one.name: Out(narrow(one.column.tile)) for stop in placed for one in stop}
        fetch = narrow(FetchTile(c, sim))
        members |= {f"fetch_{x}": Out(fetch) for x in range(len(placed))}
        members["conflict"] = Out(len(placed))
        if sim:
            members |= {"superlane": In(8), "cycle": In(32)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c, sim = self.config, self.sim
        streams = [Streams(c, sim).create(path=(f"at_{x}",)) for x in range(len(self._placed))]
        edge = Streams(c, sim).create(path=("off",))
        conflicts = []
        for x, (units, placed) in enumerate(zip(floorplan(c).stops, self._placed, strict=True)):
            kind = "_".join(dict.fromkeys(unit.kind.lower() for unit in units))
            outward = {}
            for side, to in (("east", x + 1), ("west", x - 1)):
                target = streams[to] if 0 <= to < len(streams) else edge
                for suffix in ("", "_check", "_written")[: 2 + sim]:
                    outward[side + suffix] = getattr(target, side + suffix)
            outward |= {f"tile_{k}": getattr(self, one.name) for k, one in enumerate(placed)}
            outward["fetch"] = getattr(self, f"fetch_{x}")
            cell = stamp(Cell(c, kind, placed, sim), f"cell_{kind}", here=streams[x], **outward)
            m.submodules[f"cell_{x}"] = cell
            conflicts.append(cell.conflict)
            if sim:
                m.d.comb += [cell.place.eq(x), cell.superlane.eq(self.superlane), cell.cycle.eq(self.cycle)]
        m.d.comb += self.conflict.eq(Cat(conflicts))
        return m
