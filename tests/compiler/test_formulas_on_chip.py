"""Every formula as a program: what a formula may ask of a graph is what the chip does."""

import pytest

from sw.compiler import layout
from sw.compiler.formulas import activations, elementary, integers, norms, products, reductions, trigonometry
from sw.compiler.graph import Graph
from tests.compiler.machines import agree, given

#: Of numbers from -8 to 8: special functions differ in their last bits, which sums and differences make larger.
RTOL = 2e-4


def unit(formula):
    """A formula that takes numbers within -1 and 1."""
    return lambda x: formula(x * 0.1)


def positive(formula):
    """A formula that takes numbers above 1."""
    return lambda x: formula(x * x + 1.5)


FORMULAS = {
    **{name: getattr(elementary, name) for name in ("exp", "erf", "nearest", "floor", "ceil", "truncate", "sign")},
    **{name: positive(getattr(elementary, name)) for name in ("log", "sqrt")},
    **{
        name: getattr(activations, name)
        for name in ("sigmoid", "silu", "relu", "elu", "gelu", "gelu_tanh", "softplus", "softsign", "mish", "hard_sigmoid")
    },
    "hard_swish": activations.hard_swish,
    "leaky_relu": lambda x: activations.leaky_relu(x, 0.1),
    "thresholded_relu": activations.thresholded_relu,
    "shrink": lambda x: activations.shrink(x, 0.5, 1.0),
    **{name: getattr(trigonometry, name) for name in ("sin", "cos", "atan", "sinh", "cosh", "asinh")},
    **{name: unit(getattr(trigonometry, name)) for name in ("tan", "asin", "acos", "atanh")},
    "acosh": positive(trigonometry.acosh),
    "clip": lambda x: elementary.clip(x, -2.0, 3.0),
    "divide_exact": lambda x: elementary.divide_exact(x, x * x + 1.5),
    "modulo": lambda x: elementary.modulo(x, x * x + 1.5),
    "remainder": lambda x: elementary.modulo(x, x * x + 1.5, like_dividend=True),
    **{f"power {exponent}": lambda x, e=exponent: elementary.power(x, e) for exponent in (3, 2, 1)},
    **{f"positive power {e}": lambda x, e=e: elementary.power(x * x + 1.5, e) for e in (-2, 0.5, -0.5, 1.25)},
    "power_of": lambda x: elementary.power_of(x * x + 1.5, x * 0.25),
    "softmax": norms.softmax,
    "log_softmax": norms.log_softmax,
    "rms_norm": lambda x: norms.rms_norm(x, x + 1.0),
    "layer_norm": lambda x: norms.layer_norm(x, x + 1.0, x, [0, 1]),
    "l1": lambda x: reductions.l1(x, [0]),
    "l2": lambda x: reductions.l2(x, [1]),
    "log_sum_exp": lambda x: reductions.log_sum_exp(x, [0, 1]),
    "product": lambda x: reductions.product(x * 0.1, [1]),
    "running sum": lambda x: reductions.scan("ADD", x, 1),
    "running product": lambda x: reductions.scan("MUL", x * 0.1, 0, 1),
    "place of the largest": lambda x: reductions.arg("MAX", x, 1),
    "fp32 product": lambda x: products.dot_fp32(x, x + 1.0),
    "fp32 product of rows and columns": lambda x: products.matmul(layout.swap_last(x), x + 1.0, products.dot_fp32),
    "fp16 product": lambda x: products.dot_fp16(x, x + 1.0),
}
WHOLE = {
    "quotient": lambda x: integers.divide(x, x * x + 3)[0],
    "remainder": lambda x: integers.divide_floor(x, x * x + 3)[1],
    "power": lambda x: integers.power_of(x, elementary.binary("AND", x, 31)),
    "quantized": lambda x: integers.quantize(x.to("fp32") * 0.01, 3, -128, 127),
    "dequantized": lambda x: integers.dequantize(x, 0.5, 3),
    "wrapped": lambda x: integers.wrapped(x, x.to("int8").dtype),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_of_numbers(name, rng):
    graph = Graph()
    graph.output("y", FORMULAS[name](graph.input("x", (3, 21), "fp32")))
    agree(graph, given(graph, rng), rtol=RTOL)


@pytest.mark.parametrize("name", WHOLE)
def test_formulas_of_integers(name, rng):
    graph = Graph()
    graph.output("y", WHOLE[name](graph.input("x", (3, 21), "int32")))
    agree(graph, given(graph, rng))
