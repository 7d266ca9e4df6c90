"""One model on several chips: what a token takes, and from which size on spreading pays."""

from functools import cache

import numpy as np

from figures.compiler import random_model
from figures.decode import model
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.compiler.compiled import CompiledSystem, compile_system
from sw.compiler.graph import Graph
from sw.compiler.llama.build import border, decoder
from sw.compiler.llama.checkpoint import Checkpoint
from sw.compiler.spread.schemes import spread
from sw.golden.chip import GoldenSystem
from sw.machine import MachineError
from takt.model import joined

COUNTS = (1, 2, 4)
#: Widths of models of one layer, whose feed-forward is three times as wide, with heads of 16.
WIDTHS = (64, 128, 256)
#: The dense layers, and rows that go through them.
LAYERS, SIZE, ROWS = 8, 2048, 512
SEED = 2048


@cache
def shared(chips: int) -> CompiledSystem:
    """The shipped model on so many chips."""
    return _compiled(model("shipped"), chips)


def _compiled(of: Checkpoint, chips: int) -> CompiledSystem:
    system = joined(load("linked"), chips)
    return compile_system(decoder(of, system.config.vl, chips=chips), system)


def token() -> Found:
    """Cycles of a token on one chip, and beside them on several, the start apart; a step on the golden system takes them."""
    found = {}
    for chips in COUNTS:
        compiled, machine = shared(chips), GoldenSystem(joined(load("linked"), chips))
        compiled.load(machine)
        inputs = {"token": np.int16([[1]]), "position": np.int16([[0]])}
        # Raises where a run does not take the cycles that were predicted.
        compiled.step(machine, border(model("shipped"), compiled.config.vl, chips).divide(inputs))
        if chips > 1:
            found[f"{chips} chips"] = compiled.body
            found[f"{chips} chips, with start"] = max(compiled.cycles)
    return Found(shared(1).body, found)


def pays() -> Found:
    """The least width of a model of one layer at which two chips are faster than one, the start included."""
    found, least = {}, None
    for width in WIDTHS:
        of = random_model(1, width, 3 * width, width // 16, width // 16, 16)
        cycles = [max(_compiled(of, chips).cycles) for chips in COUNTS]
        found |= {f"width {width}, {chips} chips": taken for chips, taken in zip(COUNTS, cycles, strict=True)}
        if least is None and cycles[1] < cycles[0]:
            least = width
    return Found(least, found)


def layers(rows: int) -> Graph:
    """Dense layers of 2048 x 2048 in INT8 on so many rows; sums are scaled, rectified and rounded to INT8."""
    graph, rng = Graph("dense"), np.random.default_rng(SEED)
    x = graph.input("x", (rows, SIZE), "int8")
    for number in range(LAYERS):
        graph.scope = f"layer {number}"
        sums = graph.dot(x, graph.constant(rng.integers(-128, 128, (SIZE, SIZE), np.int8)))
        x = graph.elementwise("RELU", sums.to("fp32") * float(1 / (64 * np.sqrt(SIZE)))).to("int8")
    graph.output("y", x)
    return graph


def dense() -> Found:
    """Share of the time of one chip over that of so many, for all rows in one run of chips that have as many each. They send
    each other nothing. Results are compared with those of one chip."""
    config, cycles, first = load("full"), {}, None
    x = np.random.default_rng(SEED).integers(-128, 128, (ROWS, SIZE), np.int8)
    graph = layers(ROWS)
    for chips in (1, 2, 4, 8):
        system = joined(config, chips)
        spreaded, around = spread(graph, system, "rows")
        compiled, machine = compile_system(spreaded, system), GoldenSystem(system)
        compiled.load(machine)
        found = around.join(compiled.step(machine, around.divide({"x": x})))["y"]
        first = found if first is None else first
        if not np.array_equal(found, first):
            raise MachineError(f"On {chips} chips results are others than on one.")
        cycles[chips] = max(compiled.cycles)
    shares = {f"{chips} chips": cycles[1] / chips / cycles[chips] for chips in (2, 4, 8)}
    return Found(shares["8 chips"], shares | {f"{chips} chips, cycles": found for chips, found in cycles.items()})


FIGURES = (
    Figure("llama.chips", "cycles", token),
    Figure("dense.chips", "of the ideal", dense, (Bound(">=", 0.85),), long=True),
    Figure("llama.chips_pay", "width", pays, (Bound(">=", 1),), long=True),
)
