"""One stop of one superlane: its stream registers, its fetch tile, and the tiles of the columns that stand here."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.column import drives, join, narrow
from hdl.columns import Placed
from hdl.fetch import FetchTile
from hdl.lib.stamp import stamp
from hdl.lib.stream import Streams, check_bits, data_bits
from hdl.lib.tap import reach
from hdl.stop import Stop
from sw.arch.config import Config


class Cell(wiring.Component):
    """A stop with everything on it, in one superlane.

    Parameters
    ----------
    c : Config
    kind : name of the stop's modules, after the units that stand there
    placed : columns that stand there
    sim : simulation build

    Members
    -------
    here : In(Streams)
        The registers that the units at this stop see.
    east, west (and `_check`, in simulation builds `_written`) : Out
        The registers that this stop drives; see `Stop`.
    one per column, under its place at the stop (`tile_0` …) : the narrow ports of its tile
    fetch : the narrow ports of the fetch tile
    conflict : Out(1)
    place, superlane, cycle : In, in simulation builds, for trace lines
    """

    def __init__(self, c: Config, kind: str, placed: list[Placed], sim: bool = False):
        self.config, self.kind, self.sim, self._placed = c, kind, sim, placed
        self.tiles = tuple(one.tile_module for one in placed)
        members = {"here": In(Streams(c, sim)), "conflict": Out(1), "fetch": Out(narrow(FetchTile(c, sim)))}
        members |= {f"tile_{k}": Out(narrow(one.column.tile)) for k, one in enumerate(placed)}
        for side in ("east", "west"):
            members |= {side: Out(c.streams * data_bits(c)), f"{side}_check": Out(c.streams * check_bits(c))}
            if sim:
                members[f"{side}_written"] = Out(c.streams)
        if sim:
            members |= {"place": In(8), "superlane": In(8), "cycle": In(32)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c, sim = self.config, self.sim
        kinds = tuple(kind for one in self._placed for kind in drives(one.column.tile))
        made = Stop(c, kinds, sim)
        outward = {name: getattr(self, name) for name in made.outward}
        m.submodules.stop = stop = stamp(made, f"stop_{self.kind}", here=self.here, **outward)
        m.d.comb += self.conflict.eq(stop.conflict)
        if sim:
            m.d.comb += [getattr(stop, name).eq(getattr(self, name)) for name in ("place", "superlane", "cycle")]
        first = 0
        for k, one in enumerate(self._placed):
            m.submodules[f"tile_{k}"] = tile = stamp(one.column.tile, one.tile_module)
            reach(m, f"tile_{k}", tile, self.here)
            count = len(drives(one.column.tile))
            for d in range(count):
                wiring.connect(m, getattr(tile, f"drive_{d}"), getattr(stop, f"drive_{first + d}"))
            first += count
            join(m, getattr(self, f"tile_{k}"), tile)
        m.submodules.fetch = fetch = stamp(FetchTile(c, sim), "fetch_tile")
        reach(m, "fetch", fetch, self.here)
        join(m, self.fetch, fetch)
        return m
