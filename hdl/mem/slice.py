"""A MEM slice: a column of tiles, one superlane each, behind one issue port."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.bus import answer, bus_shape, request
from hdl.lib.issue import Issue, northward
from hdl.lib.stamp import stamp
from hdl.lib.stream import Drive, Streams
from hdl.mem.tile import Tile
from sw.arch.config import Config
from sw.arch.hostmap import Fault, Space


class Slice(wiring.Component):
    """One MEM slice.

    Members
    -------
    issue : In(Issue)
    streams_r : In(Streams), drive_r : Out(Drive)
        Superlane r's registers at the stop, and its results.
    index, request, answer
        Slice number in host order, and the host bus: MEM reads and writes of one superlane's word.
    corrected : Out, fault : Out(Fault)
        Errors corrected in this cycle, and the fault of the lowest superlane that has one.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        members = {
            "issue": In(Issue(c, "MEM")),
            "index": In(bus_shape(c).unit_bits),
            "request": In(request(c)),
            "answer": Out(answer(c)),
            "corrected": Out(8),
            "fault": Out(Fault),
        }
        for r in range(c.superlanes):
            members |= {f"streams_{r}": In(Streams(c, sim)), f"drive_{r}": Out(Drive(c, (1,)))}
        if sim:
            members |= {"place": In(8), "cycle": In(32)}
        super().__init__(members)

    def elaborate(self, platform):
        m = Module()
        c, asked = self.config, self.request
        hit = asked.valid & (asked.space == Space.MEM) & (asked.unit == self.index)
        tiles = []
        for r, (valid, word) in enumerate(northward(m, c, self.issue)):
            m.submodules[f"tile_{r}"] = tile = stamp(Tile(c, self.sim), "mem_tile")
            wiring.connect(m, wiring.flipped(getattr(self, f"streams_{r}")), tile.streams)
            wiring.connect(m, tile.drive, wiring.flipped(getattr(self, f"drive_{r}")))
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
            tiles.append(tile)
        self._answer(m, tiles, hit)
        self._errors(m, tiles)
        return m

    def _answer(self, m: Module, tiles, hit) -> None:
        asked, done, row = Signal(), Signal(), Signal(len(self.request.part), reset_less=True)
        m.d.sync += [asked.eq(hit & ~self.request.write), done.eq(hit & self.request.write)]
        with m.If(hit):
            m.d.sync += row.eq(self.request.part)
        m.d.sync += [self.answer.valid.eq(asked | done), self.answer.data.eq(0), self.answer.check.eq(0)]
        with m.If(asked), m.Switch(row):
            for r, tile in enumerate(tiles):
                with m.Case(r):
                    m.d.sync += [self.answer.data.eq(tile.read_data), self.answer.check.eq(tile.read_check)]

    def _errors(self, m: Module, tiles) -> None:
        count = Signal(8)
        for r, tile in reversed(list(enumerate(tiles))):
            with m.If(tile.fault != Fault.NONE):
                m.d.comb += self.fault.eq(tile.fault)
            fixed = Signal(8, name=f"fixed_{r}")
            m.d.comb += fixed.eq(tile.corrected[0] + tile.corrected[1] + count)
            count = fixed
        m.d.comb += self.corrected.eq(count)
