"""Changes of type, and quantisation."""

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas import integers
from sw.compiler.formulas.elementary import clip, divide_exact, truncate
from sw.compiler.formulas.reductions import reduce
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import BOOL, FLOAT, INT32, UINT8, Element, element

TABLE = Table()


@TABLE.operator("Cast", "CastLike")
def cast(node: Node) -> Value:
    """Floats to integers towards zero, integers to narrower ones by their low bits."""
    target = node.element(1) if node.op == "CastLike" else element(node.get("to"), f"Node '{node.name}' (Cast): its result")
    return node.give(converted(node, node.tensor(), node.element(), target), target)


def converted(node: Node, x: Tensor, source: Element, target: Element) -> Tensor:
    """A tensor that holds `source` as `target` is held, by the rules of Cast."""
    if source is target or BOOL in (source, target) or target.is_float:
        return node.convert(x, source, target)
    if source.is_float:
        return truncate(x.to("fp32")).to("int32" if target.mask else target.dtype)
    return x if target.mask else integers.wrapped(x, target.dtype)


@TABLE.operator("BitCast")
def bit_cast(node: Node) -> Value:
    """The same bits as another type of the same width."""
    source, target = node.element(), element(node.get("to"), f"Node '{node.name}' (BitCast): its result")
    if any(one.numpy != one.dtype.numpy for one in (source, target)) or source.dtype.bits != target.dtype.bits:
        raise node.error(f"is from {source.name} to {target.name}; possible are types that the machine holds bit by bit.")
    return Value(target, node.graph.elementwise("BITCAST", node.tensor(), to=target.dtype))


@TABLE.operator("QuantizeLinear")
def quantize_linear(node: Node) -> Value:
    """clip(nearest(x / scale) + zero point)."""
    code = node.get("output_dtype", 0)
    target = node.element(2) if node.has(2) else element(code, f"Node '{node.name}'") if code else UINT8
    zero = _parameter(node, 2, INT32) if node.has(2) else None
    ratio = divide_exact(node.real(), _parameter(node, 1))
    return node.keep(integers.quantize(ratio, zero, *target.limits).to(target.dtype), target)


@TABLE.operator("DequantizeLinear")
def dequantize_linear(node: Node) -> Value:
    """(x - zero point) * scale."""
    zero = _parameter(node, 2, INT32) if node.has(2) else None
    return node.give(integers.dequantize(node.whole(), _parameter(node, 1), zero), node.element(1))


@TABLE.operator("DynamicQuantizeLinear")
def dynamic_quantize_linear(node: Node) -> list[Value]:
    """To uint8 over the range of x with 0 in it; also the scale and the zero point."""
    x = node.real()
    axes = range(node.rank())
    low, high = (layout.reshape(reduce(fn, x, axes), ()) for fn in ("MIN", "MAX"))
    low, high = clip(low, high=0.0), clip(high, low=0.0)
    scale = (high - low) * (1 / 255)
    zero = clip(divide_exact(-low, scale), 0.0, 255.0).to("int32")
    quantized = integers.quantize(divide_exact(x, scale), zero, 0, 255)
    return [node.keep(quantized.to(UINT8.dtype), UINT8), node.keep(scale), node.keep(zero.to(UINT8.dtype), UINT8)]


def _parameter(node: Node, place: int, to: Element = FLOAT) -> Tensor:
    """Scale or zero point in the shape that broadcasts to input 0: one, one per place on `axis`, or one per block."""
    value = node.convert(node.tensor(place), node.element(place), to)
    shape, block = node.shape(), node.get("block_size", 0)
    if value.size == 1:
        return layout.reshape(value, ())
    axis = node.axis(1)
    if block:
        return layout.rearrange(value, lambda x: np.repeat(x, block, axis)[tuple(slice(length) for length in shape)])
    return layout.reshape(value, [-1 if k == axis else 1 for k in range(len(shape))])
