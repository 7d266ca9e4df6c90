"""Every latency of the instruction table, measured on the RTL alone."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.isa.codec import make
from sw.isa.fields import MXM_TYPES
from sw.isa.rows.sxm import SXM
from sw.isa.rows.vxm import VXM
from sw.isa.stages import latch
from sw.isa.table import TABLE
from sw.trace import WRITE
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.programs import probes_control as control
from tests.programs import probes_plane as plane
from tests.programs.probes import MAPPED, OPERAND_CHANGED, OTHERS_CHANGED, SAME, mapped, probes
from tests.programs.stage import Stage
from tests.tb.measured import elements, marks, records, results, sums
from tests.tb.spoiled import spoiled_chip

TINY = load("tiny")
PROBES = probes(TINY)
KINDS = range(len(MXM_TYPES))
MARK = make("MOV").timing(TINY).d_func
ALL = list(range(TINY.superlanes))


def measures(*names):
    """Marks a test that measures the latencies of these rows."""

    def marked(test):
        test.rows = names
        return test

    return marked


def timing(name, **fields):
    return make(name, **fields).timing(TINY)


@pytest.fixture(scope="module")
def chip():
    return build_chip(TINY)


@pytest.fixture(scope="module")
def rtl(chip, tmp_path_factory):
    with CocotbMachine(TINY, chip, tmp_path_factory.mktemp("rtl")) as machine:
        yield machine


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A chip without assertions, which runs on where a program comes too early."""
    with CocotbMachine(TINY, spoiled_chip(), tmp_path_factory.mktemp("plain")) as machine:
        yield machine


@measures(*(row.name for row in VXM), *(row.name for row in SXM if row.name not in MAPPED), "GATHER")
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


@measures(*MAPPED)
@pytest.mark.parametrize("name", MAPPED)
def test_maps_are_taken_and_in_force_when_the_table_says(rtl, name):
    """A word of the cycle before has the map of before."""
    found = {}
    for variant in (SAME, OPERAND_CHANGED, OTHERS_CHANGED):
        stage, issue, op = mapped(TINY, name, variant)
        first, _ = op.drives(TINY)[0]
        later = op.timing(TINY).d_func
        cycles, data = results(rtl, stage, first, issue)
        assert cycles == [issue - 1 + later, issue + timing(name).d_func + later]
        found[variant] = data[: TINY.superlanes], data[TINY.superlanes :]
    assert found[SAME][0] == found[OPERAND_CHANGED][0] == found[OTHERS_CHANGED][0] != found[SAME][1]
    assert found[SAME][1] != found[OPERAND_CHANGED][1], "the map makes no difference"
    assert found[SAME][1] == found[OTHERS_CHANGED][1], "a map of another cycle makes a difference"


@measures("READ")
def test_read(rtl):
    stage = Stage(TINY)
    stage.own("MEM_E0")
    stage.put("MEM_E0", stage.now, "READ", addr=5, stream=3)
    cycles, _ = results(rtl, stage, 3, 0)
    assert cycles == [stage.now + timing("READ").d_func]


@measures("WRITE", "SCATTER")
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
    found = records(rtl, stage.program.image(), WRITE)
    assert set(found["cycle"].tolist()) == {stage.now + timing(name).access}
    assert found["data"].ravel().tolist() == data[2].tolist()


# -- matrix planes ------------------------------------------------------------------------------------------------


def equal(value, columns=TINY.vl):
    """Sums of products that are all `value`."""
    return [TINY.vl * value] * columns


@measures("IW", "ABC", "ACC")
@pytest.mark.parametrize(("kind", "early"), [(0, 0), (0, 1), (1, 0), (1, timing("ABC", dtype=1).turn)])
def test_weights_are_in_force_when_the_table_says(rtl, kind, early):
    """The pass stands at ACC d_func later, in whose very cycle ACC must come; and one that is too early multiplies the
    weights of before."""
    stage = Stage(TINY)
    plane.weights(stage, kind, stage.now, 1)
    start = plane.weights(stage, kind, stage.now + 30, 2, (-9, -8 * kind)) - early
    at = plane.take(stage, kind, plane.activations(stage, kind, start, 1), "PASS")
    assert sums(rtl, stage, kind) == {at: equal(1 if early else 2)}


@measures("LW")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("late", [0, 1])
def test_columns_are_in_the_buffer_when_the_table_says(rtl, kind, late):
    """IW copies the buffer one cycle before a pass may multiply it, which is `latch` after that pass issues."""
    assert timing("LW").d_func == timing("IW").d_func + latch(TINY) - 1
    stage = Stage(TINY)
    plane.weights(stage, kind, stage.now, 1)
    start = plane.weights(stage, kind, stage.now + 30, 2, (-1, late))
    at = plane.take(stage, kind, plane.activations(stage, kind, start + 4, 1), "PASS")
    rest = TINY.vl - TINY.lanes
    assert sums(rtl, stage, kind) == {at: equal(2, rest) + equal(1 if late else 2, TINY.lanes)}


@measures("ABC_HOLD")
@pytest.mark.parametrize("kind", KINDS)
def test_a_pass_that_holds_its_activations_stands_at_acc_when_the_table_says(rtl, kind):
    """Right behind ABC, and in the last cycle in which the next ABC has not changed them."""
    stage, turn = Stage(TINY), timing("ABC", dtype=kind).turn
    held = timing("ABC_HOLD", dtype=kind)
    assert held.turn == turn
    start = plane.weights(stage, kind, stage.now, 1)
    plane.activations(stage, kind, start, 2)
    plane.activations(stage, kind, start + 6 * turn, 3)
    expected = {}
    for issue in (start + turn, start + 5 * turn):
        stage.put(f"{plane.PLANE}_A", issue, "ABC_HOLD", dtype=kind)
        expected[plane.take(stage, kind, issue + held.d_func, "PASS")] = equal(2)
    assert sums(rtl, stage, kind) == expected


@measures("ACC")
@pytest.mark.parametrize("mode", ["READ", "ADD_OUT"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("early", [0, 1])
def test_an_accumulator_has_its_sum_when_the_table_says(rtl, plain, kind, mode, early):
    """A word that comes one cycle earlier than `turn` finds the row as it was before; no simulation lets that pass."""
    stage = Stage(TINY)
    turn = timing("ACC", dtype=kind).turn
    start = plane.weights(stage, kind, stage.now, 1)
    plane.take(stage, kind, plane.activations(stage, kind, start, 1), "SET", 5)
    at = start + 40
    plane.take(stage, kind, plane.activations(stage, kind, at, 2), "SET", 5)
    added = 3 if mode == "ADD_OUT" else 0
    if added:
        plane.activations(stage, kind, at + turn - early, added)
    met = at + timing("ABC", dtype=kind).d_func
    driven = plane.take(stage, kind, met + turn - early, mode, 5)
    expected = equal((1 if early else 2) + added)
    if not early:
        assert sums(rtl, stage, kind) == {driven: expected}
    image = plane.stored(stage, driven).image()
    plain.load(image)
    assert plain.run(limit=20_000).fault is None
    assert elements(np.concatenate([plain.read(f"sum {k}", 0, 1) for k in range(4)]), kind) == expected


# -- instruction control ------------------------------------------------------------------------------------------


@measures("NOP", "HALT", "REPEAT")
def test_words_follow_one_another_when_the_table_says(rtl):
    ops = [
        control.mark(1), make("NOP", n=1), control.mark(2), make("NOP", n=7), control.mark(3), make("REPEAT", n=2, gap=5),
        control.mark(4), make("REPEAT", n=1, gap=1), make("HALT"),
    ]
    shown, cycles = marks(rtl, control.words(TINY, VXM0=ops))
    issues = [(0, 1), (2, 2), (10, 3), (15, 3), (20, 3), (21, 4), (22, 4)]
    assert shown == [(cycle + MARK, number, ALL) for cycle, number in issues]
    assert cycles == 24


@measures("CONFIG")
def test_power_is_taken_from_the_words_that_follow(rtl):
    one = 1 << (TINY.superlanes - 1)
    ops = [control.mark(1), make("CONFIG", mask=one), control.mark(2), make("CONFIG", mask=3), control.mark(3), make("HALT")]
    shown, _ = marks(rtl, control.words(TINY, VXM0=ops))
    assert shown == [(MARK, 1, ALL), (2 + MARK, 2, [TINY.superlanes - 1]), (4 + MARK, 3, ALL)]


@measures("NOTIFY", "SYNC")
def test_parked_queues_go_on_when_the_table_says(rtl):
    """One that parks in the cycle before a NOTIFY lands goes on in the next; one that parks in that cycle waits on."""
    lands = [9 + timing("NOTIFY").d_func + after for after in (0, 20)]
    caller = [make("NOP", n=9), make("NOTIFY"), make("NOP", n=19), make("NOTIFY"), make("HALT")]
    for parks, goes in ((0, lands[0]), (lands[0] - 1, lands[0]), (lands[0], lands[1])):
        wait = [make("NOP", n=parks)] if parks else []
        queues = {"VXM0": [*wait, make("SYNC"), control.mark(1), make("HALT")], "MEM_W0": caller}
        shown, _ = marks(rtl, control.words(TINY, **queues))
        assert shown == [(goes + MARK, 1, ALL)]


@measures("IFETCH")
def test_fetched_words_may_issue_when_the_table_says(rtl):
    cycle, ifetch = 30, timing("IFETCH")
    image = control.fetch(TINY, {"VXM0": cycle})
    rtl.load(image)
    assert rtl.run(limit=20_000).cycles == cycle + ifetch.d_func + 1
    rtl.load(control.fetch(TINY, {"VXM0": cycle}, early=1))
    fault = rtl.run(limit=20_000).fault
    assert (fault.kind, fault.queue) == ("QUEUE_UNDERRUN", "VXM0")
    rtl.load(control.fetch(TINY, {"VXM0": cycle, "VXM1": cycle + ifetch.turn}, texts=(make("HALT"),)))
    assert rtl.run(limit=20_000).cycles == cycle + ifetch.turn + ifetch.d_func + 1


def test_no_row_is_left_without_a_probe():
    measured = {name for test in globals().values() for name in getattr(test, "rows", ())}
    # Those of links are measured at ports with wires, in tests/hdl/test_links.py and tests/tb/test_system.py.
    assert measured == {row.name for row in TABLE if not row.cls.startswith("C2C")}
