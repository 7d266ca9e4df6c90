"""The fetch port of a stop: takes program text off a stream pair and brings it south to the queues."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.gate import Awake
from hdl.lib.operands import Operands
from hdl.lib.stamp import stamp
from hdl.lib.stream import data_bits
from hdl.lib.tap import Tap
from sw.arch.config import Config
from sw.isa.fields import width_of
from sw.isa.stages import latch


class FetchTile(wiring.Component):
    """One superlane of a fetch port.

    Members
    -------
    tap_0 : Out(Tap)
    take, stream : In
        Take the pair at `stream` now.
    above_valid, above : In, from the tile to the north
    valid, pair : Out, to the tile to the south
        The corrected words of the two streams, low stream in the low half.
    corrected, uncorrectable : Out(2), Out(1)
    """

    def __init__(self, c: Config, sim: bool = False):
        self.config, self.sim = c, sim
        super().__init__({
            "tap_0": Out(Tap(c, 2, sim)),
            "take": In(1),
            "stream": In(width_of(c.streams) + 1),
            "above_valid": In(1),
            "above": In(2 * data_bits(c)),
            "valid": Out(1),
            "pair": Out(2 * data_bits(c)),
            "corrected": Out(2),
            "uncorrectable": Out(1),
        })

    @property
    def awake(self) -> Awake:
        return Awake((self.take, self.above_valid), latch(self.config))

    def elaborate(self, platform):
        m = Module()
        made = Operands(self.config, (2,), 0, self.sim)
        m.submodules.own = own = stamp(made, made.module, tap=self.tap_0)
        passed, passed_valid = Signal.like(self.pair, reset_less=True), Signal()
        m.d.sync += passed_valid.eq(self.above_valid)
        with m.If(self.above_valid):
            m.d.sync += passed.eq(self.above)
        m.d.comb += [
            own.take.eq(self.take),
            own.code.eq(self.stream),
            self.valid.eq(own.valid | passed_valid),
            self.pair.eq(Mux(own.valid, own.words, passed)),
            self.corrected.eq(own.corrected),
            self.uncorrectable.eq(own.uncorrectable),
        ]
        return m
