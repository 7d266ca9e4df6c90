"""Link ports in Verilator, two clocks and more: frames arrive in their cycle, mended, or a fault tells."""

import numpy as np
import pytest

from sw.arch.links import drift, frame_words
from sw.isa.table import instruction
from tests.hdl.link_bench import PERIOD_PS, LinkBench, Wire, shape

SEED = 20266
NARROW, WIDE = shape(4, 2, 4), shape(16, 2, 8)
#: Of a wire of the bench: the mark is heard 11 or 12 cycles after TRANSMIT.
LATENCY = 12 + drift(NARROW) + 1


def vectors(c, count: int) -> np.ndarray:
    return np.random.default_rng(SEED).integers(0, 256, (count, c.vl), np.uint8)


def driven(c, cycle: int) -> int:
    """When what RECEIVE takes in a cycle is driven."""
    return cycle + instruction("RECEIVE").timing(c, {}).d_func - 1


@pytest.mark.parametrize("c", [NARROW, WIDE], ids=lambda c: c.name)
def test_frames_arrive_in_their_cycle(c, tmp_path):
    bench, data, frame = LinkBench(c, 2), vectors(c, 4), frame_words(c)
    late = LATENCY
    bench.issue(0, 0, 40, "TRANSMIT")
    bench.issue(1, 1, 40 + late, "ALIGN")
    for k, vector in enumerate(data):
        bench.send(0, 0, 60 + k * frame, vector, number=k)
        bench.issue(1, 1, 60 + late + k * frame, "RECEIVE", stream=5, number=k, stride=0)
    _, got = bench.play([Wire((0, 0), (1, 1))], 500, tmp_path)
    assert got.faults == []
    assert {key: bytes(vector) for key, vector in got.vectors.items()} == {
        (1, driven(c, 60 + late + k * frame)): bytes(vector) for k, vector in enumerate(data)
    }


def talk(c, cycles: int, number: int, every: int, tmp_path, periods=None, latency: int = LATENCY, **wire):
    """A mark, and frames of random vectors every so many cycles from unit 0 to unit 1; what was sent and what came."""
    bench, data = LinkBench(c, 2), vectors(c, number)
    bench.issue(0, 0, 40, "TRANSMIT")
    bench.issue(1, 1, 40 + latency, "ALIGN")
    expected = {}
    for k, vector in enumerate(data):
        at = 60 + k * every
        bench.send(0, 0, at, vector, number=k)
        bench.issue(1, 1, at + latency, "RECEIVE", stream=5, number=k, stride=0)
        expected[1, driven(c, at + latency)] = bytes(vector)
    _, got = bench.play([Wire((0, 0), (1, 1), **wire)], cycles, tmp_path, periods)
    return expected, {key: bytes(vector) for key, vector in got.vectors.items()}, got


@pytest.mark.parametrize("c", [NARROW, WIDE], ids=lambda c: c.name)
def test_bursts_are_mended(c, tmp_path):
    """In every frame but the first a burst of up to eight bits, somewhere."""
    rng, frame, bits = np.random.default_rng(SEED), frame_words(c), 8 * c.c2c.link_bytes
    noise, count = {}, 30
    sent = instruction("SEND").timing(c, {}).d_func
    for k in range(1, count):
        burst = int(rng.integers(1, 256)) << int(rng.integers(0, frame * bits - 7))
        for w in range(frame):
            noise[60 + k * frame + sent + w] = burst >> w * bits & (1 << bits) - 1
    expected, found, got = talk(c, 500, count, frame, tmp_path, noise=noise)
    assert got.faults == []
    assert found == expected
    assert count - 1 <= got.corrected[1] <= 2 * (count - 1)


def test_what_cannot_be_mended_is_a_fault(tmp_path):
    c = WIDE
    at = 60 + frame_words(c) + instruction("SEND").timing(c, {}).d_func
    expected, found, got = talk(c, 500, 3, frame_words(c), tmp_path, noise={at: 0x00FF00FF})
    begun = 60 + LATENCY + frame_words(c)
    assert got.faults == [(driven(c, begun) - 1, 1, 1, "LINK_FRAME")]
    wrong = driven(c, begun)
    assert all(found[key] == vector for key, vector in expected.items() if key[1] != wrong)


def test_another_number_is_a_fault(tmp_path):
    bench, c = LinkBench(NARROW, 2), NARROW
    bench.issue(0, 0, 40, "TRANSMIT")
    bench.issue(1, 1, 40 + LATENCY, "ALIGN")
    bench.send(0, 0, 60, vectors(c, 1)[0], number=7)
    bench.issue(1, 1, 60 + LATENCY, "RECEIVE", stream=5, number=8, stride=0)
    _, got = bench.play([Wire((0, 0), (1, 1))], 500, tmp_path)
    assert [fault[1:] for fault in got.faults] == [(1, 1, "LINK_FRAME")]


def test_a_dead_link_has_no_mark(tmp_path):
    _, found, got = talk(NARROW, 500, 1, 8, tmp_path, lost=frozenset(range(500)))
    assert got.faults[0] == (40 + LATENCY, 1, 1, "LINK_UNDERRUN")
    assert got.heard == {}


def test_a_link_that_dies_is_a_fault(tmp_path):
    c, frame = NARROW, frame_words(NARROW)
    dies = 60 + 5 * frame
    _, _, got = talk(c, 500, 10, frame, tmp_path, lost=frozenset(range(dies, 500)))
    assert got.faults[0][1:] == (1, 1, "LINK_UNDERRUN")
    assert dies < got.faults[0][0] < dies + 3 * LATENCY


def test_a_lost_word_is_a_fault(tmp_path):
    c, frame = WIDE, frame_words(WIDE)
    _, found, got = talk(c, 500, 10, frame, tmp_path, lost=frozenset({60 + 4 * frame + 8}))
    assert {fault[3] for fault in got.faults} == {"LINK_FRAME"}


@pytest.mark.parametrize("offset", [-100, 100])
def test_clocks_drift_for_a_whole_stretch(offset, tmp_path):
    """Both clocks are off by the most that is allowed, one up and one down, for as long as a program may run."""
    c = NARROW
    cycles = c.c2c.stretch + 40
    count, every = 195, 100
    assert 60 + count * every + LATENCY < cycles
    periods = [PERIOD_PS + offset, PERIOD_PS - offset]
    expected, found, got = talk(c, cycles, count, every, tmp_path, periods)
    assert got.faults == []
    assert found == expected


@pytest.mark.parametrize(("offset", "fault"), [(-600, "LINK_OVERRUN"), (600, "LINK_UNDERRUN")])
def test_clocks_that_drift_further_are_a_fault(offset, fault, tmp_path):
    periods = [PERIOD_PS + offset, PERIOD_PS - offset]
    _, _, got = talk(NARROW, NARROW.c2c.stretch + 40, 195, 100, tmp_path, periods)
    assert got.faults[0][1:] == (1, 1, fault)


def test_a_frame_is_passed_on_and_taken_at_once(tmp_path):
    """Unit 1 takes a frame and sends it on by both its ports, one of them back to unit 0, before it has come to an end."""
    c, data = WIDE, vectors(WIDE, 1)[0]
    bench = LinkBench(c, 3)
    bench.issue(0, 0, 40, "TRANSMIT")
    for port in range(2):
        bench.issue(1, port, 40, "TRANSMIT")
    for unit, port in ((1, 1), (0, 1), (2, 0)):
        bench.issue(unit, port, 40 + LATENCY, "ALIGN")
    bench.send(0, 0, 70, data, number=3)
    at = 70 + LATENCY
    bench.issue(1, 1, at, "RECEIVE", stream=5, number=3, stride=0)
    for port in range(2):
        bench.issue(1, port, at, "FORWARD", link=1)
    for unit, port in ((0, 1), (2, 0)):
        bench.issue(unit, port, at + LATENCY, "RECEIVE", stream=5, number=3, stride=0)
    wires = [Wire((0, 0), (1, 1)), Wire((1, 0), (0, 1)), Wire((1, 1), (2, 0))]
    got = bench.play(wires, 500, tmp_path)
    assert [one.faults for one in got] == [[], [], []]
    for unit, port, cycle in ((1, 1, at), (0, 1, at + LATENCY), (2, 0, at + LATENCY)):
        assert list(got[unit].vectors) == [(port, driven(c, cycle))]
        assert (got[unit].vectors[port, driven(c, cycle)] == data).all()


@pytest.mark.parametrize("c", [NARROW, WIDE], ids=lambda c: c.name)
def test_damage_is_counted_where_it_is_passed_on(c, tmp_path):
    """Frames back to back to unit 1, which takes some, passes some on, by one port or both, and does both with others.
    Damage of the second wire and of what is only taken is no damage that was passed on."""
    taken, passed, twice = {0, 1, 4, 5, 8, 9, 12, 13}, set(range(2, 14)) - {4, 5}, {6, 7, 8, 9}
    damaged = {1, 3, 5, 6, 9, 10, 13}
    late_damage = {2, 3, 7}
    assert damaged & taken - passed and damaged & taken & passed and damaged & twice and damaged & passed - taken
    data, frame, bits = vectors(c, 14), frame_words(c), 8 * c.c2c.link_bytes
    bench = LinkBench(c, 3)
    bench.issue(0, 0, 40, "TRANSMIT")
    for port in range(2):
        bench.issue(1, port, 40, "TRANSMIT")
    for unit, port in ((1, 1), (2, 0), (0, 1)):
        bench.issue(unit, port, 40 + LATENCY, "ALIGN")
    expected = [{}, {}, {}]
    for k, vector in enumerate(data):
        bench.send(0, 0, 70 + k * frame, vector, number=k)
        at = 70 + LATENCY + k * frame
        ends = [(1, 1, at)] if k in taken else []
        if k in passed:
            bench.issue(1, 1, at, "FORWARD", link=1)
            ends.append((2, 0, at + LATENCY))
        if k in twice:
            bench.issue(1, 0, at, "FORWARD", link=1)
            ends.append((0, 1, at + LATENCY))
        for unit, port, cycle in ends:
            bench.issue(unit, port, cycle, "RECEIVE", stream=5, number=k, stride=0)
            expected[unit][port, driven(c, cycle)] = bytes(vector)
    sent = instruction("SEND").timing(c, {}).d_func
    # A bit of the payload, or of the parity.
    place = {k: (frame - 1) * bits + 17 if k % 2 else 11 for k in range(14)}
    first = {70 + k * frame + sent + place[k] // bits: 1 << place[k] % bits for k in damaged}
    # Frame 3 is hit on both wires, a bit in each codeword.
    other = {70 + LATENCY + k * frame + sent: 1 << 8 for k in late_damage}
    wires = [Wire((0, 0), (1, 1), noise=first), Wire((1, 1), (2, 0), noise=other), Wire((1, 0), (0, 1))]
    got = bench.play(wires, 500, tmp_path)
    assert [one.damaged for one in got] == [{0: 0, 1: 0}, {0: 0, 1: len(damaged & passed)}, {0: 0, 1: 0}]
    assert got[1].corrected == {0: 0, 1: len(damaged & taken)}
    assert [one.faults for one in got] == [[], [], []]
    for one, right in zip(got, expected, strict=True):
        assert {key: bytes(vector) for key, vector in one.vectors.items()} == right


def test_superlanes_without_power_send_zero_and_receive_nothing(tmp_path):
    c, (first, second) = WIDE, vectors(WIDE, 2)
    bench, frame = LinkBench(c, 2), frame_words(WIDE)
    bench.issue(0, 0, 40, "TRANSMIT")
    bench.issue(1, 1, 40 + LATENCY, "ALIGN")
    bench.send(0, 0, 60, first, number=0)
    bench.send(0, 0, 60 + frame, second, number=1, mask=1)
    for k in range(2):
        bench.issue(1, 1, 60 + k * frame + LATENCY, "RECEIVE", stream=5, number=k, stride=0)
    _, got = bench.play([Wire((0, 0), (1, 1))], 500, tmp_path)
    assert got.faults == []
    received = got.vectors[1, driven(c, 60 + frame + LATENCY)]
    assert (received[: c.lanes] == second[: c.lanes]).all() and not received[c.lanes :].any()
