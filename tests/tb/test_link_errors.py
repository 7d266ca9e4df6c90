"""Errors by the hundred on the link of a pair of chips on the RTL: corrected, or a fault and a right answer after replay."""

from dataclasses import dataclass

import numpy as np
import pytest

from tb.system import NOISE_WORDS
from tests.systems import CHIP, FRAME, begun, programs, stream
from tests.tb.linked import LATENCY, LINKS, load, loaded

SEED = 20268
BITS = 8 * CHIP.c2c.link_bytes
#: Frames follow each other without a gap, so many to each slice.
COUNT = 60
ROUTES = [("E0", "W0"), ("E1", "W1"), ("E2", "W2"), ("E3", "W3")]
LIMIT, LONGEST_RUN = 3_000, 12_000


def images():
    a, b = programs(2)
    first, then = begun(a, b, LATENCY)
    for k, route in enumerate(ROUTES):
        at = k * COUNT * FRAME
        stream(a, b, first + at, then + at, COUNT, FRAME, *route)
    return [a.image(), b.image()]


def errors(random: np.random.Generator, longest: int, every: int) -> dict[int, int]:
    """Runs of up to so many wrong bits, at least a frame and two words apart, so that no frame has two."""
    noise: dict[int, int] = {}
    at = 0
    while at < NOISE_WORDS - 2:
        length = int(random.integers(1, longest + 1))
        pattern = int(random.integers(0, 1 << length)) | 1 | 1 << length - 1
        spoiled = pattern << int(random.integers(0, BITS))
        for k in range(2):
            if part := spoiled >> k * BITS & (1 << BITS) - 1:
                noise[at + k] = part
        at += FRAME + 2 + int(random.integers(0, 2 * (every - FRAME - 2) + 1))
    return noise


@dataclass
class Found:
    """Runs, bytes that were corrected in those that came to their end, and faults, each of which was replayed."""

    runs: int = 0
    corrected: int = 0
    faults: int = 0


def campaign(folder, longest: int, every: int, seed: int) -> Found:
    """Runs, as long as there is noise, with vectors that are new in every run; AssertionError for a wrong answer."""
    print(f"seed {seed}")
    random, found = np.random.default_rng(seed), Found()
    programs_ = images()
    with loaded(programs_, folder, errors(random, longest, every)) as rtl:
        while rtl.cycle < NOISE_WORDS - LONGEST_RUN:
            if found.runs:
                load(rtl, programs_)
            data = {route: random.integers(0, 256, (COUNT, CHIP.vl), np.uint8) for route in ROUTES}
            for (source, _), rows in data.items():
                rtl.chips[0].write(source, 0, rows)
            runs = rtl.run(limit=LIMIT, replay=20)
            assert [run.fault for run in runs] == [None, None]
            found.runs += 1
            found.faults += len(rtl.failures)
            found.corrected += rtl.counts()[LINKS[0]].corrected
            for (_, target), rows in data.items():
                assert (rtl.chips[1].read(target, 0, COUNT) == rows).all(), f"run {found.runs}: a silent error"
    print(found)
    return found


def test_single_bits_are_corrected(tmp_path):
    found = campaign(tmp_path, 1, 10, SEED)
    assert found.faults == 0 and found.corrected >= 300


def test_longer_bursts_are_corrected_or_found(tmp_path):
    found = campaign(tmp_path, 16, 1000, SEED + 1)
    assert found.corrected >= 3 and found.faults >= 3


@pytest.mark.slow
def test_a_thousand_errors_and_no_wrong_answer(tmp_path):
    """A burst is in two bytes at most, so there were at least half as many errors as corrections."""
    total = 0
    for k, (longest, every) in enumerate([(1, 10), (8, 10), (8, 10), (16, 600), (16, 1000)] * 2):
        found = campaign(tmp_path / str(k), longest, every, SEED + 10 + k)
        total += (found.corrected if longest == 1 else found.corrected // 2) + found.faults
    print(f"{total} errors at least")
    assert total >= 1000
