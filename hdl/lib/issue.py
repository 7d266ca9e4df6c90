"""The issue port of a unit: the word at tile 0 in its issue cycle, and its way north."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from sw.arch.config import Config
from sw.isa.codec import layout


class Issue(wiring.Signature):
    """One word issued to a unit: `valid`, the powered superlanes `mask`, and the word of class `cls`."""

    def __init__(self, c: Config, cls: str):
        super().__init__({"valid": Out(1), "mask": Out(c.superlanes), "word": Out(layout(cls, c).bits)})


def northward(m: Module, c: Config, issue, prefix: str = "") -> list[tuple[Signal, Signal]]:
    """Pipes an issue port north, one superlane a cycle; `prefix` begins the names of the registers.

    Returns per superlane (valid, word); valid is low where the mask powers the superlane down.
    """
    rows = []
    valid, mask, word = issue.valid, issue.mask, issue.word
    for r in range(c.superlanes):
        if r:
            here = Signal(name=f"{prefix}valid_{r}")
            here_mask = Signal(c.superlanes, name=f"{prefix}mask_{r}", reset_less=True)
            here_word = Signal(len(word), name=f"{prefix}word_{r}", reset_less=True)
            m.d.sync += here.eq(valid)
            with m.If(valid):
                m.d.sync += [here_mask.eq(mask), here_word.eq(word)]
            valid, mask, word = here, here_mask, here_word
        rows.append((valid & mask[r], word))
    return rows
