"""Gathers by known numbers, gathers by data from a constant or by choice, and one-hot rows."""

import math

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas.elementary import binary, select
from sw.compiler.formulas.reductions import places, reduce
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.operators.layouts import rearranged
from sw.compiler.onnx.registry import Table

TABLE = Table()


@TABLE.operator("Gather")
def gather(node: Node) -> Value:
    """Known indices are a layout; data picks rows of a constant table, or of a tensor by comparing with every number."""
    axis, length = node.axis(0), node.shape()[node.axis(0)]
    if node.is_known(1):
        return rearranged(node, lambda numbers: np.take(numbers, node.known(1), axis))
    rank, picked = node.rank(), node.shape(1)
    rows = layout.transpose(node.tensor(), [axis, *(k for k in range(rank) if k != axis)])
    rest = rows.shape[1:]
    rows = layout.reshape(rows, (length, math.prod(rest)))
    index = _from_front(node.whole(1), length)
    index = layout.reshape(index, (math.prod(picked), 1))
    if rows.op == "constant" and length <= 1 << 15:
        taken = node.graph.gather(rows, index.to("int16"))
    else:
        count, width = rows.shape
        taken = _chosen(layout.reshape(rows, (1, count, width)), layout.reshape(index, (-1, 1, 1)), 1)
    taken = layout.reshape(taken, (*picked, *rest))
    order = [*range(len(picked), len(picked) + axis), *range(len(picked)), *range(len(picked) + axis, len(taken.shape))]
    return node.keep(layout.transpose(taken, order))


@TABLE.operator("GatherElements")
def gather_elements(node: Node) -> Value:
    """One element for each index: known ones are a layout, data picks by comparing with every number."""
    axis, picked = node.axis(0), node.shape(1)
    if node.is_known(1):
        return rearranged(node, lambda numbers: np.take_along_axis(numbers, node.known(1), axis))
    length = node.shape()[axis]
    rows = layout.take(node.tensor(), tuple(slice(None if k == axis else one) for k, one in enumerate(picked)))
    index = _from_front(node.whole(1), length)
    if picked[axis] > 1:
        rows, index = _with_axis(rows, axis), _with_axis(index, axis + 1)
        axis += 1
    return node.keep(layout.reshape(_chosen(rows, index, axis), picked))


@TABLE.operator("GatherND")
def gather_nd(node: Node) -> Value:
    """Slices by known coordinates."""
    batch, index = node.get("batch_dims", 0), node.known(1)

    def take(numbers: np.ndarray) -> np.ndarray:
        front = numbers.shape[:batch]
        flat, where = numbers.reshape(-1, *numbers.shape[batch:]), index.reshape(-1, *index.shape[batch:])
        taken = [one[tuple(np.moveaxis(at, -1, 0))] for one, at in zip(flat, where, strict=True)]
        return np.stack(taken).reshape(*front, *taken[0].shape)

    return rearranged(node, take)


@TABLE.operator("OneHot")
def one_hot(node: Node) -> Value:
    """Two values by comparing each index with every number."""
    depth = int(node.known(1).item())
    axis = node.axis_of(node.get("axis", -1), node.rank() + 1)
    index = node.real().to("int32") if node.element().is_float else node.whole()
    index = _with_axis(_from_front(index, depth), axis)
    number = np.arange(depth, dtype=np.int32).reshape([-1 if k == axis else 1 for k in range(node.rank() + 1)])
    off, on = (layout.reshape(layout.take(node.tensor(2), slice(k, k + 1)), ()) for k in (0, 1))
    return node.keep(select(binary("EQ", index, node.graph.constant(number)), on, off), node.element(2))


@TABLE.operator("ScatterElements", "Scatter", "ScatterND")
def scatter(node: Node) -> Value:
    """Updates at known places; of several at one place the last stays, none are combined."""
    if node.get("reduction", "none") != "none":
        raise node.error(f"combines by '{node.get('reduction')}'; possible is 'none'.")
    index, count = node.known(1), math.prod(node.shape())
    numbers = np.arange(count).reshape(node.shape())
    updates = count + np.arange(math.prod(node.shape(2))).reshape(node.shape(2))
    if node.op == "ScatterND":
        numbers[tuple(np.moveaxis(index, -1, 0))] = updates
    else:
        np.put_along_axis(numbers, index, updates, node.axis(0))
    return node.keep(node.graph.move([node.tensor(0), node.tensor(2)], numbers))


def _with_axis(x: Tensor, axis: int) -> Tensor:
    return layout.rearrange(x, lambda numbers: np.expand_dims(numbers, axis))


def _from_front(index: Tensor, length: int) -> Tensor:
    """INT32 indices that may count from the end, from 0 up."""
    return select(binary("LT", index, 0), index + length, index)


def _chosen(rows: Tensor, index: Tensor, axis: int) -> Tensor:
    """What INT32 `index`, of length 1 along `axis`, picks there of `rows`: a sum of which all but one is masked."""
    wide = rows.to("fp32" if rows.dtype.is_float else "int32")
    kept = select(binary("EQ", index, places(rows, axis)), wide, 0)
    return reduce("SUM", kept, [axis]).to(rows.dtype)
