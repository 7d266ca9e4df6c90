"""One superlane: the stream registers of every stop and the tiles of all columns between them.

Streams never leave a row, so that all rows are one module; what moves between rows goes through the columns.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import drives, join, narrow
from hdl.columns import Placed
from hdl.fetch import FetchTile
from hdl.lib.stamp import stamp
from hdl.lib.stream import Streams
from hdl.stop import Stop
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
        members = {one.name: Out(narrow(one.column.tile)) for members in placed for one in members}
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
        edge = Streams(c, sim).create(path=("edge",))
        conflicts = []
        for x, (stop, members) in enumerate(zip(floorplan(c).stops, self._placed, strict=True)):
            kinds = tuple(kind for one in members for kind in drives(one.column.tile))
            east, west = (streams[k] if 0 <= k < len(streams) else edge for k in (x + 1, x - 1))
            made = Stop(c, kinds, sim)
            name = "stop_" + "_".join(dict.fromkeys(unit.kind.lower() for unit in stop))
            m.submodules[f"stop_{x}"] = unit = stamp(made, name, here=streams[x])
            for side, target in (("east", east), ("west", west)):
                if target is not edge:
                    for suffix in ("", "_check", "_written")[: 3 if sim else 2]:
                        m.d.comb += getattr(target, side + suffix).eq(getattr(unit, side + suffix))
            if sim:
                m.d.comb += [unit.place.eq(x), unit.superlane.eq(self.superlane), unit.cycle.eq(self.cycle)]
            conflicts.append(unit.conflict)
            first = 0
            for one in members:
                tile = stamp(one.column.tile, one.tile_module, streams=streams[x])
                m.submodules[one.name] = tile
                for k in range(len(drives(one.column.tile))):
                    wiring.connect(m, getattr(tile, f"drive_{k}"), getattr(unit, f"drive_{first + k}"))
                first += len(drives(one.column.tile))
                join(m, getattr(self, one.name), tile)
            m.submodules[f"fetch_tile_{x}"] = tile = stamp(FetchTile(c, sim), "fetch_tile", streams=streams[x])
            join(m, getattr(self, f"fetch_{x}"), tile)
        m.d.comb += self.conflict.eq(Cat(conflicts))
        return m

