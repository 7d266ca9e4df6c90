"""Text from a decode step, token by token."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sw.compiler.llama.sample import GenerateError, Sampler
from sw.compiler.llama.tokenizer import BOS

#: One run of a decode step: outputs by name, from inputs by name.
Step = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Said:
    """What one step gave: at `position`, `token` follows `previous`; `logits` are FP32 [1, vocab].

    In the prompt the token is the prompt's, whatever the logits say.
    """

    position: int
    previous: int
    token: int
    prompted: bool
    logits: np.ndarray


def generate(step: Step, prompt: Sequence[int], sampler: Sampler, tokens: int, context: int) -> Iterator[Said]:
    """Runs `step` for each token of the prompt and `tokens` more at the most.

    step : not greedy on the chip (see `build.decoder`), its caches may hold anything
    prompt : at least one token, by custom BOS first
    It ends early at the context's end, and where BOS, which ends a text, was chosen. GenerateError for a prompt without
    tokens or longer than the context.
    """
    if not 1 <= len(prompt) <= context:
        raise GenerateError(f"The prompt has {len(prompt)} tokens, it must have 1 to {context}.")
    token = prompt[0]
    for position in range(min(len(prompt) - 1 + tokens, context)):
        previous, prompted = token, position + 1 < len(prompt)
        logits = step({"token": np.int16([[previous]]), "position": np.int16([[position]])})["logits"]
        token = prompt[position + 1] if prompted else sampler.choose(logits)
        yield Said(position, previous, token, prompted, logits)
        if not prompted and token == BOS:
            return
