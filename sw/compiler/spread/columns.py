"""Which columns of a product each chip computes."""

from collections import defaultdict
from math import lcm

import numpy as np

from sw.compiler.graph import Graph, Tensor
from sw.compiler.spread.form import Form, even


class Columns:
    """Shares of products whose operands are whole, in whole vectors where there are enough of them.

    Columns that are moved apart afterwards, such as those of the heads of an attention, are shared in whole groups of them.
    """

    def __init__(self, graph: Graph, shares: int, vl: int):
        self._shares, self._vl = shares, vl
        #: Columns that stay together, of tensors where they are more than one.
        self._grains: dict[Tensor, int] = defaultdict(lambda: 1)
        for tensor in reversed(graph.tensors):
            for operand in tensor.operands:
                if grain := self._grain(tensor, operand):
                    self._grains[operand] = lcm(self._grains[operand], grain)

    def shared(self, tensor: Tensor) -> Form | None:
        """Which part of a product each chip has: matrices of their own, else columns. None if there are not enough."""
        *front, _, columns = tensor.shape
        if len(tensor.operands[1].shape) > 2:
            for axis, size in enumerate(front):
                if ends := even(size, self._shares):
                    return Form(axis, ends)
        grain = self._grains[tensor]
        ends = even(columns, self._shares, (lcm(grain, self._vl), grain, self._vl, 1))
        return Form(len(tensor.shape) - 1, ends) if ends else None

    def _grain(self, tensor: Tensor, operand: Tensor) -> int | None:
        """Columns of an operand that `tensor` keeps together; None if it makes no difference."""
        last = operand.shape[-1] if operand.shape else 1
        if tensor.op in ("elementwise", "bytes") and tensor.shape[-1:] == (last,):
            return self._grains[tensor]
        if tensor.op != "move" or len(tensor.operands) > 1:
            return None
        index = tensor.attributes["index"]
        for axis, size in enumerate(index.shape):
            if size < self._shares or last % size or size == last:
                continue
            along = np.arange(size).reshape([-1 if k == axis else 1 for k in range(index.ndim)])
            if ((index < 0) | (index % last // (last // size) == along)).all():
                return last // size
        # As columns they may be moved apart later.
        moved = index.shape[-1:] == (last,) and ((index < 0) | (index % last == np.arange(last))).all()
        return self._grains[tensor] if moved else None
