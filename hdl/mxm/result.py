"""Where the chain leaves a column block: int8 sums as they are, fp16 sums rounded once to fp32."""

from amaranth.hdl import Assert, Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.lib.copies import Copies
from hdl.lib.gate import Awake
from hdl.lib.stamp import stamp
from hdl.mxm.round import ROUND_STAGES, RoundLane
from hdl.mxm.shape import Chain, Shape


class Result(wiring.Component):
    """Top of one column block.

    Members
    -------
    chain : Chain
    int8_valid, fp16_valid
        Whether a pass's sums (fp16: one phase's) stand in `chain`.
    first, last
        Which phase of its pass stands there.
    valid, values
        A pass on its way to ACC, int32 or fp32 of each column: in the same cycle (int8), or ROUND_STAGES after the
        last phase.
    """

    def __init__(self, shape: Shape, sim: bool = False):
        self.shape, self.sim = shape, sim
        super().__init__({
            "chain": In(Chain(shape)),
            "int8_valid": In(1),
            "fp16_valid": In(1),
            "first": In(1),
            "last": In(1),
            "valid": Out(1),
            "values": Out(32 * shape.lanes),
        })

    @property
    def awake(self) -> Awake:
        return Awake((self.int8_valid, self.fp16_valid), ROUND_STAGES)

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        if not shape.fp16:
            m.d.comb += [self.valid.eq(self.int8_valid), self.values.eq(self._integers())]
            return m
        ends = [self.fp16_valid & self.last]
        for k in range(ROUND_STAGES):
            later = Signal(name=f"round_{k}")
            m.d.sync += later.eq(ends[-1])
            ends.append(later)
        m.d.comb += self.valid.eq(self.int8_valid | ends[-1])
        shared = ("valid", "first", "stages")
        made = Copies(lambda: RoundLane(shape), "mxm_round_lane", shape.lanes, shared)
        m.submodules.lanes = lanes = stamp(made, "mxm_round_lanes")
        m.d.comb += [
            lanes.valid.eq(self.fp16_valid),
            lanes.first.eq(self.first),
            lanes.stages.eq(Cat(ends[1:ROUND_STAGES])),
            lanes.low.eq(self.chain.low),
            lanes.high.eq(self.chain.high),
            lanes.flags.eq(self.chain.flags),
        ]
        with m.If(ends[-1]):
            m.d.comb += self.values.eq(lanes.result)
        if shape.int8:
            with m.If(self.int8_valid):
                m.d.comb += self.values.eq(self._integers())
        if self.sim:
            m.d.sync += Assert(~(self.int8_valid & ends[-1]), "an int8 pass and an fp16 pass met at ACC")
        return m

    def _integers(self) -> Value:
        bits = self.shape.int8_bits
        columns = [self.chain.int8.word_select(k, bits) for k in range(self.shape.lanes)]
        return Cat(Cat(column, column[-1].replicate(32 - bits)) for column in columns)
