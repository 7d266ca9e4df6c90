"""Rules of links: programs of two chips that keep them, and the least change that breaks each."""

from collections.abc import Callable

import pytest

from sw.arch.links import HAC_PERIOD, slack
from sw.arch.system import Link, Port, System
from sw.asm.flow import read_time
from sw.asm.program import Program
from sw.check.program import check
from sw.check.system import check_system
from sw.isa.rows.c2c import least_pause
from tests.systems import CHIP, FRAME, paused, released

LATENCY, PAUSE = 23, least_pause(CHIP)
PAIR = System(CHIP, 2, (Link(Port(0, 3), Port(1, 0), LATENCY), Link(Port(1, 1), Port(0, 0), LATENCY)))


def read(p: Program, cycle: int) -> None:
    """A vector on E3 at the east unit."""
    if not p.segments:
        p.data("E0", 0, [[1, 2, 3]])
    p.at(read_time(CHIP, "MEM_E0", "C2C_E", cycle)).mem("E0").read(0, "E3")


def traffic(a: Program, b: Program) -> None:
    """A mark and a frame to the second chip, which takes it and sends it back before it is all there."""
    a.at(20).port(3).transmit()
    b.at(20 + LATENCY).port(0).align()
    b.at(20).port(1).transmit()
    a.at(20 + LATENCY).port(0).align()
    read(a, 40)
    a.at(40).port(3).send("E3", 9)
    b.at(40 + LATENCY).port(0).receive("E1", 9)
    b.at(40 + LATENCY).port(1).forward(0)
    a.at(40 + 2 * LATENCY).port(0).receive("E1", 9)


def found(change: Callable[[Program, Program], None]) -> set[tuple]:
    a, b = Program(CHIP), Program(CHIP)
    change(a, b)
    findings = check_system(PAIR, [a.image(), b.image()])
    print(*findings, sep="\n")
    return {(one.rule, one.chip, one.queue, one.cycle) for one in findings}


def test_traffic_that_meets_is_accepted():
    assert found(traffic) == set()


def test_what_nobody_takes_is_found():
    def change(a, b):
        traffic(a, b)
        read(a, 60)
        a.at(60).port(3).send("E3", 1)

    assert found(change) == {("link-lost", 0, "C2C_E_SEND1", 60)}


def test_what_goes_nowhere_is_found():
    def change(a, b):
        read(a, 60)
        a.at(60).port(2).send("E3", 1)

    assert found(change) == {("link-lost", 0, "C2C_E_SEND0", 60)}


@pytest.mark.parametrize("method", ["receive", "forward"])
def test_what_meets_nothing_is_found(method):
    def change(a, b):
        traffic(a, b)
        cycle = 60 + LATENCY
        b.at(cycle).port(0).receive("E1", 0) if method == "receive" else b.at(cycle).port(0).forward(0)

    queue = {"receive": "C2C_W_RECEIVE0", "forward": "C2C_W_SEND0"}[method]
    assert found(change) == {("link-meet", 1, queue, 60 + LATENCY)}


def test_a_frame_is_no_mark():
    def change(a, b):
        traffic(a, b)
        read(a, 60)
        a.at(60).port(3).send("E3", 1)
        b.at(60 + LATENCY).port(0).align()

    assert found(change) == {("link-meet", 1, "C2C_W_RECEIVE0", 60 + LATENCY)}


def test_another_number_is_found():
    def change(a, b):
        traffic(a, b)
        read(a, 60)
        a.at(60).port(3).send("E3", 1)
        b.at(60 + LATENCY).port(0).receive("E1", 2)

    assert found(change) == {("link-number", 1, "C2C_W_RECEIVE0", 60 + LATENCY)}


def broken(change: Callable[[Program], None]) -> set[tuple]:
    p = Program(CHIP)
    change(p)
    return {(one.rule, one.queue, one.cycle) for one in check(p.image())}


@pytest.mark.parametrize(("apart", "rules"), [(FRAME, set()), (FRAME - 1, {("link-busy", "C2C_E_SEND1", 39 + FRAME)})])
def test_a_frame_takes_its_words(apart, rules):
    def change(p):
        for cycle in (40, 40 + apart):
            read(p, cycle)
            p.at(cycle).port(3).send("E3", 0)

    assert broken(change) == rules


def test_a_mark_takes_one_word():
    def change(p):
        read(p, 40)
        p.at(39).port(3).transmit()
        p.at(40).port(3).send("E3", 0)

    assert broken(change) == set()


def test_a_port_is_aligned_before_it_is_used():
    def change(p):
        p.at(40).port(1).align()
        p.at(40).port(0).receive("E1", 0)
        p.at(41).port(0).forward(1)

    assert broken(change) == {("link-align", "C2C_W_RECEIVE0", 40)}


@pytest.mark.parametrize("late", [0, 1])
def test_a_program_runs_no_longer_than_clocks_keep_together(late):
    last = 40 + CHIP.c2c.stretch - FRAME + late

    def change(p):
        p.at(40).port(1).align()
        p.at(last).port(1).receive("E1", 0)

    assert broken(change) == ({("link-stretch", "C2C_W_RECEIVE1", last)} if late else set())


@pytest.mark.parametrize(("at", "good"), [(99, True), (100, False), (99 + PAUSE, False), (100 + PAUSE, True)])
def test_nothing_issues_while_clocks_are_put_right(at, good):
    def change(p):
        queue = p.at(at).port(3).transmit().queue.name
        assert paused(p, 0, 100, PAUSE, besides=queue) == 100 + PAUSE

    assert broken(change) == (set() if good else {("link-pause", "C2C_E_SEND1", at)})


def test_nothing_issues_before_chips_have_begun_together():
    def change(p):
        queue = p.at(0).port(1).align().queue.name
        released(p, 0, False, besides=queue)

    assert broken(change) == {("link-pause", "C2C_W_RECEIVE1", 0)}


@pytest.mark.parametrize("aligned", [False, True])
def test_a_port_is_aligned_again_when_clocks_have_been_put_right(aligned):
    def change(p):
        p.at(40).port(1).align()
        begin = paused(p, 0, 100, PAUSE)
        if aligned:
            p.at(begin).port(1).align()
        p.at(begin + 9).port(1).receive("E1", 0)

    assert broken(change) == (set() if aligned else {("link-align", "C2C_W_RECEIVE1", 109 + PAUSE)})


@pytest.mark.parametrize("aligned", [False, True])
def test_a_sender_that_puts_its_clock_right_sends_a_mark_again(aligned):
    def change(a, b):
        traffic(a, b)
        begin = paused(a, 0, 200, PAUSE)
        if aligned:
            a.at(begin).port(3).transmit()
            b.at(begin + LATENCY).port(0).align()
        read(a, begin + 20)
        a.at(begin + 20).port(3).send("E3", 1)
        b.at(begin + 20 + LATENCY).port(0).receive("E1", 1)

    assert found(change) == (set() if aligned else {("link-align", 0, "C2C_E_SEND1", 220 + PAUSE)})


@pytest.mark.parametrize("after", [0, slack(CHIP) - 1, slack(CHIP), HAC_PERIOD - 1])
def test_a_mark_comes_clear_of_the_overflow(after):
    """The mark of the root comes `after` cycles behind an overflow of its HAC."""

    def change(a, b):
        released(a, 0, False)
        released(b, 0, True)
        # Queues go on d_func behind DESKEW, and both chips' take as long.
        a.at(HAC_PERIOD + after - LATENCY).port(3).transmit()

    assert found(change) == ({("link-deskew", 1, "C2C_W_RECEIVE0", 0)} if after < slack(CHIP) else set())


def test_deskew_that_waits_for_ever_is_found():
    def change(a, b):
        released(a, 0, False)
        released(b, 0, True)

    assert found(change) == {("link-deskew", 1, "C2C_W_RECEIVE0", 0)}
