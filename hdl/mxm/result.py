"""Where the chain leaves a column block: int8 sums as they are, fp16 sums rounded once to fp32."""

from amaranth.hdl import Assert, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.shape import FLAG_BITS, Chain, Shape

#: Pipeline stages of fp16: sum of the phases, magnitude, coarse and fine normalisation with rounding.
ROUND_STAGES = 4
_GROUP = 16
#: fp32 exponent field of 2**-48, what bit 0 of a sum is worth.
_EXPONENT = 127 - 48


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

    def elaborate(self, platform):
        m = Module()
        shape = self.shape
        if not shape.fp16:
            m.d.comb += self.valid.eq(self.int8_valid)
            with m.If(self.int8_valid):
                m.d.comb += self.values.eq(self._integers())
            return m
        ends = [self.fp16_valid & self.last]
        for k in range(ROUND_STAGES):
            later = Signal(name=f"round_{k}")
            m.d.sync += later.eq(ends[-1])
            ends.append(later)
        m.d.comb += self.valid.eq(self.int8_valid | ends[-1])
        rounded = Cat(self._round(m, k, ends) for k in range(shape.lanes))
        with m.If(ends[-1]):
            m.d.comb += self.values.eq(rounded)
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

    def _round(self, m: Module, k: int, ends: list[Value]) -> Signal:
        shape = self.shape
        low = self.chain.low.word_select(k, shape.chain_low_bits).as_signed()
        high = self.chain.high.word_select(k, shape.chain_high_bits).as_signed()
        flags = self.chain.flags.word_select(k, FLAG_BITS)

        def register(name: str, bits) -> Signal:
            return Signal(bits, name=f"{name}_{k}_q", reset_less=True)

        low_q = register("low", signed(shape.low_bits(shape.vl)))
        high_q = register("high", signed(shape.high_bits(shape.vl)))
        flags_q = register("flags", FLAG_BITS)
        with m.If(self.fp16_valid):
            m.d.sync += [
                low_q.eq(Mux(self.first, 0, low_q) + low),
                high_q.eq(Mux(self.first, 0, high_q) + high),
                flags_q.eq(Mux(self.first, 0, flags_q) | flags),
            ]

        total = Signal(signed(len(high_q) + 32), name=f"total_{k}")
        groups = -(-len(total) // _GROUP)
        magnitude_q, minus_q = register("magnitude", groups * _GROUP), register("minus", 1)
        flags_q2 = register("flags2", FLAG_BITS)
        with m.If(ends[1]):
            m.d.comb += total.eq(low_q + (high_q << 32))
            m.d.sync += [magnitude_q.eq(Mux(total[-1], -total, total)), minus_q.eq(total[-1]), flags_q2.eq(flags_q)]

        # The highest group of bits that is not zero, and the 32 bits below it.
        window_q, sticky_q = register("window", 3 * _GROUP), register("sticky", 1)
        group_q, minus_q2 = register("group", range(groups)), register("minus2", 1)
        flags_q3 = register("flags3", FLAG_BITS)
        padded = Cat(Const(0, 2 * _GROUP), magnitude_q)
        with m.If(ends[2]):
            m.d.sync += [minus_q2.eq(minus_q), flags_q3.eq(flags_q2)]
            for g in range(groups):
                found = magnitude_q[g * _GROUP :].any() | (g == 0)
                with m.If(found):
                    m.d.sync += [
                        window_q.eq(padded[g * _GROUP :][: 3 * _GROUP]),
                        sticky_q.eq(padded[: g * _GROUP].any()),
                        group_q.eq(g),
                    ]

        result_q = register("result", 32)
        with m.If(ends[3]):
            m.d.sync += result_q.eq(_pack(m, k, window_q, sticky_q, group_q, minus_q2, flags_q3))
        return result_q


def _pack(m: Module, k: int, window: Value, sticky: Value, group: Value, minus: Value, flags: Value) -> Value:
    """fp32 of a window whose leading one is among its top 16 bits (or which is zero), nearest even."""
    zeros = Signal(4, name=f"zeros_{k}")
    for bit in reversed(range(4)):
        shifted = Signal(len(window), name=f"shifted_{k}_{bit}")
        empty = ~window[-(1 << bit) :].any()
        m.d.comb += [zeros[bit].eq(empty), shifted.eq(Mux(empty, window << (1 << bit), window))]
        window = shifted
    kept, rest = window[-24:], window[:-24]
    up = rest[-1] & (rest[:-1].any() | sticky | kept[0])
    # The leading one of `kept` adds one to the exponent field, and so does a carry out of the fraction.
    exponent = _EXPONENT + _GROUP - 2 - zeros + (group << 4)
    number = Mux(kept[-1], (exponent << 23) + kept + up, 0)[:31]
    nan, plus_infinity, minus_infinity = flags
    special = Mux(nan | (plus_infinity & minus_infinity), 0x7FC00000, Cat(Const(0x7F800000, 31), minus_infinity))
    return Mux(flags.any(), special, Cat(number, minus))
