"""REDUCE: maximum, minimum or sum over all lanes of the vector, in every lane.

Each superlane reduces its lanes; the results are delayed to the last superlane's time, reduced over the
superlanes, and sent north in the stagger.
"""

from amaranth.hdl import Cat, Module
from amaranth.lib.wiring import Out

from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.lib.word import fields
from hdl.sxm.engine import Engine, Tile, hand_over, queue_class
from hdl.sxm.tree import WORD, Tree
from sw.arch.config import Config
from sw.isa.table import FLOAT_STAGES, instruction, latch

STREAMS = WORD // 8


class Reduce(Engine):
    """The engine; `Engine` says what its ports are."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, "reduce", STREAMS, (STREAMS,), sim)

    def elaborate(self, platform):
        m = Module()
        c, last = self.config, self.config.superlanes - 1
        totals = []
        for r, tile in enumerate(self.place(m, ReduceTile)):
            valid, total = delay(m, tile.total_valid, tile.total, last - r, f"deskew_{r}")
            totals.append(valid.replicate(WORD) & total)

        # the word itself reaches the second tree also where the mask leaves superlanes without power
        word = fields(self.issue.word, queue_class("reduce"), "reduce", c)
        issued = self.issue.valid & (word["op"] == instruction("REDUCE").code)
        way = Cat(word["fn"], word["dtype"], word["dst"], self.issue.mask)
        levels = (c.lanes - 1).bit_length()
        valid, way = delay(m, issued, way, last + latch(c) + levels * FLOAT_STAGES, "word")
        tree = Tree(c.superlanes, len(word["dst"]) + c.superlanes)
        m.submodules.tree = tree = stamp(tree, "sxm_reduce_superlanes")
        m.d.comb += [tree.valid.eq(valid), tree.values.eq(Cat(totals)), Cat(tree.function, tree.tag).eq(way)]

        valid, way = tree.total_valid, Cat(tree.total, tree.total_tag)
        for r in range(c.superlanes):
            valid, way = delay(m, valid, way, 1, f"north_{r}")
            total, dst, mask = way[:WORD], way[WORD : -c.superlanes], way[-c.superlanes :]
            lanes = Cat(total[k : k + 8].replicate(c.lanes) for k in range(0, WORD, 8))
            hand_over(m, c, self.drive[r], valid & mask[r], dst, lanes)
        return m


class ReduceTile(Tile):
    """Reduces the lanes of one superlane."""

    def __init__(self, c: Config, sim: bool = False):
        super().__init__(c, "reduce", STREAMS, sim, {"total_valid": Out(1), "total": Out(WORD)})

    def elaborate(self, platform):
        m = Module()
        c, width, word = self.config, data_bits(self.config), self.fields()
        function = Cat(word["fn"], word["dtype"])
        source = self.take(m, "source", self.issues("REDUCE"), word["src"], function, counts=(STREAMS,))
        m.submodules.tree = tree = stamp(Tree(c.lanes, 0), "sxm_reduce_lanes")
        at = [k * width + 8 * lane for lane in range(c.lanes) for k in range(STREAMS)]
        m.d.comb += [
            tree.valid.eq(source.valid),
            tree.values.eq(Cat(source.words[bit : bit + 8] for bit in at)),
            tree.function.eq(source.out),
            self.total_valid.eq(tree.total_valid),
            self.total.eq(tree.total),
        ]
        return m
