"""Statistics of programs that can be counted by hand, and bounds that no program goes below."""

from pathlib import Path

import numpy as np
import pytest

from sw.arch.config import load
from sw.asm.text import assemble
from sw.compiler.bounds import bounds
from sw.compiler.compiled import compile_graph
from sw.compiler.graph import Graph
from sw.compiler.stats import statistics

ROOT = Path(__file__).parents[2]
SMALL = load("small")


def test_the_copy_moves_four_vectors():
    found = statistics(assemble((ROOT / "examples" / "copy.takt").read_text()))
    assert found["cycles"] == 10
    assert found["instructions"] == {"READ": 4, "WRITE": 4}
    assert set(found["queues"]) == {"MEM_E0", "MEM_E5"}
    assert found["queues"]["MEM_E0"]["issues"] == 4 and found["queues"]["MEM_E0"]["busy"] == pytest.approx(0.4)
    assert found["kinds"]["MEM"]["issues"] == 8 and found["kinds"]["VXM"]["busy"] == 0
    assert found["kinds"]["MEM"]["busy"] == pytest.approx(8 / 10 / 48)
    assert found["traffic"]["read"]["bytes"] == found["traffic"]["written"]["bytes"] == 4 * 64
    assert found["traffic"]["streams"]["share"] == pytest.approx(4 / 10 / 64)
    assert found["memory"]["MEM_E0"]["inputs"] == 4 and found["memory"]["MEM_E5"]["results"] == 4
    assert all(sum(one.values()) == SMALL.mem.words for one in found["memory"].values())


def dense(rows, inputs, outputs, dtype):
    graph = Graph("dense")
    weights = np.random.default_rng(3).integers(-3, 3, (outputs, inputs)).astype(np.float32)
    x = graph.input("x", (rows, inputs), dtype)
    graph.output("y", graph.dot(x, graph.constant(weights, dtype)))
    return graph


@pytest.mark.parametrize(
    ("rows", "inputs", "outputs", "dtype", "passes", "words"),
    [
        # A pass for every row, 64 inputs and 64 outputs; a vector of weights for every output, 64 inputs and byte.
        (7, 64, 64, "int8", 7, 64),
        (7, 65, 130, "int8", 7 * 2 * 3, 130 * 2),
        (2, 200, 64, "fp16", 2 * 4 * 1 * SMALL.mxm.fp16_interval, 64 * 4 * 2),
    ],
)
def test_bounds_of_a_product(rows, inputs, outputs, dtype, passes, words):
    graph = dense(rows, inputs, outputs, dtype)
    least = bounds(graph, SMALL)
    assert least["arithmetic"] == -(-passes // 2)
    assert least["weight_bandwidth"] == -(-words // (2 * 16))
    assert least["vector"] == 0
    program = compile_graph(graph, SMALL)
    assert max(least.values()) <= program.cycles
    found = statistics(program.image)
    ways = found["instructions"]
    assert (ways["ABC"] + ways.get("ABC_HOLD", 0)) * (SMALL.mxm.fp16_interval if dtype == "fp16" else 1) == passes
    assert sum(one["constants"] for one in found["memory"].values()) >= words


def test_a_longer_chain_has_a_larger_latency_and_none_is_undercut():
    before = 0
    for length in (1, 2, 5, 9):
        graph = Graph("chain")
        x = graph.input("x", (1, 64), "fp32")
        for _ in range(length):
            x = graph.elementwise("EXP2", x) + graph.reduce("MAX", x, 1)
        graph.output("y", x)
        least = bounds(graph, SMALL)["dependency_latency"]
        assert before < least <= compile_graph(graph, SMALL).cycles
        before = least


def test_tables_are_what_indices_may_reach():
    graph = Graph("table")
    index = graph.input("i", (1, 1), "int16")
    state = graph.state("t", np.zeros((20, 64), np.int8))
    graph.store("t", graph.scatter(state, index, graph.input("x", (1, 64), "int8")))
    graph.output("y", graph.gather(state, index))
    found = statistics(compile_graph(graph, SMALL).image)
    assert sum(one["tables"] for one in found["memory"].values()) == 20
