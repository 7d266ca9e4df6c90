"""Softmax and normalisations."""

import math

from sw.compiler import layout
from sw.compiler.formulas import norms
from sw.compiler.formulas.elementary import binary
from sw.compiler.formulas.reductions import arg, l1, l2, places
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import FLOAT

TABLE = Table()


@TABLE.operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(node: Node) -> Value:
    """Along one axis; before operator set 13 over all axes from `axis` on."""
    formula = {"Softmax": norms.softmax, "LogSoftmax": norms.log_softmax, "Hardmax": _hardmax}[node.op]
    if node.version >= 13:
        return node.give(formula(node.real(), node.axis()))
    axis = node.axis(1)
    flat = layout.reshape(node.real(), (math.prod(node.shape()[:axis]), -1))
    return node.give(layout.reshape(formula(flat, 1), node.shape()))


def _hardmax(x: Tensor, axis: int) -> Tensor:
    """1 at the first of the largest, 0 elsewhere."""
    return binary("AND", binary("EQ", places(x, axis), arg("MAX", x, axis)), 1).to("fp32")


@TABLE.operator("LayerNormalization")
def layer_normalization(node: Node) -> list[Value]:
    """Over all axes from `axis` on; also mean and reciprocal deviation."""
    axes = range(node.axis(), node.rank())
    result, mean, scale = norms.standardize(node.real(), axes, node.get("epsilon", 1e-5))
    result = result * node.real(1)
    result = result + node.real(2) if node.has(2) else result
    return [node.give(result), node.give(mean, FLOAT), node.give(scale, FLOAT)][: node.outputs]


@TABLE.operator("RMSNormalization")
def rms_normalization(node: Node) -> Value:
    """Over all axes from `axis` on."""
    axes = range(node.axis(), node.rank())
    return node.give(norms.rms_norm(node.real(0), node.real(1), axes, node.get("epsilon", 1e-5)))


@TABLE.operator("InstanceNormalization")
def instance_normalization(node: Node) -> Value:
    """Over the plane of each channel."""
    axes = range(2, node.rank())
    shape = (-1, *(1 for _ in axes))
    gain, bias = (layout.reshape(node.real(place), shape) for place in (1, 2))
    return node.give(norms.layer_norm(node.real(), gain, bias, axes, node.get("epsilon", 1e-5)))


@TABLE.operator("GroupNormalization")
def group_normalization(node: Node) -> Value:
    """Over groups of channels; gain and bias per channel, before operator set 21 per group."""
    (batch, channels, *plane), groups = node.shape(), node.get("num_groups")
    grouped = layout.reshape(node.real(), (batch, groups, channels // groups, *plane))
    result = norms.standardize(grouped, range(2, len(grouped.shape)), node.get("epsilon", 1e-5))[0]
    ones = (1,) * len(plane)
    if node.version < 21:
        gain, bias = (layout.reshape(node.real(place), (groups, 1, *ones)) for place in (1, 2))
        return node.give(layout.reshape(result * gain + bias, node.shape()))
    gain, bias = (layout.reshape(node.real(place), (channels, *ones)) for place in (1, 2))
    return node.give(layout.reshape(result, node.shape()) * gain + bias)


@TABLE.operator("BatchNormalization")
def batch_normalization(node: Node) -> Value:
    """Inference: mean and variance are given."""
    if node.get("training_mode"):
        raise node.error("is in training mode; only inference is possible.")
    shape = (-1, *(1 for _ in node.shape()[2:]))
    gain, bias, mean, variance = (layout.reshape(node.real(place), shape) for place in range(1, 5))
    scale = node.graph.elementwise("RSQRT", variance + node.get("epsilon", 1e-5)) * gain
    return node.give((node.real() - mean) * scale + bias)


@TABLE.operator("LpNormalization")
def lp_normalization(node: Node) -> Value:
    """Over the sum of magnitudes or the root of the sum of squares along an axis; zeros stay zeros."""
    x, axis = node.real(), node.axis()
    length = (l1 if node.get("p", 2) == 1 else l2)(x, [axis])
    safe = node.graph.elementwise("SELECT", binary("EQ", length, 0.0), 1.0, length)
    return node.give(x * node.graph.elementwise("RECIP", safe))
