"""A SwiGLU feed-forward with INT8 weights and activations on a chip of 32 lanes and four planes, on the golden model."""

from functools import partial

import numpy as np

from figures.figure import Bound, Figure, Found
from sw.arch.config import Config, load
from sw.arch.dtype import DType
from sw.compiler.calibrate import Recorder
from sw.compiler.compiled import compile_graph
from sw.compiler.evaluate import Evaluator
from sw.compiler.formulas.activations import silu
from sw.compiler.graph import Graph
from sw.compiler.quantize import Scheme, quantized
from sw.golden.chip import GoldenMachine

SEED = 576
DIM, HIDDEN = 576, 1536
#: The last bit of a special function may round an activation to its neighbour, which reaches every result.
_ERROR = 1e-3
#: Columns of weights that one LW brings.
_COLUMNS = 16


def chip() -> Config:
    """32 lanes, four planes, 32 streams each way, memory as large as it may be."""
    return load("full").replace(
        name="ffn", superlanes=2, queue_words=4096, mem={"slices": 64, "words": 16384}, mxm={"acc_rows": 4096}, c2c={"links": 0}
    )


def feed_forward(tokens: int, vl: int) -> Graph:
    """Input `x`, output `y`, FP32 [tokens, 576]; random weights, static scales from random samples."""
    rng = np.random.default_rng(SEED)

    def weights(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape) / np.sqrt(shape[-1])

    graph = Graph("ffn")
    x = graph.input("x", (tokens, DIM), DType.FP32)
    operand, made = x.to(DType.FP16), {}
    for name, shape in (("gate", (HIDDEN, DIM)), ("up", (HIDDEN, DIM)), ("down", (DIM, HIDDEN))):
        graph.scope = name
        made[name] = graph.dot(operand, graph.constant(weights(*shape), DType.FP16))
        if name == "up":
            graph.scope = "swiglu"
            operand = (silu(made["gate"]) * made["up"]).to(DType.FP16)
    graph.output("y", made["down"])
    recorder = Recorder(graph, vl)
    recorder.run({"x": rng.standard_normal((tokens, DIM)).astype(np.float32)})
    return quantized(graph, recorder.samples, Scheme(8, corrected=False, smoothing=0))


def measure(tokens: int) -> Found:
    """Cycles of one run; RuntimeError if its result is not the evaluated graph's."""
    config = chip()
    graph = feed_forward(tokens, config.vl)
    program = compile_graph(graph, config)
    machine = GoldenMachine(config)
    program.load(machine)
    inputs = {"x": np.random.default_rng(SEED + 1).standard_normal((tokens, DIM)).astype(np.float32)}
    found, expected = program.step(machine, inputs)["y"], Evaluator(graph, config.vl).run(inputs)["y"]
    error = float(np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)))
    if error > _ERROR:
        raise RuntimeError(f"The results differ from the evaluated graph's by {error:g} of their size, {_ERROR:g} is allowed.")
    planes, tiles = config.mxm.west + config.mxm.east, 3 * (DIM // config.vl) * (HIDDEN // config.vl)
    bounds = {
        "weight bandwidth": tiles * (config.vl // _COLUMNS) // planes,
        "arithmetic": tiles * tokens // planes,
    }
    return Found(program.cycles, bounds | {"ratio": program.cycles / max(bounds.values())})


FIGURES = (
    Figure("ffn.decode", "cycles", partial(measure, 1), (Bound("<=", 1500),)),
    Figure("ffn.prefill128", "cycles", partial(measure, 128), (Bound("<=", 88000),), long=True),
)
