"""Links that fail a pair of chips on the RTL: faults say what was lost, and a run that is done again has the right answer."""

from collections.abc import Collection, Mapping
from contextlib import contextmanager

import numpy as np
import pytest

from sw.asm.flow import arrival
from sw.asm.image import Image
from sw.machine import MachineError
from tb.system import NOISE_WORDS
from tests.systems import FRAME, begun, programs, stream, vectors
from tests.tb.linked import LATENCY, LINKS, loaded

COUNT, EVERY = 40, 20
FIRST, SECOND = vectors(2 * COUNT)[:COUNT], vectors(2 * COUNT)[COUNT:]
LIMIT = 5_000


def images() -> list[Image]:
    """Chip 1 keeps what it has in `old`, while chip 0 begins to send it something new."""
    a, b = programs(2)
    first, then = begun(a, b, LATENCY)
    stream(a, b, first, then, COUNT, EVERY, "E1", "W1")
    b.data("W1", 0, np.zeros_like(FIRST))
    b.output("old", "E0", 0, COUNT)
    entry = b.at(then - 55).mem("W1").read(0, "E4", stride=1).repeat(COUNT - 1)
    b.at(arrival(entry, "MEM_E0")).mem("E0").write(0, "E4", stride=1).repeat(COUNT - 1)
    return [a.image(), b.image()]


@contextmanager
def pair(folder, noise: Mapping[int, int] | None = None, lost: Collection[int] = ()):
    """Both chips, with the first vectors to send."""
    with loaded(images(), folder, noise or {}, lost) as rtl:
        rtl.chips[0].write("E1", 0, FIRST)
        yield rtl


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Cycles of the sender in the middle of the first and of the second run, and how runs end, when nothing is wrong."""
    middles = []
    with pair(tmp_path_factory.mktemp("clean")) as rtl:
        for data, before in ((FIRST, np.zeros_like(FIRST)), (SECOND, FIRST)):
            rtl.chips[0].write("E1", 0, data)
            runs = rtl.run(limit=LIMIT)
            assert [run.fault for run in runs] == [None, None] and rtl.failures == ()
            # Frames go for most of the run, to its very end.
            middles.append(rtl.cycle - COUNT * EVERY // 2 - 100)
            assert (rtl.chips[1].read("W1", 0, COUNT) == data).all()
            assert (rtl.chips[1].read("old", 0, COUNT) == before).all()
    return *middles, runs


def burst(at: int) -> dict[int, int]:
    """Two wrong bytes of one codeword in every word of one frame, whenever it comes."""
    return dict.fromkeys(range(at, at + EVERY), 0x00010001)


def test_a_fault_names_link_frame_and_cycle(clean, tmp_path):
    with pair(tmp_path, burst(clean[0])) as rtl:
        receiver = rtl.run(limit=LIMIT)[1]
    struck = receiver.fault.struck
    assert (receiver.fault.kind, receiver.fault.queue, struck.op, struck.port) == ("LINK_FRAME", "C2C_W_RECEIVE0", "RECEIVE", 0)
    a, b = programs(2)
    _, then = begun(a, b, LATENCY)
    assert 5 < struck.frame < COUNT - 5 and struck.order == struck.frame
    assert struck.cycle == then + struck.frame * EVERY
    assert str(receiver.fault) == (
        f"Fault: LINK_FRAME in C2C_W, queue C2C_W_RECEIVE0, cycle {receiver.fault.cycle}, frame {struck.frame} of the link "
        f"from port 3 of chip 0 to port 0 of chip 1, for RECEIVE {struck.order} of the queue in cycle {struck.cycle}."
    )


def test_a_burst_is_gone_when_the_run_is_done_again(clean, tmp_path):
    with pair(tmp_path, burst(clean[0])) as rtl:
        assert rtl.run(limit=LIMIT, replay=3) == clean[2]
        assert [one.fault.kind for one in rtl.failures] == ["LINK_FRAME"]
        assert (rtl.chips[1].read("W1", 0, COUNT) == FIRST).all()
        assert not rtl.chips[1].read("old", 0, COUNT).any()


def test_what_was_done_before_is_done_again_too(clean, tmp_path):
    """The second run keeps what the first has brought, so it has the right answer only behind the first one."""
    with pair(tmp_path, burst(clean[1])) as rtl:
        for data, tries in ((FIRST, 0), (SECOND, 1)):
            rtl.chips[0].write("E1", 0, data)
            assert rtl.run(limit=LIMIT, replay=3) == clean[2]
            assert [one.fault.kind for one in rtl.failures] == ["LINK_FRAME"] * tries
        assert (rtl.chips[1].read("W1", 0, COUNT) == SECOND).all()
        assert (rtl.chips[1].read("old", 0, COUNT) == FIRST).all()


def test_a_link_that_is_dead_at_start_comes_back(tmp_path):
    with pair(tmp_path, lost=range(20_000)) as rtl:
        runs = rtl.run(limit=LIMIT, replay=5)
        assert [run.fault for run in runs] == [None, None]
        assert 1 <= len(rtl.failures) <= 5
        assert {str(one) for one in rtl.failures} == {
            "Chip 1: DESKEW waits for the mark of the link from port 3 of chip 0 to port 0 of chip 1, which has not come."
        }
        assert (rtl.chips[1].read("W1", 0, COUNT) == FIRST).all()


def test_a_link_that_dies_on_the_way_comes_back(clean, tmp_path):
    with pair(tmp_path, lost=range(clean[0], clean[0] + 200)) as rtl:
        assert rtl.run(limit=LIMIT, replay=3) == clean[2]
        assert rtl.failures[0].fault.kind == "LINK_UNDERRUN"
        struck = rtl.failures[0].fault.struck
        assert struck.op == "RECEIVE" and 5 < struck.frame < COUNT - 5
        assert (rtl.chips[1].read("W1", 0, COUNT) == FIRST).all()


@pytest.mark.parametrize("words", [1, 3])
def test_lost_words_are_found_and_brought_again(words, clean, tmp_path):
    with pair(tmp_path, lost=range(clean[0], clean[0] + words)) as rtl:
        assert rtl.run(limit=LIMIT, replay=3) == clean[2]
        assert len(rtl.failures) == 1
        assert (rtl.chips[1].read("W1", 0, COUNT) == FIRST).all()


def test_a_link_that_stays_dead_is_told_with_all_tries(clean, tmp_path):
    with pair(tmp_path, lost=range(clean[0], NOISE_WORDS)) as rtl:
        with pytest.raises(MachineError) as error:
            rtl.run(limit=LIMIT, replay=2)
        text = str(error.value)
        assert text.startswith("A link failed in 3 tries, each of which failed: Chip 1: Fault: LINK_UNDERRUN in C2C_W")
        assert text.count("the link from port 3 of chip 0 to port 0 of chip 1") == 3
        assert text.count("DESKEW waits") == 2


def test_corrected_bytes_are_counted_by_link(clean, tmp_path):
    # A bit in one word of every frame that goes in 400 cycles.
    noise = dict.fromkeys(range(clean[0] - 200, clean[0] + 200, FRAME), 1 << 9)
    with pair(tmp_path, noise) as rtl:
        assert rtl.run(limit=LIMIT) == clean[2]
        counts = rtl.counts()
        assert counts[LINKS[0]].corrected == 400 // EVERY and counts[LINKS[0]].damaged == 0
        assert counts[LINKS[1]].corrected == 0
        assert (rtl.chips[1].read("W1", 0, COUNT) == FIRST).all()
