"""Compiled programs in lockstep on golden model and RTL."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from sw.arch.config import load
from sw.compiler.compiled import CompileError, compile_graph
from sw.compiler.graph import Graph
from tests.compiler.random_graphs import Builder
from tests.tb.lockstep import lockstep, machine

TINY = load("tiny")
SEED = 20261127
#: Random graphs to run, of those that fit.
GRAPHS = 25


@pytest.fixture(scope="module")
def rtl(tmp_path_factory):
    with machine(TINY, tmp_path_factory.mktemp("rtl")) as running:
        yield running


def chain(rng):
    graph = Graph("chain")
    x, y = graph.input("x", (3, 8), "int16"), graph.input("y", (3, 1), "int16")
    graph.output("z", graph.elementwise("MAX", x + y, 3))
    return graph


def product(rng):
    graph = Graph("product")
    made = graph.dot(graph.input("x", (2, 11), "int8"), graph.constant(rng.integers(-9, 9, (8, 11)), "int8"))
    graph.output("y", made.to("int16"))
    return graph


def counter(rng):
    graph = Graph("counter")
    count = graph.state("n", np.zeros((1, 1)), "int16")
    table = graph.constant(rng.integers(-99, 99, (6, 8)), "int16")
    graph.store("n", count + 1)
    graph.output("row", graph.gather(table, count))
    graph.output("back", graph.move(graph.outputs["row"], np.arange(8)[None, ::-1]))
    return graph


def sums(rng):
    graph = Graph("sums")
    total = graph.reduce("SUM", graph.input("x", (3, 11), "int8").to("int32"), 1)
    graph.output("y", graph.reduce("MAX", total, 0))
    return graph


def cache(rng):
    graph = Graph("cache")
    count = graph.state("n", np.zeros((1, 1)), "int16")
    rows = graph.state("rows", rng.integers(-99, 99, (5, 8)), "int16")
    after = graph.scatter(rows, count, graph.input("x", (1, 8), "int16"))
    graph.store("rows", after)
    graph.store("n", count + 1)
    graph.output("older", graph.gather(after, count - 1))
    return graph


def tiles(rng):
    graph = Graph("tiles")
    x = graph.input("x", (2, 16), "int8")
    graph.output("y", graph.move(x, np.arange(32).reshape(2, 16)[:, ::-1]))
    return graph


def floats(rng):
    graph = Graph("floats")
    x = graph.input("x", (2, 8), "fp16").to("fp32")
    weights = graph.constant(rng.standard_normal((3, 8)).astype(np.float16))
    graph.output("y", graph.dot((x * x).to("fp16"), weights))
    return graph


def in_lockstep(graph, rtl, rng):
    image = compile_graph(graph, TINY).image
    writes = {region.name: rng.integers(0, 4, (region.words, TINY.vl)).astype(np.uint8) for region in image.inputs}
    lockstep(rtl, image, 3, writes)


@pytest.mark.parametrize("make", [chain, product, counter, sums, cache, tiles, floats])
def test_a_compiled_program_runs_alike_on_both(make, rtl):
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    in_lockstep(make(rng), rtl, rng)


def test_random_graphs_run_alike_on_both(rtl):
    print("seed", SEED)
    rng, run = np.random.default_rng(SEED), []

    @seed(SEED)
    @settings(max_examples=120, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.data())
    def each(data):
        graph = Builder(data.draw).graph
        if len(run) == GRAPHS:
            return
        try:
            in_lockstep(graph, rtl, rng)
        except CompileError:  # it does not fit into `tiny`
            return
        run.append(graph)

    each()
    assert len(run) == GRAPHS and len({tensor.op for graph in run for tensor in graph.tensors}) >= 7
