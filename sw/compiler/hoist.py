"""Layouts of what was laid out before: where the two together leave every row as it is, neither costs anything.

Between the two may stand elementwise operations, as in the transposed and scaled keys that a product transposes back.
"""

import numpy as np

from sw.compiler.rebuild import remade
from sw.compiler.tensor import Tensor


def hoisted(a: Tensor, index: np.ndarray) -> Tensor | None:
    """Elements of `a` as `index` numbers them, computed from rows as they stood before layouts; None if there are none
    such, or if `index` alone leaves them whole. All that `a` is computed from elementwise must be single numbers or layouts.
    """
    if (index < 0).any() or _whole_rows((a,), index):
        return None
    order = _elementwise(a)
    if order is None:
        return None
    made: dict[Tensor, Tensor] = {}
    for tensor in order:
        if tensor.size == 1 and tensor is not a:
            made[tensor] = _rank(tensor, len(index.shape))
        elif tensor.op == "constant":
            made[tensor] = a.graph.constant(tensor.attributes["values"].reshape(-1)[index])
        elif tensor.op == "move":
            composed = tensor.attributes["index"].reshape(-1)[index]
            if _whole_rows(tensor.operands, composed):
                made[tensor] = _rows(tensor, composed)
            elif len(tensor.operands) == 1 and (before := hoisted(tensor.operands[0], composed)) is not None:
                made[tensor] = before
            else:
                return None
    scope = a.graph.scope
    for tensor in order:
        if tensor not in made:
            made[tensor] = remade(a.graph, tensor, [made[operand] for operand in tensor.operands])
    a.graph.scope = scope
    return made[a]


def _elementwise(a: Tensor) -> list[Tensor] | None:
    """What `a` is computed from elementwise, operands first, down to layouts, constants and single numbers; None if there is
    anything else, or no layout."""
    order: dict[Tensor, None] = {}
    pending = [(a, False)]
    while pending:
        tensor, expanded = pending.pop()
        if tensor in order:
            continue
        if expanded or tensor.op in ("constant", "move") or tensor.size == 1:
            order[tensor] = None
        elif tensor.op != "elementwise":
            return None
        else:
            if any(operand.size > 1 and operand.shape != tensor.shape for operand in tensor.operands):
                return None
            pending.append((tensor, True))
            pending += [(operand, False) for operand in tensor.operands]
    return list(order) if any(tensor.op == "move" and tensor.size > 1 for tensor in order) else None


def _rank(number: Tensor, rank: int) -> Tensor:
    """A single number with so few axes that it does not add any."""
    return number if len(number.shape) <= rank else number.graph.move(number, np.zeros((), np.int64))


def _whole_rows(sources: tuple[Tensor, ...], index: np.ndarray) -> bool:
    """Whether every row of the last axis is one of a source."""
    last = index.shape[-1] if index.shape else 1
    if any((source.shape[-1] if source.shape else 1) != last for source in sources):
        return False
    rows = index.reshape(-1, last)
    return bool((rows[:, :1] >= 0).all() and (rows[:, 0] % last == 0).all() and (np.diff(rows) == 1).all())


def _rows(tensor: Tensor, index: np.ndarray) -> Tensor:
    """A layout of the sources of another; a source itself where that is all."""
    source = tensor.operands[0]
    if len(tensor.operands) == 1 and np.array_equal(index, np.arange(source.size).reshape(source.shape)):
        return source
    return tensor.graph.move(tensor.operands, index)
