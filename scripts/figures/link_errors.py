"""Errors on links: those that the code promises to deal with, and heavier ones against theory."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from figures.figure import Bound, Figure, Found
from hdl.c2c.bare import BareLink
from hdl.export import export
from sw.arch.config import Config, load
from sw.arch.frame import decode
from tb.damage import bursts, flips, garbage, lost, replaced, wire
from tb.frames import Outcome, play

SEED = 20269
#: Lanes, superlanes and bytes of a word: frames of ten and of nine words.
_SHAPES = ((8, 4, 4), (16, 4, 8))
#: Longest burst of a class, and how many of it.
_PROMISED = ((1, 20_000), (8, 20_000), (16, 12_000))
_NOTHING = Outcome(0, 0, 0, 0)
#: Lanes, and frames of random bytes to judge.
_RANDOM = ((64, 1_000_000), (320, 300_000))
_CHUNK = 20_000
#: Frames of each kind of heavy damage.
_HEAVY = 60_000

#: From vectors and numbers of frames to the bits that are wrong in them.
Damage = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _link(lanes: int, superlanes: int, link_bytes: int) -> Config:
    small = load("tiny")
    name = f"link{lanes * superlanes}w{link_bytes}"
    given = {"links": 1, "link_bytes": link_bytes}
    return small.replace(name=name, lanes=lanes, superlanes=superlanes, streams=2 * lanes, c2c=given)


@cache
def _design(c: Config):
    return export(BareLink(c), "bare_link")


def _play(c: Config, random: np.random.Generator, count: int, damage: Damage) -> tuple[Outcome, float]:
    """What becomes of random vectors, and how many silent errors theory expects."""
    vectors, numbers = random.integers(0, 256, (count, c.vl), np.uint8), random.integers(0, 4096, count)
    noise = damage(vectors, numbers)
    with tempfile.TemporaryDirectory() as folder:
        return play(_design(c), c, vectors, numbers, noise, Path(folder)).judged(vectors), _silent(c, noise)


def _silent(c: Config, noise: np.ndarray) -> float:
    """Three wrong bytes of a codeword or more are as good as random ones; then its byte of the header must be right."""
    size = c.vl // 2 + 4
    likely, heavy_somewhere = np.ones(len(noise)), np.zeros(len(noise), bool)
    for half in range(2):
        wrong = (noise[:, half::2] != 0).sum(axis=1)
        heavy = wrong > 2
        likely *= np.where(heavy, (1 + 255 * (size - 1)) / 2**24, wrong < 2) * ~(heavy & (noise[:, c.vl + half] != 0))
        heavy_somewhere |= heavy
    return float(likely[heavy_somewhere].sum())


def errors() -> Found:
    """Bursts through the hardware; how many came out wrong with nobody saying so."""
    random, total, yardstick = np.random.default_rng(SEED), _NOTHING, {}
    for longest, count in _PROMISED:
        outcome = _NOTHING
        for c in map(_link, *zip(*_SHAPES, strict=True)):
            outcome += _play(c, random, count, lambda v, n, c=c, most=longest: bursts(random, len(v), c.vl + 8, most))[0]
        yardstick |= {f"bursts up to {longest}": outcome.injected, f"corrected up to {longest}": outcome.corrected}
        total += outcome
    yardstick |= {"injected": total.injected, "corrected": total.corrected, "detected": total.detected}
    return Found(total.silent, yardstick)


def heavy() -> Found:
    """How often a codeword takes random bytes for its own, over how often it should; and heavy damage through the hardware,
    for each kind of it the silent errors of so many, and those that theory expects."""
    random = np.random.default_rng(SEED)
    taken, expected, words, both = 0, 0.0, 0, 0
    for vl, count in _RANDOM:
        for _ in range(0, count, _CHUNK):
            got = decode(random.integers(0, 256, (_CHUNK, vl + 8), np.uint8))
            taken += int(got.corrected.sum())
            both += int((~got.lost).sum())
        words += 2 * count
        expected += 2 * count * 255 * (vl // 2 + 4) / 2**24
    yardstick = {"random codewords": words, "taken": taken, "by theory": round(expected, 1), "both of a frame": both}
    c = _link(*_SHAPES[1])
    size, word = c.vl + 8, c.c2c.link_bytes
    kinds: dict[str, Damage] = {
        "garbage in one codeword": lambda v, n: garbage(random, len(v), size),
        "3 to 8 bits": lambda v, n: flips(random, len(v), size, 3, 8),
        "9 to 40 bits": lambda v, n: flips(random, len(v), size, 9, 40),
        "a wire": lambda v, n: wire(random, len(v), size, word, 9),
        "words replaced": lambda v, n: replaced(random, len(v), size, word, 3),
        "words lost": lambda v, n: lost(random, v, n, word, 2),
    }
    for name, damage in kinds.items():
        outcome, theory = _play(c, random, _HEAVY, damage)
        yardstick[name] = f"{outcome.silent} silent of {outcome.injected:,}, {theory:.2g} by theory"
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
    Figure("link.heavy", "of theory", heavy, (Bound(">=", 0.85), Bound("<=", 1.15))),
)
