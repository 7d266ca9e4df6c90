"""Time to compile, and how it grows with the number of layers."""

import time
from pathlib import Path

import numpy as np

from figures.decode import model
from figures.figure import Bound, Figure, Found
from sw.arch.config import Config, load
from sw.compiler.compiled import compile_graph
from sw.compiler.llama.build import decoder
from sw.compiler.llama.checkpoint import Checkpoint, shapes

SEED = 16
LAYERS = (1, 2, 4, 8, 16)
CONTEXT = 64
PLOT = Path("build/compile_scaling.svg")


def chip() -> Config:
    """`small` with what a program of 16 layers needs: the longest queues and the deepest memory."""
    return load("small").replace(name="deep", queue_words=4096, mem={"words": 16384})


def random_model(layers: int, dim: int = 64, hidden: int = 172, heads: int = 8, kv_heads: int = 4, size: int = 8) -> Checkpoint:
    """Random weights, by default in the shape of stories260K but for its layers; a context of 64."""
    rng = np.random.default_rng(SEED)

    def matrix(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    named = shapes(dim, hidden, layers, heads, kv_heads, size, vocab=512)
    weights = {name: np.ones(shape, np.float32) if "gain" in name else matrix(*shape) for name, shape in named.items()}
    weights["classifier"] = weights["embedding"]
    return Checkpoint(dim, hidden, layers, heads, kv_heads, size, 512, CONTEXT, 10000.0, 1e-5, **weights)


def seconds(layers: int) -> float:
    """Processor time to compile a decode step of `layers` layers, its graph included."""
    made, config = random_model(layers), chip()
    begin = time.process_time()
    compile_graph(decoder(made, config.vl), config)
    return time.process_time() - begin


def story() -> Found:
    """Wall time from the weights of stories260K to its program."""
    made, config = model("260k"), load("small")
    begin, busy = time.monotonic(), time.process_time()
    compiled = compile_graph(decoder(made, config.vl), config)
    return Found(time.monotonic() - begin, {"processor s": time.process_time() - busy, "cycles": compiled.cycles})


def scaling() -> Found:
    """Time of 16 times the layers over time of one."""
    # What is looked up once in a process counts for no size.
    seconds(1)
    times = {layers: seconds(layers) for layers in LAYERS}
    drawn = {"plot": str(PLOT)} if plot(times) else {"plot": "needs matplotlib (the extra `plot`)"}
    return Found(times[LAYERS[-1]] / times[LAYERS[0]], {f"{n} layers, s": s for n, s in times.items()} | drawn)


def plot(times: dict[int, float]) -> bool:
    """Draws times by layers beside the straight line through the first; False if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure as Drawing
    except ImportError:
        return False
    layers = list(times)
    drawing = Drawing(figsize=(6, 4))
    axes = drawing.subplots()
    axes.loglog(layers, list(times.values()), "o-", label="measured")
    axes.loglog(layers, [times[layers[0]] * n / layers[0] for n in layers], "--", label="linear")
    axes.set(xlabel="layers", ylabel="processor time to compile, s", xticks=layers, xticklabels=layers)
    axes.legend()
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(PLOT)
    return True


FIGURES = (
    Figure("compile.260k_s", "s", story, (Bound("<=", 30),)),
    Figure("compile.scaling", "times", scaling, (Bound("<=", 20),)),
)
