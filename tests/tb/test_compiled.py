"""Compiled programs in lockstep on golden model and RTL."""

import numpy as np
import pytest

from sw.arch.config import load
from sw.compiler.compiled import compile_graph
from sw.compiler.graph import Graph
from tests.tb.lockstep import lockstep, machine

TINY = load("tiny")
SEED = 20261127


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


@pytest.mark.parametrize("make", [chain, product, counter])
def test_a_compiled_program_runs_alike_on_both(make, rtl):
    print("seed", SEED)
    rng = np.random.default_rng(SEED)
    image = compile_graph(make(rng), TINY).image
    writes = {region.name: rng.integers(0, 4, (region.words, TINY.vl)).astype(np.uint8) for region in image.inputs}
    lockstep(rtl, image, 3, writes)
