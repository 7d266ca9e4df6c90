"""The programs of the lockstep tests leave no hole in the functional coverage; how it is counted."""

import pytest

from sw.arch.config import load
from sw.asm.program import Program
from sw.asm.timeline import timeline
from tb.functional import Bin, Coverage, wanted
from tests.programs.regular import regular

TINY = load("tiny")


def reading(mask):
    program = Program(TINY)
    program.data("W0", 0, [1])
    program.at(0).mem("W0").config(mask)
    program.at(1).mem("W0").read(0, "W3")
    return Coverage.of(timeline(program.image())).hits


@pytest.mark.parametrize(("mask", "edges"), [(3, {"first", "last"}), (1, {"first alone"}), (2, {"last alone"}), (0, set())])
def test_a_mask_decides_which_edges_are_covered(mask, edges):
    assert {seen for seen in reading(mask) if seen.form == "READ"} == {Bin("READ", "drives W", e) for e in edges}


def test_runs_add_up_over_files(tmp_path):
    Coverage(reading(3)).append(tmp_path)
    Coverage(reading(1)).append(tmp_path)
    both = Coverage.load(tmp_path)
    assert both.hits == reading(3) + reading(1)
    assert Bin("READ", "drives E", "first") in both.holes(TINY)


def test_the_lockstep_programs_cover_everything():
    total = Coverage()
    for _, program in regular(TINY):
        total.hits.update(Coverage.of(timeline(program.image())).hits)
    assert set(total.hits) <= wanted(TINY)
    assert total.holes(TINY) == []
