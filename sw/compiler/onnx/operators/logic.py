"""Truth values, comparisons and choice."""

import math

from sw.compiler.formulas.elementary import binary, select, unary
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.operators.arithmetic import number
from sw.compiler.onnx.registry import Table
from sw.compiler.onnx.types import BOOL

TABLE = Table()
_COMPARISONS = {"Equal": "EQ", "Less": "LT", "LessOrEqual": "LE", "Greater": "GT", "GreaterOrEqual": "GE"}


@TABLE.operator(*_COMPARISONS)
def comparison(node: Node) -> Value:
    """Comparisons of the vector unit."""
    return node.give(binary(_COMPARISONS[node.op], number(node, 0), number(node, 1)), BOOL)


@TABLE.operator("And", "Or", "Xor")
def logic(node: Node) -> Value:
    """Masks bit by bit."""
    return node.give(binary(node.op.upper(), node.tensor(0), node.tensor(1)))


@TABLE.operator("Not")
def not_(node: Node) -> Value:
    """The other mask."""
    return node.give(unary("NOT", node.tensor()))


@TABLE.operator("Where")
def where(node: Node) -> Value:
    """The vector unit's choice."""
    return node.keep(select(node.tensor(0), node.tensor(1), node.tensor(2)), node.element(1))


@TABLE.operator("IsNaN")
def is_nan(node: Node) -> Value:
    """What differs from itself."""
    x = node.real()
    return node.give(binary("NE", x, x), BOOL)


@TABLE.operator("IsInf")
def is_inf(node: Node) -> Value:
    """Infinities of either sign or of one."""
    x, negative, positive = node.real(), node.get("detect_negative", 1), node.get("detect_positive", 1)
    if negative and positive:
        return node.give(binary("EQ", unary("ABS", x), math.inf), BOOL)
    if negative or positive:
        return node.give(binary("EQ", x, math.inf if positive else -math.inf), BOOL)
    return node.give(binary("LT", x, -math.inf), BOOL)
