"""A chip whose memories spoil certain words, so that wrong bits get anywhere that words go.

A word of a MEM bank is stored with wrong bits if its data bits 31 … 16 are one of the marks below; a word of
a queue memory if it looks like NOP with a count of `PARITY`.
"""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from hdl.export import export_chip
from sw.arch.config import Config, load
from tb.chip import gated, looped
from tb.harness import build

#: Mark -> wrong bits of the stored word: a data bit, a check bit (the data has 32), two data bits.
MARKS = {"data bit": (0xDEA1, 1 << 0), "check bit": (0xDEA2, 1 << 34), "two bits": (0xDEA3, 1 << 0 | 1 << 9)}
PARITY = 0xDEA4
CONFIG = load("tiny")
STORE = "mem[write_addr] <= write_data;"


@cache
def spoiled_chip() -> Path:
    """The simulator, without the assertions that a correct program would need."""
    design = looped(export_chip(CONFIG))
    wrong = "".join(f"write_data[31:16] == 16'h{mark:x} ? 39'd{bits} : " for mark, bits in MARKS.values())
    text = _replaced(design.text, "mem_bank", wrong + "39'd0")
    for name in sorted(re.findall(r"^module (queue_memory_\w+)\(", text, re.MULTILINE)):
        text = _replaced(text, name, f"write_data[18:0] == {{16'h{PARITY:x}, 3'd2}} ? 4'd8 : 4'd0")
    return build(gated(replace(design, text=text)))


def _replaced(text: str, module: str, wrong: str) -> str:
    """`text` with the bits `wrong` flipped in what one memory module stores."""
    begin = text.index(f"module {module}(")
    end = text.index("endmodule", begin)
    body = text[begin:end]
    assert body.count(STORE) == 1, f"{module} stores otherwise than by '{STORE}'"
    return text[:begin] + body.replace(STORE, f"mem[write_addr] <= write_data ^ ({wrong});") + text[end:]


def marked(vector: np.ndarray, mark: str, c: Config = CONFIG) -> np.ndarray:
    """uint8 [VL] with a mark in superlane 0, whose lanes 0 and 1 stay."""
    value, _ = MARKS[mark]
    found = vector.copy()
    found[2], found[3] = value & 0xFF, value >> 8
    return found
