"""The decode step with INT8 products, calibrated on text that the model itself writes."""

from collections.abc import Iterable, Sequence

import numpy as np

from sw.compiler.calibrate import Recorder
from sw.compiler.graph import Graph, GraphError
from sw.compiler.llama.build import border, decoder
from sw.compiler.llama.checkpoint import Checkpoint
from sw.compiler.llama.sample import Sampler
from sw.compiler.llama.tokenizer import BOS
from sw.compiler.quantize import Scheme, quantized

#: Samples by default: texts, and tokens in each.
_TEXTS, _LENGTH = 8, 128


def int8_decoder(
    model: Checkpoint,
    vl: int,
    greedy: bool = False,
    context: int | None = None,
    scheme: Scheme | None = None,
    samples: dict[str, np.ndarray] | None = None,
    chips: int = 1,
) -> Graph:
    """`build.decoder` with INT8 weights in all products but those of attention, which stay FP16.

    scheme : by default static activations of 16 bits and corrected weights
    samples : of the products, as `calibrated` makes them, which is also the default
    """
    samples = calibrated(model, vl, context=context, chips=chips) if samples is None else samples
    graph = decoder(model, vl, greedy, context, chips)
    return quantized(graph, samples, scheme, lambda name: not name.endswith(".mix"))


def calibrated(
    model: Checkpoint,
    vl: int,
    prompts: Iterable[Sequence[int]] = ((BOS,),) * _TEXTS,
    length: int = _LENGTH,
    context: int | None = None,
    chips: int = 1,
) -> dict[str, np.ndarray]:
    """Samples of every product: each prompt goes on, at temperature 1, to `length` tokens or to the end of the context."""
    recorder, around = Recorder(decoder(model, vl, context=context, chips=chips), vl), border(model, vl, chips)
    length = min(length, context or model.context)
    for seed, prompt in enumerate(prompts):
        if not prompt:
            raise GraphError(f"The calibration's prompt {seed} is empty, it must hold a token.")
        recorder.restart()
        sampler, token = Sampler(1.0, seed=seed), prompt[0]
        for position in range(length):
            token = prompt[position] if position < len(prompt) else token
            inputs = {"token": np.int16([[token]]), "position": np.int16([[position]])}
            token = sampler.choose(around.join(recorder.run(around.divide(inputs)))["logits"])
    return recorder.samples
