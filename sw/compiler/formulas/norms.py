"""Softmax and normalisations of FP32 tensors."""

from collections.abc import Sequence

from sw.compiler.formulas.elementary import LOG2_E, log, unary
from sw.compiler.formulas.reductions import mean, reduce, total
from sw.compiler.graph import Tensor


def softmax(x: Tensor, axis: int = -1) -> Tensor:
    """e^x over its sum along an axis; the largest x is taken out first."""
    shares = unary("EXP2", (x - reduce("MAX", x, [axis])) * LOG2_E)
    return shares * unary("RECIP", total(shares, [axis]))


def log_softmax(x: Tensor, axis: int = -1) -> Tensor:
    """Logarithm of softmax, without its rounding to 0."""
    centred = x - reduce("MAX", x, [axis])
    return centred - log(total(unary("EXP2", centred * LOG2_E), [axis]))


def standardize(x: Tensor, axes: Sequence[int], epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """(x - mean) / sqrt(variance + epsilon) over axes, the mean, and 1 / sqrt(variance + epsilon)."""
    average = mean(x, axes)
    centred = x - average
    scale = unary("RSQRT", mean(centred * centred, axes) + epsilon)
    return centred * scale, average, scale


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor | None, axes: Sequence[int], epsilon: float = 1e-5) -> Tensor:
    """Standardized over axes, times gain, plus bias."""
    result = standardize(x, axes, epsilon)[0] * gain
    return result if bias is None else result + bias


def rms_norm(x: Tensor, gain: Tensor, axes: Sequence[int] = (-1,), epsilon: float = 1e-5) -> Tensor:
    """x / sqrt(mean of squares + epsilon), times gain."""
    return x * unary("RSQRT", mean(x * x, axes) + epsilon) * gain
