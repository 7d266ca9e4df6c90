"""The pass that makes products INT8: the same graph with products of constant weights in INT8, sums in INT32."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.calibrate import products
from sw.compiler.graph import Graph, GraphError, Tensor
from sw.compiler.rebuild import live, remade
from sw.compiler.rounding import corrected, nearest, row_scales

#: A static 16-bit scale leaves room for inputs this many times as large as the samples'; it costs one bit of sixteen.
_ROOM = 2.0
#: Least magnitude by which a vector is scaled on the chip, so that zeros do not become infinite.
_TINY = 1e-30


@dataclass(frozen=True)
class Scheme:
    """How INT8 products are made. Weights have one scale per output.

    bits : of activations: 8, or 16 as two INT8 rows, low and high, which pass through the same weights
    dynamic : whether the scale of activations is that of each vector, found on the chip, or fixed from the samples
    corrected : whether weights are rounded for least error on the samples (GPTQ) rather than to the nearest
    smoothing : exponent by which inputs are evened out, the weights taking the inverse: 0 not at all, 1 entirely
    """

    bits: int = 16
    dynamic: bool = False
    corrected: bool = True
    smoothing: float = 0.3

    def __post_init__(self):
        if self.bits not in (8, 16):
            raise GraphError(f"INT8 products take activations of 8 or 16 bits, not {self.bits}.")
        if not 0 <= self.smoothing <= 1:
            raise GraphError(f"Smoothing lies in 0 to 1, it is {self.smoothing}.")


def quantized(
    graph: Graph, samples: Mapping[str, np.ndarray], scheme: Scheme | None = None, where: Callable[[str], bool] | None = None
) -> Graph:
    """`graph` with INT8 products.

    samples : inputs of each product, as `calibrate.Recorder` gives them
    where : which products by name, by default all that have samples
    A product's scaled FP32 value is the last tensor of its name. GraphError where samples are missing or do not fit.
    """
    scheme = scheme or Scheme()
    chosen = {dot: name for name, dot in products(graph).items() if (where(name) if where else name in samples)}
    for dot, name in chosen.items():
        if name not in samples:
            raise GraphError(f"The product '{name}' has no samples to calibrate it by.")
        found, width = np.shape(samples[name]), dot.operands[0].shape[-1]
        if len(found) != 2 or not found[0] or found[1] != width or not np.isfinite(samples[name]).all():
            raise GraphError(f"The samples of '{name}' are {list(found)}, they must be finite numbers [rows, {width}].")
    # Products of one operand share its quantised form, and so its smoothing.
    shared: dict[Tensor, list[Tensor]] = {}
    for dot in chosen:
        shared.setdefault(dot.operands[0], []).append(dot)
    before = {dot: _source(dot.operands[0])[0] for dot in chosen}
    result, new = Graph(graph.name), {}
    operands: dict[Tensor, _Operand] = {}
    for tensor in live(graph, before):
        if tensor not in chosen:
            new[tensor] = remade(result, tensor, [new[operand] for operand in tensor.operands])
            continue
        operand, name = tensor.operands[0], chosen[tensor]
        if operand not in operands:
            evening = _evening(samples[name], [_weights(dot) for dot in shared[operand]], scheme.smoothing)
            source, index = _source(operand)
            result.scope = operand.name
            values = new[source].to(DType.FP32)
            operands[operand] = _operand(values, index, samples[name] * evening, evening, scheme)
        result.scope = name
        new[tensor] = _product(operands[operand], _weights(tensor), samples[name], scheme)
    for name, value in graph.stores.items():
        result.store(name, new[value])
    for name, value in graph.outputs.items():
        result.output(name, new[value])
    return result


@dataclass(frozen=True)
class _Operand:
    """rows : INT8 [..., k], or [2, ..., k] of low and high bytes; scale : what a step is worth; evening : [k]."""

    rows: Tensor
    scale: Tensor | float
    evening: np.ndarray


def _source(operand: Tensor) -> tuple[Tensor, np.ndarray | None]:
    """What FP32 values an operand was rounded from, and how they were moved after it, if they were."""
    if operand.op == "move" and len(operand.operands) == 1:
        inner, moved = _source(operand.operands[0])
        index = operand.attributes["index"]
        if inner is not operand.operands[0] and moved is None and len(np.unique(used := index[index >= 0])) == used.size:
            return inner, index
    elif operand.op == "elementwise" and operand.attributes["fn"] == "CONVERT":
        return operand.operands[0], None
    return operand, None


def _weights(dot: Tensor) -> np.ndarray:
    return dot.operands[1].attributes["values"].astype(np.float64)


def _evening(inputs: np.ndarray, weights: list[np.ndarray], exponent: float) -> np.ndarray:
    """[k]: factors of the inputs that leave the largest of them as it is."""
    largest = np.abs(inputs).max(axis=0).astype(np.float64)
    heaviest = np.max([np.abs(w).max(axis=0) for w in weights], axis=0)
    used = (largest > 0) & (heaviest > 0)
    if not exponent or not used.any():
        return np.ones(len(largest))
    size = np.where(used, largest, 1) ** exponent / np.where(used, heaviest, 1) ** (1 - exponent)
    return np.where(used, size[used].max() / size, 1.0)


def _operand(values: Tensor, index: np.ndarray | None, seen: np.ndarray, evening: np.ndarray, scheme: Scheme) -> _Operand:
    graph = values.graph
    if index is not None and scheme.dynamic:
        values, index = graph.move(values, index), None
    factors = _spread(evening, values, index)
    if scheme.dynamic:
        values = values if factors is None else values * graph.constant(factors)
        size = graph.elementwise("MAX", graph.reduce("MAX", graph.elementwise("ABS", values), len(values.shape) - 1), _TINY)
        steps = 127.0 if scheme.bits == 8 else 127 * 256.0
        scaled, scale = values * (graph.elementwise("RECIP", size) * steps), size * (1 / steps)
    else:
        largest = max(float(np.abs(seen).max(initial=0)), _TINY)
        scale = largest / 127 if scheme.bits == 8 else largest * _ROOM / (127 * 256)
        scaled = values * (1 / scale if factors is None else graph.constant(factors / scale))
    if scheme.bits == 8:
        rows = scaled.to(DType.INT8)
    else:
        # u - 128 = 256 * high + low with both parts signed: the bytes of u, but for the sign of the lower one.
        u = (scaled + 128.0).to(DType.INT16)
        rows = graph.bytes(graph.elementwise("XOR", u, 128))
    if index is not None:
        parts = np.arange(rows.size // values.size).reshape(-1, *(1 for _ in index.shape))
        moved = np.where(index < 0, -1, index + parts * values.size)
        rows = graph.move(rows, moved[0] if scheme.bits == 8 else moved)
    return _Operand(rows, scale, evening)


def _spread(evening: np.ndarray, values: Tensor, index: np.ndarray | None) -> np.ndarray | None:
    """Factors of `values`, some of which move to places in rows that `evening` has factors for; None if all are 1."""
    if (evening == 1).all():
        return None
    if index is None:
        return evening[None]
    factors = np.ones(values.size)
    factors[index[index >= 0]] = np.broadcast_to(evening, index.shape)[index >= 0]
    return factors.reshape(values.shape)


def _product(operand: _Operand, weights: np.ndarray, inputs: np.ndarray, scheme: Scheme) -> Tensor:
    graph, weights = operand.rows.graph, weights / operand.evening
    scales = row_scales(weights)
    if scheme.corrected:
        rounded = corrected(weights, scales, inputs * operand.evening)
    else:
        rounded = nearest(weights, scales)
    sums = graph.dot(operand.rows, graph.constant(rounded))
    if scheme.bits == 16:
        low, high = (graph.move(sums, part) for part in np.arange(sums.size).reshape(sums.shape))
        if np.abs(rounded.astype(np.int64)).sum(axis=1).max(initial=0) * 128 * 257 < 1 << 31:
            sums = graph.elementwise("SHL", high, 8) + low
        else:
            sums = high.to(DType.FP32) * 256.0 + low.to(DType.FP32)
    dynamic = isinstance(operand.scale, Tensor)
    total = sums.to(DType.FP32) * graph.constant(scales.T * (1.0 if dynamic else operand.scale))
    return total * operand.scale if dynamic else total
