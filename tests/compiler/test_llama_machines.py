"""stories260K as a compiled program: llama2.c's greedy text, token by token, and the same cycles at every position."""

from contextlib import nullcontext

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler.compiled import compile_graph
from sw.compiler.llama.build import decoder
from sw.compiler.llama.checkpoint import read_llama2c
from sw.compiler.llama.int8 import int8_decoder
from sw.golden.chip import GoldenMachine
from tb.machine import CocotbMachine
from tests.compiler.llama_reference import stories


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


def test_the_first_tokens_on_the_golden_model():
    assert agreement(decoder(model(), 64), golden, 32) == 32


@pytest.mark.slow
def test_all_tokens_on_the_golden_model():
    assert agreement(decoder(model(), 64), golden, 200) == 200


@pytest.mark.slow
def test_int8_on_the_golden_model():
    assert agreement(int8_decoder(model(), 64), golden, 200) >= 197


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_tokens_on_the_rtl():
    assert agreement(decoder(model(), 64), CocotbMachine, 200) == 200
