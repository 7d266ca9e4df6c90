"""Dense products beyond those of the matrix unit; layouts as in `Graph.dot`: [..., m, k] and [..., n, k]."""

import numpy as np

from sw.arch.dtype import DType
from sw.compiler import layout
from sw.compiler.formulas.elementary import binary, clip, modular, unary
from sw.compiler.formulas.reductions import reduce
from sw.compiler.graph import Tensor

#: The low part of a split number is 2^11 times what the FP16 high part lacks, so that it is not subnormal.
_LOW_SCALE = 2.0**11
#: Elements of a matrix from which on a plane transposes it sooner than lane movements do.
_PLANE_TRANSPOSES = 32


def matmul(a: Tensor, b: Tensor, product) -> Tensor:
    """[..., m, k] x [..., k, n] as numpy's matmul, broadcast in front, by a `product` such as `dot_fp32`."""
    a2 = layout.reshape(a, (1, *a.shape)) if len(a.shape) == 1 else a
    b2 = layout.reshape(b, (*b.shape, 1)) if len(b.shape) == 1 else b
    b2 = layout.swap_last(b2)
    front = np.broadcast_shapes(a2.shape[:-2], b2.shape[:-2])
    if len(b2.shape) > 2:
        a2, b2 = (layout.expand(x, (*front, *x.shape[-2:])) for x in (a2, b2))
    shape = (*front, *a.shape[-2:-1], *b.shape[-1:][: len(b.shape) - 1])
    return layout.reshape(product(a2, b2), shape)


def dot_fp16(a: Tensor, b: Tensor) -> Tensor:
    """Operands rounded to FP16, sums in FP32."""
    return a.graph.dot(a.to("fp16"), b.to("fp16"))


def dot_fp32(a: Tensor, b: Tensor) -> Tensor:
    """FP32 product on FP16 planes: three products of high and low parts, error near 2^-22 of sum |a||b|.

    A power of two brings the largest number of each operand to 1 … 2; numbers 2^-27 times smaller still count in full.
    An operand with an infinity or a NaN gives no numbers that mean anything.
    """
    a_high, a_low, a_scale = _split(a)
    b_high, b_low, b_scale = _split_columns(b)
    dot = a.graph.dot
    fine = dot(a_high, b_low) + dot(a_low, b_high)
    return (dot(a_high, b_high) + fine * (1 / _LOW_SCALE)) * a_scale * b_scale


def dot_int8(a: Tensor, b: Tensor, a_zero: Tensor | None = None, b_zero: Tensor | None = None) -> Tensor:
    """(a - a_zero) . (b - b_zero) of INT8 operands, exact in INT32 modulo 2^32.

    The zero points are INT32 and broadcast to the result: [1], a_zero [..., m, 1], b_zero [1, n].
    """
    graph, length = a.graph, a.shape[-1]
    ones = graph.constant(np.ones((1, length), np.int8))
    result = graph.dot(a, b)
    if a_zero is not None:
        sums = layout.swap_last(graph.dot(b, ones))
        shift = sums if b_zero is None else modular("SUB", sums, modular("MUL", b_zero, length))
        result = modular("SUB", result, modular("MUL", a_zero, shift))
    if b_zero is not None:
        result = modular("SUB", result, modular("MUL", b_zero, graph.dot(a, ones)))
    return result


def _split_columns(b: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
    """`_split` of a second operand [..., n, k]. One that was transposed is split as it was, and a plane transposes the parts,
    by products with unit vectors, where lane movements would take longer."""
    *front, n, k = b.shape
    if b.op != "move" or len(b.operands) > 1 or b.operands[0].shape != (*front, k, n) or n * k < _PLANE_TRANSPOSES:
        return _split(b)
    (source,) = b.operands
    numbers = np.arange(source.size).reshape(source.shape)
    if not np.array_equal(b.attributes["index"], np.swapaxes(numbers, -1, -2)):
        return _split(b)
    units = b.graph.constant(np.broadcast_to(np.eye(n, dtype=np.float16), (*front, n, n)))
    high, low, scale = _split(source)
    return *(b.graph.dot(units, part).to("fp16") for part in (high, low)), scale


def _split(a: Tensor) -> tuple[Tensor, Tensor, Tensor | float]:
    """FP16 parts with a = (high + low / _LOW_SCALE) * scale."""
    if a.op == "constant":
        return _split_constant(a)
    graph = a.graph
    largest = reduce("MAX", unary("ABS", a), range(len(a.shape)))
    bits = binary("AND", graph.elementwise("BITCAST", largest, to=DType.INT32), DType.FP32.infinity)
    # From 2^-100 to 2^100, so that the reciprocal is exact
    bits = clip(bits, 27 << 23, 227 << 23)
    scaled = a * graph.elementwise("BITCAST", (254 << 23) - bits, to=DType.FP32)
    high = scaled.to("fp16")
    low = ((scaled - high.to("fp32")) * _LOW_SCALE).to("fp16")
    return high, low, graph.elementwise("BITCAST", bits, to=DType.FP32)


def _split_constant(a: Tensor) -> tuple[Tensor, Tensor, float]:
    values = a.attributes["values"]
    scale = 2.0 ** np.clip(np.frexp(np.abs(values).max())[1] - 1, -100, 100)
    scaled = (values / scale).astype(np.float32)
    high = scaled.astype(np.float16)
    low = ((scaled - high) * np.float32(_LOW_SCALE)).astype(np.float16)
    return a.graph.constant(high), a.graph.constant(low), float(scale)
