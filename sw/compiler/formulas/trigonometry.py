"""Circular and hyperbolic functions of FP32 tensors, and their inverses."""

import math

from sw.compiler.formulas.elementary import binary, exp, log, nearest, polynomial, select, sign, sqrt, unary
from sw.compiler.graph import Tensor

#: sin(x) / x and cos(x) in x^2 by Taylor's series, below 2e-8 up to |x| = pi / 4; arctan(x) / x in x^2 up to tan(pi / 8).
_SIN = tuple((-1) ** k / math.factorial(2 * k + 1) for k in range(5))
_COS = tuple((-1) ** k / math.factorial(2 * k) for k in range(6))
_ATAN = tuple((-1) ** k / (2 * k + 1) for k in range(9))
#: pi / 2 in three parts of few bits, so that the first products are exact (Cody and Waite).
_HALF_PI = (1.5703125, 4.837512969970703125e-4, 7.54978995489188e-8)


def sin(x: Tensor) -> Tensor:
    """Sine; absolute error near 1e-7 up to |x| = 1000, growing beyond."""
    return _wave(x, 0)


def cos(x: Tensor) -> Tensor:
    """Cosine; as sine."""
    return _wave(x, 1)


def tan(x: Tensor) -> Tensor:
    """Sine over cosine."""
    return sin(x) * unary("RECIP", cos(x))


def atan(x: Tensor) -> Tensor:
    """Arc tangent by reduction to |x| <= tan(pi / 8); relative error below 1e-6."""
    size = unary("ABS", x)
    far, middle = binary("GT", size, 1 + math.sqrt(2)), binary("GT", size, math.sqrt(2) - 1)
    reduced = select(far, -unary("RECIP", size), select(middle, (size - 1.0) * unary("RECIP", size + 1.0), size))
    offset = select(far, math.pi / 2, select(middle, math.pi / 4, 0.0))
    result = offset + reduced * polynomial(reduced * reduced, _ATAN)
    return select(binary("LT", x, 0.0), -result, result)


def asin(x: Tensor) -> Tensor:
    """Arc sine as an arc tangent."""
    return atan(x * unary("RSQRT", (1.0 - x) * (x + 1.0)))


def acos(x: Tensor) -> Tensor:
    """Arc cosine as twice the arc tangent of sqrt((1 - x) / (1 + x))."""
    return atan(sqrt((1.0 - x) * unary("RECIP", x + 1.0))) * 2.0


def sinh(x: Tensor) -> Tensor:
    """Hyperbolic sine: (e^x - e^-x) / 2, and x times a series below 1."""
    near = x * polynomial(x * x, tuple(1 / math.factorial(2 * k + 1) for k in range(5)))
    return select(binary("LT", unary("ABS", x), 1.0), near, (exp(x) - exp(-x)) * 0.5)


def cosh(x: Tensor) -> Tensor:
    """Hyperbolic cosine."""
    return (exp(x) + exp(-x)) * 0.5


def asinh(x: Tensor) -> Tensor:
    """Inverse hyperbolic sine: log(|x| + sqrt(x^2 + 1)) with x's sign, up to 1e19; absolute error 1e-7 near 0."""
    size = unary("ABS", x)
    return sign(x) * log(size + sqrt(size * size + 1.0))


def acosh(x: Tensor) -> Tensor:
    """Inverse hyperbolic cosine: log(x + sqrt((x - 1)(x + 1))), up to 1e19."""
    return log(x + sqrt((x - 1.0) * (x + 1.0)))


def atanh(x: Tensor) -> Tensor:
    """Inverse hyperbolic tangent: log((1 + x) / (1 - x)) / 2; absolute error 1e-7 near 0."""
    return log((x + 1.0) * unary("RECIP", 1.0 - x)) * 0.5


def _wave(x: Tensor, quarter: int) -> Tensor:
    """Sine of x + quarter * pi / 2: reduced to |r| <= pi / 4, sine or cosine by the parity of the quarters taken out."""
    turns = nearest(x * (2 / math.pi))
    r = x
    for part in _HALF_PI:
        r = r - turns * part
    square = r * r
    quarters = turns.to("int32") + quarter
    odd, negative = (binary("NE", binary("AND", quarters, bit), 0) for bit in (1, 2))
    value = select(odd, polynomial(square, _COS), r * polynomial(square, _SIN))
    return select(negative, -value, value)
