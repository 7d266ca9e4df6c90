"""Activations of FP32 tensors."""

import math

from sw.compiler.formulas.elementary import LOG2_E, binary, clip, erf, exp, log, select, unary
from sw.compiler.graph import Tensor


def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + e^-x), of small relative error on both sides."""
    return unary("RECIP", unary("EXP2", x * -LOG2_E) + 1.0)


def silu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x * sigmoid(alpha x), also called swish."""
    return x * sigmoid(x if alpha == 1.0 else x * alpha)


def relu(x: Tensor) -> Tensor:
    """max(x, 0)."""
    return unary("RELU", x)


def leaky_relu(x: Tensor, slope) -> Tensor:
    """x, times `slope` (a number or a tensor) where x is negative."""
    return select(binary("LT", x, 0.0), x * slope, x)


def elu(x: Tensor, alpha: float = 1.0, scale: float = 1.0, steepness: float = 1.0) -> Tensor:
    """scale * x, and scale * alpha * (e^(steepness x) - 1) below 0."""
    below = (exp(x if steepness == 1.0 else x * steepness) - 1.0) * (alpha * scale)
    return select(binary("LT", x, 0.0), below, x if scale == 1.0 else x * scale)


def gelu(x: Tensor) -> Tensor:
    """x / 2 * (1 + erf(x / sqrt 2))."""
    return x * 0.5 * (erf(x * math.sqrt(0.5)) + 1.0)


def gelu_tanh(x: Tensor) -> Tensor:
    """gelu by tanh: x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which is the same formula."""
    root = 2 * math.sqrt(2 / math.pi)
    return x * sigmoid(x * (x * x * (0.044715 * root) + root))


def softplus(x: Tensor) -> Tensor:
    """log(1 + e^x) as max(x, 0) + log(1 + e^-|x|)."""
    return relu(x) + log(exp(-unary("ABS", x)) + 1.0)


def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return x * unary("RECIP", unary("ABS", x) + 1.0)


def mish(x: Tensor) -> Tensor:
    """x * tanh(softplus(x))."""
    return x * unary("TANH", softplus(x))


def hard_sigmoid(x: Tensor, alpha: float = 0.2, beta: float = 0.5) -> Tensor:
    """alpha x + beta, from 0 to 1."""
    return clip(x * alpha + beta, 0.0, 1.0)


def hard_swish(x: Tensor) -> Tensor:
    """x * hard_sigmoid(x) with 1/6 and 1/2."""
    return x * hard_sigmoid(x, 1 / 6, 0.5)


def thresholded_relu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is above alpha, else 0."""
    return select(binary("GT", x, alpha), x, 0.0)


def shrink(x: Tensor, bias: float, threshold: float) -> Tensor:
    """x brought nearer to 0 by `bias` beyond +-threshold, 0 between."""
    return select(binary("LT", x, -threshold), x + bias, select(binary("GT", x, threshold), x - bias, 0.0))
