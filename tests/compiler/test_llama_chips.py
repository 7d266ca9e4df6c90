"""Language models that chips share."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler.compiled import compile_system
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import GraphError
from sw.compiler.llama.build import border, decoder
from sw.compiler.llama.checkpoint import CheckpointError
from sw.compiler.llama.int8 import int8_decoder
from sw.golden.chip import GoldenSystem
from takt.model import joined
from tests.compiler.llama_reference import Llama, random_model

SEED = 31
TOKENS = (1, 17, 4, 9)


def steps(tokens):
    for position, token in enumerate(tokens):
        yield {"token": np.int16([[token]]), "position": np.int16([[position]])}


@pytest.mark.parametrize("chips", [1, 2, 4])
def test_shares_say_what_the_model_says(chips):
    model = random_model(SEED, heads=8, kv_heads=4, vocab=70)
    machine, around, reference = Evaluator(decoder(model, 16, chips=chips), 16), border(model, 16, chips), Llama(model)
    for inputs, token in zip(steps(TOKENS), TOKENS, strict=True):
        logits = around.join(machine.run(around.divide(inputs)))["logits"]
        expected = reference.step(token)
        assert logits.shape == (1, 70) and np.abs(logits[0] - expected).max() < 0.02 * np.abs(expected).max()


def test_shares_run_on_chips():
    model = random_model(SEED, heads=8, kv_heads=4, vocab=70)
    system = joined(load("linked"), 2)
    graph, around = decoder(model, 64, chips=2), border(model, 64, 2)
    compiled, machine, meaning = compile_system(graph, system), GoldenSystem(system), Evaluator(graph, 64)
    compiled.load(machine)
    for inputs in steps(TOKENS):
        found = around.join(compiled.step(machine, around.divide(inputs)))["logits"]
        expected = around.join(meaning.run(around.divide(inputs)))["logits"]
        np.testing.assert_allclose(found, expected, atol=0.01 * np.abs(expected).max())


def test_shares_in_int8_are_near():
    model = random_model(SEED, heads=8, kv_heads=4, vocab=70)
    machine, around, reference = Evaluator(int8_decoder(model, 16, chips=2), 16), border(model, 16, 2), Llama(model)
    for inputs, token in zip(steps(TOKENS), TOKENS, strict=True):
        logits, expected = around.join(machine.run(around.divide(inputs)))["logits"], reference.step(token)
        assert np.abs(logits[0] - expected).max() < 0.1 * np.abs(expected).max()


def test_what_cannot_be_shared_is_refused():
    model = random_model(SEED, heads=8, kv_heads=4, vocab=70)
    with pytest.raises(CheckpointError, match="has 4 key/value heads, they make 1 to 4 shares, not 5"):
        decoder(model, 16, chips=5)
    with pytest.raises(GraphError, match="takes 2 vectors of 64 lanes, 4 chips cannot share them"):
        decoder(model, 64, chips=4)
    with pytest.raises(GraphError, match="none can choose the next token"):
        decoder(model, 16, greedy=True, chips=2)
