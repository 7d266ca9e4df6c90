"""Attention of one position over the cached ones, without moving anything from lane to lane."""

from dataclasses import dataclass

import numpy as np

from sw.arch.dtype import DType
from sw.compiler.graph import Graph, Tensor
from sw.compiler.llama.product import product
from sw.compiler.llama.weights import Weights, rotated

#: What a score is cut to where nothing is cached yet; two to the power of it is 0 in FP32.
_AHEAD = -1e30
_NO_LIMIT = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class Position:
    """What every layer needs of the position, made once per token.

    index : INT16 [1, 1]
    block, offset : INT16 [1, 1], the position divided by vl, and the remainder
    cos, sin : FP32 [1, q]
    head_cos, head_sin : FP32 [heads, q], zero outside of each head's lanes
    limit : FP32 [1, context], what a cached score may be at most: far below all others from this position on
    """

    index: Tensor
    block: Tensor
    offset: Tensor
    cos: Tensor
    sin: Tensor
    head_cos: Tensor
    head_sin: Tensor
    limit: Tensor

    @classmethod
    def of(cls, graph: Graph, index: Tensor, weights: Weights) -> "Position":
        """Everything about position `index`, which must lie in 0 … weights.context - 1."""
        graph.scope, widths = "position", weights.widths
        numbers = np.arange(weights.context, dtype=np.int16)[:, None]
        block, offset = (graph.gather(graph.constant(a), index) for a in (numbers // weights.vl, numbers % weights.vl))
        turns = []
        for table in weights.rope():
            row = graph.gather(graph.constant(table, DType.FP32), index)
            turns.append(graph.move(row, np.arange(widths.q)[None] % table.shape[1]) if table.shape[1] < widths.q else row)
        mask = graph.constant(weights.head_mask(), DType.FP32)
        seen = graph.elementwise("LT", graph.constant(np.arange(widths.context, dtype=np.int16)[None]), index)
        limit = graph.elementwise("SELECT", seen, _NO_LIMIT, _AHEAD)
        return cls(index, block, offset, *turns, *(turn * mask for turn in turns), limit)


def attention(x: Tensor, scale: Tensor, position: Position, weights: Weights, layer: int) -> Tensor:
    """What the layer adds to x: FP32 [1, dim].

    x : FP32 [1, dim], not normalised
    scale : FP32 [1, 1], what the products of x are multiplied by
    """
    graph, widths, name = x.graph, weights.widths, weights.named("layers") + f".{layer}."
    graph.scope = name + "attention_in"
    operand = x.to(DType.FP16)

    def turned(matrix: np.ndarray, what: str, cos: Tensor, sin: Tensor) -> Tensor:
        straight = product(operand, matrix, f"{name}w{what}")
        across = product(operand, rotated(matrix), f"{name}w{what}_rotated")
        graph.scope = name + what
        return (straight * cos + across * sin) * scale

    q = turned(weights.queries(layer), "q", position.head_cos, position.head_sin)
    k = turned(weights.keys(layer), "k", position.cos, position.sin)
    v = product(operand, weights.values(layer), name + "wv")
    graph.scope = name + "v"
    v = v * scale

    # This position takes part by itself, beside the cached ones: nobody waits for the caches to be written.
    graph.scope = name + "scores"
    keys = _cached(graph, weights.named(f"k.{layer}"), (widths.context, widths.q), position.index, k.to(DType.FP16))
    own = graph.reduce("SUM", q * k, 1)
    scores = graph.elementwise("MIN", graph.dot(q.to(DType.FP16), keys), position.limit)
    most = graph.elementwise("MAX", graph.reduce("MAX", scores, 1), own)
    p, own = graph.elementwise("EXP2", scores - most), graph.elementwise("EXP2", own - most)

    graph.scope = name + "mix"
    values = _transposed_values(graph, v.to(DType.FP16), position, weights, layer)
    total = graph.elementwise("RECIP", graph.reduce("SUM", p, 1) + own)
    mixed = (graph.dot(p.to(DType.FP16), values) + own * v) * total
    row = graph.move(mixed.to(DType.FP16), np.arange(mixed.size)[None])
    return product(row, weights.mixing(layer), name + "wo")


def _transposed_values(graph: Graph, v: Tensor, position: Position, weights: Weights, layer: int) -> Tensor:
    """Values of the positions before this one, FP16 [kv, context].

    The block of vl positions to which this one belongs is transposed by a product with the identity, for later ones.
    """
    vl, widths, model = weights.vl, weights.widths, weights.model
    size = model.kv_heads * model.head_size
    latest = weights.named(f"vcur.{layer}")
    block = graph.scatter(graph.state(latest, np.zeros((vl, widths.kv), np.float16)), position.offset, v)
    graph.store(latest, block)
    columns = graph.dot(graph.constant(np.eye(size, widths.kv), DType.FP16), block).to(DType.FP16)
    row = graph.move(columns, np.arange(size * vl)[None])
    blocks = _cached(graph, weights.named(f"vt.{layer}"), (widths.context // vl, size * vl), position.block, row)
    lane, number = (a[None, :] for a in (np.arange(widths.context) % vl, np.arange(widths.context) // vl))
    index = np.full((widths.kv, widths.context), -1)
    index[:size] = number * (size * vl) + np.arange(size)[:, None] * vl + lane
    return graph.move(blocks, index)


def _cached(graph: Graph, name: str, shape: tuple[int, int], index: Tensor, row: Tensor) -> Tensor:
    """A cache as it is before this position's row comes into it."""
    state = graph.state(name, np.zeros(shape, np.float16))
    graph.store(name, graph.scatter(state, index, row))
    return state
