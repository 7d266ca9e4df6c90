"""The golden integer lanes against Python's own unbounded integers."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.golden.scalar import evaluate
from sw.isa.rows.vxm import ALU_TYPES
from tests import softfloat

WRONG = [(name, dtype) for name, types in ALU_TYPES.items() for dtype in DType if dtype not in types]
INTEGERS = (DType.INT8, DType.INT16, DType.INT32)
EXACT = {
    "ADD": lambda a, b: a + b, "SUB": lambda a, b: a - b, "MUL": lambda a, b: a * b,
    "ABS": lambda a, b: abs(a), "NEG": lambda a, b: -a,
}
CLOSED = {
    "MIN": min, "MAX": max, "RELU": lambda a, b: max(a, 0),
    "AND": lambda a, b: a & b, "OR": lambda a, b: a | b, "XOR": lambda a, b: a ^ b,
    "NOT": lambda a, b: ~a, "MOV": lambda a, b: a, "MASK": lambda a, b: a & b,
    "EQ": lambda a, b: -(a == b), "NE": lambda a, b: -(a != b), "LT": lambda a, b: -(a < b),
    "LE": lambda a, b: -(a <= b), "GT": lambda a, b: -(a > b), "GE": lambda a, b: -(a >= b),
}


def operands(dtype):
    lanes = softfloat.int_pairs(dtype)
    return lanes, [x.view(np.int32).tolist() for x in lanes]


def lane(number):
    return number & 0xFFFFFFFF


def wrap(number, dtype):
    half = 1 << (dtype.bits - 1)
    return (number + half) % (2 * half) - half


def test_every_integer_operation_is_tested():
    """CONVERT has its oracle in test_scalar_softfloat."""
    others = {"SHL", "SHR", "SAR", "SELECT", "CONVERT"}
    assert {*EXACT, *CLOSED, *others} == {name for name, types in ALU_TYPES.items() if DType.INT32 in types}


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.text)
@pytest.mark.parametrize("name", EXACT)
def test_overflow(name, dtype):
    (a, b), numbers = operands(dtype)
    exact = [EXACT[name](x, y) for x, y in zip(*numbers, strict=True)]
    saturated = [lane(min(max(x, dtype.least), dtype.greatest)) for x in exact]
    assert evaluate(name, dtype, a, b).tolist() == saturated
    assert evaluate(name, dtype, a, b, modular=True).tolist() == [lane(wrap(x, dtype)) for x in exact]


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.text)
@pytest.mark.parametrize("name", CLOSED)
def test_closed(name, dtype):
    (a, b), numbers = operands(dtype)
    expected = [lane(CLOSED[name](x, y)) for x, y in zip(*numbers, strict=True)]
    assert evaluate(name, dtype, a, b).tolist() == expected


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.text)
def test_shifts_count_modulo_the_width(dtype):
    (a, b), (x, y) = operands(dtype)
    y = [n % dtype.bits for n in y]
    pairs = list(zip(x, y, strict=True))
    assert evaluate("SHL", dtype, a, b).tolist() == [lane(wrap(n << k, dtype)) for n, k in pairs]
    assert evaluate("SAR", dtype, a, b).tolist() == [lane(n >> k) for n, k in pairs]
    logical = [lane(wrap((n % (1 << dtype.bits)) >> k, dtype)) for n, k in pairs]
    assert evaluate("SHR", dtype, a, b).tolist() == logical


def test_narrow_operands_ignore_upper_bits():
    a, b = np.array([0xFFFFFF7F], np.uint32), np.array([0x12345601], np.uint32)
    assert evaluate("ADD", DType.INT8, a, b, modular=True)[0] == 0xFFFFFF80


def test_select_looks_at_bit_0_of_the_mask():
    a, b = np.array([1, 2, 3], np.uint32), np.array([4, 5, 6], np.uint32)
    mask = np.array([0xFFFFFFFF, 0, 2], np.uint32)
    assert evaluate("SELECT", DType.INT32, a, b, mask=mask).tolist() == [1, 5, 6]


@pytest.mark.parametrize("name, dtype", WRONG)
def test_wrong_type_is_refused(name, dtype):
    one = np.ones(1, np.uint32)
    with pytest.raises(ValueError, match=f"{name} does not work on {dtype.text}"):
        evaluate(name, dtype, one, one, mask=one, to=dtype)
