"""Errors on links: those that the code promises to deal with, and heavier ones against theory."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from figures.figure import Bound, Figure, Found
from hdl.c2c.bare import BareLink
from hdl.export import export
from sw.arch.config import Config, load
from sw.arch.frame import decode
from tb.damage import bursts, flips, garbage, lost, replaced
from tb.frames import Outcome, play

SEED = 20269
#: Lanes, superlanes and bytes of a word: frames of ten and of nine words.
_SHAPES = ((8, 4, 4), (16, 4, 8))
#: Longest burst of a class, and how many of it.
_PROMISED = ((1, 20_000), (8, 20_000), (16, 12_000))
_NOTHING = Outcome(0, 0, 0, 0)
#: Lanes, and frames of random bytes to judge.
_RANDOM = ((64, 1_000_000), (320, 300_000))


def _link(lanes: int, superlanes: int, link_bytes: int) -> Config:
    small = load("tiny")
    name = f"link{lanes * superlanes}w{link_bytes}"
    given = {"links": 1, "link_bytes": link_bytes}
    return small.replace(name=name, lanes=lanes, superlanes=superlanes, streams=2 * lanes, c2c=given)


@cache
def _design(c: Config):
    return export(BareLink(c), "bare_link")


def _play(c: Config, random: np.random.Generator, count: int, damage) -> Outcome:
    """What becomes of random vectors; `damage(vectors, numbers)` is what is wrong with their frames."""
    vectors, numbers = random.integers(0, 256, (count, c.vl), np.uint8), random.integers(0, 4096, count)
    with tempfile.TemporaryDirectory() as folder:
        return play(_design(c), c, vectors, numbers, damage(vectors, numbers), Path(folder)).judged(vectors)


def errors() -> Found:
    """Bursts through the hardware; how many came out wrong with nobody saying so."""
    random, total, yardstick = np.random.default_rng(SEED), _NOTHING, {}
    for longest, count in _PROMISED:
        outcome = _NOTHING
        for c in map(_link, *zip(*_SHAPES, strict=True)):
            outcome += _play(c, random, count, lambda v, n, size=c.vl + 8, most=longest: bursts(random, len(v), size, most))
        yardstick |= {f"bursts up to {longest}": outcome.injected, f"corrected up to {longest}": outcome.corrected}
        total += outcome
    yardstick |= {"injected": total.injected, "corrected": total.corrected, "detected": total.detected}
    return Found(total.silent, yardstick)


def heavy() -> Found:
    """How often a codeword takes random bytes for its own, over how often it should; and heavy damage through the hardware."""
    random = np.random.default_rng(SEED)
    taken, expected, words, both = 0, 0.0, 0, 0
    for vl, count in _RANDOM:
        for _ in range(0, count, 20_000):
            got = decode(random.integers(0, 256, (20_000, vl + 8), np.uint8))
            taken += int(got.corrected.sum())
            both += int((~got.lost).sum())
        words += 2 * count
        expected += 2 * count * 255 * (vl // 2 + 4) / 2**24
    yardstick = {"random codewords": words, "taken": taken, "by theory": round(expected, 1), "both of a frame": both}
    c = _link(*_SHAPES[1])
    size, word = c.vl + 8, c.c2c.link_bytes
    count = 60_000
    outcome = _play(c, random, count, lambda v, n: garbage(random, len(v), size))
    theory = count * (1 + 255 * (c.vl // 2 + 3)) / 2**24
    yardstick |= {"one codeword spoiled": count, "silent of these": outcome.silent, "silent by theory": round(theory, 1)}
    outcome = _play(c, random, 20_000, lambda v, n: flips(random, len(v), size, 40))
    outcome += _play(c, random, 20_000, lambda v, n: replaced(random, len(v), size, word, 3))
    outcome += _play(c, random, 20_000, lambda v, n: lost(random, v, n, word, 2))
    yardstick |= {
        "bits and words": outcome.injected,
        "corrected": outcome.corrected,
        "detected": outcome.detected,
        "silent": outcome.silent,
    }
    return Found(taken / expected, yardstick)


FIGURES = (
    Figure(
        "link.errors",
        "silent errors",
        errors,
        (
            Bound("==", 0),
            Bound(">=", 100_000, of="injected"),
            Bound("==", "bursts up to 8", of="corrected up to 8"),
            Bound("==", "bursts up to 1", of="corrected up to 1"),
        ),
    ),
    Figure("link.heavy", "of theory", heavy, (Bound(">=", 0.85), Bound("<=", 1.15), Bound("==", 0, of="silent"))),
)
