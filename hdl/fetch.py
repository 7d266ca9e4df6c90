"""The fetch port of a stop: takes program text off a stream pair and brings it south to the queues."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.ecc import decode
from hdl.lib.stream import Streams, check_bits, data_bits, latched, select
from sw.arch.config import Config
from sw.arch.ecc import secded
from sw.isa.fields import width_of


class FetchTile(wiring.Component):
    """One superlane of a fetch port.

    Members
    -------
    streams : In(Streams)
    take, stream : In
        Take the pair at `stream` now.
    above_valid, above : In, from the tile to the north
    valid, pair : Out, to the tile to the south
        The corrected words of the two streams, low stream in the low half.
    corrected, uncorrectable : Out(2), Out(1)
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config = c
        super().__init__({
            "streams": In(Streams(c, sim)),
            "take": In(1),
            "stream": In(width_of(c.streams) + 1),
            "above_valid": In(1),
            "above": In(2 * data_bits(c)),
            "valid": Out(1),
            "pair": Out(2 * data_bits(c)),
            "corrected": Out(2),
            "uncorrectable": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        c, width, extra = self.config, data_bits(self.config), check_bits(self.config)
        pair = Signal.like(self.pair, reset_less=True)
        m.d.comb += self.pair.eq(pair)
        data, check = latched(c, 2, "operand")
        taken = Signal()
        if c.ecc.streams:
            m.d.sync += taken.eq(self.take)
            with m.If(self.take):
                select(m, c, self.streams, self.stream, 2, data, check)
            with m.If(taken):
                words = []
                for k in range(2):
                    word, fixed, lost = decode(
                        m,
                        secded(width),
                        data[k * width : (k + 1) * width],
                        check[k * extra : (k + 1) * extra],
                        name=f"ecc_{k}",
                    )
                    words.append(word)
                    m.d.comb += self.corrected[k].eq(fixed)
                    with m.If(lost):
                        m.d.comb += self.uncorrectable.eq(1)
                m.d.sync += pair.eq(Cat(words))
        else:
            m.d.comb += taken.eq(self.take)
            with m.If(self.take):
                select(m, c, self.streams, self.stream, 2, pair, check)
        with m.If(self.above_valid & ~taken):
            m.d.sync += pair.eq(self.above)
        m.d.sync += self.valid.eq(taken | self.above_valid)
        return m
