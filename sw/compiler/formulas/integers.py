"""Integer division and powers, which the vector unit lacks, and quantisation. INT32, exact, modulo 2^32."""

from sw.arch.dtype import DType
from sw.compiler.formulas.elementary import binary, clip, modular, select, unary
from sw.compiler.graph import Tensor

#: Exponents of integer powers are taken modulo 2 to this many bits.
_EXPONENT_BITS = 5


def wrapped(x: Tensor, dtype: DType) -> Tensor:
    """The low bits of INT32 as a narrower type."""
    lost = x.dtype.bits - dtype.bits
    return binary("SAR", binary("SHL", x, lost), lost).to(dtype) if lost > 0 else x.to(dtype)


def divide(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Quotient towards zero and remainder with the sign of `a`, of INT32; nothing sensible for b = 0."""
    return _settled(a, b, a)


def divide_floor(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Quotient rounded down and remainder with the sign of `b`, of INT32; nothing sensible for b = 0."""
    return _settled(a, b, b)


def _settled(a: Tensor, b: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
    """A quotient by reciprocal, near to the nearest after one refinement, then the remainder's sign made that of `like`."""
    inverse = unary("RECIP", b.to("fp32"))
    quotient = (a.to("fp32") * inverse).to("int32")
    rest = modular("SUB", a, modular("MUL", quotient, b))
    more = (rest.to("fp32") * inverse).to("int32")
    quotient, rest = modular("ADD", quotient, more), modular("SUB", rest, modular("MUL", more, b))
    wrong = binary("AND", binary("NE", rest, 0), binary("LT", binary("XOR", rest, like), 0))
    # Towards the other sign: one divisor less where the remainder has the divisor's sign, else one more.
    same = binary("GE", binary("XOR", rest, b), 0)
    step = binary("MASK", select(same, b.graph.constant(1, "int32"), -1), wrong.to("int32"))
    return modular("ADD", quotient, step), modular("SUB", rest, modular("MUL", step, b))


def power_of(x: Tensor, exponent: Tensor) -> Tensor:
    """x to an exponent from 0 to 31, both INT32, by squaring."""
    result = None
    for bit in range(_EXPONENT_BITS):
        factor = select(binary("NE", binary("AND", exponent, 1 << bit), 0), x, 1)
        result = factor if result is None else modular("MUL", result, factor)
        x = modular("MUL", x, x)
    return result


def quantize(ratio: Tensor, zero, low: int, high: int) -> Tensor:
    """clip(nearest(ratio) + zero, low, high) as INT32, from FP32 x / scale; `zero` is INT32 or a number or None."""
    whole = ratio.to("int32")
    return clip(whole if zero is None else whole + zero, low, high)


def dequantize(q: Tensor, scale, zero=None) -> Tensor:
    """(q - zero) * scale as FP32, from integers up to 24 bits; `zero` is INT32 or a number or None."""
    wide = q.to("int32")
    return (wide if zero is None else wide - zero).to("fp32") * scale
