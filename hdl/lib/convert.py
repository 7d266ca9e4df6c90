"""Conversion between the five element types."""

from amaranth import Cat, Const, Mux

from hdl.lib.bits import leading_zeros, named
from hdl.lib.integer import fit
from hdl.lib.pipeline import Pipeline
from sw.arch.dtype import DType

_BIAS = {DType.FP16: 15, DType.FP32: 127}


class Convert(Pipeline):
    """`a` of type `dtype` as type `to`: nearest even, saturating to integers, where NaN gives 0.

    Every number passes as sign, 32-bit magnitude with the leading one in bit 31, and exponent of that one.

    Members
    -------
    dtype, to: In(3), DType of operand and result
    a: In(32), canonical lane
    """

    stages = ("unpack", "normalise", "shift", "round")

    def __init__(self):
        super().__init__({"dtype": 3, "to": 3, "a": 32})

    def unpack(self, m, dtype, a):
        half = named(m, "half", dtype == DType.FP16)
        single = named(m, "single", dtype == DType.FP32)
        sign = named(m, "sign", Mux(half, a[15], a[31]))
        field = named(m, "field", Mux(half, a[10:15], a[23:31]))
        full = named(m, "full", Mux(half, a[10:15].all(), single & a[23:31].all()))
        fraction = Mux(half, Cat(Const(0, 13), a[:10]), a[:23])
        fraction = named(m, "fraction", fraction)
        effective = field | ~field.any()
        is_float = half | single
        return {
            "magnitude": Mux(is_float, Cat(Const(0, 8), fraction, field.any()), Mux(sign, -a, a)[:32]),
            "exponent": Mux(is_float, effective - Mux(half, _BIAS[DType.FP16], _BIAS[DType.FP32]), 31),
            "sign": sign, "nan": full & fraction.any(), "infinite": full & ~fraction.any(),
        }

    def normalise(self, m, magnitude, exponent):
        zeros = named(m, "zeros", leading_zeros(m, "magnitude_zeros", magnitude))
        return {"normal": (magnitude << zeros)[:32], "exponent": exponent - zeros}

    def shift(self, m, normal, exponent, to):
        """The result's last place goes to bit 0 of `kept`, a float's exponent field above its fraction."""
        half, single = named(m, "to_half", to == DType.FP16), named(m, "to_single", to == DType.FP32)
        least = 1 - Mux(half, _BIAS[DType.FP16], _BIAS[DType.FP32])
        below = named(m, "below", least - exponent)
        subnormal = named(m, "subnormal", below > 0)
        drop = Mux(half, 21, 8) + Mux(subnormal, below, 0)
        distance = named(m, "distance", Mux(half | single, drop, 31 - exponent))
        bounded = Mux(distance < 0, 0, Mux(distance > 33, 33, distance[:6]))[:6]
        wide = named(m, "wide", Cat(Const(0, 32), normal) >> bounded)
        biased = exponent + Mux(half, _BIAS[DType.FP16], _BIAS[DType.FP32])
        field = named(m, "result_field", Mux(subnormal | ~normal[31], 0, biased)[:8])
        as_half = Cat(wide[32:42], field[:5], Const(0, 17))
        as_single = Cat(wide[32:55], field, Const(0, 1))
        return {
            "kept": Mux(half, as_half, Mux(single, as_single, wide[32:])),
            "up": wide[31] & (wide[32] | wide[:31].any()),
            "over": Mux(half, exponent > 15, ~single & (exponent > 31)) & normal[31],
        }

    def round(self, m, kept, up, sign, over, nan, infinite, to):
        """Floats add `up`; a negative integer is ~kept + 1 - up."""
        half, single = named(m, "half_result", to == DType.FP16), named(m, "single_result", to == DType.FP32)
        negate = named(m, "negate", sign & ~half & ~single)
        total = Cat(kept ^ negate.replicate(32), negate.replicate(2)) + (negate ^ up)
        total = named(m, "total", total[:34])
        beyond = named(m, "beyond", over | infinite)
        # any number of this sign beyond int32 saturates in `fit`
        exact = Mux(nan, 0, Mux(beyond, Cat(Const(0, 32), ~sign, sign), total))
        integer = fit(m, exact, to, 0)
        as_half = Mux(nan, DType.FP16.nan, Cat(Mux(beyond, DType.FP16.infinity, total[:15])[:15], sign))
        as_single = Mux(nan, DType.FP32.nan, Cat(Mux(beyond, DType.FP32.infinity, total[:31])[:31], sign))
        return {"result": Mux(half, as_half, Mux(single, as_single, integer))}
