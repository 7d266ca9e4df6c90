"""Every rule: a program that keeps it, and the same program with the least change that breaks it."""

import re
from pathlib import Path

import pytest

from sw.arch.config import PRESETS, load
from sw.asm.program import Program
from sw.check.program import check
from sw.isa.codec import make
from tests.check import cases_data, cases_planes, cases_units
from tests.check.bring import TINY, bring

KINDS = ("stream_", "mem_", "vxm_", "mxm_", "acc_", "sxm_", "fetch_port", "queue_")
CASES = {
    name: function
    for module in (cases_data, cases_planes, cases_units)
    for name, function in vars(module).items()
    if name.startswith(KINDS)
}


@pytest.mark.parametrize("case", CASES)
def test_a_rule_accepts_what_keeps_it_and_refuses_what_breaks_it(case):
    good, bad = Program(TINY), Program(TINY)
    CASES[case](good, False)
    assert [str(f) for f in check(good.image())] == []
    rule, queue, cycle = CASES[case](bad, True)
    found = check(bad.image())
    assert (rule, queue, cycle) in {(f.rule, f.queue, f.cycle) for f in found}, list(map(str, found))


def test_a_finding_names_both_instructions():
    program = Program(TINY)
    cases_data.stream_conflict(program, True)
    (finding,) = check(program.image())
    assert finding.unit == "MEM_E1"
    assert finding.instructions == (
        "'READ 0, E3' of MEM_E1 at cycle 18",
        "'READ 0, E3' of MEM_E0 at cycle 18",
    )
    assert "E3 of stop 5 for cycle 20" in finding.sentence


def test_the_earliest_findings_are_kept():
    program = Program(TINY)
    program.at(10).mem("E0").read(9, "E0").repeat(40)
    found = check(program.image(), limit=5)
    assert [f.cycle for f in found] == [10, 11, 12, 13, 14]


def test_an_alu_reaches_only_its_groups():
    program = Program(TINY.replace(streams=32))
    program.at(9).vxm(0).mov("int8", 1, dst="E15")
    program.at(9).vxm(2).mov("int8", 1, dst="E16")
    assert check(program.image()) == []
    program.at(10).vxm(0).mov("int8", 1, dst="E16")
    program.at(11).vxm(2).mov("int8", 1, dst="W7")
    # A fetch port reaches all streams.
    program.at(20).vxm(0).ifetch("SG2_E[12]")
    program.at(60).vxm(0).halt()
    for stream, source in (("E24", "W0"), ("E25", "W1")):
        bring(program, source, "VXM", stream, 20, 8, initialise=False)
    program.text("VXM0", len(program.lowered()["VXM0"]) - 1, [(("W0", 8), ("W1", 8))])
    found = [(f.rule, f.queue, f.cycle) for f in check(program.image())]
    assert found == [("vxm-reach", "VXM0", 10), ("vxm-reach", "VXM2", 11)]


def test_the_manual_has_a_row_for_every_rule():
    text = (Path(__file__).parents[2] / "docs" / "checker.md").read_text()
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    proven = set()
    for case in CASES.values():
        proven.add(case(Program(TINY), True)[0])
    # Rules of links have chips of their own, in tests/check/test_system.py.
    assert {row for row in rows if not row.startswith("link-")} == proven | {"vxm-reach"}


@pytest.mark.parametrize("name", PRESETS)
def test_acc_words_cannot_meet_on_their_way_out(name):
    """Why there is no rule for that: all leave after the same time, and a queue issues one a cycle."""
    c = load(name)
    assert len({make("ACC", dtype=k, mode=m).timing(c).d_func for k in range(2) for m in range(5)}) == 1
