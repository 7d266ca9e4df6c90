"""Language models as compiled programs on both machines, token by token, in the same cycles at every position.

stories260K has llama2.c's greedy text to agree with. The shipped model needs no other files: the RTL has the golden
model's logits.
"""

from contextlib import nullcontext

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler.compiled import compile_graph
from sw.compiler.llama.build import decoder
from sw.compiler.llama.checkpoint import read_llama2c
from sw.compiler.llama.int8 import int8_decoder
from sw.compiler.llama.tokenizer import BOS
from sw.golden.chip import GoldenMachine
from takt.sources import shipped
from tb.chip import build_chip
from tb.machine import CocotbMachine
from tests.compiler.llama_reference import stories

#: Tokens on the RTL in the regular tests.
SHORT = 32
#: Enough for whoever builds the simulator of `small`, and for whoever waits for it.
pytestmark = pytest.mark.timeout(3600)


def agreement(graph, context, count):
    """Positions in which a program's best token is that of the float64 logits, teacher-forced; `step` would refuse a
    token that takes other than the predicted cycles."""
    compiled = compile_graph(graph, load("small"))
    golden = np.load(stories() / "golden_greedy200.npz")
    best = 0
    with context(load("small")) as machine:
        compiled.load(machine)
        for position, token in enumerate(golden["tokens"][:count]):
            inputs = {"token": np.int16([[token]]), "position": np.int16([[position]])}
            best += compiled.step(machine, inputs)["logits"].argmax() == golden["logits_f32"][position].argmax()
    return best


def model():
    return read_llama2c(stories() / "stories260K.bin")


def golden(config):
    return nullcontext(GoldenMachine(config))


def rtl(config):
    return CocotbMachine(config, build_chip(config, sim=False))


def test_the_shipped_model_has_the_same_logits_on_both():
    compiled, token = compile_graph(decoder(read_llama2c(shipped()), 64), load("small")), BOS
    with rtl(compiled.config) as hardware, golden(compiled.config) as paper:
        for machine in (hardware, paper):
            compiled.load(machine)
        for position in range(SHORT):
            inputs = {"token": np.int16([[token]]), "position": np.int16([[position]])}
            found, expected = (compiled.step(machine, inputs)["logits"] for machine in (hardware, paper))
            assert found.tobytes() == expected.tobytes(), position
            token = expected.argmax()


def test_the_first_tokens_on_the_rtl():
    assert agreement(decoder(model(), 64), rtl, SHORT) == SHORT


def test_the_first_tokens_on_the_golden_model():
    assert agreement(decoder(model(), 64), golden, SHORT) == SHORT


@pytest.mark.slow
def test_all_tokens_on_the_golden_model():
    assert agreement(decoder(model(), 64), golden, 200) == 200


@pytest.mark.slow
def test_int8_on_the_golden_model():
    assert agreement(int8_decoder(model(), 64), golden, 200) >= 197


@pytest.mark.slow
def test_all_tokens_on_the_rtl():
    assert agreement(decoder(model(), 64), rtl, 200) == 200
