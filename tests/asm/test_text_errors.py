"""Texts that are no programs: every error at its place, with value and limit, and no text crashes the assembler."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sw.arch.config import load
from sw.asm.lift import lift
from sw.asm.show import show
from sw.asm.text import AssemblyError, assemble, parse
from tests.asm.strategies import fixed

TINY = load("tiny")


@pytest.mark.parametrize(
    "text, column, words",
    [
        ("@0 MEM_E0 READ 64, E4", 16, "addr 64 0 63"),
        ("@0 MEM_E0 READ 6, E16", 19, "stream E16 E15"),
        ("@0 MEM_E0 READ 6, SG4_E[4]", 19, "stream E16 E15"),
        ("@0 MEM_E0 READ 6", 11, "READ lacks stream"),
        ("@0 MEM_E0 READ 6, E4, 7", 23, "READ no more operands"),
        ("@0 MEM_E0 READ 6, E4 stride=512", 29, "stride 512 -512 511"),
        ("@0 MEM_E0 READ 6, E4 speed=1", 28, "READ 'speed' stride"),
        ("@0 MEM_E0 READ 6, E4 addr=1", 27, "addr twice"),
        ("@0 MEM_E0 READ 6, E4 -> E5", 25, "READ no result"),
        ("@0 MEM_E0 FETCH 6", 11, "'FETCH'"),
        ("@0 MEM_E0 ADD.int8 E1, E2", 11, "ADD VXM MEM"),
        ("@0 MEM_E9 READ 6, E4", 4, "'MEM_E9'"),
        ("@0 MEM_E0 READ w, E4", 16, "'w' known"),
        ("@0 MEM_E0 READ 6, E4 REPEAT 0", 22, "n 0 1"),
        ("@0 MEM_E0 READ 6, E4 REPEAT 1, 5000", 22, "gap 5000 4095"),
        ("@0 MEM_E0 READ 60, E4 stride=1 REPEAT 4", 32, "addr 64"),
        ("@-1 MEM_E0 READ 6, E4", 5, "-1 0"),
        ("@0 VXM0 ADD.int9 E0, E1", 9, "dtype 'int9' int8"),
        ("@0 VXM0 ADD E0, E1", 9, "ADD lacks dtype"),
        ("@0 VXM0 ADD.int8.sat.x E0, E1", 9, "ADD 3 suffixes"),
        ("@0 VXM0 ADD.int8 E0, 256", 22, "256 -128 255"),
        ("@0 VXM0 ADD.int8 E0, 1.5", 22, "1.5 int8"),
        ("@0 VXM0 ADD.int8 1, 1", 21, "immediates one"),
        ("@0 VXM0 ADD.fp32 E1, E4", 9, "4 streams 1"),
        ("@0 VXM0 ADD.fp32 E0, 0x123456789", 22, "4886718345 4294967295"),
        ("@0 VXM0 NOP 65536", 13, "n 65536 65535"),
        ("@0 VXM0 0xffffffffffffffffffffffff", 9, "wider"),
        ("@0 VXM0 0", 9, "hexadecimal"),
        ("@9999999999 VXM0 HALT", 13, "9999999999 2147483647"),
        ("@0 VXM0 HALT HALT", 14, "HALT operands"),
        ("REPEAT 3", 1, "follows no word"),
        ("VXM0 HALT", 1, "Expected @time"),
        ("= VXM0 REPEAT 1, 0", 8, "gap 0"),
        (".data MEM_E0, 64, hex 00", 1, "64 MEM_E0 63"),
        (".data MEM_E0, 0, hex 0", 22, "pairs"),
        (".data MEM_E0, 0, int8 1, 300", 26, "300 -128 255"),
        (".data MEM_E0, 0, int7 1", 18, "'int7'"),
        (".input x, MEM_E0, 60, 5", 1, "5 60 63"),
        (".equ E4, 3", 6, "name 'E4'"),
        (".equ PREV, 3", 6, "'PREV'"),
        (".config nowhere", 9, "'nowhere'"),
        (".config small", 9, "'small' 'tiny'"),
        (".org 3", 1, "'.org' .data"),
        ("@0 MEM_E0 READ $, E4", 16, "'$'"),
        ('.input "x, MEM_E0, 0', 8, "'\"'"),
        (".text VXM0, 3, MEM_E0:1", 1, "1 rows pairs"),
    ],
)
def test_errors_name_line_column_value_and_limit(text, column, words):
    with pytest.raises(AssemblyError) as error:
        parse(f"; first line\n{text}\n", TINY, file="demo.asm")
    (problem,) = error.value.problems
    assert (problem.file, problem.line, problem.column) == ("demo.asm", 2, column), str(problem)
    for word in words.split():
        assert word in problem.sentence, problem.sentence
    assert str(error.value).startswith(f"demo.asm:2:{column}: ")


def test_all_problems_are_collected():
    with pytest.raises(AssemblyError) as error:
        parse("@0 MEM_E0 READ 99, E4\n.data MEM_E0, 99, hex 00\n$\n@0 VXM0 HALT\n= VXM0 HALT", TINY)
    assert [problem.line for problem in error.value.problems] == [1, 2, 3, 5]


def test_collisions_are_found_at_their_line():
    text = ".config tiny\n@4 VXM0 MOV.int8 E0 -> E1 REPEAT 3, 2\n@9 VXM0 HALT\n"
    with pytest.raises(
        AssemblyError, match="text:3:4: Queue VXM0 is busy with MOV of cycle 4 .* 10, HALT .* 9"
    ):
        assemble(text)


def test_a_text_without_a_configuration_is_refused():
    with pytest.raises(AssemblyError, match="text:1:1: No configuration"):
        parse("@0 VXM0 HALT")


MARKS = '@0 +1 = -> | , : * - . ; # " [ ] REPEAT PREV NEXT x a= stride= \t \\ \0'
VALUES = "0x10 1e9 99999999999999999999 -5 E4 W99 SG4_W[3] SG4_W[ inf nan int8 fp32 hex text tiny small"
WORDS = "MEM_E0 VXM0 MXM_E0_W READ WRITE ADD.int8.sat ADD.fp32 LW.int8.4 IW HALT SYNC NOTIFY CONFIG NOP"
DIRECTIVES = "w: .data .equ .input .output .text .config"
PIECES = st.sampled_from(" ".join((MARKS, VALUES, WORDS, DIRECTIVES)).split(" "))


@fixed(400)
@given(st.lists(st.lists(PIECES, max_size=9).map(" ".join), max_size=5).map("\n".join))
@example("@0 VXM0 HALT\n" * 3)
def test_no_text_crashes_the_assembler(text):
    try:
        image = assemble(text, TINY)
    except AssemblyError as error:
        assert all(p.line >= 1 and p.column >= 1 and p.sentence for p in error.problems)
    else:
        assert assemble(show(lift(image))) == image


@fixed(200)
@given(st.text())
def test_no_characters_crash_the_assembler(text):
    try:
        assemble(text, TINY)
    except AssemblyError:
        pass
