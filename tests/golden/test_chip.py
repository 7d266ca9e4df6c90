"""The golden chip as a machine: places in memory, refusals, and state from iteration to iteration."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.golden.chip import GoldenMachine
from sw.isa.table import instruction, run_cycles
from sw.machine import MachineError

TINY = load("tiny")
VL = TINY.vl


@pytest.fixture
def counting() -> tuple[GoldenMachine, Program]:
    """Every iteration adds one, modulo 2^8, to every lane of the word that is input and output."""
    p = Program(TINY)
    read, add = (instruction(name).timing(TINY, {"dtype": 0}) for name in ("READ", "ADD"))
    home, centre, away = (p.floorplan.unit(name).stop for name in ("MEM_W1", "VXM", "MEM_W1"))
    p.input("count", "W1", 10, 2)
    p.output("result", "W1", 10, 1)
    at = 3 + read.d_func + centre - home - 1
    p.at(3).mem("W1").read(10, "E0")
    p.at(at).vxm(0).add("int8", "E0", 1, dst="W0", overflow="mod")
    p.at(at + add.d_func + centre - away - 1).mem("W1").write(10, "W0")
    chip = GoldenMachine(TINY)
    chip.load(p.image())
    return chip, p


def test_memory_carries_a_count_from_iteration_to_iteration(counting):
    chip, p = counting
    start = np.arange(VL, dtype=np.uint8) * 30
    chip.write("count", 0, start[None])
    run = chip.run(300)
    assert (chip.read("result", 0, 1)[0] == (start.astype(int) + 300) % 256).all()
    one = chip.run(1)
    assert (run.iterations, run.fault) == (300, None)
    assert run.cycles == run_cycles(TINY, one.cycles, 300)
    number = [unit.name for unit in p.floorplan.slices].index("MEM_W1")
    assert (chip.read(number, 10, 1) == chip.read("result", 0, 1)).all()


def test_loading_again_forgets_memory(counting):
    chip, p = counting
    chip.write("count", 0, np.zeros((1, VL), np.uint8))
    chip.run()
    chip.load(p.image())
    with pytest.raises(RuntimeError, match="nobody has written"):
        chip.run()


@pytest.mark.parametrize(
    "act,sentence",
    [
        (lambda m: m.read("nothing", 0, 1), "There is no region 'nothing'; known are count, result."),
        (lambda m: m.read("result", 0, 2), "Words 0 … 1 are outside of result, which has 1 words."),
        (lambda m: m.write("count", 2, np.zeros((1, VL), np.uint8)), "outside of count"),
        (lambda m: m.read(8, 0, 1), "There is no slice 8, the last is 7."),
        (lambda m: m.read(0, TINY.mem.words, 1), "outside of 0"),
        (lambda m: m.write("count", 0, np.zeros((1, VL - 1), np.uint8)), "they must be uint8"),
        (lambda m: m.write("count", 0, np.zeros((1, VL))), "they must be uint8"),
        (lambda m: m.load(Program(load("fpga")).image()), "made for 'fpga', this chip is 'tiny'"),
        (lambda m: GoldenMachine(TINY).run(), "No program is loaded."),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(counting, act, sentence):
    with pytest.raises(MachineError) as caught:
        act(counting[0])
    assert sentence in str(caught.value)
