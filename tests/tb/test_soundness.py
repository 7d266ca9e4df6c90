"""What the checker refuses, the RTL trips over: an assertion of the simulation, or a fault.

That what it accepts trips nothing is what the lockstep tests show.
"""

import contextlib
import random

import pytest

from sw.arch.config import load
from sw.check.program import check
from sw.machine import MachineError
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.programs.broken import BREAKERS, Unsuitable, clone
from tests.programs.generate import random_program

TINY = load("tiny")
#: Rule of the checker -> what the RTL says. Rules that have no trap are about what is lost or never set.
TRAPS = {
    "stream-conflict": "two units drove one stream register in one cycle",
    "stream-unwritten": "a stream was read that nobody drove",
    "mem-uninitialised": "a memory word was read that nobody wrote",
    "mem-bank": "a read and a write met in one bank",
    "vxm-result": "two results left one ALU in one cycle",
    "acc-pass": "ACC met no pass",
    # Here an IFETCH takes its text from streams on which nothing stands.
    "queue": "a stream was read that nobody drove",
}


@pytest.fixture(scope="module")
def chip():
    return build_chip(TINY)


def broken(rule):
    """The first random program that this breaker can break."""
    for seed in range(7, 30):
        program = clone(random_program(TINY, seed, 40))
        with contextlib.suppress(Unsuitable):
            BREAKERS[rule](program, random.Random(seed))
            print(f"seed {seed}")
            return program.image()
    raise Unsuitable


@pytest.mark.parametrize("rule", TRAPS)
def test_a_broken_program_trips_the_hardware(chip, rule, tmp_path):
    image = broken(rule)
    assert rule in {finding.rule for finding in check(image)}
    # An assertion ends the simulator, so every program has its own.
    try:
        with CocotbMachine(TINY, chip, tmp_path) as rtl:
            rtl.load(image)
            said = str(rtl.run(limit=100_000).fault)
    except MachineError as error:
        said = f"{error}\n{(tmp_path / 'sim.log').read_text()[-20_000:]}"
    assert TRAPS[rule] in said
