"""The performance counters of a chip: what every queue did in the last run."""

import pytest

from sw.asm.image import Image
from sw.asm.program import Program
from sw.asm.timeline import timeline
from sw.isa.codec import make
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.programs.generate import random_program
from tests.programs.probes_control import mark, words
from tests.tb.consumers import CONSUMERS
from tests.tb.spoiled import CONFIG, spoiled_chip

SEED = 3


@pytest.fixture(scope="module")
def rtl(tmp_path_factory):
    with CocotbMachine(CONFIG, build_chip(CONFIG), tmp_path_factory.mktemp("rtl")) as machine:
        yield machine


def busy(image: Image) -> dict[str, int]:
    """Cycles of one iteration in which each queue gives its unit a word."""
    schedule = timeline(image)
    found = dict.fromkeys(schedule.halts, 0)
    for burst in schedule.bursts:
        if burst.word[0].instr.cls != "ICU":
            found[burst.queue.name] += burst.count
    return found


@pytest.mark.parametrize("iterations", [1, 3])
def test_every_queue_counts_its_words_anew_in_every_run(rtl, iterations):
    print(f"seed {SEED}")
    image = random_program(CONFIG, SEED, 60).image()
    once = busy(image)
    assert sum(count > 0 for count in once.values()) > len(once) // 2
    rtl.load(image)
    for _ in range(2):
        assert rtl.run(iterations).fault is None
        for queue, count in once.items():
            found = rtl.counters(queue)
            assert (found.busy, found.corrected) == (iterations * count, 0), queue


def test_waiting_and_control_words_are_not_busy(rtl):
    ops = [mark(1), make("NOP", n=50), make("CONFIG", mask=1), mark(2), make("REPEAT", n=4, gap=7), make("HALT")]
    rtl.load(words(CONFIG, VXM1=ops))
    assert rtl.run().fault is None
    assert [rtl.counters(f"VXM{k}").busy for k in range(3)] == [0, 6, 0]


def test_corrections_are_counted_where_they_were_made(tmp_path):
    """One wrong bit; that of program text is counted for the chip alone."""
    with CocotbMachine(CONFIG, spoiled_chip(), tmp_path) as rtl:
        for consumer in CONSUMERS:
            program = Program(CONFIG)
            mine = consumer(program, "data bit").queue.name
            before = rtl.register("CORRECTED")
            rtl.load(program.image())
            assert rtl.run().fault is None
            found = {queue.name: rtl.counters(queue.name).corrected for queue in program.floorplan.queues}
            expected = {} if consumer.__name__.startswith("program_text") else {mine: 1}
            assert {name: count for name, count in found.items() if count} == expected, consumer.__name__
            assert rtl.register("CORRECTED") == before + 1, consumer.__name__
