"""Multiplication of fp32 and of integers on one 32 x 32 multiplier."""

from amaranth import Cat, Const, Mux

from hdl.lib import fp32
from hdl.lib.bits import leading_zeros, named
from hdl.lib.integer import fit
from hdl.lib.pipeline import Pipeline
from sw.arch.dtype import DType


class Multiply(Pipeline):
    """a * b: IEEE 754 binary32 to nearest even, or integers, saturating or modulo 2^bits.

    Members
    -------
    dtype: In(3), a DType other than FP16
    modular: In(1), integer overflow wraps instead of saturating
    a, b: In(32), operands; integers sign-extended
    """

    stages = ("unpack", "multiply", "align", "round")

    def __init__(self):
        super().__init__({"dtype": 3, "modular": 1, "a": 32, "b": 32})

    def unpack(self, m, dtype, a, b):
        """A subnormal operand becomes `x` and is normalised; of two the product is as good as zero anyway."""
        swap = named(m, "swap", ~b[23:31].any())
        x = named(m, "x", Mux(swap, b, a))
        y = named(m, "y", Mux(swap, a, b))
        zeros = named(m, "zeros", leading_zeros(m, "x_zeros", fp32.significand(x)))
        is_float = named(m, "is_fp32", dtype == DType.FP32)
        infinite = fp32.is_infinite(x) | fp32.is_infinite(y)
        zero = ~x[:31].any() | ~y[:31].any()
        return {
            "p": Mux(is_float, (fp32.significand(x) << zeros)[:24], a).as_signed(),
            "q": Mux(is_float, fp32.significand(y), b).as_signed(),
            "exponent": (fp32.exponent(x) + fp32.exponent(y) - zeros - 127)[:11].as_signed(),
            "is_float": is_float, "sign": x[31] ^ y[31], "infinite": infinite,
            "nan": fp32.is_nan(x) | fp32.is_nan(y) | (infinite & zero),
        }

    def multiply(self, m, p, q):
        return {"product": (p * q)[:64]}

    def align(self, m, product, exponent, dtype, modular):
        """The leading one, in bit 46 or 47, goes to bit 24 of `kept`, or lower if the number is subnormal."""
        low = named(m, "low", exponent <= 0)
        distance = Mux(exponent < -24, 26, Mux(low, (1 - exponent)[:5], product[47]))
        wide = named(m, "wide", Cat(Const(0, 26), product[22:48]) >> distance)
        return {
            "kept": wide[26:51], "sticky": wide[:26].any() | product[:22].any(),
            "base": Mux(low, 1, exponent + product[47])[:9],
            "integer": fit(m, product, dtype, modular),
        }

    def round(self, m, is_float, integer, sign, kept, sticky, base, nan, infinite):
        field = named(m, "field", Mux(kept[24], base, 0))
        up = kept[0] & (kept[1] | sticky)
        return {"result": Mux(is_float, fp32.pack(sign, field, kept[1:24], up, nan, infinite), integer)}
