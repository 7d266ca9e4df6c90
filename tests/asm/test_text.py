"""Programs as text: every row and directive in the form that is documented, and back again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.arch.config import load
from sw.asm.entry import ProgramError
from sw.asm.image import Image
from sw.asm.lift import lift
from sw.asm.program import Program
from sw.asm.show import show, show_word
from sw.asm.text import AssemblyError, assemble, parse
from sw.isa.codec import decode, encode
from tests.asm.strategies import CONFIGS, ROWS, buildable, fixed, ops, programs

TINY = load("tiny")


def queue_of(program, cls):
    return next(queue for queue in program.floorplan.queues if cls in (queue.cls, "ICU"))


def built(config):
    """The rows that a configuration has a queue and a meaning for."""
    queues = Program(config).floorplan.queues
    return [i for i in ROWS if any(i.cls in (queue.cls, "ICU") for queue in queues) and buildable(config, i)]


@pytest.mark.parametrize(
    "config, instr",
    [pytest.param(c, i, id=f"{c.name}-{i.name}") for c in (CONFIGS[0], CONFIGS[2]) for i in built(c)],
)
@fixed(12)
@given(st.data())
def test_every_row_survives_text_and_number(config, instr, data):
    program = Program(config)
    queue = queue_of(program, instr.cls)
    op = data.draw(ops(config, instr))
    assert decode(encode((op,), queue.cls, config), queue.cls, config) == (op,)
    text = show_word((op,), queue.cls, config)
    again = parse(f"= {queue.name} {text}", config).plain[queue.name]
    assert again == [(op,)]


@pytest.mark.parametrize(
    "queue, text, shown",
    [
        ("MEM_E0", "read 0x10, E4 stride=-1", "READ 16, E4 stride=-1"),
        ("MEM_E0", "READ addr=3 stream=SG2_E[1]", "READ 3, E2"),
        ("MEM_E0", "WRITE 1, W2 | READ 2, W3", "READ 2, W3 | WRITE 1, W2"),
        ("MEM_E0", "GATHER 8, 4, E0, SG2_E[1] stride=4", "GATHER 8, 4, E0, SG2_E[1] stride=4"),
        ("VXM0", "ADD.int8 PREV, E4 -> E8", "ADD.int8.sat PREV, E4 -> E8"),
        ("VXM0", "ADD.INT8.MOD E4, 255 -> E8", "ADD.int8.mod E4, -1 -> E8"),
        ("VXM0", "ADD.fp32 SG4_E[0], 1 -> SG4_W[1]", "ADD.fp32.sat SG4_E[0], 1.0 -> SG4_W[1]"),
        ("VXM0", "ADD.fp32 SG4_E[0], 0x3f800000", "ADD.fp32.sat SG4_E[0], 1.0"),
        ("VXM0", "MAX.fp32 PREV, nan", "MAX.fp32 PREV, 0x7fc00000"),
        ("VXM0", "MOV.fp32 -inf -> SG4_E[0]", "MOV.fp32 0xff800000 -> SG4_E[0]"),
        ("VXM0", "MOV.fp16 -0.5 -> SG2_E[0]", "MOV.fp16 -0.5 -> SG2_E[0]"),
        ("VXM0", "CONVERT.fp32.int8 NEXT -> E1", "CONVERT.fp32.int8 NEXT -> E1"),
        ("VXM0", "SELECT.int8 E1, E2, NEXT", "SELECT.int8 E1, E2, NEXT"),
        ("VXM0", "MOV.int8 PREV a_from=PREV", None),
        ("MXM_E0_W", "IW | LW.int8.2 E0, 2", "LW.int8.2 SG2_E[0], 2 | IW"),
        ("MXM_E0_R", "ACC.int8.ADD_OUT row=3 -> SG4_W[0]", "ACC.int8.ADD_OUT 3 -> SG4_W[0]"),
        ("MXM_E0_R", "ACC.int8.SET 3 stride=1", "ACC.int8.SET 3 stride=1"),
        ("SXM_E_SHIFT0", "SHIFT.SELECT 1, E0 -> E1", "SHIFT.SELECT 1, E0 -> E1"),
        ("SXM_E_ROTATE0", "ROTATE.3 E0 -> E0", "ROTATE.3 E0 -> E0"),
        ("SXM_E_REDUCE0", "REDUCE.MAX.fp32 E0 -> W4", "REDUCE.MAX.fp32 SG4_E[0] -> SG4_W[1]"),
        ("VXM0", "CONFIG 0b11", "CONFIG 0x3"),
        ("VXM0", "CONFIG 4", None),
    ],
)
def test_the_written_form(queue, text, shown):
    if shown is None:
        with pytest.raises(AssemblyError):
            parse(f"@0 {queue} {text}", TINY)
        return
    program = parse(f"@0 {queue} {text}", TINY)
    assert show(program).splitlines()[1:] == [f"@0 {queue} {shown}"]


def test_times_labels_and_constants():
    program = parse(
        """
        .equ step, 2 * 3       ; constants may be sums and products
        .equ out, SG1_W[5]
        @step+1 MEM_E0 READ w + 1, E4
        REPEAT 2, step
        +1 MEM_E0 WRITE w, out # 2 copies, the last at 19
        +3 MEM_E0 READ w, E0 REPEAT 1
        +2 MEM_E1 READ 0, E0
        w: .data MEM_E0, 8, int8 1, -1
        """,
        TINY,
    )
    entries = program.entries["MEM_E0"]
    assert sorted(entries) == [7, 20, 23]
    assert [entry.slots.popitem()[1]["addr"] for entry in entries.values()] == [9, 8, 8]
    assert (entries[7].copies, entries[7].gap, entries[23].last) == (2, 6, 24)
    assert list(program.entries["MEM_E1"]) == [2]


def test_data_forms():
    image = assemble(
        """
        .config tiny
        .data MEM_E0, 0, int16 1, -2, 0x1234, 65535, 5
        .data MEM_E0, 4, fp32 1.5, -0.0
        .data MEM_E1, 0, fp16 1, -inf
        .data MEM_E1, 9, hex 00ff 12 E4
        .data MEM_E1, 10, text hex 02
        """
    )
    rows = {
        (s.slice, s.addr + k): (row.tobytes(), s.text) for s in image.memory for k, row in enumerate(s.data)
    }
    assert rows == {
        (4, 0): (bytes.fromhex("0100feff3412ffff"), False),
        (4, 1): (bytes.fromhex("0500000000000000"), False),
        (4, 4): (bytes.fromhex("0000c03f00000080"), False),
        (5, 0): (bytes.fromhex("003c00fc00000000"), False),
        (5, 9): (bytes.fromhex("00ff12e400000000"), False),
        (5, 10): (bytes.fromhex("0200000000000000"), True),
    }


@fixed(60)
@given(programs())
def test_programs_survive_text_and_image(program):
    text = show(program)
    again = parse(text)
    assert show(again) == text
    image = program.image()
    assert again.image() == image
    assert Image.from_bytes(image.to_bytes(), program.config) == image
    assert assemble(show(lift(image))) == image


@fixed(60)
@given(st.data())
def test_any_image_survives_the_disassembler(data):
    # Words in any order: NOPs, dead words, REPEATs that follow nothing, queues without HALT.
    boot = {}
    program = Program(TINY)
    for name in data.draw(st.lists(st.sampled_from(sorted(program.entries)), max_size=3, unique=True)):
        queue = program.queue(name)
        rows = st.sampled_from([i for i in ROWS if i.cls in (queue.cls, "ICU")])
        words = data.draw(st.lists(rows.flatmap(lambda i: ops(TINY, i)), min_size=1, max_size=6))
        boot[name] = tuple(encode((op,), queue.cls, TINY) for op in words)
    image = Image(TINY, boot)
    assert assemble(show(lift(image))).to_bytes() == image.to_bytes()



def test_fetched_words_are_disassembled_in_their_place():
    program = Program(TINY)
    for at, addr in ((3, 6), (9, 8)):
        program.at(at).mem("E0").read(addr, "W0")
        program.at(at).mem("E1").read(addr, "W1")
        program.at(at + 2).vxm(0).ifetch("W0")
    program.at(60).vxm(0).mov("int8", "E4", "E5")
    program.text("VXM0", 5, [(("E0", 6), ("E1", 6)), (("E0", 8), ("E1", 8))])
    image = program.image()
    text = show(lift(image))
    assert "@60 VXM0 MOV.int8 E4 -> E5" in text
    assert ".text VXM0, 5, MEM_E0:0x6, MEM_E1:0x6, MEM_E0:0x8, MEM_E1:0x8" in text
    assert assemble(text) == image
    # The same bytes as plain data disassemble too, though nothing fetches them then.
    bare = Image(TINY, {}, image.memory)
    assert assemble(show(lift(bare))) == bare


def test_notify_and_sync_survive_the_disassembler():
    program = Program(TINY)
    program.at(4).vxm(0).notify()
    program.at(2).vxm(1).sync()
    program.at(50).vxm(1).mov("int8", "E4", "E5")
    program.at(2).vxm(2).sync()
    image = program.image()
    assert assemble(show(lift(image))) == image
    with pytest.raises(ProgramError, match="both kinds"):
        program.append(program.queue("VXM1"), program.entries["VXM1"][2].word)


def test_a_queue_may_have_text_rows_that_it_does_not_need():
    assert assemble(".config tiny\n@0 VXM0 HALT\n.text VXM0, 3").boot["VXM0"] == (0,)
    image = assemble(".config tiny\n@0 VXM0 HALT\n.text VXM0, 3, MEM_E0:4, MEM_E1:4")
    assert [(s.addr, s.text, s.data.any()) for s in image.memory] == [(4, True, False)] * 2
