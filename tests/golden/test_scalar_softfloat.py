"""The golden lane arithmetic against Berkeley SoftFloat."""

import itertools

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.golden.convert import convert
from sw.golden.scalar import evaluate
from tests import softfloat


@pytest.fixture(scope="module")
def pairs():
    return softfloat.fp32_pairs()


@pytest.mark.parametrize("name, oracle", [
    ("ADD", "add"), ("SUB", "sub"), ("MUL", "mul"), ("EQ", "eq"), ("LT", "lt_quiet"), ("LE", "le_quiet")])
def test_binary(name, oracle, pairs):
    a, b = pairs
    assert len(a) >= 46_464
    softfloat.same(evaluate(name, DType.FP32, a, b), softfloat.arithmetic(oracle, a, b), a, b)


@pytest.mark.parametrize("name, oracle, swap, negate", [
    ("GT", "lt_quiet", True, False), ("GE", "le_quiet", True, False), ("NE", "eq", False, True)])
def test_derived_compares(name, oracle, swap, negate, pairs):
    a, b = pairs
    expected = softfloat.arithmetic(oracle, *((b, a) if swap else (a, b)))
    softfloat.same(evaluate(name, DType.FP32, a, b), ~expected if negate else expected, a, b)


@pytest.mark.parametrize("src, dst", list(itertools.product(DType, DType)), ids=lambda d: d.text)
def test_convert(src, dst):
    a = softfloat.singles(src)
    assert len(a) >= 46_464 or len(a) == 1 << src.bits
    softfloat.same(convert(src, dst, a), softfloat.conversion(src, dst, a), a)


def test_min_max_order_zeros_and_propagate_nan():
    """By the total order of sign-magnitude patterns, which IEEE 754 gives numbers other than NaN."""
    values = softfloat.fp32_values()
    a, b = (grid.ravel() for grid in np.meshgrid(values, values))
    keys = [np.where(x >> 31, -(x & 0x7FFFFFFF).astype(np.int64) - 1, x.astype(np.int64)) for x in (a, b)]
    nan = ((a & 0x7FFFFFFF) > 0x7F800000) | ((b & 0x7FFFFFFF) > 0x7F800000)
    for name, a_first in (("MIN", keys[0] < keys[1]), ("MAX", keys[0] > keys[1])):
        expected = np.where(nan, 0x7FC00000, np.where(a_first, a, b)).astype(np.uint32)
        softfloat.same(evaluate(name, DType.FP32, a, b), expected, a, b)


@pytest.mark.parametrize("name, operand, expected", [
    ("NEG", 0x00000000, 0x80000000), ("NEG", 0x80000000, 0x00000000), ("NEG", 0x3F800000, 0xBF800000),
    ("NEG", 0xFF800001, 0x7FC00000), ("ABS", 0x80000000, 0x00000000), ("ABS", 0xFF800000, 0x7F800000),
    ("ABS", 0xFFC00001, 0x7FC00000), ("RELU", 0x80000000, 0x00000000), ("RELU", 0xFF800000, 0x00000000),
    ("RELU", 0x7F800001, 0x7FC00000), ("RELU", 0x00000001, 0x00000001)])
def test_signs(name, operand, expected):
    assert evaluate(name, DType.FP32, np.array([operand], np.uint32))[0] == expected
