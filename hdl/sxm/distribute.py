"""DISTRIBUTE: within each superlane, every lane takes the lane that the map names."""

from amaranth.hdl import Module, Mux, Signal

from hdl.lib.pipe import delay
from hdl.sxm.engine import Engine, Tile
from sw.arch.config import Config
from sw.isa.fields import width_of


class Distribute(Engine):
    """The engine; its members are those of a column."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, DistributeTile(c, sim))


class DistributeTile(Tile):
    """One superlane: lane i of the result is lane map[i] of the source, or zero if there is no such lane."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, "distribute", (1, 1), (1,), sim)

    def elaborate(self, platform):
        m = Module()
        c, word = self.config, self.fields()
        when = self.issues("DISTRIBUTE")
        source = self.take(m, "source", when, word["src"], word["dst"])
        chart = self.take(m, "map", when, word["map"], word["dst"], tap=1)
        result = Signal(8 * c.lanes, reset_less=True)
        index_bits = width_of(c.lanes)
        with m.If(source.valid):
            for lane in range(c.lanes):
                index = chart.words[8 * lane : 8 * lane + 8]
                byte = source.words.word_select(index[:index_bits], 8)
                m.d.sync += result[8 * lane : 8 * lane + 8].eq(Mux(index[index_bits:].any(), 0, byte))
        valid, dst = delay(m, source.valid, source.out, 1, "result")
        self.hand_over(m, valid, dst, result)
        return m
