"""Arithmetic of arrival: what it predicts is what the golden chip finds there."""

import numpy as np
import pytest

from sw.asm.entry import ProgramError
from sw.asm.flow import arrival, chained, read_time
from sw.asm.operands import PREV
from sw.golden.chip import GoldenMachine

WORD = np.arange(1, 5, dtype=np.uint8)


def result(program, addr):
    """The first bytes of a word of slice E0, after a run."""
    program.output("result", "E0", addr)
    machine = GoldenMachine(program.config)
    machine.load(program.image())
    machine.run()
    return machine.read("result", 0, 1)[0, : len(WORD)]


def test_a_read_arrives_when_it_says(program):
    program.data("W0", 3, WORD)
    read = program.at(5).mem("W0").read(3, "E1")
    program.at(arrival(read, "MEM_E0")).mem("E0").write(7, "E1")
    assert (result(program, 7) == WORD).all()


def test_a_read_meets_a_given_cycle_and_a_chain_costs_what_it_says(program):
    program.data("W0", 3, WORD)
    program.at(read_time(program.config, "MEM_W0", "VXM", 30)).mem("W0").read(3, "E1")
    first = program.at(30).vxm(0).add("int8", "E1", 10)
    second = program.at(chained(first)).vxm(1).convert("int8", "int32", PREV, dst="SG4_E[1]")
    program.at(arrival(second, "MEM_E0")).mem("E0").write(7, "E4")
    assert (result(program, 7) == WORD + 10).all()


def test_what_never_comes_is_refused(program):
    read = program.at(5).mem("W0").read(3, "E1")
    with pytest.raises(ProgramError, match="READ of queue MEM_W0 drives runs east and never comes to MXM_W0"):
        arrival(read, "MXM_W0")
    with pytest.raises(ProgramError, match="never comes to MEM_W0"):
        arrival(read, "MEM_W0")
    with pytest.raises(ProgramError, match="WRITE of queue MEM_W0 at cycle 9 drives no stream"):
        arrival(program.at(9).mem("W0").write(3, "E1"), "MEM_E0")
