"""Reductions, places of extremes, running sums."""

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas import reductions as formulas
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.operators.layouts import dropped
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import BOOL, INT32, INT64

TABLE = Table()

_FORMULAS = {
    "ReduceMax": lambda a, axes: formulas.reduce("MAX", a, axes),
    "ReduceMin": lambda a, axes: formulas.reduce("MIN", a, axes),
    "ReduceSum": formulas.total,
    "ReduceProd": formulas.product,
    "ReduceL1": formulas.l1,
    "ReduceSumSquare": formulas.sum_square,
    "ReduceMean": formulas.mean,
    "ReduceL2": formulas.l2,
    "ReduceLogSum": formulas.log_sum,
    "ReduceLogSumExp": formulas.log_sum_exp,
}
_FLOAT_ONLY = ("ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp")


@TABLE.operator(*_FORMULAS)
def reduce(node: Node) -> Value:
    """Over the axes that the attribute or the second input names, by default all."""
    axes = node.integers(1, node.get("axes"))
    if not axes:
        axes = [] if node.get("noop_with_empty_axes") else range(node.rank())
    axes = [node.axis_of(axis, node.rank()) for axis in axes]
    exact = not node.element().is_float and node.op not in _FLOAT_ONLY
    result = _FORMULAS[node.op](node.whole() if exact else node.real(), axes)
    if node.element() is BOOL:
        result = node.convert(result, INT32, BOOL)
    return node.give(result if node.get("keepdims", 1) else dropped(result, axes))


@TABLE.operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(node: Node) -> Value:
    """Over the plane of each channel."""
    axes = range(2, node.rank())
    return node.give(formulas.mean(node.real(), axes) if "Average" in node.op else formulas.reduce("MAX", node.real(), axes))


@TABLE.operator("ArgMax", "ArgMin")
def arg(node: Node) -> Value:
    """Place of the extreme along an axis, of equal ones the first or the last."""
    axis = node.axis(0)
    x = node.real() if node.element().is_float else node.whole()
    places = formulas.arg(node.op.removeprefix("Arg").upper(), x, axis, bool(node.get("select_last_index")))
    return node.give(places if node.get("keepdims", 1) else dropped(places, [axis]), INT64)


@TABLE.operator("CumSum", "CumProd")
def cumulative(node: Node) -> Value:
    """Running sum or product along a known axis."""
    axis = node.axis_of(node.integers(1)[0], node.rank())
    x = node.real() if node.element().is_float else node.whole()
    backwards = (slice(None),) * axis + (slice(None, None, -1),)
    x = layout.take(x, backwards) if node.get("reverse") else x
    neutral = int(node.op == "CumProd")
    x = _delayed(x, axis, neutral) if node.get("exclusive") else x
    result = formulas.scan("MUL" if neutral else "ADD", x, axis, neutral)
    return node.give(layout.take(result, backwards) if node.get("reverse") else result)


def _delayed(x: Tensor, axis: int, neutral: int) -> Tensor:
    """One place later along the axis, the neutral element first."""
    shape = [1 if k == axis else length for k, length in enumerate(x.shape)]
    filler = x.graph.constant(np.full(shape, neutral), x.dtype)
    return filler if x.shape[axis] == 1 else layout.concat([filler, layout.along(x, axis, slice(0, -1))], axis)
