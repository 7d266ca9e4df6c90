"""The decode step with INT8 products."""

import numpy as np
import pytest

from sw.arch.dtype import DType
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import GraphError
from sw.compiler.llama.checkpoint import read_llama2c
from sw.compiler.llama.int8 import calibrated, int8_decoder
from sw.compiler.quantize import Scheme
from tests.compiler.llama_reference import Llama, random_model, stories


@pytest.mark.parametrize("scheme", [Scheme(), Scheme(8, True), Scheme(8)], ids=str)
def test_a_small_model_stays_near_the_reference(scheme):
    model = random_model(21, kv_heads=2)
    tokens = np.random.default_rng(4).integers(0, model.vocab, 24)
    samples = calibrated(model, 16, [[1]] * 6, 32)
    machine, reference = Evaluator(int8_decoder(model, 16, scheme=scheme, samples=samples), 16), Llama(model)
    error = []
    for position, token in enumerate(tokens):
        logits = machine.run({"token": np.int16([[token]]), "position": np.int16([[position]])})["logits"][0]
        expected = reference.step(token)
        error.append(np.mean((logits - expected) ** 2) / np.mean(expected**2))
    assert np.sqrt(np.mean(error)) < (0.05 if scheme.bits == 16 else 0.2)


def test_attention_stays_in_fp16_and_the_rest_is_int8():
    model = random_model(22)
    graph = int8_decoder(model, 16, greedy=True, samples=calibrated(model, 16, [[1], [1, 5, 6]], 16))
    kinds = {t.name.removeprefix("layers.1."): t.operands[1].dtype for t in graph.tensors if t.op == "dot"}
    integers = {name for name, dtype in kinds.items() if dtype is DType.INT8 and not name.startswith("layers.0.")}
    assert integers == {"wq", "wq_rotated", "wk", "wk_rotated", "wv", "wo", "w1", "w2", "w3", "classifier"}
    assert {kinds["scores"], kinds["mix"]} == {DType.FP16}


def test_a_prompt_without_tokens_cannot_calibrate():
    with pytest.raises(GraphError, match="prompt 1 is empty"):
        calibrated(random_model(23), 16, [[1], []], 4)


def test_stories260k_agrees_in_197_of_200_positions():
    folder = stories()
    golden = np.load(folder / "golden_greedy200.npz")
    model = read_llama2c(folder / "stories260K.bin")
    machine, agreed = Evaluator(int8_decoder(model, 64), 64), 0
    for position, (token, following) in enumerate(zip(golden["tokens"], golden["tokens"][1:], strict=False)):
        logits = machine.run({"token": np.int16([[token]]), "position": np.int16([[position]])})["logits"][0]
        agreed += int(logits.argmax() == following)
    print("agreed", agreed)
    assert agreed >= 197
