"""Layouts: reshape, transpose, slice and their kind, each one `Graph.move`.

A layout is what numpy does to the array of element numbers, so every function here takes its meaning from numpy. A
layout that changes nothing gives its source back; one of a constant is carried out at once; one that only brings rows
back to how they stood before another takes them from there (`hoist.py`).
"""

from collections.abc import Callable, Sequence

import numpy as np

from sw.compiler.graph import GraphError, Tensor
from sw.compiler.hoist import hoisted


def rearrange(a: Tensor, function: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """`a` as `function` arranges the array of its element numbers; a number below 0 stands for the value 0."""
    numbers = np.arange(a.size).reshape(a.shape)
    index = function(numbers)
    if index.shape == a.shape and np.array_equal(index, numbers):
        return a
    before = hoisted(a, index)
    return _move([a], index) if before is None else before


def reshape(a: Tensor, shape: Sequence[int]) -> Tensor:
    """The elements in the same order under another shape of equal size; one length may be -1."""
    try:
        return rearrange(a, lambda numbers: numbers.reshape(shape))
    except ValueError as error:
        raise GraphError(f"{a} has {a.size} elements and cannot become {list(shape)}.") from error


def transpose(a: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Axis k of the result is axis `axes[k]` of `a`; without `axes` in reverse order."""
    return rearrange(a, lambda numbers: np.transpose(numbers, axes))


def swap_last(a: Tensor) -> Tensor:
    """The last two axes exchanged."""
    return rearrange(a, lambda numbers: np.swapaxes(numbers, -1, -2))


def take(a: Tensor, key) -> Tensor:
    """`a[key]` with numpy's slices, integers, `None`, ellipsis and arrays of integers."""
    return rearrange(a, lambda numbers: numbers[key])


def along(a: Tensor, axis: int, key) -> Tensor:
    """`take` on one axis."""
    return take(a, (slice(None),) * range(len(a.shape))[axis] + (key,))


def concat(parts: Sequence[Tensor], axis: int) -> Tensor:
    """Tensors of one type joined along an axis."""
    first = np.cumsum([0, *(part.size for part in parts)])
    numbers = [start + np.arange(part.size).reshape(part.shape) for start, part in zip(first, parts, strict=False)]
    return parts[0] if len(parts) == 1 else _move(parts, np.concatenate(numbers, axis))


def expand(a: Tensor, shape: Sequence[int]) -> Tensor:
    """`a` broadcast to a shape, as numpy does it."""
    return rearrange(a, lambda numbers: np.broadcast_to(numbers, shape))


def pad(a: Tensor, widths: Sequence[tuple[int, int]], mode: str = "constant") -> Tensor:
    """Elements added in front of and behind every axis: zeros, or by another `mode` of numpy.pad; below 0 cuts."""
    cut = tuple(slice(max(-before, 0), size - max(-after, 0)) for (before, after), size in zip(widths, a.shape, strict=True))
    added = [(max(before, 0), max(after, 0)) for before, after in widths]
    options = {"constant_values": -1} if mode == "constant" else {}
    return rearrange(a, lambda numbers: np.pad(numbers[cut], added, mode, **options))


def _move(sources: Sequence[Tensor], index: np.ndarray) -> Tensor:
    graph = sources[0].graph
    if len({source.dtype for source in sources}) == 1 and all(source.op == "constant" for source in sources):
        flat = np.concatenate([source.attributes["values"].reshape(-1) for source in sources])
        return graph.constant(np.where(index < 0, flat.dtype.type(0), flat[index]), sources[0].dtype)
    return graph.move(sources, index)
