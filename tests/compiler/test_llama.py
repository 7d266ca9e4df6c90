"""The decode step of a Llama against a reference in float64 and llama2.c's own numbers."""

import dataclasses

import numpy as np
import pytest

from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import GraphError
from sw.compiler.llama.build import decoder
from sw.compiler.llama.checkpoint import read_llama2c
from tests.compiler.llama_reference import Llama, random_model, stories


def teacher_forced(graph, vl, tokens):
    """Logits after each of `tokens`."""
    machine = Evaluator(graph, vl)
    for position, token in enumerate(tokens):
        yield machine.run({"token": np.int16([[token]]), "position": np.int16([[position]])})["logits"][0]


SHAPES = {
    "grouped": {},
    "every head its own": {"kv_heads": 4, "layers": 1},
    "one key head": {"kv_heads": 1, "layers": 1, "tied": False},
    "odd sizes": {"dim": 20, "hidden": 37, "heads": 3, "kv_heads": 3, "head_size": 6, "vocab": 33, "context": 21},
    "narrow heads": {"dim": 12, "heads": 2, "kv_heads": 1, "head_size": 2, "layers": 1},
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("vl", [8, 16])
def test_steps_agree_with_the_reference_across_blocks(vl, shape):
    model = random_model(7, **shape)
    tokens = np.random.default_rng(1).integers(0, model.vocab, model.context)
    reference = Llama(model)
    for position, logits in enumerate(teacher_forced(decoder(model, vl), vl, tokens)):
        expected = reference.step(tokens[position])
        assert logits.shape == expected.shape
        assert np.abs(logits - expected).max() < 0.03, position


def test_a_second_text_sees_nothing_of_the_first():
    model = random_model(8)
    tokens = np.random.default_rng(2).integers(0, model.vocab, (2, 20))
    machine = Evaluator(decoder(model, 16), 16)
    for text in tokens:
        reference = Llama(model)
        for position, token in enumerate(text):
            logits = machine.run({"token": np.int16([[token]]), "position": np.int16([[position]])})["logits"][0]
            assert np.abs(logits - reference.step(token)).max() < 0.03


@pytest.mark.parametrize("vocab", [40, 48])
def test_the_chip_follows_the_prompt_and_then_chooses(vocab):
    model = random_model(9, vocab=vocab)
    prompt = np.full((model.context, 1), -1, np.int16)
    prompt[:5, 0] = 3, 0, 17, 4, 9
    machine = Evaluator(decoder(model, 16, greedy=True), 16)
    for _ in range(model.context):
        machine.run({"prompt": prompt})
    text, reference, token = machine.states["text"][:, 0], Llama(model), 1
    for position in range(model.context):
        logits = reference.step(token)
        token = text[position]
        if position < 5:
            assert token == prompt[position, 0]
        else:
            assert logits[token] > logits.max() - 0.05
    with pytest.raises(GraphError, match="takes row 32 of 32"):
        machine.run({"prompt": prompt})


def test_of_equal_logits_the_lowest_token_is_chosen():
    model = random_model(10)
    rows = np.repeat(model.embedding[:1], model.vocab, axis=0)
    machine = Evaluator(decoder(dataclasses.replace(model, classifier=rows), 16, greedy=True), 16)
    prompt = np.full((model.context, 1), -1, np.int16)
    assert machine.run({"prompt": prompt})["token"] == 0


def test_a_shorter_context_gives_the_same_logits():
    model = random_model(11)
    tokens = np.random.default_rng(3).integers(0, model.vocab, 10)
    long, short = (list(teacher_forced(decoder(model, 16, context=n), 16, tokens)) for n in (None, 10))
    assert np.abs(np.subtract(long, short)).max() < 1e-5


def test_what_does_not_fit_is_refused_in_a_sentence():
    model = random_model(12)
    with pytest.raises(GraphError, match="The context is 33, the model knows 1 to 32 positions"):
        decoder(model, 16, context=33)
    wide = dataclasses.replace(model, vocab=40000, embedding=np.ones((40000, 16)), classifier=np.ones((40000, 16)))
    with pytest.raises(GraphError, match="The vocabulary has 40000 entries, int16 numbers at most 32768"):
        decoder(wide, 16)
    with pytest.raises(GraphError, match="weights of 'layers.1.w1' reach .*, fp16 holds at most 65504"):
        decoder(dataclasses.replace(model, w1=model.w1 * np.float32([[[1]], [[1e6]]])), 16)
    with pytest.raises(GraphError, match="weights of 'embedding' reach .*, fp16 holds at most 65504"):
        decoder(dataclasses.replace(model, embedding=model.embedding * np.float32(1e6)), 16)


@pytest.mark.parametrize("vl", [64, 320])
def test_stories260k_agrees_with_its_golden_logits(vl):
    folder = stories()
    golden = np.load(folder / "golden_greedy200.npz")
    tokens, expected = golden["tokens"], golden["logits_f32"]
    steps = 200 if vl == 64 else 12
    graph = decoder(read_llama2c(folder / "stories260K.bin"), vl)
    logits = np.array(list(teacher_forced(graph, vl, tokens[:steps])))
    assert (logits.argmax(1) == tokens[1 : steps + 1]).all()
    assert np.abs(logits - expected[:steps]).max() < 0.11


def test_stories260k_writes_its_200_tokens_by_itself():
    folder = stories()
    tokens = np.load(folder / "golden_greedy200.npz")["tokens"]
    machine = Evaluator(decoder(read_llama2c(folder / "stories260K.bin"), 64, greedy=True), 64)
    prompt = np.full((512, 1), -1, np.int16)
    for _ in range(200):
        machine.run({"prompt": prompt})
    assert (machine.states["text"][:200, 0] == tokens[1:]).all()
