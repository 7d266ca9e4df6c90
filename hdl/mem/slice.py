"""A MEM slice: the spine of a column of tiles."""

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import In, Out

from hdl.column import Column
from hdl.lib.bus import answer, bus_shape, request
from hdl.lib.gate import Awake
from hdl.lib.issue import northward
from hdl.mem.tile import Tile
from sw.arch.config import Config
from sw.arch.hostmap import Space

ANSWERED = 2
"""Cycles from a host request to its answer in a register."""


class Slice(Column):
    """One MEM slice.

    Members, besides those of a column
    -------
    index, request, answer
        Slice number in host order, and the host bus: MEM reads and writes of one superlane's word.
    place, cycle : In, in simulation builds
        Slice number and cycle of trace lines.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.sim = sim
        members = {
            "index": In(bus_shape(c).unit_bits),
            "request": In(request(c)),
            "answer": Out(answer(c)),
        }
        if sim:
            members |= {"place": In(8), "cycle": In(32)}
        super().__init__(c, ("MEM",), Tile(c, sim), members)

    @property
    def awake(self) -> Awake:
        return Awake((self.issue_0.valid, self.request.valid), max(self.config.superlanes, ANSWERED))

    def elaborate(self, platform):
        m = Module()
        c, asked = self.config, self.request
        hit = asked.valid & (asked.space == Space.MEM) & (asked.unit == self.index)
        for r, (valid, word) in enumerate(northward(m, c, self.issue_0)):
            tile = self.tiles[r]
            m.d.comb += [
                tile.valid.eq(valid),
                tile.word.eq(word),
                tile.access.valid.eq(hit & (asked.part == r)),
                tile.access.write.eq(asked.write),
                tile.access.addr.eq(asked.addr),
                tile.access.data.eq(asked.data),
                tile.access.check.eq(asked.check),
            ]
            if self.sim:
                m.d.comb += [tile.place.eq(self.place), tile.superlane.eq(r), tile.cycle.eq(self.cycle)]
        self._answer(m, hit)
        self.report(m, 0, [bit for tile in self.tiles for bit in tile.corrected], [t.fault for t in self.tiles])
        return m

    def _answer(self, m: Module, hit) -> None:
        asked, done, row = Signal(), Signal(), Signal(len(self.request.part), reset_less=True)
        m.d.sync += [asked.eq(hit & ~self.request.write), done.eq(hit & self.request.write)]
        with m.If(hit):
            m.d.sync += row.eq(self.request.part)
        m.d.sync += [self.answer.valid.eq(asked | done), self.answer.data.eq(0), self.answer.check.eq(0)]
        with m.If(asked), m.Switch(row):
            for r, tile in enumerate(self.tiles):
                with m.Case(r):
                    m.d.sync += [self.answer.data.eq(tile.read_data), self.answer.check.eq(tile.read_check)]
