"""Language models: cycles of a token against their lower bound, text against others', simulated tokens a second."""

from functools import cache, partial

import numpy as np
from talk import Report, talk

from figures.decode import Speaker, bound, program, stories
from figures.digits import small_chip
from figures.figure import Bound, Figure, Found
from sw.arch.config import load
from sw.golden.chip import GoldenMachine
from sw.machine import Alone, MachineError
from takt.commands.llama import CLOCK_MHZ
from takt.model import compile
from takt.sources import shipped
from tb.machine import CocotbMachine

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
            f"tokens/s at {CLOCK_MHZ} MHz": CLOCK_MHZ * 1e6 / compiled.cycles,
        },
    )


def full() -> Found:
    found = cycles("shipped", "fp16", "full")
    return Found(found.value, {**found.yardstick, "small": program("shipped", "fp16").cycles})


@cache
def report() -> Report:
    """What `make sim` measures, on fewer tokens."""
    model = compile(shipped(), "small")
    with CocotbMachine(model.config, small_chip()) as machine:
        return talk(model, Alone(machine), SHORT, lambda piece: None)


def cycles_predicted() -> Found:
    """MachineError if a logit is not the golden model's."""
    found = report()
    if found.equal_tokens != found.tokens:
        raise MachineError(f"{found.tokens - found.equal_tokens} of {found.tokens} tokens differ from the golden model's.")
    return Found(found.cycles_predicted, {"least": found.cycles_measured[0], "most": found.cycles_measured[-1]})


def cycles_measured() -> Found:
    found = report()
    return Found(found.cycles_measured[-1], {"least": found.cycles_measured[0], "predicted": found.cycles_predicted})


def rtl_tps() -> Found:
    return Found(1 / report().seconds, {"tokens": SHORT})


def golden_tps() -> Found:
    compiled = program("shipped", "fp16")
    speaker = Speaker(compiled, GoldenMachine(compiled.config))
    speaker.text(SHORT)
    # The first token prepares.
    return Found((SHORT - 1) / sum(speaker.seconds[1:]), {"tokens": SHORT, "the first, s": speaker.seconds[0]})


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
    Figure("llama.cycles_predicted", "cycles", cycles_predicted, (Bound("==", "least"), Bound("==", "most"))),
    Figure(
        "llama.cycles_measured", "cycles", cycles_measured, (Bound("==", "predicted"), Bound("==", "predicted", of="least"))
    ),
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
