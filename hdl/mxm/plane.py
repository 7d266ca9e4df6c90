"""A matrix plane's spine: superlanes x superlanes supercells, and the ways north."""

from types import SimpleNamespace

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring

from hdl.column import Column
from hdl.lib.issue import northward
from hdl.lib.pipe import delay
from hdl.lib.stamp import stamp
from hdl.mxm.result import Result
from hdl.mxm.shape import Shape
from hdl.mxm.supercell import Supercell
from hdl.mxm.tile import CLASSES, Tile
from sw.arch.config import Config


class Plane(Column):
    """One MXM plane, a column with three queues: weights, activations, results.

    Supercell (r, b) holds the weights of superlane r's rows in superlane b's columns. Activations of superlane r go to
    its whole row of supercells at once; sums move north one superlane a cycle and stand at the top of every column
    block in the same cycle, where block b waits b cycles to meet the stagger of ACC's tile b.
    """

    def __init__(self, c: Config, sim: bool = False):
        self.sim = sim
        super().__init__(c, CLASSES, Tile(c, sim))

    def elaborate(self, platform):
        m = Module()
        self._words(m)
        tops = self._array(m)
        self._results(m, tops)
        for q in range(len(CLASSES)):
            corrected = [getattr(tile, f"corrected_{q}") for tile in self.tiles]
            self.report(m, q, corrected, [getattr(tile, f"fault_{q}") for tile in self.tiles])
        return m

    def _words(self, m: Module) -> None:
        """The three queues' words on their way north."""
        c, passes = self.config, self.issue_1
        # A superlane without power takes part in a pass with zeros, so the word goes on with its mask.
        everywhere = SimpleNamespace(
            valid=passes.valid, mask=Const((1 << c.superlanes) - 1, c.superlanes), word=Cat(passes.word, passes.mask)
        )
        for q, issue in enumerate((self.issue_0, everywhere, self.issue_2)):
            words = northward(m, c, issue, f"{CLASSES[q].lower()}_")
            for r, (tile, (valid, word)) in enumerate(zip(self.tiles, words, strict=True)):
                m.d.comb += [getattr(tile, f"valid_{q}").eq(valid), getattr(tile, f"word_{q}").eq(word)]
                if q == 1:
                    m.d.comb += tile.powered.eq(word[len(passes.word) + r])

    def _array(self, m: Module) -> list:
        """The supercells; returns those of the northernmost superlane."""
        shape = Shape.of(self.config)
        south = [None] * shape.superlanes
        for r, tile in enumerate(self.tiles):
            for block, below in enumerate(south):
                unit = stamp(Supercell(shape), "mxm_supercell", row=tile.row)
                m.submodules[f"supercell_{r}_{block}"] = unit
                m.d.comb += unit.here.eq(tile.row.block[block])
                if below:
                    wiring.connect(m, below.above, unit.below)
                south[block] = unit
        return south

    def _results(self, m: Module, tops: list) -> None:
        """From the tops of the column blocks to the tiles of ACC."""
        shape, top = Shape.of(self.config), self.tiles[-1].row
        int8_valid, fp16_valid, first, last = Signal(), Signal(), Signal(), Signal()
        if shape.int8:
            m.d.sync += int8_valid.eq(top.int8_add | top.int8_skip)
        if shape.fp16:
            m.d.sync += fp16_valid.eq(top.fp16_add | top.fp16_skip)
            phase = Signal(range(shape.interval))
            with m.If(fp16_valid):
                m.d.sync += phase.eq(phase + 1)
            m.d.comb += [first.eq(phase == 0), last.eq(phase == shape.interval - 1)]
        for block, (unit, tile) in enumerate(zip(tops, self.tiles, strict=True)):
            m.submodules[f"result_{block}"] = result = stamp(Result(shape, self.sim), "mxm_result")
            wiring.connect(m, unit.above, result.chain)
            m.d.comb += [
                result.int8_valid.eq(int8_valid),
                result.fp16_valid.eq(fp16_valid),
                result.first.eq(first),
                result.last.eq(last),
            ]
            valid, values = delay(m, result.valid, result.values, block, f"wait_{block}")
            m.d.comb += [tile.pass_valid.eq(valid), tile.values.eq(values)]
