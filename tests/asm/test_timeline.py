"""Timelines against examples that were worked by hand."""

import pytest

from sw.arch.config import load
from sw.asm.entry import ProgramError
from sw.asm.image import Image, Segment
from sw.asm.program import Program
from sw.asm.timeline import TimelineError, timeline
from sw.isa.codec import encode, make
from tests.asm.issues import issues

TINY = load("tiny")
#: Cycles from the issue of IFETCH to the first issue of what it brings, and from NOTIFY to the release.
FETCH = make("IFETCH").timing(TINY).d_func
LANDS = make("NOTIFY").timing(TINY).d_func


def boot(queue, *ops):
    """An image of one queue whose boot words hold these instructions, one a word."""
    cls = Program(TINY).queue(queue).cls
    return Image(TINY, {queue: tuple(encode((op,), cls, TINY) for op in ops)})


def test_words_take_the_cycles_that_the_contract_says():
    image = boot(
        "MEM_E0",
        make("NOP", n=4),
        make("READ", addr=1, stride=3),
        make("REPEAT", n=2, gap=5),
        make("READ", addr=9),
        make("NOTIFY"),
        make("CONFIG", mask=1),
        make("WRITE", addr=40),
        make("HALT"),
    )
    assert issues(image, "MEM_E0") == [
        ("READ", 4),
        ("READ", 9),
        ("READ", 14),
        ("READ", 15),
        ("NOTIFY", 16),
        ("CONFIG", 17),
        ("WRITE", 18),
        ("HALT", 19),
    ]
    run = timeline(image)
    assert (run.cycles, run.halts["MEM_E0"], run.halts["VXM0"]) == (20, 19, 0)
    masks = {b.word[0].instr.name: b.mask for b in run.bursts if b.queue.name == "MEM_E0"}
    assert (masks["READ"], masks["CONFIG"], masks["WRITE"], masks["HALT"]) == (3, 3, 1, 1)


def test_notify_releases_who_is_parked_when_it_lands():
    program = Program(TINY)
    program.at(10).vxm(0).notify()
    program.at(2).vxm(1).sync()
    program.at(9 + LANDS).vxm(2).sync()
    program.at(15 + LANDS).vxm(2).mov("int8", "E0", "E1")
    program.at(40).vxm(0).notify()
    program.at(10 + LANDS).vxm(3).sync()
    image = program.image()
    assert issues(image, "VXM1") == [("SYNC", 2), ("HALT", 10 + LANDS)]
    assert issues(image, "VXM2") == [("SYNC", 9 + LANDS), ("MOV", 15 + LANDS), ("HALT", 16 + LANDS)]
    # It parks in the very cycle in which the first one lands, and so waits for the second.
    assert issues(image, "VXM3") == [("SYNC", 10 + LANDS), ("HALT", 40 + LANDS)]


def test_a_repeated_notify_lands_more_than_once():
    program = Program(TINY)
    program.at(0).vxm(0).notify().repeat(2, 10)
    program.at(3).vxm(1).sync()
    program.at(LANDS + 5).vxm(1).sync()
    assert issues(program.image(), "VXM1") == [("SYNC", 3), ("SYNC", LANDS + 5), ("HALT", LANDS + 10)]


def test_a_queue_that_nobody_releases_is_refused():
    program = Program(TINY)
    program.at(1 + LANDS).vxm(1).sync()
    program.at(1).vxm(0).notify()
    with pytest.raises(ProgramError, match=f"VXM1 is parked by SYNC at cycle {1 + LANDS} for ever"):
        program.image()
    with pytest.raises(TimelineError, match="VXM1 at cycle 0 is parked by SYNC for ever"):
        timeline(boot("VXM1", make("SYNC"), make("HALT")))


def test_a_word_of_a_parked_queue_is_refused():
    program = Program(TINY)
    program.at(1).vxm(0).notify()
    program.at(2).vxm(1).sync()
    program.at(LANDS).vxm(1).mov("int8", "E0", "E1")
    with pytest.raises(
        ProgramError, match=f"VXM1 is busy with SYNC of cycle 2 until cycle {LANDS}, MOV.*{LANDS}"
    ):
        program.image()


def fetching(boot=5, read=3, second=8, mov=40, more=()):
    """VXM0 fetches a MOV and a HALT: tiny brings one word a fetch, from slices one stop east."""
    program = Program(TINY)
    program.at(read).mem("E0").read(6, "W0")
    program.at(read).mem("E1").read(7, "W1")
    program.at(second).mem("E0").read(8, "W0")
    program.at(second).mem("E1").read(9, "W1")
    program.at(5).vxm(0).ifetch("W0")
    program.at(10).vxm(0).ifetch("W0")
    program.at(mov).vxm(0).mov("int8", "E4", "E5")
    program.text("VXM0", boot, [(("E0", 6), ("E1", 7)), (("E0", 8), ("E1", 9)), *more])
    return program


def test_fetched_words_issue_in_their_cycles():
    image = fetching().image()
    assert len(image.boot["VXM0"]) == 5
    assert issues(image, "VXM0") == [("IFETCH", 5), ("IFETCH", 10), ("MOV", 40), ("HALT", 41)]


def test_text_lies_in_the_documented_byte_order():
    # tiny: superlane 0 gives word bytes 0-3 on the low stream, 4-7 on the high one, superlane 1 bytes 8-15.
    image = fetching().image()
    number = encode((make("MOV", a=4, out=1, dst=5),), "VXM", TINY).to_bytes(16, "little")
    low, high = (next(s for s in image.memory if s.addr == addr) for addr in (6, 7))
    assert (low.text, high.text) == (True, True)
    assert bytes(low.data[0]) == number[0:4] + number[8:12]
    assert bytes(high.data[0]) == number[4:8] + number[12:16]


@pytest.mark.parametrize("preset, fetches", [("tiny", 3), ("fpga", 3), ("small", 1), ("full", 1)])
def test_every_preset_fetches_whole_words(preset, fetches):
    program = Program(load(preset))
    rows = []
    for k in range(fetches):
        at = 200 * k
        program.at(at + 3).mem("E0").read(k, "W0")
        program.at(at + 3).mem("E1").read(k, "W1")
        program.at(at + 5).vxm(0).ifetch("W0")
        rows.append((("E0", k), ("E1", k)))
    program.at(900).vxm(0).mov("int8", "E4", "E5").repeat(3, 7)
    program.text("VXM0", 2 * fetches + 1, rows)
    run = timeline(program.image())
    last = [(b.word[0].instr.name, b.start, b.count, b.gap) for b in run.bursts if b.queue.name == "VXM0"][
        -2:
    ]
    assert last == [("MOV", 900, 4, 7), ("HALT", 922, 1, 1)]


def test_underrun_is_refused():
    with pytest.raises(
        TimelineError, match=f"VXM0 at cycle 11 runs dry, word 4 .* from cycle {5 + FETCH} on"
    ):
        timeline(fetching(boot=4, more=[(("E0", 10), ("E1", 11))]).image())
    # The HALT, fetched at cycle 10, may issue from 10 + FETCH on.
    assert issues(fetching(mov=9 + FETCH).image(), "VXM0")[-1] == ("HALT", 10 + FETCH)
    with pytest.raises(TimelineError, match=f"VXM0 at cycle {9 + FETCH} runs dry, word 6 .* {10 + FETCH} on"):
        timeline(fetching(mov=8 + FETCH).image())


def test_a_queue_without_a_halt_is_refused():
    with pytest.raises(TimelineError, match="VXM0 at cycle 7 runs dry"):
        timeline(boot("VXM0", make("NOP", n=7)))


def test_a_fetch_needs_text_on_its_streams():
    with pytest.raises(
        TimelineError, match="VXM0 at cycle 5 fetches no program text: nobody drives W0.*cycle 5"
    ):
        timeline(fetching(read=2).image())
    image = fetching().image()
    plain = tuple(Segment(s.slice, s.addr, s.data, text=False) for s in image.memory)
    with pytest.raises(TimelineError, match="READ of MEM_E0 from word 6, which is not program text"):
        timeline(Image(TINY, image.boot, plain))


def test_a_later_driver_hides_the_text():
    program = fetching()
    # MEM_E2 stands further east and drives first, MEM_E0 overwrites it: the fetch still finds its text.
    program.at(2).mem("E2").read(1, "W0")
    assert issues(program.image(), "VXM0")[2] == ("MOV", 40)
    # Text from MEM_E2 on W2, W3 that MEM_E0 overwrites with data is no text any more.
    program = Program(TINY)
    program.at(2).mem("E2").read(6, "W0")
    program.at(2).mem("E3").read(7, "W1")
    program.at(3).mem("E0").read(1, "W0")
    program.at(5).vxm(0).ifetch("W0")
    program.text("VXM0", 3, [(("E2", 6), ("E3", 7))])
    with pytest.raises(TimelineError, match="READ of MEM_E0 from word 1, which is not program text"):
        timeline(program.image())


def test_ring_overflow_is_refused():
    # 63 boot words of 64 leave one place: the second fetch finds it taken.
    words = [make("NOP", n=1)] * 58
    ops = [make("IFETCH", stream=16), make("NOP", n=4), make("IFETCH", stream=16), make("NOP", n=30)]
    program = Program(TINY)
    for t in (56, 61):
        program.at(t).mem("E0").read(6, "W0")
        program.at(t).mem("E1").read(7, "W1")
    image = program.image()
    numbers = [encode((op,), "VXM", TINY) for op in (*words, *ops)]
    text = fetching().image().memory
    for extra, sentence in (
        (1, "brings 1 words, 1 wait in a ring of 1"),
        (2, "brings 1 words, 0 wait in a ring of 0"),
    ):
        boot_words = (*numbers, *numbers[:extra])
        with pytest.raises(TimelineError, match=sentence):
            timeline(Image(TINY, {**image.boot, "VXM0": boot_words}, text))


def test_repeat_needs_a_word_before_it():
    with pytest.raises(TimelineError, match="VXM0 at cycle 3 has a REPEAT"):
        timeline(boot("VXM0", make("NOP", n=3), make("REPEAT", n=1, gap=1), make("HALT")))


def test_a_strided_copy_stays_in_range():
    image = boot("MEM_E0", make("READ", addr=60, stride=2), make("REPEAT", n=2, gap=1), make("HALT"))
    with pytest.raises(TimelineError, match="MEM_E0 at cycle 0.*addr is 64"):
        timeline(image)


def test_a_fetch_of_two_beats_takes_two_cycles_of_its_streams():
    # 4 lanes in one superlane: a beat of two streams is half a word.
    narrow = TINY.replace(name="narrow", superlanes=1)
    program = Program(narrow)
    program.at(3).mem("E0").read(6, "W0", stride=1).repeat(1)
    program.at(3).mem("E1").read(6, "W1", stride=1).repeat(1)
    program.at(5).vxm(0).ifetch("W0")
    program.at(60).vxm(0).halt()
    program.text("VXM0", 3, [(("E0", 6), ("E1", 6)), (("E0", 7), ("E1", 7))])
    run = timeline(program.image())
    assert run.halts["VXM0"] == 60
    assert run.texts == {"VXM0": (((4, 6), (5, 6)), ((4, 7), (5, 7)))}
    with pytest.raises(ProgramError, match="VXM1 has 1 pairs of rows, a fetch takes 2"):
        program.text("VXM1", 3, [(("E0", 6), ("E1", 6))])


def test_text_needs_all_superlanes():
    program = fetching()
    program.at(0).vxm(0).config(1)
    program.texts.clear()
    with pytest.raises(TimelineError, match="VXM0 at cycle 5 .* superlanes are without power"):
        timeline(Image(TINY, program.image().boot, fetching().image().memory))
    program = fetching()
    program.at(0).mem("E1").config(2)
    with pytest.raises(TimelineError, match="READ of MEM_E1, which is without power in some superlanes"):
        timeline(program.image())


def test_text_comes_by_read():
    program = Program(TINY)
    program.at(2).vxm(3).mov("int8", "E0", "E0")
    # The plane stands 4 stops east of the vector unit.
    arrives = 2 + make("MOV", out=1).timing(TINY).d_func + 4 - 1
    program.at(arrives).queue("MXM_E0_A").ifetch("E0")
    with pytest.raises(TimelineError, match="carries MOV of VXM3, program text comes by READ"):
        timeline(program.image())
