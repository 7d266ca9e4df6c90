"""Language models: cycles of a token against their lower bound, text against others', simulated tokens a second."""

from functools import cache, partial

import numpy as np

from figures.decode import Speaker, bound, program, stories
from figures.digits import small_chip
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import MachineError
from tb.machine import CocotbMachine

#: Cycles a second of a chip in silicon.
CLOCK = 900e6
#: Tokens that are written to measure, and those of the text to judge by.
SHORT, TOKENS = 8, 200


def cycles(name: str, precision: str, preset: str = "small") -> Found:
    """Predicted cycles, which the golden model confirms for the first token."""
    compiled = program(name, precision, preset)
    Speaker(compiled, GoldenMachine(compiled.config)).text(1)
    least = bound(name, precision, preset)
    return Found(
        compiled.cycles,
        {
            "llama.bound": least.total,
            "chain alone": least.latency,
            "ratio": compiled.cycles / least.total,
            "tokens/s at 900 MHz": CLOCK / compiled.cycles,
        },
    )


def full() -> Found:
    found = cycles("shipped", "fp16", "full")
    return Found(found.value, {**found.yardstick, "small": program("shipped", "fp16").cycles})


@cache
def on_rtl() -> tuple[int, int, float]:
    """Cycles of a token, counted by the chip and predicted, and tokens a second of wall time; MachineError if a token
    is not the golden model's."""
    compiled = program("shipped", "fp16")
    expected = Speaker(compiled, GoldenMachine(compiled.config)).text(SHORT)
    with CocotbMachine(compiled.config, small_chip()) as machine:
        speaker = Speaker(compiled, machine)
        written, measured = speaker.text(SHORT), machine.run().cycles
    if written != expected:
        raise MachineError(f"The RTL writes the tokens {written}, the golden model {expected}.")
    return measured, compiled.cycles, SHORT / speaker.seconds


def cycles_predicted() -> Found:
    measured, predicted, _ = on_rtl()
    return Found(predicted, {"measured": measured})


def cycles_measured() -> Found:
    measured, predicted, _ = on_rtl()
    return Found(measured, {"predicted": predicted})


def rtl_tps() -> Found:
    return Found(on_rtl()[2], {"tokens": SHORT})


def golden_tps() -> Found:
    compiled = program("shipped", "fp16")
    speaker = Speaker(compiled, GoldenMachine(compiled.config))
    speaker.text(SHORT)
    return Found(SHORT / speaker.seconds, {"tokens": SHORT})


def exact() -> Found:
    """How many tokens of llama2.c's text the golden model writes before the first other one."""
    expected = np.load(stories() / "golden_greedy200.npz")["tokens"]
    written = Speaker(program("260k", "fp16"), GoldenMachine(load("small"))).text(TOKENS)
    wrong = np.flatnonzero(np.array(written) != expected[: TOKENS + 1])
    return Found(int(wrong[0]) - 1 if len(wrong) else TOKENS, {"tokens": TOKENS})


def agreement() -> Found:
    """In how many positions INT8 has the likeliest token of the float64 logits, that text given."""
    judge = np.load(stories() / "golden_greedy200.npz")
    speaker = Speaker(program("260k", "int8"), GoldenMachine(load("small")))
    found = [speaker.following(int(token)) for token in judge["tokens"][:TOKENS]]
    return Found(int((np.array(found) == judge["logits_f32"].argmax(axis=1)).sum()), {"positions": TOKENS})


FIGURES = (
    Figure("llama.cycles_predicted", "cycles", cycles_predicted, (Bound("==", "measured"),)),
    Figure("llama.cycles_measured", "cycles", cycles_measured, (Bound("==", "predicted"),)),
    *(
        Figure(
            f"llama.{name}.{precision}", "cycles", partial(cycles, name, precision), (Bound("<=", "llama.bound", share=1.5),)
        )
        for name in ("shipped", "260k")
        for precision in ("fp16", "int8")
    ),
    Figure("llama.shipped.full", "cycles", full, (Bound("<", "small"),)),
    Figure("llama.260k.exact", "tokens", exact, (Bound(">=", TOKENS),)),
    Figure("llama.260k.int8_agree", "positions", agreement, (Bound(">=", 197),)),
    Figure("llama.rtl_tps", "tokens/s", rtl_tps, (Bound(">=", 1),)),
    Figure("llama.golden_tps", "tokens/s", golden_tps, (Bound(">=", 1),)),
)
