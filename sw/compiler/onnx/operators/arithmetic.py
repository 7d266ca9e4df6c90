"""Elementwise arithmetic."""

import functools

import numpy as np

from sw.compiler.formulas import elementary, integers, trigonometry
from sw.compiler.graph import Tensor
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table

TABLE = Table()

_FUNCTIONS = {
    "Reciprocal": lambda x: elementary.unary("RECIP", x),
    "Sqrt": elementary.sqrt,
    "Exp": elementary.exp,
    "Log": elementary.log,
    "Erf": elementary.erf,
    "Floor": elementary.floor,
    "Ceil": elementary.ceil,
    "Round": elementary.nearest,
    "Sin": trigonometry.sin,
    "Cos": trigonometry.cos,
    "Tan": trigonometry.tan,
    "Asin": trigonometry.asin,
    "Acos": trigonometry.acos,
    "Atan": trigonometry.atan,
    "Sinh": trigonometry.sinh,
    "Cosh": trigonometry.cosh,
    "Asinh": trigonometry.asinh,
    "Acosh": trigonometry.acosh,
    "Atanh": trigonometry.atanh,
}


@TABLE.operator(*_FUNCTIONS)
def function(node: Node) -> Value:
    """Functions of one float."""
    return node.give(_FUNCTIONS[node.op](node.real()))


@TABLE.operator("Neg", "Abs")
def sign_change(node: Node) -> Value:
    """Operations of the vector unit on one number."""
    x = numbers(node)[0]
    return node.give(node.graph.elementwise(node.op.upper(), x, overflow="mod"))


@TABLE.operator("Sign")
def sign(node: Node) -> Value:
    """-1, 0 or 1."""
    return node.give(elementary.sign(numbers(node)[0]))


@TABLE.operator("Add", "Sub", "Mul")
def basic(node: Node) -> Value:
    """Operations of the vector unit on two numbers; integers wrap."""
    return node.give(node.graph.elementwise(node.op.upper(), *numbers(node), overflow="mod"))


@TABLE.operator("Sum", "Max", "Min")
def many(node: Node) -> Value:
    """Operations of the vector unit on any number of operands."""
    fn = {"Sum": "ADD"}.get(node.op, node.op.upper())
    return node.give(functools.reduce(functools.partial(node.graph.elementwise, fn), numbers(node)))


@TABLE.operator("Mean")
def mean(node: Node) -> Value:
    """Sum over count."""
    terms = numbers(node)
    return node.give(sum(terms[1:], terms[0]) * (1 / len(terms)))


@TABLE.operator("Div")
def div(node: Node) -> Value:
    """Floats rightly rounded, integers towards zero."""
    if node.element().is_float:
        return node.give(elementary.divide_exact(node.real(0), node.real(1)))
    return node.give(integers.divide(node.whole(0), node.whole(1))[0])


@TABLE.operator("Mod")
def mod(node: Node) -> Value:
    """Remainder with the sign of the divisor, or with `fmod` of the dividend; floats by their quotient in FP32."""
    if not node.element().is_float:
        rule = integers.divide if node.get("fmod") else integers.divide_floor
        return node.give(rule(node.whole(0), node.whole(1))[1])
    return node.give(elementary.modulo(node.real(0), node.real(1), bool(node.get("fmod"))))


@TABLE.operator("Pow")
def pow_(node: Node) -> Value:
    """A constant exponent by multiplication where it is whole, else by logarithm; integers by squaring."""
    base, exponent = node.element(0), node.element(1)
    if node.is_known(1) and np.unique(node.known(1)).size == 1:
        power = node.known(1).reshape(-1)[0].item()
        if base.is_float or (power >= 0 and float(power).is_integer()):
            x = node.real() if base.is_float else node.whole()
            return node.give(_broadcast(elementary.power(x, power), node))
    if base.is_float or exponent.is_float:
        return node.give(_rounded(elementary.power_of(node.real(0), node.real(1)), node))
    return node.give(integers.power_of(node.whole(0), node.whole(1)))


@TABLE.operator("Clip")
def clip(node: Node) -> Value:
    """Between two numbers, each optional."""
    if node.version < 11:
        return node.give(elementary.clip(node.real(), node.get("min"), node.get("max")))
    x, low, high = (number(node, place) if node.has(place) else None for place in range(3))
    return node.give(elementary.clip(x, low, high))


@TABLE.operator("BitShift")
def bit_shift(node: Node) -> Value:
    """Left or right, the sign entering; a count below 0 or beyond the width shifts everything out."""
    a, b, left = node.whole(0), node.whole(1), node.get("direction") == "LEFT"
    inside = elementary.binary("EQ", elementary.binary("AND", b, 31), b)
    if left:
        shifted = elementary.select(inside, elementary.binary("SHL", a, b), 0)
    else:
        shifted = elementary.binary("SAR", a, elementary.select(inside, b, 31))
    return node.give(shifted if node.element().mask else integers.wrapped(shifted, node.element().dtype))


@TABLE.operator("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(node: Node) -> Value:
    """Bit by bit."""
    return node.give(node.graph.elementwise(node.op.removeprefix("Bitwise").upper(), node.tensor(0), node.tensor(1)))


@TABLE.operator("BitwiseNot")
def bitwise_not(node: Node) -> Value:
    """Every bit inverted."""
    return node.give(node.graph.elementwise("NOT", node.tensor()))


def number(node: Node, place: int) -> Tensor:
    """An input as the vector unit calculates with it: FP32, or the integer type as it is held."""
    return node.real(place) if node.element(place).is_float else node.tensor(place)


def numbers(node: Node) -> list[Tensor]:
    """All inputs as `number`."""
    return [number(node, place) for place in range(len(node.inputs))]


def _broadcast(x: Tensor, node: Node) -> Tensor:
    shape = np.broadcast_shapes(x.shape, node.shape(1))
    return x if shape == x.shape else x + node.graph.constant(np.zeros(shape), x.dtype)


def _rounded(x: Tensor, node: Node) -> Tensor:
    """FP32 as an integer base wants it: without its fraction, unless that is rounding."""
    return x if node.element().is_float else elementary.truncate(x * (1 + 2.0**-18))
