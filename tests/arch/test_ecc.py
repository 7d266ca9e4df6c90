"""The SECDED code in numpy: every one-bit error corrected, every two-bit error detected, for every width."""

from itertools import combinations

import numpy as np
import pytest

from sw.arch.ecc import CHECK_BITS, SecDed, secded

WIDTHS = sorted(CHECK_BITS)


def words(data_bits: int, count: int, seed: int) -> np.ndarray:
    print(f"seed {seed}")
    return np.random.default_rng(seed).integers(0, 256, (count, data_bits // 8), dtype=np.uint8)


def flip(code: SecDed, data: np.ndarray, check: np.ndarray, bits: np.ndarray):
    """Flip bit bits[i] of code word i; bits from data_bits upward are check bits."""
    data, check = data.copy(), check.copy()
    rows = np.arange(len(bits))
    inside = bits < code.data_bits
    data[rows[inside], bits[inside] // 8] ^= (1 << bits[inside] % 8).astype(np.uint8)
    check[rows[~inside]] ^= (1 << (bits[~inside] - code.data_bits)).astype(np.uint16)
    return data, check


@pytest.mark.parametrize("data_bits", WIDTHS)
def test_columns_are_distinct_odd_and_balanced(data_bits):
    code = secded(data_bits)
    assert len(set(code.columns)) == data_bits
    assert all(column.bit_count() % 2 == 1 and column.bit_count() >= 3 for column in code.columns)
    loads = [mask.bit_count() for mask in code.masks]
    assert max(loads) - min(loads) <= 2, loads


def test_check_bits_are_those_of_the_field():
    assert {n: secded(n).check_bits for n in WIDTHS} == {8: 5, 16: 6, 32: 7, 64: 8, 128: 9}


@pytest.mark.parametrize("data_bits", WIDTHS)
def test_check_bit_is_parity_of_its_row(data_bits):
    code = secded(data_bits)
    data = words(data_bits, 50, 1)
    for word, check in zip(data, code.encode(data), strict=True):
        value = int.from_bytes(word.tobytes(), "little")
        assert [int(check) >> r & 1 for r in range(code.check_bits)] == \
            [(value & mask).bit_count() % 2 for mask in code.masks]


@pytest.mark.parametrize("data_bits", WIDTHS)
def test_all_zero_and_clean_words_pass(data_bits):
    code = secded(data_bits)
    data = np.concatenate([np.zeros((1, data_bits // 8), np.uint8), words(data_bits, 200, 2)])
    check = code.encode(data)
    assert check[0] == 0
    out, corrected, uncorrectable = code.decode(data, check)
    assert (out == data).all() and not corrected.any() and not uncorrectable.any()


@pytest.mark.parametrize("data_bits", WIDTHS)
def test_every_single_error_is_corrected(data_bits):
    code = secded(data_bits)
    bits = np.arange(data_bits + code.check_bits)
    data = words(data_bits, len(bits), 3)
    out, corrected, uncorrectable = code.decode(*flip(code, data, code.encode(data), bits))
    assert (out == data).all() and corrected.all() and not uncorrectable.any()


@pytest.mark.parametrize("data_bits", WIDTHS)
def test_every_double_error_is_detected(data_bits):
    code = secded(data_bits)
    pairs = np.array(list(combinations(range(data_bits + code.check_bits), 2)))
    data = words(data_bits, len(pairs), 4)
    once = flip(code, data, code.encode(data), pairs[:, 0])
    wrong, check = flip(code, *once, pairs[:, 1])
    out, corrected, uncorrectable = code.decode(wrong, check)
    assert uncorrectable.all() and not corrected.any() and (out == wrong).all()


def test_leading_dimensions_are_kept():
    code = secded(64)
    data = words(64, 12, 5).reshape(3, 4, 8)
    check = code.encode(data)
    out, corrected, uncorrectable = code.decode(data, check)
    assert check.shape == corrected.shape == uncorrectable.shape == (3, 4) and out.shape == data.shape


def test_refusals_name_the_value():
    with pytest.raises(ValueError, match="24 data bits"):
        SecDed(24)
    with pytest.raises(ValueError, match="int64"):
        secded(16).encode(np.zeros((3, 2), np.int64))
