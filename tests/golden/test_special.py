"""The special functions against float64, in units in the last place, and at every special operand."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.arch.special import MAX_ULP
from sw.golden.convert import convert
from sw.golden.special import FUNCTIONS, special
from tests import softfloat

REFERENCE = {
    "EXP2": np.exp2, "LOG2": np.log2, "RSQRT": lambda x: 1 / np.sqrt(x), "RECIP": lambda x: 1 / x,
    "TANH": np.tanh,
}
INF, NAN = np.inf, np.nan
#: operands -inf, -1, -least subnormal, -0, +0, +least subnormal, +inf, NaN
OPERANDS = (0xFF800000, 0xBF800000, 0x80000001, 0x80000000, 0x00000000, 0x00000001, 0x7F800000, 0xFFC12345)
LEAST = np.float32(2.0**-149)
RESULTS = {
    "EXP2": (0, 0.5, 1, 1, 1, 1, INF, NAN),
    "LOG2": (NAN, NAN, NAN, -INF, -INF, -149, INF, NAN),
    "RSQRT": (NAN, NAN, NAN, -INF, INF, np.float32(2.0**74.5), 0, NAN),
    "RECIP": (-0.0, -1, -INF, -INF, INF, INF, 0, NAN),
    "TANH": (-1, np.tanh(np.float32(-1)), -LEAST, -0.0, 0, LEAST, 1, NAN),
}


def error_ulp(name, bits):
    """Error of each result in units in the last place of the exact one; 0 where that is not a finite fp32."""
    with np.errstate(all="ignore"):
        exact = REFERENCE[name](bits.view(np.float32).astype(np.float64))
        got = special(name, bits).view(np.float32).astype(np.float64)
        place = 2.0 ** (np.floor(np.log2(np.maximum(np.abs(exact), 2.0**-126))) - 23)
        finite = np.isfinite(exact) & (np.abs(exact) < np.finfo(np.float32).max)
        return np.where(finite, np.abs(got - exact) / place, 0)


def check(name, bits):
    errors = error_ulp(name, bits)
    worst = int(np.argmax(errors))
    print(f"{name}: {errors[worst]:.4f} ulp at {int(bits[worst]):08x}")
    assert errors[worst] <= MAX_ULP[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_all_fp16_operands(name):
    check(name, convert(DType.FP16, DType.FP32, np.arange(1 << 16)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_fp32_operands(name):
    """Boundaries and random patterns, and then mantissas spread over the exponents that matter."""
    check(name, softfloat.fp32_singles())
    fractions = softfloat.generator().integers(0, 1 << 23, (36, 20_000), dtype=np.uint32)
    bits = (np.arange(98, 134, dtype=np.uint32)[:, None] << 23 | fractions).ravel()
    check(name, bits)
    check(name, bits | np.uint32(1 << 31))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_special_operands(name):
    expected = np.array(RESULTS[name], np.float32).view(np.uint32)
    got = special(name, np.array(OPERANDS, np.uint32))
    assert [f"{x:08x}" for x in got.tolist()] == [f"{x:08x}" for x in expected.tolist()]


def test_exact_powers():
    """Powers of two go in and come out exactly, subnormal results included."""
    exponents = np.arange(-149, 128)
    powers = np.ldexp(np.float32(1), exponents).astype(np.float32)
    whole = exponents.astype(np.float32)
    assert np.array_equal(special("EXP2", whole.view(np.uint32)), powers.view(np.uint32))
    assert np.array_equal(special("LOG2", powers.view(np.uint32)).view(np.float32), whole)
    mirrored = (exponents >= -127)
    recip = special("RECIP", powers[mirrored].view(np.uint32)).view(np.float32)
    assert np.array_equal(recip, np.ldexp(np.float32(1), -exponents[mirrored]))


def test_overflow_and_underflow():
    x = np.array([128, 127.99999, -149, -151, 1e30, -1e30], np.float32).view(np.uint32)
    got = special("EXP2", x).view(np.float32)
    assert np.isinf(got[[0, 4]]).all() and np.isfinite(got[1])
    assert got[2] == LEAST and (got[[3, 5]] == 0).all()


def test_tanh_is_odd_and_saturates():
    x = softfloat.fp32_singles()
    x = x[(x & 0x7FFFFFFF) <= 0x7F800000]
    mirrored = special("TANH", x ^ np.uint32(1 << 31)) ^ np.uint32(1 << 31)
    assert np.array_equal(special("TANH", x), mirrored)
    beyond = np.abs(x.view(np.float32)) >= 16
    assert (special("TANH", x[beyond]) & 0x7FFFFFFF == 0x3F800000).all()
