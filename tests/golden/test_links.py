"""Chips joined by links on the golden model: frames arrive when the contract says, by every way."""

import numpy as np
import pytest

from sw.arch.config import ConfigError
from sw.arch.links import HAC_PERIOD
from sw.arch.system import Link, Port, System, cables
from sw.asm.flow import arrival
from sw.asm.program import Program
from sw.golden.chip import GoldenSystem
from sw.golden.error import GoldenError
from sw.isa.table import instruction
from tests.systems import CHIP, FRAME, programs, receive, released, ring_ends, send, vectors

LATENCY = 23


def run(chips: list[Program], links: tuple[Link, ...]) -> GoldenSystem:
    system = GoldenSystem(System(CHIP, len(chips), links))
    for chip, program in zip(system.chips, chips, strict=True):
        chip.load(program.image())
    system.run()
    return system


def ring(count: int) -> tuple[Link, ...]:
    """Every chip's last port to the next chip's first."""
    return cables(ring_ends(count), LATENCY)


@pytest.mark.parametrize(("source", "target"), [(0, 3), (3, 0), (1, 1), (2, 1)])
def test_vectors_go_from_chip_to_chip_back_to_back(source, target):
    a, b = programs(2)
    data = vectors(4)
    a.at(20).port(source).transmit()
    send(a, source, 40, data, number=7)
    b.at(20 + LATENCY).port(target).align()
    receive(b, target, 40 + LATENCY, 4, number=7)
    system = run([a, b], (Link(Port(0, source), Port(1, target), LATENCY),))
    assert (system.chips[1].read("y", 0, 4) == data).all()


def test_a_frame_is_passed_on_before_it_has_come():
    a, b, c = programs(3)
    data = vectors(1)
    links = (Link(Port(0, 2), Port(1, 0), LATENCY), Link(Port(1, 1), Port(2, 0), LATENCY + 4))
    a.at(20).port(2).transmit()
    b.at(20).port(1).transmit()
    b.at(20 + LATENCY).port(0).align()
    c.at(20 + LATENCY + 4).port(0).align()
    send(a, 2, 50, data)
    b.at(50 + LATENCY).port(1).forward(0)
    receive(c, 0, 50 + 2 * LATENCY + 4, 1)
    assert (run([a, b, c], links).chips[2].read("y", 0, 1) == data).all()


def test_what_comes_round_a_ring_has_been_everywhere():
    """Each chip adds its own number to what comes by, so no chip's program can be evaluated before another's."""
    chips, data = programs(3), vectors(1)
    for p in chips:
        p.at(1).port(3).transmit()
        p.at(1 + LATENCY).port(0).align()
    send(chips[0], 3, 60, data)
    comes = 60 + LATENCY
    for k in (1, 2):
        got = chips[k].at(comes).port(0).receive("E5", 0)
        operand = arrival(got, "VXM")
        issue = operand - instruction("ADD").timing(CHIP, {"dtype": 0}).d_skew
        added = chips[k].at(issue).vxm(0).add("int8", "E5", k, dst="E3")
        sent = arrival(added, "C2C_E")
        chips[k].at(sent).port(3).send("E3", 0)
        comes = sent + LATENCY
    receive(chips[0], 0, comes, 1)
    system = run(chips, ring(3))
    assert (system.chips[0].read("y", 0, 1) == data + np.uint8(3)).all()


@pytest.mark.parametrize("late", [-1, 1])
def test_a_frame_is_met_in_its_cycle_or_not_at_all(late):
    a, b = programs(2)
    a.at(20).port(3).transmit()
    b.at(20 + LATENCY).port(0).align()
    send(a, 3, 40, vectors(1))
    receive(b, 0, 40 + LATENCY + late, 1)
    with pytest.raises(GoldenError, match=r"RECEIVE of queue C2C_W_RECEIVE0 at cycle 6\d of chip 1 meets nothing"):
        run([a, b], ring(2))


def test_what_is_not_joined_is_told():
    a, b = programs(2)
    b.at(30).port(1).align()
    with pytest.raises(GoldenError, match="ALIGN .* of chip 1 finds no link at port 1 of chip 1"):
        run([a, b], ring(2))


def test_the_number_of_a_frame_is_compared():
    a, b = programs(2)
    a.at(20).port(3).transmit()
    b.at(20 + LATENCY).port(0).align()
    send(a, 3, 40, vectors(1), number=4)
    receive(b, 0, 40 + LATENCY, 1, number=5)
    with pytest.raises(GoldenError, match="expects frame 5, SEND of queue C2C_E_SEND1 at cycle 40 of chip 0 sent 4"):
        run([a, b], ring(2))


def test_a_port_sends_one_frame_at_a_time():
    a, b = programs(2)
    send(a, 3, 40, vectors(1))
    a.at(40 + FRAME - 1).port(3).transmit()
    with pytest.raises(GoldenError, match="TRANSMIT .* comes while its port still sends"):
        run([a, b], ring(2))


def test_frames_come_only_to_aligned_ports():
    a, b = programs(2)
    send(a, 3, 40, vectors(1))
    receive(b, 0, 40 + LATENCY, 1)
    with pytest.raises(GoldenError, match="before any ALIGN"):
        run([a, b], ring(2))


@pytest.mark.parametrize("latency", [LATENCY, HAC_PERIOD - 40, HAC_PERIOD + 30])
def test_a_chip_that_waits_for_a_mark_begins_at_the_next_overflow(latency):
    """The root begins at 0 of system time; its mark lets the other begin at the next multiple of the period."""
    a, b = programs(2)
    root, other = released(a, 0, False), released(b, 0, True)
    a.at(root + 2).port(3).transmit()
    later = HAC_PERIOD * ((2 + latency) // HAC_PERIOD + 1)
    a.at(root + later + 5).port(3).transmit()
    send(a, 3, root + later + 60, data := vectors(2))
    b.at(other + 5 + latency).port(0).align()
    receive(b, 0, other + 60 + latency, 2)
    system = run([a, b], (Link(Port(0, 3), Port(1, 0), latency),))
    assert (system.chips[1].read("y", 0, 2) == data).all()


def test_chips_that_all_wait_never_begin():
    a, b = programs(2)
    for p in (a, b):
        released(p, 0, True)
    with pytest.raises(GoldenError, match="DESKEW of chip 0 waits for a mark that does not come"):
        run([a, b], ring(2))


@pytest.mark.parametrize(
    ("links", "sentence"),
    [
        ((Link(Port(0, 4), Port(1, 0), 9),), "names port 4 of chip 0, a chip of 'linked' has 4 ports"),
        ((Link(Port(0, 3), Port(2, 0), 9),), "names port 0 of chip 2, the system has chips 0 to 1"),
        ((Link(Port(0, 3), Port(1, 0), 0),), "has a latency of 0"),
        ((Link(Port(0, 3), Port(1, 0), 9), Link(Port(0, 3), Port(1, 1), 9)), "Two links begin at the same port"),
    ],
)
def test_links_that_cannot_be_are_refused(links, sentence):
    with pytest.raises(ConfigError, match=sentence):
        System(CHIP, 2, links)
