"""Ten dense layers in a row at batch 1, INT8, on the golden model of `small`."""

from itertools import pairwise
from math import ceil

import numpy as np

from figures.figure import Bound, Figure, Found
from sw.arch.config import Config, load
from sw.arch.dtype import DType
from sw.arch.floorplan import floorplan
from sw.compiler.compiled import compile_graph
from sw.compiler.graph import Graph
from sw.golden.chip import GoldenMachine
from sw.isa.table import instruction

SEED = 640
WIDTHS = (640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640)
#: Columns of weights that one LW brings.
_COLUMNS = 16
#: A program ends two cycles after the issue of its last WRITE, that of the HALT behind it included.
_END = 2


def layers() -> list[tuple[np.ndarray, np.float32]]:
    """Random weights INT8 [out, in] of each layer, and what its sums are multiplied by."""
    rng = np.random.default_rng(SEED)
    made = []
    for inputs, outputs in pairwise(WIDTHS):
        weights = rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
        made.append((weights, np.float32(1 / (64 * np.sqrt(inputs)))))
    return made


def autoencoder() -> Graph:
    """Input `x` and output `y`, INT8 [1, 640]; every layer is relu(W x) scaled and rounded to INT8."""
    graph = Graph("autoencoder")
    x = graph.input("x", (1, WIDTHS[0]), DType.INT8)
    for number, (weights, scale) in enumerate(layers()):
        graph.scope = f"layer {number}"
        sums = graph.dot(x, graph.constant(weights)).to(DType.FP32) * float(scale)
        x = graph.elementwise("RELU", sums).to(DType.INT8)
    graph.output("y", x)
    return graph


def reference(x: np.ndarray) -> np.ndarray:
    """The same in numpy."""
    for weights, scale in layers():
        sums = (x.astype(np.int32) @ weights.T.astype(np.int32)).astype(np.float32) * scale
        x = np.clip(np.rint(np.maximum(sums, 0)), -128, 127).astype(np.int8)
    return x


def weight_bandwidth(config: Config) -> int:
    """Beats of LW of all tiles, divided over the planes."""
    tiles = sum(ceil(a / config.vl) * ceil(b / config.vl) for a, b in pairwise(WIDTHS))
    return tiles * (config.vl // _COLUMNS) // (config.mxm.west + config.mxm.east)


def dependency_latency(config: Config) -> int:
    """The chain from the first READ to the last WRITE: passes, the way to the vector unit and back, and the smallest chain
    there, with one ADD where the parts of a sum stand on several planes. Slices stand next to planes and vector unit."""
    units = floorplan(config).units
    vxm = next(unit.stop for unit in units if unit.kind == "VXM")
    way = min(abs(unit.stop - vxm) for unit in units if unit.kind == "MXM") - 1
    behind = min(abs(a.stop - b.stop) for a in units if a.kind == "MXM" for b in units if b.kind == "MEM") - 1
    product = sum(instruction(name).timing(config, {"dtype": 0, "mode": 0}).d_func for name in ("ABC", "ACC"))

    def step(op: str, dtype: DType) -> int:
        timing = instruction(op).timing(config, {"dtype": dtype})
        return timing.d_chain - timing.chain_skew

    chain = step("CONVERT", DType.INT32) + step("MUL", DType.FP32) + step("RELU", DType.FP32)
    chain += instruction("CONVERT").timing(config, {"dtype": DType.FP32}).d_func
    joined = sum(step("ADD", DType.INT32) for inputs in WIDTHS[:-1] if inputs > config.vl)
    count = len(WIDTHS) - 1
    read = instruction("READ").timing(config, {}).d_func + behind
    return read + count * (product + way + chain) + (count - 1) * way + joined + _END


def measure() -> Found:
    """Cycles of one run, whose result equals numpy's."""
    config = load("small")
    compiled = compile_graph(autoencoder(), config)
    machine = GoldenMachine(config)
    compiled.load(machine)
    x = np.random.default_rng(SEED + 1).integers(-128, 128, (1, WIDTHS[0])).astype(np.int8)
    found, expected = compiled.step(machine, {"x": x})["y"], reference(x)
    if not np.array_equal(found, expected):
        raise RuntimeError(f"{(found != expected).sum()} of {found.size} results differ from numpy's.")
    bounds = {"weight bandwidth": weight_bandwidth(config), "dependency latency": dependency_latency(config)}
    largest = max(bounds.values())
    return Found(compiled.cycles, bounds | {"larger bound": largest, "ratio": compiled.cycles / largest})


FIGURES = (Figure("dense.autoencoder", "cycles", measure, (Bound("<=", "larger bound", share=1.25),)),)
