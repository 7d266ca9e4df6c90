"""The examples of docs/assembly.md."""

import re
from pathlib import Path

import pytest

from sw.arch.config import load
from sw.asm.lift import lift
from sw.asm.show import show
from sw.asm.text import AssemblyError, assemble
from sw.asm.timeline import timeline
from sw.isa.codec import decode

PAGE = (Path(__file__).parents[2] / "docs" / "assembly.md").read_text()


def blocks(kind):
    """The fenced blocks of one kind, in order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", blocks("asm"))
def test_assembly_examples_run(text):
    image = assemble(text, file="assembly.md")
    assert timeline(image).cycles > 1
    assert assemble(show(lift(image))) == image


def test_the_first_program_is_as_described():
    config = load("tiny")
    image = assemble(blocks("asm")[0])
    words = {q: [decode(n, "MEM", config)[0].instr.name for n in image.boot[q]] for q in ("MEM_E0", "MEM_E2")}
    assert words == {"MEM_E0": ["NOP", "READ", "HALT"], "MEM_E2": ["NOP", "WRITE", "HALT"]}
    assert all(boot == (0,) for queue, boot in image.boot.items() if queue not in words)


def test_python_examples_run():
    scope = {}
    for text in blocks("python"):
        exec(compile(text, "assembly.md", "exec"), scope)


def test_the_error_is_as_described():
    with pytest.raises(AssemblyError) as error:
        assemble("\n" * 6 + "@0 MEM_E0 READ 9999, E4", load("tiny"), file="demo.asm")
    assert f"`{error.value}`" in PAGE
