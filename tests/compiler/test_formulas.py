"""Formulas through the evaluator against float64."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from sw.compiler.evaluate import Evaluator
from sw.compiler.formulas import activations, elementary, integers, norms, products, reductions, trigonometry
from sw.compiler.graph import Graph
from tests.compiler.strategies import fixed

SEED = 20260402
WIDE = np.concatenate([np.linspace(-30, 30, 4001), [-100, 100, 1e-5, -1e-5, 1e-20, 0]])
UNIT = np.linspace(-0.999, 0.999, 2001)
POSITIVE = np.concatenate([np.geomspace(1e-30, 1e30, 4001), np.linspace(0.9, 1.1, 2001)])


def value(function, *arrays):
    """What `function` of tensors gives for arrays."""
    graph = Graph()
    tensors = [graph.input(f"x{k}", array.shape, graph.constant(array).dtype) for k, array in enumerate(arrays)]
    graph.output("y", function(*tensors))
    return Evaluator(graph).run({f"x{k}": array for k, array in enumerate(arrays)})["y"]


def real(array):
    return np.asarray(array, np.float32)


def near(actual, expected, rtol, atol=0.0):
    np.testing.assert_allclose(actual.astype(np.float64), expected, rtol=rtol, atol=atol)


def gelu_tanh(x):
    return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


@pytest.mark.parametrize(
    ("function", "expected", "x", "rtol", "atol"),
    [
        (elementary.exp, np.exp, np.linspace(-80, 80, 4001), 9e-6, 0),
        (elementary.log, np.log, POSITIVE, 4e-7, 0),
        (elementary.sqrt, np.sqrt, POSITIVE, 3e-7, 0),
        (elementary.erf, special.erf, WIDE, 4e-7, 0),
        (elementary.floor, np.floor, WIDE * 7.3, 0, 0),
        (elementary.ceil, np.ceil, WIDE * 7.3, 0, 0),
        (elementary.truncate, np.trunc, WIDE * 7.3, 0, 0),
        (elementary.nearest, np.rint, WIDE * 7.5, 0, 0),
        (elementary.sign, np.sign, WIDE, 0, 0),
        (activations.sigmoid, special.expit, np.linspace(-80, 80, 4001), 9e-6, 0),
        (activations.silu, lambda x: x * special.expit(x), np.linspace(-80, 80, 4001), 9e-6, 0),
        (activations.gelu, lambda x: x * special.ndtr(x), WIDE, 1e-6, 3e-7),
        (activations.gelu_tanh, gelu_tanh, np.linspace(-8, 30, 4001), 2e-5, 1e-13),
        (activations.softplus, lambda x: np.logaddexp(x, 0), WIDE, 1e-6, 1e-7),
        (activations.softsign, lambda x: x / (1 + np.abs(x)), WIDE, 3e-7, 0),
        (activations.mish, lambda x: x * np.tanh(np.logaddexp(x, 0)), WIDE, 1e-6, 2e-6),
        (trigonometry.sin, np.sin, WIDE, 0, 2e-7),
        (trigonometry.cos, np.cos, WIDE, 0, 2e-7),
        (trigonometry.tan, np.tan, np.linspace(-1.5, 1.5, 2001), 1e-6, 1e-9),
        (trigonometry.atan, np.arctan, WIDE, 1e-6, 0),
        (trigonometry.asin, np.arcsin, UNIT, 1e-6, 0),
        (trigonometry.acos, np.arccos, UNIT, 1e-6, 0),
        (trigonometry.sinh, np.sinh, WIDE[:-6], 5e-6, 0),
        (trigonometry.cosh, np.cosh, WIDE[:-6], 5e-6, 0),
        (trigonometry.asinh, np.arcsinh, WIDE, 1e-6, 2e-7),
        (trigonometry.acosh, np.arccosh, POSITIVE[(POSITIVE > 1.01) & (POSITIVE < 1e18)], 1e-5, 0),
        (trigonometry.atanh, np.arctanh, UNIT, 1e-6, 2e-7),
    ],
)
def test_functions_of_one_number(function, expected, x, rtol, atol):
    x = real(x)
    near(value(function, x), expected(x.astype(np.float64)), rtol, atol)


def test_ends_of_the_range():
    inf, nan = math.inf, math.nan
    x = real([0, inf, -inf, nan, -1])
    np.testing.assert_array_equal(value(elementary.sqrt, x), [0, inf, nan, nan, nan])
    np.testing.assert_array_equal(value(elementary.log, x), [-inf, inf, nan, nan, nan])
    np.testing.assert_array_equal(value(elementary.exp, x)[:4], [1, inf, 0, nan])
    np.testing.assert_array_equal(value(elementary.erf, x)[:3], [0, 1, -1])
    np.testing.assert_array_equal(value(elementary.floor, x), [0, inf, -inf, nan, -1])
    np.testing.assert_array_equal(value(activations.sigmoid, x)[:4], [0.5, 1, 0, nan])
    divided = value(elementary.divide_exact, real([1, -1, 0, inf, 1]), real([0, 0, 0, 2, inf]))
    np.testing.assert_array_equal(divided, [inf, -inf, nan, inf, 0])


def test_exact_division_is_that_of_ieee():
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    a, b = (real(rng.normal(size=20000) * 10.0 ** rng.integers(-12, 13, 20000)) for _ in range(2))
    np.testing.assert_array_equal(value(elementary.divide_exact, a, b), a / b)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 7, 20, -1, -3, 0.5, -0.5, 1.5, 2.25])
def test_constant_powers(exponent):
    x = real(np.linspace(-3, 3, 100))
    x = x if exponent == int(exponent) else np.abs(x)
    near(value(lambda a: elementary.power(a, exponent), x), x.astype(np.float64) ** exponent, 5e-6)


def test_powers_of_data():
    x, y = (real(array) for array in np.meshgrid([-2.5, -1, 0, 0.5, 1, 3], [-3, -1.5, -1, 0, 0.5, 1, 2, 7]))
    with np.errstate(all="ignore"):
        expected = x.astype(np.float64) ** y
    near(np.abs(value(elementary.power_of, x, y)), np.abs(expected), 2e-6)
    np.testing.assert_array_equal(np.sign(value(elementary.power_of, x, y))[x != 0], np.sign(expected)[x != 0])


@pytest.mark.parametrize(
    ("function", "expected", "rtol"),
    [
        (norms.softmax, special.softmax, 2e-5),
        (norms.log_softmax, special.log_softmax, 1e-5),
        (lambda x, axis: reductions.mean(x, [axis]), lambda x, axis: x.mean(axis, keepdims=True), 1e-5),
        (lambda x, axis: reductions.l1(x, [axis]), lambda x, axis: np.abs(x).sum(axis, keepdims=True), 1e-6),
        (lambda x, axis: reductions.l2(x, [axis]), lambda x, axis: np.linalg.norm(x, axis=axis, keepdims=True), 1e-6),
        (lambda x, axis: reductions.product(x, [axis]), lambda x, axis: x.prod(axis, keepdims=True), 2e-6),
        (lambda x, axis: reductions.log_sum_exp(x, [axis]), lambda x, axis: special.logsumexp(x, axis, keepdims=True), 1e-5),
        (lambda x, axis: reductions.scan("ADD", x, axis), np.cumsum, 2e-5),
        (lambda x, axis: reductions.scan("MUL", x, axis, 1), np.cumprod, 2e-6),
    ],
)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_along_an_axis(function, expected, rtol, axis):
    x = real(np.random.default_rng(SEED).normal(size=(4, 7, 5)) * 9)
    near(value(lambda a: function(a, axis=axis), x), expected(x.astype(np.float64), axis=axis), rtol, 1e-5)


@pytest.mark.parametrize("last", [False, True])
def test_place_of_the_largest(last):
    x = np.random.default_rng(SEED).integers(0, 4, (6, 9)).astype(np.int32)
    places = value(lambda a: reductions.arg("MAX", a, 1, last), x)[:, 0]
    expected = [(8 - row[::-1].argmax()) if last else row.argmax() for row in x]
    np.testing.assert_array_equal(places, expected)


def test_normalisations():
    rng = np.random.default_rng(SEED)
    x, gain, bias = (real(rng.normal(size=shape)) for shape in ((3, 8), (8,), (8,)))
    wide = x.astype(np.float64)
    expected = (wide - wide.mean(1, keepdims=True)) / np.sqrt(wide.var(1, keepdims=True) + 1e-5) * gain + bias
    near(value(lambda a, g, b: norms.layer_norm(a, g, b, [1]), x, gain, bias), expected, 1e-5, 1e-6)
    expected = wide / np.sqrt((wide**2).mean(1, keepdims=True) + 1e-5) * gain
    near(value(norms.rms_norm, x, gain), expected, 1e-6)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
@pytest.mark.parametrize("constant", [False, True])
def test_fp32_product_on_fp16_planes(scale, constant):
    """The error stays below 2^-21 of the sum of magnitudes, whatever the size of the numbers."""
    rng = np.random.default_rng(SEED)
    a, b = rng.normal(size=(5, 70)) * 10.0 ** rng.integers(-3, 4, (5, 70)), rng.normal(size=(6, 70)) * scale
    a, b = real(a), real(b)
    if constant:
        result = value(lambda x: products.dot_fp32(x, x.graph.constant(b)), a)
    else:
        result = value(products.dot_fp32, a, b)
    exact = a.astype(np.float64) @ b.astype(np.float64).T
    bound = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64).T
    assert np.max(np.abs(result - exact) / bound) < 2.0**-21


@pytest.mark.parametrize("k", [2, 9])
def test_fp32_product_of_rows_and_columns(k):
    """Small matrices are transposed in the lanes, larger ones by products with unit vectors, which are exact."""
    rng = np.random.default_rng(SEED)
    a, b = (real(rng.normal(size=shape) * 1e3) for shape in ((2, 3, 5, k), (2, 3, k, 7)))
    result = value(lambda x, y: products.matmul(x, y, products.dot_fp32), a, b)
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    bound = np.abs(wide_a) @ np.abs(wide_b)
    assert np.max(np.abs(result - wide_a @ wide_b) / bound) < 2.0**-21


def test_fp32_product_of_a_square_with_itself():
    x = real(np.random.default_rng(SEED).normal(size=(8, 8)))
    wide = x.astype(np.float64)
    near(value(products.dot_fp32, x, x), wide @ wide.T, 1e-5, 1e-5)
    near(value(lambda y: products.matmul(y, y, products.dot_fp32), x), wide @ wide, 1e-5, 1e-5)


def test_int8_product_with_zero_points():
    rng = np.random.default_rng(SEED)
    a, b = (rng.integers(-128, 128, shape).astype(np.int8) for shape in ((4, 100), (3, 100)))
    a_zero, b_zero = (rng.integers(-128, 128, shape).astype(np.int32) for shape in ((4, 1), (1, 3)))
    expected = (a.astype(np.int64) - a_zero) @ (b.astype(np.int64) - b_zero.T).T
    np.testing.assert_array_equal(value(products.dot_int8, a, b, a_zero, b_zero), expected)


INT32 = st.integers(-(2**31), 2**31 - 1)


@fixed(300)
@given(INT32, st.one_of(st.integers(-300, 300), INT32).filter(bool))
def test_integer_division(a, b):
    if (a, b) == (-(2**31), -1):
        return
    x, y = np.array([a], np.int32), np.array([b], np.int32)
    quotient, rest = divmod(a, b)
    assert value(lambda p, q: integers.divide_floor(p, q)[0], x, y)[0] == quotient
    assert value(lambda p, q: integers.divide_floor(p, q)[1], x, y)[0] == rest
    assert value(lambda p, q: integers.divide(p, q)[1], x, y)[0] == int(math.copysign(abs(a) % abs(b), a))


def test_integer_powers_wrap():
    x, y = np.array([2, 3, -3, 7, 10], np.int32), np.array([31, 5, 3, 20, 0], np.int32)
    expected = [(int(a) ** int(b) + 2**31) % 2**32 - 2**31 for a, b in zip(x, y, strict=True)]
    np.testing.assert_array_equal(value(integers.power_of, x, y), expected)


def test_quantisation():
    x = real([-9, -0.26, -0.25, 0, 0.25, 0.26, 0.75, 9])
    quantized = value(lambda a: integers.quantize(a * 2.0, 3, -8, 7), x)
    np.testing.assert_array_equal(quantized, [-8, 2, 3, 3, 3, 4, 5, 7])
    np.testing.assert_array_equal(value(lambda q: integers.dequantize(q, 0.5, 3), quantized), (quantized - 3) * 0.5)
