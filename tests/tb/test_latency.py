"""Every latency of the instruction table, measured on the RTL alone."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.isa.codec import make
from sw.isa.fields import MXM_TYPES
from sw.trace import DRIVE, WRITE
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.programs.probes import OPERAND_CHANGED, OTHERS_CHANGED, SAME, probes
from tests.programs.stage import Stage

TINY = load("tiny")
PROBES = probes(TINY)


@pytest.fixture(scope="module")
def chip():
    return build_chip(TINY)


@pytest.fixture(scope="module")
def rtl(chip, tmp_path_factory):
    with CocotbMachine(TINY, chip, tmp_path_factory.mktemp("rtl")) as machine:
        yield machine


def records(rtl, program, kind=DRIVE):
    """The trace of a program, drives or writes."""
    rtl.load(program.image())
    assert rtl.run(limit=20_000).fault is None
    found = rtl.trace().records
    return found[found["kind"] == kind]


def results(rtl, stage, code, cycle):
    """(cycles, data) of what was driven on a stream since `cycle`."""
    found = records(rtl, stage.program)
    found = found[(found["item"] == code) & (found["cycle"] > cycle)]
    return sorted(set(found["cycle"].tolist())), found["data"].tolist()


@pytest.mark.parametrize("name", PROBES)
def test_operands_are_taken_and_results_stand_when_the_table_says(rtl, name):
    found = {}
    for variant in (SAME, OPERAND_CHANGED, OTHERS_CHANGED):
        stage, issue, op = PROBES[name](variant)
        first, _ = op.drives(TINY)[0]
        cycles, found[variant] = results(rtl, stage, first, issue)
        assert cycles == [issue + op.timing(TINY).d_func]
    assert found[SAME] != found[OPERAND_CHANGED], "the operand makes no difference"
    assert found[SAME] == found[OTHERS_CHANGED], "a vector of another cycle makes a difference"


def test_read(rtl):
    stage = Stage(TINY)
    stage.own("MEM_E0")
    stage.put("MEM_E0", stage.now, "READ", addr=5, stream=3)
    cycles, _ = results(rtl, stage, 3, 0)
    assert cycles == [stage.now + make("READ").timing(TINY).d_func]


@pytest.mark.parametrize("name", ["WRITE", "SCATTER"])
def test_writes_take_their_operand_and_their_memory_when_the_table_says(rtl, name):
    stage = Stage(TINY)
    data = np.arange(5)[:, None] + np.arange(TINY.vl)[None, :] * 8
    stage.own("MEM_E0")
    stage.bring("MEM_E0", 2, stage.now - 2, data)
    more = {"rows": 1, "map": 0} if name == "SCATTER" else {}
    if more:
        stage.bring_group("MEM_E0", 0, stage.now, np.zeros((1, TINY.vl)), 2)
    stage.put("MEM_E0", stage.now, name, addr=7, stream=2, **more)
    found = records(rtl, stage.program, WRITE)
    assert set(found["cycle"].tolist()) == {stage.now + make(name).timing(TINY).access}
    assert found["data"].ravel().tolist() == data[2].tolist()


def session(kind, later):
    """Weights of all ones, then of all twos, and one pass over ones that issues `later` cycles after the second IW."""
    stage, columns, size = Stage(TINY), TINY.lanes, 1 + kind
    plane, t, n = "MXM_E0", stage.now, (columns * size).bit_length() - 1
    one = (1, 0x3C00)[kind]
    for start, value in ((t, one), (t + 30, (2, 0x4000)[kind])):
        for j in range(columns):
            stage.bring_group(plane, j * size, start, np.full((TINY.vl // columns, TINY.vl), value), size)
        loads = TINY.vl // columns
        stage.put(f"{plane}_W", start, "LW", loads - 2, dtype=kind, n=n, col=0)
        stage.put(f"{plane}_W", start + loads - 1, "LW", dtype=kind, n=n, col=TINY.vl - columns)
        stage.put(f"{plane}_W", start + loads - 1, "IW")
    last = t + 30 + loads - 1 + later
    stage.bring_group(plane, 12, last - 1, np.stack([np.full(TINY.vl, v) for v in (0, one, 0)]), size)
    stage.put(f"{plane}_A", last, "ABC", dtype=kind, stream=12)
    abc = make("ABC", dtype=kind).timing(TINY)
    stage.put(f"{plane}_R", last + abc.d_func, "ACC", dtype=kind, dst=TINY.streams + 4)
    return stage, last


@pytest.mark.parametrize(("kind", "shift"), [("int8", -1), ("int8", 0), ("fp16", 0)])
def test_weights_are_in_force_when_the_table_says(rtl, kind, shift):
    """LW and IW in one word, so this holds for both; the pass stands at ACC d_func later, in whose very cycle ACC
    must come."""
    number = MXM_TYPES.index(kind)
    stage, last = session(number, make("IW").timing(TINY).d_func + shift)
    code = TINY.streams + 4
    found = records(rtl, stage.program)
    found = found[(found["item"] >= code) & (found["item"] < code + 4) & (found["cycle"] > last)]
    at = last + make("ABC", dtype=number).timing(TINY).d_func + make("ACC", dtype=number).timing(TINY).d_func
    assert set(found["cycle"].tolist()) == {at}
    total = found["data"].reshape(4, -1).T.copy().view((np.int32, np.float32)[number]).ravel()
    assert set(total.tolist()) == {TINY.vl * (2 if shift == 0 else 1)}
