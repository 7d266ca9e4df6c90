"""The matrix products of the golden model against integers and fractions of Python."""

from fractions import Fraction

import numpy as np
import pytest

from sw.golden.dot import FP16_MAX_K, INT8_MAX_K, fp16_dot, int8_dot

SEED = 20260401
NAN32, INF32 = 0x7FC00000, 0x7F800000


def fp16_value(bits: int) -> Fraction:
    exponent, fraction = bits >> 10 & 31, bits & 0x3FF
    magnitude = Fraction(fraction + (1024 if exponent else 0)) * Fraction(2) ** (max(exponent, 1) - 25)
    return -magnitude if bits >> 15 else magnitude


def fp32_bits(value: Fraction) -> int:
    """A finite sum of fp16 products rounded to fp32, nearest even (it is never a subnormal nor too large)."""
    if value == 0:
        return 0
    magnitude, exponent = abs(value), 0
    while magnitude >= 1 << 24:
        magnitude, exponent = magnitude / 2, exponent + 1
    while magnitude < 1 << 23:
        magnitude, exponent = magnitude * 2, exponent - 1
    kept = round(magnitude)  # Fraction rounds half to even
    return (0x80000000 if value < 0 else 0) | ((exponent + 150 << 23) + kept - (1 << 23))


def reference(a: np.ndarray, w: np.ndarray) -> list[list[int]]:
    return [[fp32_bits(sum(fp16_value(int(x)) * fp16_value(int(y)) for x, y in zip(row, column, strict=True)))
             for column in w.T] for row in a]


def finite(rng: np.random.Generator, shape: tuple, exponents: tuple[int, int]) -> np.ndarray:
    """Random finite fp16 bits with exponent fields of [low, high)."""
    sign, exponent = rng.integers(0, 2, shape), rng.integers(*exponents, shape)
    return (sign << 15 | exponent << 10 | rng.integers(0, 1024, shape)).astype(np.uint16)


@pytest.mark.parametrize("exponents", [(0, 1), (0, 31), (1, 3), (13, 17), (0, 12), (29, 31)])
@pytest.mark.parametrize("depth", [1, 4, 64])
def test_fp16_random(exponents, depth):
    rng = np.random.default_rng(SEED)
    a, w = finite(rng, (12, depth), exponents), finite(rng, (depth, 6), exponents)
    assert fp16_dot(a, w).tolist() == reference(a, w)


def test_fp16_full_depth_extremes():
    largest = np.full((2, 320), 0x7BFF, np.uint16)
    largest[1, ::2] = 0xFBFF
    w = np.stack([np.full(320, 0x7BFF), np.full(320, 0xFBFF), np.tile([0x7BFF, 0x0001], 160)], axis=1)
    w = w.astype(np.uint16)
    assert fp16_dot(largest, w).tolist() == reference(largest, w)


def test_fp16_cancellation_leaves_small_terms():
    """Large products cancel exactly and leave subnormal ones, or leave nothing."""
    rng = np.random.default_rng(SEED)
    a, w = finite(rng, (40, 12), (0, 31)), finite(rng, (12, 5), (0, 31))
    a[:, 4:8] = a[:, :4] ^ 0x8000
    w[4:8] = w[:4]
    a[:, 8:] &= 0x83FF
    w[8:] &= 0x83FF
    a[::4, 8:] = 0
    got = fp16_dot(a, w)
    assert got.tolist() == reference(a, w)
    assert (got[::4] == 0).all()


def test_fp16_ties_and_almost_ties():
    """4096 * 4096 + odd, exactly and with the least product added or taken away."""
    a = np.array([[0x6C00, 0x3C00, extra] for extra in (0x0000, 0x0001, 0x8001)], np.uint16)
    columns = [[0x6C00 ^ sign, int(np.float16(odd).view(np.uint16)) ^ sign, 0x0001]
               for odd in range(8) for sign in (0, 0x8000)]
    w = np.array(columns, np.uint16).T
    assert fp16_dot(a, w).tolist() == reference(a, w)
    assert fp16_dot(a, w)[0, 2] == 0x4B800000, "2**24 + 1 is a tie and goes to the even 2**24"
    assert fp16_dot(a, w)[1, 2] == 0x4B800001, "2**24 + 1 + 2**-48 rounds up"


@pytest.mark.parametrize(("a", "w", "expected"), [
    ([0x7E01, 0], [0, 0], NAN32),
    ([0x3C00, 0], [0xFE00, 0], NAN32),
    ([0x7C00, 0], [0x8000, 0], NAN32),
    ([0x0000, 0x3C00], [0xFC00, 0x3C00], NAN32),
    ([0x7C00, 0x7C00], [0x3C00, 0xBC00], NAN32),
    ([0x7C00, 0x3C00], [0x3C00, 0xFC00], NAN32),
    ([0x7C00, 0x3C00], [0x0001, 0xFBFF], INF32),
    ([0xFC00, 0x3C00], [0x7C00, 0x3C00], INF32 | 0x80000000),
    ([0xFC00, 0xFC00], [0xBC00, 0xFC00], INF32),
    ([0x8000, 0x8000], [0x3C00, 0x0000], 0),
])
def test_fp16_specials(a, w, expected):
    rows = np.array([a, [0, 0]], np.uint16)
    got = fp16_dot(rows, np.array(w, np.uint16)[:, None])
    assert hex(got[0, 0]) == hex(expected)


def test_fp16_specials_against_numpy():
    """numpy's float64 dot product knows the same rules for NaN and infinity."""
    rng = np.random.default_rng(SEED)
    pool = np.array([0x7C00, 0xFC00, 0x7E00, 0, 0x8000] + 20 * [0x3C00, 0xC000], np.uint16)
    a, w = rng.choice(pool, (200, 6)), rng.choice(pool, (6, 50))
    with np.errstate(invalid="ignore"):
        wide = (a.view(np.float16).astype(np.float64)[:, :, None] * w.view(np.float16).astype(np.float64)).sum(1)
    expected = wide.astype(np.float32).view(np.uint32)
    expected = np.where(np.isnan(wide), NAN32, np.where(wide == 0, 0, expected))
    assert (fp16_dot(a, w) == expected).all()


def test_int8_is_exact():
    rng = np.random.default_rng(SEED)
    a = rng.integers(-128, 128, (5, INT8_MAX_K)).astype(np.int8)
    w = rng.integers(-128, 128, (INT8_MAX_K, 7)).astype(np.int8)
    a[0], w[:, 0] = -128, -128
    got = int8_dot(a, w)
    assert got.dtype == np.int32
    assert (got == a.astype(np.int64) @ w.astype(np.int64)).all()


def test_too_deep_is_refused():
    with pytest.raises(ValueError, match=f"{INT8_MAX_K + 1}.*{INT8_MAX_K}"):
        int8_dot(np.zeros((1, INT8_MAX_K + 1), np.int8), np.zeros((INT8_MAX_K + 1, 1), np.int8))
    with pytest.raises(ValueError, match=f"{FP16_MAX_K + 1}.*{FP16_MAX_K}"):
        fp16_dot(np.zeros((1, FP16_MAX_K + 1), np.uint16), np.zeros((FP16_MAX_K + 1, 1), np.uint16))
