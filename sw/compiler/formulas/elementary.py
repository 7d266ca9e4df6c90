"""Elementary functions of FP32 tensors.

Errors are relative and on top of those of the vector unit's own functions (one unit in the last place).
"""

import math

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import Tensor

#: Factor of the logarithms.
LOG2_E, LN_2 = math.log2(math.e), math.log(2)
#: From here on every FP32 number is an integer.
ALL_INTEGERS = 2.0**23
#: atanh(erf(x)) / x as a polynomial in x^2 up to |x| = 3.9, from where on both round to the same: own weighted minimax
#: fit (iterated least squares in float64); tests hold erf to 4e-7 of its true value.
_ERF = (1.128379225730896, 0.10276905447244644, -1.9183008407708257e-4, -6.197854527272284e-4, 8.763770892983302e-5,
        -5.668548510584515e-6, 1.418569581801421e-7)  # fmt: skip
_ERF_END = 4.5


def unary(fn: str, a: Tensor) -> Tensor:
    """One operation of the vector unit; RECIP of a constant is made now."""
    if fn == "RECIP" and a.op == "constant":
        with np.errstate(divide="ignore"):
            return a.graph.constant(1 / a.attributes["values"])
    return a.graph.elementwise(fn, a)


def binary(fn: str, a, b) -> Tensor:
    """One operation of the vector unit; one of the two may be a number."""
    return (a if isinstance(a, Tensor) else b).graph.elementwise(fn, a, b)


def modular(fn: str, a, b) -> Tensor:
    """ADD, SUB or MUL, of integers modulo 2 to their bits; one of the two may be a number."""
    return (a if isinstance(a, Tensor) else b).graph.elementwise(fn, a, b, overflow="mod")


def select(mask: Tensor, a, b) -> Tensor:
    """`a` where the mask is set, else `b`."""
    return mask.graph.elementwise("SELECT", mask, a, b)


def polynomial(x: Tensor, coefficients) -> Tensor:
    """Sum of coefficients[k] * x^k, by Horner's rule."""
    *rest, last = coefficients
    total = x * last
    for coefficient in rest[:0:-1]:
        total = (total + coefficient) * x
    return total + rest[0]


def exp(x: Tensor) -> Tensor:
    """e^x; the rounding of the product costs up to 1e-7 * |x|, so 9e-6 at the ends of the range."""
    return unary("EXP2", x * LOG2_E)


def log(x: Tensor) -> Tensor:
    """Natural logarithm; -inf at 0 and NaN below."""
    return unary("LOG2", x) * LN_2


def sqrt(x: Tensor) -> Tensor:
    """Square root, right at 0 and infinity too: 1 / (1 / root)."""
    return unary("RECIP", unary("RSQRT", x))


def divide_exact(a: Tensor, b: Tensor) -> Tensor:
    """a / b rounded as IEEE 754 does but for subnormals; |b| below 2^126 where it is finite. FP32.

    The first quotient's remainder is made exactly, from products of 12-bit halves, and divided once more.
    """
    if b.op == "constant" and np.all(np.frexp(b.attributes["values"])[0] == 0.5):
        return a * unary("RECIP", b)
    inverse = unary("RECIP", b)
    quotient = a * inverse
    rest = a
    for part in _halves(quotient):
        for divisor in _halves(b):
            rest = rest - part * divisor
    more = rest * inverse
    return select(binary("EQ", more, more), quotient + more, quotient)


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    """The upper 12 bits of FP32 significands, and what they lack."""
    bits = x.graph.elementwise("BITCAST", x, to=DType.INT32)
    high = x.graph.elementwise("BITCAST", binary("AND", bits, -(1 << 12)), to=DType.FP32)
    return high, x - high


def clip(x: Tensor, low=None, high=None) -> Tensor:
    """x from `low` to `high`, tensors or numbers or None; `high` wins where they cross."""
    x = x if low is None else binary("MAX", x, low)
    return x if high is None else binary("MIN", x, high)


def nearest(x: Tensor) -> Tensor:
    """The nearest integer, of two the even one, as FP32; infinities and NaN stay."""
    return select(binary("LT", unary("ABS", x), ALL_INTEGERS), x.to("int32").to("fp32"), x)


def floor(x: Tensor) -> Tensor:
    """The largest integer not above x, as FP32."""
    whole = nearest(x)
    return select(binary("GT", whole, x), whole - 1.0, whole)


def ceil(x: Tensor) -> Tensor:
    """The smallest integer not below x, as FP32."""
    return -floor(-x)


def truncate(x: Tensor) -> Tensor:
    """x without its fraction, as FP32."""
    whole = floor(unary("ABS", x))
    return select(binary("LT", x, 0.0), -whole, whole)


def modulo(a: Tensor, b: Tensor, like_dividend: bool = False) -> Tensor:
    """a - b * quotient, which is rounded down, so that the result has b's sign; or towards zero, so that it has a's."""
    quotient = divide_exact(a, b)
    whole = truncate(quotient) if like_dividend else floor(quotient)
    rest = a - select(binary("EQ", whole, 0.0), 0.0, whole * b)
    like = a if like_dividend else b
    wrong = binary("AND", binary("NE", rest, 0.0), binary("NE", binary("LT", rest, 0.0), binary("LT", like, 0.0)))
    size = unary("ABS", b)
    return select(wrong, rest + select(binary("LT", like, 0.0), -size, size), rest)


def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1 of x's type."""
    return select(binary("LT", x, 0), -1, select(binary("GT", x, 0), 1, x))


def erf(x: Tensor) -> Tensor:
    """Error function as tanh of x times a polynomial in x^2; relative error below 4e-7."""
    x = clip(x, -_ERF_END, _ERF_END)
    return unary("TANH", x * polynomial(x * x, _ERF))


def power(x: Tensor, exponent: float) -> Tensor:
    """x to a power that is known now: integers up to 64 by multiplication, so negative x is right; 1/2 by a root."""
    if exponent == 0:
        return x.graph.constant(np.ones(x.shape), x.dtype)
    if abs(exponent) <= 64 and exponent == int(exponent):
        result = _multiplied(x, int(abs(exponent)))
        return result if exponent > 0 else unary("RECIP", result)
    if exponent == 0.5:
        return sqrt(x)
    if exponent == -0.5:
        return unary("RSQRT", x)
    return power_of(x, x.graph.constant(exponent, "fp32"))


def power_of(x: Tensor, y: Tensor) -> Tensor:
    """x to the power y, both data: 2^(y log2 |x|), error up to 1e-7 * |y log2 x|; NaN for negative x unless y is whole."""
    size = unary("EXP2", y * unary("LOG2", unary("ABS", x)))
    half = y * 0.5
    odd, whole = binary("NE", nearest(half), half), binary("EQ", nearest(y), y)
    negative = select(whole, select(odd, -size, size), math.nan)
    result = select(binary("LT", x, 0.0), negative, size)
    one = binary("OR", binary("EQ", y, 0.0), binary("EQ", x, 1.0))
    return select(one, 1.0, result)


def _multiplied(x: Tensor, exponent: int) -> Tensor:
    result = None
    while True:
        if exponent & 1:
            result = x if result is None else modular("MUL", result, x)
        exponent >>= 1
        if not exponent:
            return result
        x = modular("MUL", x, x)
