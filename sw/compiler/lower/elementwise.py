"""Elementwise tensors as chains."""

from itertools import groupby
from operator import itemgetter

import numpy as np

from sw.arch.dtype import DType
from sw.asm.operands import immediate
from sw.compiler.fuse import Links, chained, stage
from sw.compiler.graph import Tensor
from sw.compiler.lower.draft import ITEMS, Draft
from sw.compiler.tasks import Chain, Operand, Stage


class Elementwise:
    """Lowers runs of linked elementwise tensors, each to chains of up to ITEMS vectors."""

    def __init__(self, draft: Draft):
        self.draft, self._links = draft, Links(draft.graph, draft.chip)
        #: The linked tensors by the last of them.
        self.chains = {chain[-1]: chain for chain in self._links.chains()}

    def lower(self, tensor: Tensor) -> None:
        """The tasks of a tensor that ends a chain; other bits of the same vectors need none."""
        if chained(tensor):
            self._chain(self.chains[tensor])
        else:
            self.draft.grids[tensor] = self.draft.grids[tensor.operands[0]]

    def _chain(self, members: list[Tensor]) -> None:
        """One chain for every group of items of a tensor."""
        args: list[np.ndarray] = []
        numbers: dict[Tensor, int] = {}
        stages: list[Stage] = []
        outs: dict[int, np.ndarray] = {}
        shape = members[-1].shape

        def operand(tensor: Tensor, before: Tensor | None) -> Operand:
            if tensor is before:
                return Operand("PREV")
            if tensor.op == "constant" and tensor.size == 1 and not any(o.kind == "IMM" for o in given):
                return Operand("IMM", immediate(tensor.attributes["values"].reshape(-1)[0].item(), tensor.dtype))
            if tensor not in numbers:
                numbers[tensor] = len(args)
                args.append(self.draft.at(tensor, shape))
            return Operand("ARG", numbers[tensor])

        before = None
        for tensor in members:
            given: list[Operand] = []
            operands = tensor.operands
            if tensor.attributes["fn"] == "SELECT":
                if operands[0] is not before:
                    mask = operand(operands[0], None)
                    stages.append(Stage("MOV", DType.INT8, DType.INT8, "sat", (mask,)))
                operands, before = operands[1:], None
            for value in operands:
                given.append(operand(value, before))
            stages.append(stage(tensor, tuple(given)))
            if self._leaves(tensor):
                grid = self.draft.fresh(tensor)
                self.draft.grids[tensor] = outs[len(stages) - 1] = grid
            before = tensor
        for part in _parts(_distinct(args, list(outs.values()))):
            self.draft.tasks.append(
                Chain(
                    members[-1].name or members[-1].attributes["fn"].lower(),
                    stages,
                    [[grid[at] for at in part] for grid in args],
                    {k: [grid[at] for at in part] for k, grid in outs.items()},
                )
            )

    def _leaves(self, tensor: Tensor) -> bool:
        """Whether anything but its successor in the chain wants a tensor."""
        successor = self._links.next.get(tensor)
        return successor is None or any(user is not successor for user in self.draft.users(tensor)) or self._twice(tensor)

    def _twice(self, tensor: Tensor) -> bool:
        """Whether its successor takes it as a value of SELECT too, which does not come from the chain."""
        successor = self._links.next[tensor]
        return successor.attributes["fn"] == "SELECT" and tensor in successor.operands[1:]


def _distinct(args: list[np.ndarray], outs: list[np.ndarray]) -> list[tuple[int, int]]:
    """The places of a chain's grids, column by column, without those whose operands stand at an earlier place too: their
    results become that place's."""
    first: dict[tuple[int, ...], tuple[int, int]] = {}
    rows, tiles = outs[0].shape
    for at in ((r, t) for t in range(tiles) for r in range(rows)):
        same = first.setdefault(tuple(id(grid[at]) for grid in args), at)
        if same != at:
            for grid in outs:
                grid[at] = grid[same]
    return list(first.values())


def _parts(places: list[tuple[int, int]]):
    """The places of a grid in lists of up to ITEMS, each out of one column."""
    for _, group in groupby(places, key=itemgetter(1)):
        column = list(group)
        for first in range(0, len(column), ITEMS):
            yield column[first : first + ITEMS]
