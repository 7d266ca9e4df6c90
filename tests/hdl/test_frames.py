"""Errors by the thousand through the two halves of a link in Verilator: corrected, or found, as the code promises."""

from functools import cache

import numpy as np
import pytest

from hdl.c2c.bare import BareLink
from hdl.export import export
from sw.arch.frame import VECTOR, decode, encode
from tb.damage import bursts, flips, garbage, lost, replaced, wire
from tb.frames import Taken, play
from tests.hdl.link_bench import shape

SEED = 20267
SHAPES = [shape(8, 4, 4), shape(16, 4, 8)]
BY_NAME = pytest.mark.parametrize("c", SHAPES, ids=lambda c: c.name)


@cache
def bare(c):
    return export(BareLink(c), "bare_link")


def sent(c, count: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    print(f"seed {SEED}")
    random = np.random.default_rng(SEED)
    return random, random.integers(0, 256, (count, c.vl), np.uint8), random.integers(0, 4096, count)


def same_as_decoder(taken: Taken, vectors, numbers, noise) -> None:
    """The hardware takes every frame as the code in software does."""
    judge = decode(encode(vectors, numbers) ^ noise)
    lost_there = judge.lost | (judge.types != VECTOR) | (judge.numbers != numbers)
    assert (taken.faults == lost_there).all()
    assert (taken.vectors == judge.vectors)[~lost_there].all()
    assert (taken.corrected == judge.corrected)[~lost_there].all()


@BY_NAME
def test_what_is_not_spoiled_comes_unchanged(c, tmp_path):
    _, vectors, numbers = sent(c, 1000)
    taken = play(bare(c), c, vectors, numbers, np.zeros((1000, c.vl + 8), np.uint8), tmp_path)
    outcome = taken.judged(vectors)
    assert (outcome.corrected, outcome.detected, outcome.silent) == (0, 0, 0)


@BY_NAME
@pytest.mark.parametrize(("longest", "all_corrected"), [(1, True), (8, True), (16, False)])
def test_promised_bursts_are_corrected_or_found(c, longest, all_corrected, tmp_path):
    random, vectors, numbers = sent(c, 5000)
    noise = bursts(random, 5000, c.vl + 8, longest)
    assert noise.any(axis=1).all()
    taken = play(bare(c), c, vectors, numbers, noise, tmp_path)
    outcome = taken.judged(vectors)
    print(outcome)
    assert outcome.silent == 0 and outcome.corrected + outcome.detected == outcome.injected
    assert (outcome.detected == 0) is all_corrected
    same_as_decoder(taken, vectors, numbers, noise)


@BY_NAME
def test_heavy_damage_is_taken_as_the_code_says(c, tmp_path):
    """Also where the code cannot tell: with garbage in one codeword some frames are wrong and nobody says so."""
    random, vectors, numbers = sent(c, 20_000)
    size, word = c.vl + 8, c.c2c.link_bytes
    kinds = [
        flips(random, 2000, size, 2, 40),
        replaced(random, 1000, size, word, 3),
        wire(random, 1000, size, word, 3),
        lost(random, vectors[4000:6000], numbers[4000:6000], word, 2),
        garbage(random, 14_000, size),
    ]
    noise = np.concatenate(kinds)
    taken = play(bare(c), c, vectors, numbers, noise, tmp_path)
    outcome = taken.judged(vectors)
    print(outcome)
    same_as_decoder(taken, vectors, numbers, noise)
    # What was wrongly mended lies in the garbage alone, where theory expects this many.
    expected = 14_000 * (1 + 255 * (c.vl // 2 + 3)) / 2**24
    assert 0 < outcome.silent < expected + 5 * expected**0.5
