"""Activations."""

from sw.compiler.formulas import activations as formulas
from sw.compiler.formulas.elementary import unary
from sw.compiler.onnx.node import Node, Value
from sw.compiler.onnx.registry import Table

TABLE = Table()

#: Operator to its formula and the attributes that the formula takes, in order, with ONNX's defaults.
_FORMULAS = {
    "Sigmoid": (formulas.sigmoid, ()),
    "Tanh": (lambda x: unary("TANH", x), ()),
    "Relu": (formulas.relu, ()),
    "LeakyRelu": (formulas.leaky_relu, (("alpha", 0.01),)),
    "Elu": (formulas.elu, (("alpha", 1.0),)),
    "Selu": (formulas.elu, (("alpha", 1.6732632423543772), ("gamma", 1.0507009873554805))),
    "Softplus": (formulas.softplus, ()),
    "Softsign": (formulas.softsign, ()),
    "Mish": (formulas.mish, ()),
    "HardSigmoid": (formulas.hard_sigmoid, (("alpha", 0.2), ("beta", 0.5))),
    "HardSwish": (formulas.hard_swish, ()),
    "ThresholdedRelu": (formulas.thresholded_relu, (("alpha", 1.0),)),
    "Shrink": (formulas.shrink, (("bias", 0.0), ("lambd", 0.5))),
    "Swish": (formulas.silu, (("alpha", 1.0),)),
}


@TABLE.operator(*_FORMULAS)
def activation(node: Node) -> Value:
    """Formulas of one float."""
    formula, parameters = _FORMULAS[node.op]
    return node.give(formula(node.real(), *(node.get(name, default) for name, default in parameters)))


@TABLE.operator("Gelu")
def gelu(node: Node) -> Value:
    """By erf or by tanh."""
    return node.give((formulas.gelu_tanh if node.get("approximate") == "tanh" else formulas.gelu)(node.real()))


@TABLE.operator("Celu")
def celu(node: Node) -> Value:
    """Elu with its argument over alpha."""
    alpha = node.get("alpha", 1.0)
    return node.give(formulas.elu(node.real(), alpha, steepness=1 / alpha))


@TABLE.operator("PRelu")
def prelu(node: Node) -> Value:
    """Leaky relu whose slope is an input."""
    return node.give(formulas.leaky_relu(node.real(0), node.real(1)))


@TABLE.operator("SwiGLU")
def swiglu(node: Node) -> Value:
    """Swish of the gate times the value."""
    return node.give(formulas.silu(node.real(0), node.get("alpha", 1.0)) * node.real(1))
