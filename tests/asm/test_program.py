import numpy as np
import pytest

from sw.asm.entry import ProgramError
from sw.asm.image import Image
from sw.asm.operands import NEXT, PREV, Imm
from sw.asm.timeline import timeline
from sw.isa.codec import decode
from tests.asm.issues import issues


def words(program, queue):
    """Names and first values of a queue's boot words."""
    image = program.image()
    cls = program.queue(queue).cls
    ops = [decode(number, cls, program.config) for number in image.boot[queue]]
    return [(" | ".join(op.instr.name for op in word), *word[0].values.values()) for word in ops]


def test_nops_fill_the_gaps(program):
    program.at(3).mem("E0").read(1, "E0")
    program.at(4).mem("E0").read(2, "E0")
    program.at(6).mem("E0").read(3, "E0")
    assert words(program, "MEM_E0") == [
        ("NOP", 3),
        ("READ", 1, 0, 0),
        ("READ", 2, 0, 0),
        ("NOP", 1),
        ("READ", 3, 0, 0),
        ("HALT",),
    ]


def test_a_gap_longer_than_a_nop_takes_two(program):
    program.at(70_000).mem("E0").read(1, "E0")
    assert words(program, "MEM_E0")[:2] == [("NOP", 65535), ("NOP", 70_000 - 65535)]
    assert issues(program.image(), "MEM_E0") == [("READ", 70_000), ("HALT", 70_001)]


def test_unused_queues_halt_in_cycle_0(program):
    assert words(program, "VXM0") == [("HALT",)]
    assert timeline(program.image()).cycles == 1


def test_repeat_takes_the_time_of_its_copies(program):
    program.at(2).mem("E0").read(1, "E0", stride=2).repeat(3, 4)
    program.at(15).mem("E0").read(9, "E0")
    assert words(program, "MEM_E0")[1:4] == [("READ", 1, 0, 2), ("REPEAT", 3, 4), ("READ", 9, 0, 0)]
    assert issues(program.image(), "MEM_E0") == [("READ", t) for t in (2, 6, 10, 14, 15)] + [("HALT", 16)]
    burst = timeline(program.image()).bursts[-3]
    assert [burst.values(k)[0]["addr"] for k in range(burst.count)] == [1, 3, 5, 7]


def test_slots_of_one_word_share_it(program):
    program.at(5).mem("E0").write(40, "W4")
    program.at(5).mem("E0").read(1, "E0", stride=1).repeat(2)
    program.at(5).mxm("E0").iw()
    program.at(5).mxm("E0").lw("int8", "E0", 2, 0)
    assert issues(program.image(), "MEM_E0")[0] == ("READ | WRITE", 5)
    assert words(program, "MXM_E0_W")[1][0] == "LW | IW"


def test_halt_may_be_given_a_time(program):
    program.at(12).vxm(0).halt()
    assert timeline(program.image()).cycles == 13


def test_vector_operands(program):
    def fields(entry):
        (op,) = entry.word
        return {name: value for name, value in op.values.items() if value}

    at, out = program.at, {"out": 1}
    assert fields(at(0).vxm(0).add("fp32", "E0", 1.5, "E8")) == out | {
        "dtype": 4,
        "b_from": 3,
        "imm": 0x3FC00000,
        "dst": 8,
    }
    assert fields(at(1).vxm(0).sub("int8", PREV, NEXT, overflow="mod")) == {
        "overflow": 1,
        "a_from": 1,
        "b_from": 2,
    }
    assert fields(at(2).vxm(0).mov("int8", Imm(-1), "E1"))["imm"] == 0xFFFFFFFF
    assert fields(at(3).vxm(0).mov("fp16", 1.0))["imm"] == 0x3C00
    assert fields(at(4).vxm(0).select("int8", "E1", "E2", NEXT, "SG1_E[3]")) == out | {
        "a": 1,
        "b": 2,
        "m_from": 1,
        "dst": 3,
    }


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda p: (p.at(5).mem("E0").read(1, "E0"), p.at(5).mem("E0").read(2, "E0")), "MEM_E0 READ cycle 5"),
        (lambda p: p.at(-1).mem("E0").read(1, "E0"), "READ MEM_E0 -1"),
        (lambda p: p.at(0).mem("E0").read(1 << 20, "E0"), "READ addr 1048576"),
        (lambda p: p.at(0).mem("E0").read(1, "E99"), "READ stream E99"),
        (lambda p: p.at(0).mem("E0").read(1, "X3"), "READ 'X3' not a stream"),
        (lambda p: p.at(0).mem("E0").read(1.5, "E0"), "READ addr 1.5"),
        (lambda p: p.at(0).mem("E0").read(1), "READ lacks stream"),
        (lambda p: p.at(0).mem("E0").add("int8", "E0", "E1"), "MEM_E0 ADD"),
        (lambda p: p.at(0).vxm(0).add("int9", "E0", "E1"), "dtype int9 fp32"),
        (lambda p: p.at(0).vxm(0).add("int8", 1, 2), "ADD immediates one"),
        (lambda p: p.at(0).vxm(0).add("int8", 1.5, "E0"), "1.5 int8"),
        (lambda p: p.at(0).vxm(0).mov("int32", 1 << 32), "4294967296 4294967295"),
        (lambda p: p.at(0).vxm(0).mov("int8", "E0", rows=3), "MOV rows"),
        (lambda p: p.at(0).vxm(77).mov("int8", "E0"), "VXM77"),
        (lambda p: p.at(0).mem("E0").read(1, "E0").repeat(0), "REPEAT n 0 1"),
        (lambda p: p.at(0).mem("E0").read(1, "E0").repeat(1, 9999), "gap 9999 4095"),
        (lambda p: p.at(0).mem("E0").nop(3).repeat(1), "REPEAT NOP"),
        (lambda p: p.at(0).mem("E0").read(1, "E0", stride=-1).repeat(2), "READ addr -1"),
        (lambda p: p.data("E0", p.config.mem.words, [0]), "MEM_E0"),
        (lambda p: p.data("E77", 0, [0]), "E77"),
        (lambda p: p.data("E0", 0, np.zeros((1, 999), np.uint8)), "999"),
        (lambda p: (p.input("x", "E0", 0), p.input("x", "E0", 1)), "two inputs 'x'"),
    ],
)
def test_errors_at_the_call_name_what_is_wrong(program, build, words):
    with pytest.raises(ProgramError) as error:
        build(program)
    for word in words.split():
        assert word in str(error.value)


def test_a_word_inside_of_a_running_repeat_is_refused(program):
    program.at(2).mem("E0").read(1, "E0").repeat(3, 4)
    program.at(14).mem("E0").write(1, "E0")
    with pytest.raises(ProgramError, match="MEM_E0.*READ.*2.*14.*WRITE.*14"):
        program.image()


def test_a_word_behind_a_halt_is_refused(program):
    program.at(2).vxm(0).halt()
    program.at(14).vxm(0).mov("int8", "E0", "E1")
    with pytest.raises(ProgramError, match="VXM0 halts at cycle 2, MOV"):
        program.image()


def test_queue_overflow_is_refused(program):
    for t in range(program.config.queue_words):
        program.at(t).vxm(0).mov("int8", "E0", "E1")
    with pytest.raises(ProgramError, match=f"VXM0 has {program.config.queue_words + 1} words"):
        program.image()


def test_data_is_padded_and_survives_the_container(program):
    program.data("E1", 4, np.arange(3, dtype=np.int16), label="x")
    program.output("y", "MEM_W0", 5, 2)
    image = Image.from_bytes(program.image().to_bytes(), program.config)
    (segment,) = image.memory
    assert segment.data.shape == (1, program.config.vl)
    assert segment.data[0, :7].tolist() == [0, 0, 1, 0, 2, 0, 0]
    assert program.floorplan.slices[segment.slice].name == "MEM_E1"
    assert (image.outputs[0].slice, program.labels) == (0, {"x": 4})
