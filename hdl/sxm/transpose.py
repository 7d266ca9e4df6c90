"""TRANSPOSE: within each superlane, `lanes` streams become the columns of `lanes` streams."""

from amaranth.hdl import Cat, Module, Signal

from hdl.lib.pipe import delay
from hdl.lib.stream import data_bits
from hdl.sxm.engine import Engine, Tile
from sw.arch.config import Config


class Transpose(Engine):
    """The engine; its members are those of a column."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, TransposeTile(c, sim))


class TransposeTile(Tile):
    """One superlane: lane j of result i is lane i of operand j."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, "transpose", (c.lanes,), (c.lanes,), sim)

    def elaborate(self, platform):
        m = Module()
        c, width, word = self.config, data_bits(self.config), self.fields()
        when = self.issues("TRANSPOSE")
        columns = self.take(m, "columns", when, word["src"], word["dst"], counts=(c.lanes,))
        rows = Signal(c.lanes * width, reset_less=True)
        with m.If(columns.valid):
            for i in range(c.lanes):
                row = Cat(columns.words[j * width + 8 * i :][:8] for j in range(c.lanes))
                m.d.sync += rows[i * width : (i + 1) * width].eq(row)
        valid, dst = delay(m, columns.valid, columns.out, 1, "result")
        self.hand_over(m, valid, dst, rows)
        return m
