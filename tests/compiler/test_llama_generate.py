"""Text from a decode step: what is fed to it, what is chosen, and where a text ends."""

import numpy as np
import pytest

from sw.compiler.llama.generate import generate
from sw.compiler.llama.sample import GenerateError, Sampler
from sw.compiler.llama.tokenizer import BOS

VOCAB = 10


def steps(choices):
    """A step that likes choices[position] most, and what it was given."""
    given = []

    def step(inputs):
        assert {array.dtype for array in inputs.values()} == {np.dtype(np.int16)}
        token, position = int(inputs["token"].item()), int(inputs["position"].item())
        given.append((token, position))
        return {"logits": np.eye(VOCAB, dtype=np.float32)[None, choices[position]]}

    return step, given


def test_the_prompt_is_forced_and_then_choices_go_back_in():
    step, given = steps([9, 9, 4, 5, 6])
    said = list(generate(step, [BOS, 7, 8], Sampler(), 3, 32))
    assert given == [(BOS, 0), (7, 1), (8, 2), (4, 3), (5, 4)]
    assert [(one.previous, one.token, one.prompted) for one in said] == [
        (BOS, 7, True), (7, 8, True), (8, 4, False), (4, 5, False), (5, 6, False)
    ]  # fmt: skip


def test_a_text_ends_with_bos_and_with_the_context():
    step, given = steps([4, BOS, 5, 5])
    assert [one.token for one in generate(step, [BOS], Sampler(), 100, 4)] == [4, BOS]
    step, given = steps([4, 5, 6, 7])
    assert [one.token for one in generate(step, [BOS], Sampler(), 100, 4)] == [4, 5, 6, 7]
    assert len(given) == 4


@pytest.mark.parametrize("length", [0, 5])
def test_prompts_that_do_not_fit_are_refused(length):
    with pytest.raises(GenerateError, match=f"prompt has {length} tokens, it must have 1 to 4"):
        next(generate(steps([0])[0], [BOS] * length, Sampler(), 1, 4))
