"""The code of a frame: against an independent codec, and every error that the contract promises to mend or to find."""

from itertools import combinations

import numpy as np
import pytest
from reedsolo import RSCodec

from sw.arch.frame import POWERS, decode, encode, multiply, syndromes

SEED = 20265


def random(shape, seed: int = SEED) -> np.ndarray:
    print(f"seed {seed}")
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("vl", [8, 16, 64, 320, 496])
def test_parity_is_that_of_an_independent_codec(vl):
    vectors, numbers = random((20, vl)), np.arange(20) * 211
    judge = RSCodec(3, fcr=254, prim=0x11D, generator=2)
    for frame, vector, number in zip(encode(vectors, numbers), vectors, numbers, strict=True):
        header = int(number) % 4096 << 4 | 5
        message = np.concatenate([vector, np.array([header & 255, header >> 8], np.uint8)])
        assert (frame[: vl + 2] == message).all()
        for half in range(2):
            expected = judge.encode(message[half::2].tobytes())
            assert (frame[half::2][-3:] ^ 255).tobytes() == bytes(expected[-3:])


@pytest.mark.parametrize("vl", [8, 64, 320])
def test_what_was_sent_comes_back(vl):
    vectors, numbers = random((50, vl)), np.arange(50) * 97
    got = decode(encode(vectors, numbers))
    assert (got.vectors == vectors).all()
    assert (got.numbers == numbers % 4096).all()
    assert set(got.types) == {5}
    assert not got.corrected.any() and not got.lost.any()


def bursts(longest: int) -> np.ndarray:
    """Every pattern of wrong bits that begins with one and is at most `longest` long, lowest bit first."""
    return np.arange(1, 1 << longest, 2, dtype=np.int64)


def damage(frames: np.ndarray, patterns: np.ndarray, first: int) -> np.ndarray:
    """Frames [n, bytes] with each of n patterns put in from bit `first` on."""
    bits = np.unpackbits(frames, axis=1, bitorder="little")
    for k in range(int(patterns.max()).bit_length()):
        if first + k < bits.shape[1]:
            bits[:, first + k] ^= (patterns >> k & 1).astype(np.uint8)
    return np.packbits(bits, axis=1, bitorder="little")


@pytest.mark.parametrize("vl", [8, 64, 320])
def test_every_burst_of_eight_bits_is_corrected(vl):
    vector = random((1, vl))
    frame, patterns = encode(vector, np.array([1234])), bursts(8)
    frames = np.repeat(frame, len(patterns), axis=0)
    for first in range(8 * frame.shape[1]):
        got = decode(damage(frames, patterns, first))
        assert not got.lost.any()
        assert (got.vectors == vector).all() and (got.numbers == 1234).all() and (got.types == 5).all()
        assert (got.corrected >= 1).all()


@pytest.mark.parametrize("vl", [16, 64, pytest.param(320, marks=pytest.mark.slow)])
def test_every_burst_of_sixteen_bits_is_corrected_or_found(vl):
    """The code is linear, so what is left of a burst does not depend on the data. Two bytes further on every syndrome is the
    same times a power of 2, so a burst is mended or found there as it is here, but for the length of the codeword, of which
    the ends are tried."""
    vector = random((1, vl))
    frame, patterns = encode(vector, np.array([77])), bursts(16)
    frames = np.repeat(frame, len(patterns), axis=0)
    total = 8 * frame.shape[1]
    for first in (*range(16), *range(total - 32, total)):
        got = decode(damage(frames, patterns, first))
        right = (got.vectors == vector).all(axis=1) & (got.numbers == 77) & (got.types == 5)
        assert (right | got.lost).all()


def test_two_bytes_further_on_a_syndrome_is_the_same_times_a_power():
    errors = random((100, 3))
    for place in (0, 5, 150):
        words = np.zeros((2, 100, 164), np.uint8)
        words[0, :, place : place + 3], words[1, :, place + 1 : place + 4] = errors, errors
        before, after = syndromes(words[0]), syndromes(words[1])
        assert (multiply(after, POWERS[[254, 0, 1]]) == before).all()


@pytest.mark.parametrize("vl", [64, 320])
def test_a_wire_that_fails_three_times_is_found(vl):
    """Frames go over eight bytes wide cables, a wire for each bit of a word; one of them is wrong in any three words."""
    frame, words = encode(random((1, vl)), np.array([9])), (vl + 8) // 8
    places = np.array(list(combinations(range(words), 3)))
    for bit in (0, 13, 63):
        frames = np.repeat(frame, len(places), axis=0)
        for k in range(3):
            frames[np.arange(len(places)), 8 * places[:, k] + bit // 8] ^= 1 << bit % 8
        assert decode(frames).lost.all()


@pytest.mark.parametrize("vl", [8, 64, 320])
def test_a_wire_that_stands_still_carries_no_frame(vl):
    got = decode(np.repeat(np.arange(256, dtype=np.uint8)[:, None], vl + 8, axis=1))
    assert (got.lost | (got.types != 5)).all()


def test_heavy_damage_is_missed_as_often_as_theory_says():
    """A random codeword of n bytes is taken for a right or mended one with (1 + 255 n) / 2^24; one half is damaged here."""
    vl, count = 64, 200_000
    frames = encode(random((count, vl)), np.zeros(count, np.int64))
    frames[:, ::2] = random((count, vl // 2 + 4), SEED + 1)
    missed = count - decode(frames).lost.sum()
    expected = count * (1 + 255 * (vl // 2 + 4)) / 2**24
    print(f"{missed} missed, {expected:.0f} expected")
    assert abs(missed - expected) < 5 * expected**0.5
