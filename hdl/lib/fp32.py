"""Fields and constants of fp32 as expressions."""

from amaranth import Cat, Const, Mux

from sw.arch.dtype import DType

NAN = Const(DType.FP32.nan, 32)
INFINITY = Const(DType.FP32.infinity, 31)


def exponent(x):
    """Exponent field with that of subnormals, 0, read as the 1 that it means."""
    return x[23:31] | ~x[23:31].any()


def significand(x):
    """Fraction with its hidden bit, 24 bits."""
    return Cat(x[:23], x[23:31].any())


def is_nan(x):
    """Whether the pattern is a NaN."""
    return x[23:31].all() & x[:23].any()


def is_infinite(x):
    """Whether the pattern is an infinity."""
    return x[23:31].all() & ~x[:23].any()


def less(a, b):
    """a < b in the order of patterns, which is that of numbers but has -0 below +0; not for NaN."""
    return Mux(a[31], ~b[31] | (a[:31] > b[:31]), ~b[31] & (a[:31] < b[:31]))


def pack(sign, field, fraction, up, nan, infinite):
    """Pattern of a rounded number: exponent field and fraction plus the rounding bit `up`.

    A field of 255 or more, and `infinite`, give infinity; `nan` wins over all.
    """
    rounded = (Cat(fraction, field[:8]) + up)[:31]
    magnitude = Mux(infinite | (field >= 255), INFINITY, rounded)
    return Mux(nan, NAN, Cat(magnitude, sign))
