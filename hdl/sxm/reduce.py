"""REDUCE: maximum, minimum or sum over all lanes of the vector, in every lane.

Each superlane reduces its lanes; the results are delayed to the last superlane's time, reduced over the
superlanes, and sent north in the stagger.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import In, Out

from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.lib.word import fields
from hdl.sxm.engine import Engine, Tile, queue_class
from hdl.sxm.tree import WORD, Tree
from sw.arch.config import Config
from sw.isa.fields import width_of
from sw.isa.stages import FLOAT_STAGES, latch
from sw.isa.table import instruction

STREAMS = WORD // 8


class Reduce(Engine):
    """The engine; its members are those of a column."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, ReduceTile(c, sim))

    def elaborate(self, platform):
        m = Module()
        c, last = self.config, self.config.superlanes - 1
        self.issue_north(m)
        totals = []
        for r, tile in enumerate(self.tiles):
            valid, total = delay(m, tile.total_valid, tile.total, last - r, f"deskew_{r}")
            totals.append(valid.replicate(WORD) & total)

        # the word itself reaches the second tree also where the mask leaves superlanes without power
        word = fields(self.issue_0.word, queue_class("reduce"), "reduce", c)
        issued = self.issue_0.valid & (word["op"] == instruction("REDUCE").code)
        way = Cat(word["fn"], word["dtype"], word["dst"], self.issue_0.mask)
        levels = (c.lanes - 1).bit_length()
        valid, way = delay(m, issued, way, last + latch(c) + levels * FLOAT_STAGES, "word")
        tree = Tree(c.superlanes, len(word["dst"]) + c.superlanes)
        m.submodules.tree = tree = stamp(tree, "sxm_reduce_superlanes")
        m.d.comb += [tree.valid.eq(valid), tree.values.eq(Cat(totals)), Cat(tree.kind, tree.tag).eq(way)]

        valid, way = tree.total_valid, Cat(tree.total, tree.total_tag)
        for r, tile in enumerate(self.tiles):
            valid, way = delay(m, valid, way, 1, f"north_{r}")
            powered = way[-c.superlanes + r]
            m.d.comb += [tile.result_valid.eq(valid & powered), Cat(tile.result, tile.dst).eq(way)]
        return m


class ReduceTile(Tile):
    """Reduces the lanes of one superlane for the column, and drives the result from there in every lane."""

    def __init__(self, c: Config, sim: bool = False):
        ports = {
            "total_valid": Out(1),
            "total": Out(WORD),
            "result_valid": In(1),
            "result": In(WORD),
            "dst": In(width_of(c.streams) + 1),
        }
        super().__init__(c, "reduce", (STREAMS,), (STREAMS,), sim, ports)

    def elaborate(self, platform):
        m = Module()
        c, width, word = self.config, data_bits(self.config), self.fields()
        kind = Cat(word["fn"], word["dtype"])
        source = self.take(m, "source", self.issues("REDUCE"), word["src"], kind, counts=(STREAMS,))
        m.submodules.tree = tree = stamp(Tree(c.lanes, 0), "sxm_reduce_lanes")
        at = [k * width + 8 * lane for lane in range(c.lanes) for k in range(STREAMS)]
        m.d.comb += [
            tree.valid.eq(source.valid),
            tree.values.eq(Cat(source.words[bit : bit + 8] for bit in at)),
            tree.kind.eq(source.out),
            self.total_valid.eq(tree.total_valid),
            self.total.eq(tree.total),
        ]
        lanes = Cat(self.result[k : k + 8].replicate(c.lanes) for k in range(0, WORD, 8))
        self.hand_over(m, self.result_valid, self.dst, lanes)
        return m
