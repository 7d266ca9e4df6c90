"""One model on several chips: what a token takes, and from which size on spreading pays."""

from functools import cache

import numpy as np

from figures.compiler import random_model
from figures.decode import model
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.compiler.compiled import CompiledSystem, compile_system
from sw.compiler.llama.build import border, decoder
from sw.compiler.llama.checkpoint import Checkpoint
from sw.golden.chip import GoldenSystem
from takt.model import joined

COUNTS = (1, 2, 4)
#: Widths of models of one layer, whose feed-forward is three times as wide, with heads of 16.
WIDTHS = (64, 128, 256, 512)


@cache
def spread(chips: int) -> CompiledSystem:
    """The shipped model on so many chips."""
    return _compiled(model("shipped"), chips)


def _compiled(of: Checkpoint, chips: int) -> CompiledSystem:
    system = joined(load("linked"), chips)
    return compile_system(decoder(of, system.config.vl, chips=chips), system)


def token() -> Found:
    """Cycles of a token on one chip, and beside them on several, the start apart; a step on the golden system takes them."""
    found = {}
    for chips in COUNTS:
        compiled, machine = spread(chips), GoldenSystem(joined(load("linked"), chips))
        compiled.load(machine)
        inputs = {"token": np.int16([[1]]), "position": np.int16([[0]])}
        # Raises where a run does not take the cycles that were predicted.
        compiled.step(machine, border(model("shipped"), compiled.config.vl, chips).divide(inputs))
        if chips > 1:
            found[f"{chips} chips"] = compiled.body
            found[f"{chips} chips, with start"] = max(compiled.cycles)
    return Found(spread(1).body, found)


def pays() -> Found:
    """The least width of a model of one layer at which two chips are faster than one, the start included."""
    found, least = {}, None
    for width in WIDTHS:
        of = random_model(1, width, 3 * width, width // 16, width // 16, 16)
        cycles = [_compiled(of, chips).body for chips in COUNTS]
        found |= {f"width {width}, {chips} chips": body for chips, body in zip(COUNTS, cycles, strict=True)}
        if least is None and cycles[1] < cycles[0]:
            least = width
    return Found(least, found)


FIGURES = (
    Figure("llama.chips", "cycles", token),
    Figure("llama.chips_pay", "width", pays, (Bound(">=", 1),), long=True),
)
