"""Balanced trees of an operator: short carry paths, short Verilog, no recursion limit."""

from collections.abc import Callable, Sequence
from operator import add, or_

from amaranth.hdl import Value


def tree(op: Callable[[Value, Value], Value], items: Sequence[Value]) -> Value:
    """`items` joined by `op` in pairs of neighbours, level by level; an odd one out passes up."""
    level = list(items)
    while len(level) > 1:
        pairs = [op(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return level[0]


def tree_sum(items: Sequence[Value]) -> Value:
    """Exact sum: the width grows by one bit a level."""
    return tree(add, items)


def tree_or(items: Sequence[Value]) -> Value:
    """Bitwise or."""
    return tree(or_, items)
