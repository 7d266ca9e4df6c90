"""Frames that a chip passes on, on the RTL: the link that damages them is named, whoever finds it."""

import pytest

from sw.asm.flow import arrival
from tests.systems import FRAME, begun, programs, stream, vectors
from tests.tb.linked import LATENCY, LINKS, loaded

COUNT, EVERY = 40, 20
LIMIT = 5_000
DATA = vectors(COUNT)


def images():
    """Chip 1 takes what chip 0 sends, and passes it on by the same port, back to chip 0."""
    a, b = programs(2)
    first, then = begun(a, b, LATENCY)
    stream(a, b, first, then, COUNT, EVERY, "E1", "W1")
    b.at(then - 50).port(0).transmit()
    b.at(then).port(0).forward(0).repeat(COUNT - 1, EVERY)
    back = first + 2 * LATENCY
    a.at(back - 50).port(3).align()
    taken = a.at(back).port(3).receive("W5", 0, stride=1)
    a.output("back", "W1", 0, COUNT)
    write = a.at(arrival(taken, "MEM_W1")).mem("W1").write(0, "W5", stride=1)
    for entry in (taken, write):
        entry.repeat(COUNT - 1, EVERY)
    return [a.image(), b.image()]


@pytest.fixture(scope="module")
def middle(tmp_path_factory):
    """A cycle of the sender in the middle of the frames, and how chips' runs end when nothing is wrong."""
    with loaded(images(), tmp_path_factory.mktemp("clean"), {}) as rtl:
        rtl.chips[0].write("E1", 0, DATA)
        runs = rtl.run(limit=LIMIT)
        assert [run.fault for run in runs] == [None, None]
        found = rtl.cycle - COUNT * EVERY // 2 - 100
        assert (rtl.chips[0].read("back", 0, COUNT) == DATA).all()
        assert {(one.corrected, one.damaged) for one in rtl.counts().values()} == {(0, 0)}
    return found, runs


def test_corrected_at_both_ends_and_counted_between(middle, tmp_path):
    at, runs = middle
    with loaded(images(), tmp_path, dict.fromkeys(range(at - 100, at + 100, FRAME), 4)) as rtl:
        rtl.chips[0].write("E1", 0, DATA)
        # Noise is over in the second run, which counts anew.
        for hit in (200 // EVERY, 0):
            assert rtl.run(limit=LIMIT) == runs
            first, second = (rtl.counts()[link] for link in LINKS)
            assert (first.corrected, first.damaged) == (hit, hit)
            assert (second.corrected, second.damaged) == (hit, 0)
            assert (rtl.chips[0].read("back", 0, COUNT) == DATA).all()
            assert (rtl.chips[1].read("W1", 0, COUNT) == DATA).all()


def test_what_dies_before_it_is_passed_on_is_a_fault_there(middle, tmp_path):
    at, runs = middle
    with loaded(images(), tmp_path, {}, range(at, at + 100)) as rtl:
        rtl.chips[0].write("E1", 0, DATA)
        assert rtl.run(limit=LIMIT, replay=2) == runs
        (failure,) = rtl.failures
        assert (failure.chip, failure.fault.kind, failure.fault.queue) == (1, "LINK_UNDERRUN", "C2C_W_SEND0")
        assert failure.fault.struck.op == "FORWARD" and 5 < failure.fault.struck.order < COUNT - 5
        assert "a frame to pass on of the link from port 3 of chip 0 to port 0 of chip 1" in str(failure)
        assert (rtl.chips[0].read("back", 0, COUNT) == DATA).all()
