"""What the checker refuses, the RTL trips over, an assertion of the simulation or a fault; what it accepts trips nothing.

Here the least change of a program decides; the lockstep tests show the same of random ones.
"""

import contextlib
import random

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.check.program import check
from sw.machine import MachineError
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.check.test_rules import CASES
from tests.programs.broken import BREAKERS, Unsuitable, clone
from tests.programs.generate import random_program
from tests.tb.lockstep import lockstep

TINY = load("tiny")
#: Rule of the checker -> what the RTL says.
TRAPS = {
    "stream-conflict": "two units drove one stream register in one cycle",
    "stream-unwritten": "a stream was read that nobody drove",
    "mem-uninitialised": "a memory word was read that nobody wrote",
    "mem-bank": "a read and a write met in one bank",
    "vxm-result": "two results left one ALU in one cycle",
    "acc-pass": "ACC met no pass",
    "acc-unset": "an accumulator was read that nobody set",
    # Here an IFETCH takes its text from streams on which nothing stands.
    "queue": "a stream was read that nobody drove",
}
#: The same for the least change that breaks a rule.
CASE_TRAPS = {
    "mxm_torn": "weights changed inside an fp16 pass",
    "mxm_overlap": "a pass began inside an fp16 pass",
    "mxm_overlap_int8": "a pass began inside an fp16 pass",
    "mxm_meet": "an int8 pass and an fp16 pass met at ACC",
    "acc_turn": "ACC came back to a row too soon",
    "mem_port_read": "two accesses of one class met in one slice",
    "mem_port_write": "two accesses of one class met in one slice",
    "fetch_port": "a fetch port was used before it was free",
    "mem_bank_mapped": "a read and a write met in one bank",
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


def said(chip, folder, image):
    """What a chip of its own says to a program, since an assertion ends the simulator."""
    try:
        with CocotbMachine(TINY, chip, folder) as rtl:
            rtl.load(image)
            return str(rtl.run(limit=100_000).fault)
    except MachineError as error:
        return f"{error}\n{(folder / 'sim.log').read_text()[-20_000:]}"


@pytest.mark.parametrize("rule", TRAPS)
def test_a_broken_program_trips_the_hardware(chip, rule, tmp_path):
    image = broken(rule)
    assert rule in {finding.rule for finding in check(image)}
    assert TRAPS[rule] in said(chip, tmp_path, image)


@pytest.mark.parametrize("name", CASE_TRAPS)
def test_the_least_change_that_breaks_a_rule_trips_the_hardware(chip, name, tmp_path):
    program = Program(TINY)
    rule, *_ = CASES[name](program, True)
    assert rule in {finding.rule for finding in check(program.image())}
    assert CASE_TRAPS[name] in said(chip, tmp_path, program.image())


def test_what_keeps_a_rule_just_so_trips_nothing(chip, tmp_path):
    with CocotbMachine(TINY, chip, tmp_path) as rtl:
        for name, case in CASES.items():
            print(name)
            program = Program(TINY)
            case(program, False)
            image = program.image()
            lockstep(rtl, image, writes={r.name: np.zeros((r.words, TINY.vl), np.uint8) for r in image.inputs})
