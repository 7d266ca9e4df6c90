"""The fp16 sums of one column, rounded once to fp32."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.mxm.shape import FLAG_BITS, Shape

#: Pipeline stages: sum of the phases, magnitude, coarse and fine normalisation with rounding.
ROUND_STAGES = 4
_GROUP = 16
#: fp32 exponent field of 2**-48, what bit 0 of a sum is worth.
_EXPONENT = 127 - 48


class RoundLane(wiring.Component):
    """Takes a pass phase by phase; `result` stands ROUND_STAGES after the last one.

    Members
    -------
    valid, first : In
        A phase stands in `low`, `high`, `flags`, and whether it is the first of its pass.
    stages : In
        Bit k: a pass's last phase was here k + 1 cycles ago.
    low, high, flags : In
        One column of a Chain.
    result : Out
        fp32 bits; exact zero is +0, the only NaN is the canonical one.
    """

    def __init__(self, shape: Shape):
        self.shape = shape
        super().__init__({
            "valid": In(1),
            "first": In(1),
            "stages": In(ROUND_STAGES - 1),
            "low": In(shape.chain_low_bits),
            "high": In(shape.chain_high_bits),
            "flags": In(FLAG_BITS),
            "result": Out(32),
        })

    def elaborate(self, platform):
        m = Module()
        shape = self.shape

        def register(name: str, bits) -> Signal:
            return Signal(bits, name=f"{name}_q", reset_less=True)

        low_q = register("low", signed(shape.low_bits(shape.vl)))
        high_q = register("high", signed(shape.high_bits(shape.vl)))
        flags_q = register("flags", FLAG_BITS)
        with m.If(self.valid):
            m.d.sync += [
                low_q.eq(Mux(self.first, 0, low_q) + self.low.as_signed()),
                high_q.eq(Mux(self.first, 0, high_q) + self.high.as_signed()),
                flags_q.eq(Mux(self.first, 0, flags_q) | self.flags),
            ]

        total = Signal(signed(len(high_q) + 32), name="total")
        groups = -(-len(total) // _GROUP)
        magnitude_q, minus_q = register("magnitude", groups * _GROUP), register("minus", 1)
        flags_q2 = register("flags2", FLAG_BITS)
        with m.If(self.stages[0]):
            m.d.comb += total.eq(low_q + (high_q << 32))
            m.d.sync += [magnitude_q.eq(Mux(total[-1], -total, total)), minus_q.eq(total[-1]), flags_q2.eq(flags_q)]

        # The highest group of bits that is not zero, and the 32 bits below it.
        window_q, sticky_q = register("window", 3 * _GROUP), register("sticky", 1)
        group_q, minus_q2 = register("group", range(groups)), register("minus2", 1)
        flags_q3 = register("flags3", FLAG_BITS)
        padded = Cat(Const(0, 2 * _GROUP), magnitude_q)
        with m.If(self.stages[1]):
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
        with m.If(self.stages[2]):
            m.d.sync += result_q.eq(_pack(m, window_q, sticky_q, group_q, minus_q2, flags_q3))
        m.d.comb += self.result.eq(result_q)
        return m


def _pack(m: Module, window: Value, sticky: Value, group: Value, minus: Value, flags: Value) -> Value:
    """fp32 of a window whose leading one is among its top 16 bits (or which is zero), nearest even."""
    zeros = Signal(4, name="zeros")
    for bit in reversed(range(4)):
        shifted = Signal(len(window), name=f"shifted_{bit}")
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
