"""Reductions over any axes, which stay with length 1; FP32, or INT32 where the result is exact."""

import math
from collections.abc import Sequence

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas.elementary import binary, exp, log, modular, select, sqrt, unary
from sw.compiler.graph import Tensor


def reduce(fn: str, a: Tensor, axes: Sequence[int]) -> Tensor:
    """MAX, MIN or SUM over axes; the last axis comes last, since only that one takes a pass through the lanes per row."""
    for axis in sorted(range(len(a.shape))[axis] for axis in axes):
        a = a.graph.reduce(fn, a, axis) if a.shape[axis] > 1 else a
    return a


def total(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Sum."""
    return reduce("SUM", a, axes)


def mean(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Sum over count, FP32."""
    count = math.prod(a.shape[axis] for axis in axes)
    return total(a, axes) * (1 / count)


def l1(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Sum of magnitudes."""
    return total(unary("ABS", a), axes)


def sum_square(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Sum of squares."""
    return total(a * a, axes)


def l2(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Root of the sum of squares, FP32."""
    return sqrt(sum_square(a, axes))


def log_sum(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Logarithm of the sum, FP32."""
    return log(total(a, axes))


def log_sum_exp(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Logarithm of the sum of exponentials, the largest taken out first, FP32."""
    largest = reduce("MAX", a, axes)
    return log(total(exp(a - largest), axes)) + largest


def product(a: Tensor, axes: Sequence[int]) -> Tensor:
    """Product, by halves."""
    for axis in axes:
        while (length := a.shape[axis]) > 1:
            half = length // 2
            low, high = (layout.along(a, axis, slice(start, start + half)) for start in (0, half))
            rest = [layout.along(a, axis, slice(2 * half, None))] if length % 2 else []
            a = layout.concat([modular("MUL", low, high), *rest], axis)
    return a


def scan(fn: str, a: Tensor, axis: int, neutral: float = 0) -> Tensor:
    """Running sum (ADD) or product (MUL with neutral 1) along an axis, by doubling."""
    axis = range(len(a.shape))[axis]
    number = np.arange(a.shape[axis]).reshape([-1 if k == axis else 1 for k in range(len(a.shape))])
    step = 1
    while step < a.shape[axis]:
        widths = [(step, -step) if k == axis else (0, 0) for k in range(len(a.shape))]
        earlier = layout.pad(a, widths)
        if neutral:
            earlier = select(a.graph.constant(-(number >= step).astype(np.int8)), earlier, neutral)
        a = modular(fn, a, earlier)
        step *= 2
    return a


def arg(fn: str, a: Tensor, axis: int, last: bool = False) -> Tensor:
    """INT32 place of the largest (MAX) or smallest (MIN) along an axis, of equal ones the first or the last."""
    found = binary("EQ", a, a.graph.reduce(fn, a, axis))
    numbers = select(found, places(a, axis), -1 if last else a.shape[axis])
    return a.graph.reduce("MAX" if last else "MIN", numbers, axis)


def places(a: Tensor, axis: int) -> Tensor:
    """INT32 numbers along an axis of `a`, its other axes of length 1."""
    axis = range(len(a.shape))[axis]
    shape = [-1 if k == axis else 1 for k in range(len(a.shape))]
    return a.graph.constant(np.arange(a.shape[axis], dtype=np.int32).reshape(shape))
