"""Layouts; they keep the type."""

import math
from collections.abc import Callable

import numpy as np

from sw.compiler import layout
from sw.compiler.formulas.elementary import select
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import element

TABLE = Table()


def rearranged(node: Node, function: Callable[[np.ndarray], np.ndarray]) -> Value:
    """Input 0 as `function` arranges the numbers of its elements; known now where nothing is left of it."""
    shape = function(np.arange(math.prod(node.shape())).reshape(node.shape())).shape
    if 0 in shape:
        return Value(node.element(), array=np.zeros(shape, node.element().numpy))
    return node.keep(layout.rearrange(node.tensor(), function))


@TABLE.operator("Identity")
def identity(node: Node) -> Value:
    """The input itself."""
    return node.inputs[0]


@TABLE.operator("Dropout")
def dropout(node: Node) -> list[Value]:
    """The input itself and a mask of ones: there is no training here."""
    if node.has(2) and not (node.is_known(2) and not node.known(2).any()):
        raise node.error("has a training mode that is not the constant 'false'; only inference is possible.")
    return [node.inputs[0], Value(None, array=np.ones(node.shape(), bool))]


@TABLE.operator("ConstantOfShape", "Range")
def constant(node: Node) -> Value:
    """Made now, so inputs must be known; without any left to learn the importer does not come here."""
    raise node.unknown(next(place for place in range(len(node.inputs)) if not node.is_known(place)))


@TABLE.operator("EyeLike")
def eye_like(node: Node) -> Value:
    """Known now."""
    kind = element(node.get("dtype"), f"Node '{node.name}'") if node.get("dtype") else node.element()
    return Value(kind, array=np.eye(*node.shape(), node.get("k", 0), dtype=kind.numpy))


@TABLE.operator("Shape")
def shape(node: Node) -> Value:
    """Known now."""
    return Value(None, array=np.array(node.shape()[node.get("start", 0) : node.get("end")], np.int64))


@TABLE.operator("Size")
def size(node: Node) -> Value:
    """Known now."""
    return Value(None, array=np.array(math.prod(node.shape()), np.int64))


@TABLE.operator("Reshape")
def reshape(node: Node) -> Value:
    """A length of 0 stays as it is, -1 takes what is left."""
    lengths = node.integers(1, node.get("shape"))
    if not node.get("allowzero"):
        lengths = [node.shape()[axis] if length == 0 else length for axis, length in enumerate(lengths)]
    return rearranged(node, lambda numbers: numbers.reshape(lengths))


@TABLE.operator("Flatten")
def flatten(node: Node) -> Value:
    """Two axes, parted at `axis`."""
    axis = node.get("axis", 1)
    axis = axis + node.rank() if axis < 0 else axis
    return rearranged(node, lambda numbers: numbers.reshape(math.prod(node.shape()[:axis]), -1))


@TABLE.operator("Squeeze")
def squeeze(node: Node) -> Value:
    """Without axes of length 1."""
    axes = node.integers(1, node.get("axes"))
    return rearranged(node, lambda numbers: np.squeeze(numbers, None if axes is None else tuple(axes)))


@TABLE.operator("Unsqueeze")
def unsqueeze(node: Node) -> Value:
    """With axes of length 1."""
    axes = node.integers(1, node.get("axes"))
    return rearranged(node, lambda numbers: np.expand_dims(numbers, tuple(axes)))


@TABLE.operator("Transpose")
def transpose(node: Node) -> Value:
    """Axes in another order."""
    return rearranged(node, lambda numbers: np.transpose(numbers, node.get("perm")))


@TABLE.operator("Expand")
def expand(node: Node) -> Value:
    """Broadcast with a shape."""
    lengths = node.integers(1)
    return rearranged(node, lambda numbers: np.broadcast_to(numbers, np.broadcast_shapes(numbers.shape, tuple(lengths))))


@TABLE.operator("Tile")
def tile(node: Node) -> Value:
    """Repeated along axes."""
    repeats = node.integers(1)
    return rearranged(node, lambda numbers: np.tile(numbers, repeats))


@TABLE.operator("Slice")
def slice_(node: Node) -> Value:
    """Slices as numpy's."""
    starts, ends = node.integers(1, node.get("starts")), node.integers(2, node.get("ends"))
    axes = node.integers(3, node.get("axes", range(len(starts))))
    steps = node.integers(4, [1] * len(starts))
    key = [slice(None)] * node.rank()
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        length = node.shape()[axis]
        # Ends far in front of the axis mean "to its beginning", which numpy writes as None
        key[axis] = slice(start, None if step < 0 and end < -length else end, step)
    return rearranged(node, lambda numbers: numbers[tuple(key)])


@TABLE.operator("Concat")
def concat(node: Node) -> Value:
    """Joined along an axis; what is empty adds nothing."""
    parts = [node.tensor(place) for place, value in enumerate(node.inputs) if math.prod(value.shape)]
    return node.keep(layout.concat(parts, node.axis(1)))


@TABLE.operator("Split")
def split(node: Node) -> list[Value]:
    """Pieces of given lengths, or equal ones with the last shorter."""
    axis = node.axis(0)
    length = node.shape()[axis]
    count = node.get("num_outputs", node.outputs)
    lengths = node.integers(1, node.get("split"))
    if lengths is None:
        each = -(-length // count)
        lengths = [max(0, min(each, length - k * each)) for k in range(count)]
    if sum(lengths) != length:
        raise node.error(f"splits {length} elements along axis {axis} into {lengths}, which are {sum(lengths)}.")
    return [_piece(node, axis, slice(end - one, end)) for one, end in zip(lengths, np.cumsum(lengths), strict=True)]


def _piece(node: Node, axis: int, key: slice) -> Value:
    if key.start == key.stop:
        lengths = [0 if k == axis else one for k, one in enumerate(node.shape())]
        return Value(node.element(), array=np.zeros(lengths, node.element().numpy))
    return node.keep(layout.along(node.tensor(), axis, key))


@TABLE.operator("Pad")
def pad(node: Node) -> Value:
    """By a constant, edge, reflection or wrapping; a constant other than 0 enters through a choice."""
    widths = node.integers(1, node.get("pads"))
    axes = node.integers(3, range(node.rank()))
    both = [(0, 0)] * node.rank()
    for k, axis in enumerate(axes):
        both[axis] = (widths[k], widths[k + len(axes)])
    mode = node.get("mode", "constant")
    padded = layout.pad(node.tensor(), both, mode)
    if mode != "constant" or not (node.has(2) or node.get("value")):
        return node.keep(padded)
    filler = node.tensor(2) if node.has(2) else node.graph.constant(node.get("value"), padded.dtype)
    inside = layout.pad(node.graph.constant(-np.ones(node.shape(), np.int8)), both)
    return node.keep(select(inside, padded, layout.reshape(filler, ())))


@TABLE.operator("DepthToSpace")
def depth_to_space(node: Node) -> Value:
    """Blocks from the channel into the plane."""
    (n, c, h, w), block = node.shape(), node.get("blocksize")
    if node.get("mode", "DCR") == "DCR":
        shape, axes = (n, block, block, c // block**2, h, w), (0, 3, 4, 1, 5, 2)
    else:
        shape, axes = (n, c // block**2, block, block, h, w), (0, 1, 4, 2, 5, 3)
    return rearranged(node, lambda x: x.reshape(shape).transpose(axes).reshape(n, c // block**2, h * block, w * block))


@TABLE.operator("SpaceToDepth")
def space_to_depth(node: Node) -> Value:
    """Blocks from the plane into the channel."""
    (n, c, h, w), block = node.shape(), node.get("blocksize")
    axes = (0, 1, 3, 5, 2, 4) if node.get("mode") == "CRD" else (0, 3, 5, 1, 2, 4)
    shape = (n, c, h // block, block, w // block, block)
    return rearranged(node, lambda x: x.reshape(shape).transpose(axes).reshape(n, -1, h // block, w // block))


@TABLE.operator("Trilu")
def trilu(node: Node) -> Value:
    """The upper or lower triangle, zeros elsewhere."""
    diagonal = node.integers(1, [0])[0]
    keep = np.triu if node.get("upper", 1) else np.tril
    return rearranged(node, lambda numbers: keep(numbers + 1, diagonal) - 1)


@TABLE.operator("ReverseSequence")
def reverse_sequence(node: Node) -> Value:
    """The first elements of each sequence in reverse order."""
    batch, time = node.get("batch_axis", 1), node.get("time_axis", 0)
    lengths = node.integers(1)

    def reverse(numbers: np.ndarray) -> np.ndarray:
        moved = np.moveaxis(numbers, (batch, time), (0, 1)).copy()
        for sequence, length in zip(moved, lengths, strict=True):
            sequence[:length] = sequence[:length][::-1].copy()
        return np.moveaxis(moved, (0, 1), (batch, time))

    return rearranged(node, reverse)


def dropped(x: Tensor, axes) -> Tensor:
    """`x` without these axes of length 1."""
    return layout.rearrange(x, lambda numbers: np.squeeze(numbers, tuple(axes)))
