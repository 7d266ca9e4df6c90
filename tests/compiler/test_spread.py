"""Graphs that schemes spread over chips: by the evaluator what they were on one, and as programs on the golden system."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sw.compiler.compiled import CompileError, compile_system
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph, GraphError
from sw.compiler.spread.choice import fastest
from sw.compiler.spread.schemes import SCHEMES, spread
from sw.golden.chip import GoldenSystem
from sw.network.topology import node, ring
from tests.compiler.machines import some, some_inputs
from tests.compiler.random_graphs import Builder
from tests.compiler.strategies import fixed
from tests.compiler.test_chips import LINKED

SYSTEMS = {"pair": node(LINKED, 2, each=2), "ring of 3": ring(LINKED, 3), "node of 4": node(LINKED, 4)}
SEED = 77


def layers(dtype: str) -> Graph:
    """Three dense layers."""
    graph, rng = Graph("layers"), np.random.default_rng(SEED)
    x = graph.input("x", (4, 48), dtype)
    for inputs, outputs in ((48, 64), (64, 80), (80, 32)):
        y = graph.dot(x, graph.constant(some((outputs, inputs), dtype, rng), dtype))
        x = graph.elementwise("RELU", y.to("fp32") * 0.015625).to(dtype)
    graph.output("y", x)
    return graph


def heads() -> Graph:
    """Attention of four heads."""
    graph, rng, tokens, count, size = Graph("heads"), np.random.default_rng(SEED), 6, 4, 8
    x = graph.input("x", (tokens, count * size), "fp16")
    numbers = np.arange(tokens * count * size).reshape(tokens, count, size)

    def projected():
        y = graph.dot(x, graph.constant(some((count * size, count * size), "fp16", rng) / 8, "fp16")).to("fp16")
        return graph.move(y, numbers.transpose(1, 0, 2))

    q, k, v = projected(), projected(), projected()
    scores = graph.dot(q, k)
    p = graph.elementwise("EXP2", scores - graph.reduce("MAX", scores, 2))
    p = p * graph.elementwise("RECIP", graph.reduce("SUM", p, 2))
    columns = graph.move(v, np.arange(v.size).reshape(v.shape).transpose(0, 2, 1))
    mixed = graph.dot(p.to("fp16"), columns).to("fp16")
    rows = graph.move(mixed, np.arange(mixed.size).reshape(mixed.shape).transpose(1, 0, 2).reshape(tokens, -1))
    graph.output("y", graph.dot(rows, graph.constant(some((16, count * size), "fp16", rng) / 8, "fp16")))
    return graph


def counter() -> Graph:
    """A state that a product's columns are added to."""
    graph, rng = Graph("counter"), np.random.default_rng(SEED)
    x = graph.input("x", (2, 16), "int8")
    total = graph.state("total", np.zeros((2, 64), np.int32))
    added = total + graph.dot(x, graph.constant(some((64, 16), "int8", rng)))
    graph.store("total", added)
    graph.output("y", added)
    return graph


GRAPHS = {"int8": lambda: layers("int8"), "fp16": lambda: layers("fp16"), "heads": heads}


def both(graph: Graph, system, scheme: str, rtol: float) -> None:
    """Asserts that the spread graph is the graph, evaluated and as programs."""
    print(f"seed {SEED}")
    inputs = some_inputs(graph, np.random.default_rng(SEED))
    new, border = spread(graph, system, scheme)
    compiled, machine = compile_system(new, system), GoldenSystem(system)
    compiled.load(machine)
    expected = Evaluator(graph, LINKED.vl).run(inputs)["y"]
    given = border.divide(inputs)
    for result in (Evaluator(new, LINKED.vl).run(given), compiled.step(machine, given)):
        found = border.join(result)["y"]
        assert found.shape == expected.shape and found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


def transfers(graph: Graph) -> int:
    return sum(tensor.op == "transfer" for tensor in graph.tensors)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", ["int8", "fp16", "heads"])
def test_schemes_keep_what_a_graph_means(name, system, scheme):
    both(GRAPHS[name](), SYSTEMS[system], scheme, {"int8": 0, "fp16": 2e-3, "heads": 4e-3}[name])


@pytest.mark.parametrize("scheme", ["columns", "outputs", "pipeline"])
def test_states_move_on_in_shares(scheme):
    graph, rng = counter(), np.random.default_rng(SEED)
    new, border = spread(graph, SYSTEMS["pair"], scheme)
    compiled, machine, meaning = compile_system(new, SYSTEMS["pair"]), GoldenSystem(SYSTEMS["pair"]), Evaluator(graph, 16)
    compiled.load(machine)
    for _ in range(3):
        inputs = some_inputs(graph, rng)
        found = border.join(compiled.step(machine, border.divide(inputs)))
        np.testing.assert_array_equal(found["y"], meaning.run(inputs)["y"])


@pytest.mark.parametrize(
    ("scheme", "count"),
    [
        ("columns", 2),  # two products by columns and by sums: each chip's part to the other; the last by columns again
        ("outputs", 4),  # every layer's half to the other chip, twice
        ("rows", 0),
        ("pipeline", 1),
    ],
)
def test_what_goes_between_two_chips(scheme, count):
    assert transfers(spread(layers("int8"), SYSTEMS["pair"], scheme)[0]) == count


def test_batches_of_a_pipeline():
    graph, system = layers("int8"), SYSTEMS["pair"]
    new, border = spread(graph, system, "pipeline", batches=2)
    inputs = some_inputs(graph, np.random.default_rng(SEED))
    found = border.join(Evaluator(new, 16).run(border.divide(inputs)))["y"]
    np.testing.assert_array_equal(found, Evaluator(graph, 16).run(inputs)["y"])
    assert transfers(new) == 2


@fixed(60)
@given(st.data())
def test_random_graphs_by_every_scheme(data):
    graph = Builder(data.draw).graph
    inputs = some_inputs(graph, np.random.default_rng(len(graph.tensors)))
    expected = Evaluator(graph, 16).run(inputs)
    for scheme in SCHEMES:
        try:
            new, border = spread(graph, SYSTEMS["ring of 3"], scheme)
        except GraphError as error:
            assert "cannot" in str(error) or "No product" in str(error)
            continue
        found = border.join(Evaluator(new, 16).run(border.divide(inputs)))
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=f"output '{name}' by {scheme}")


def test_the_fastest_scheme_is_taken():
    graph, system = layers("int8"), SYSTEMS["pair"]
    compiled, border = fastest(graph, system)
    assert max(compiled.cycles) == max(compile_system(spread(graph, system, "rows")[0], system).cycles)
    small = Graph("small")
    small.output("y", small.input("x", (1, 16), "fp32") + 1.0)
    alone, border = fastest(small, system)
    assert not border.inputs and [len(part.outputs) for part in alone.parts] == [1, 0]


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [
        ("rows", "have 1 rows at most, 2 chips cannot share them"),
        ("columns", "No product of 'one' has as many columns as there are chips, 2"),
        ("pipeline", "'one' has 1 operations, 2 chips cannot have one each"),
        ("heap", "There is no scheme 'heap'; there are columns, outputs, rows, pipeline"),
    ],
)
def test_what_cannot_be_spread_is_refused(scheme, sentence):
    graph = Graph("one")
    graph.output("y", graph.input("x", (1, 16), "fp32") + 1.0)
    with pytest.raises(GraphError, match=sentence):
        spread(graph, SYSTEMS["pair"], scheme)


def test_without_any_scheme_all_reasons_are_told():
    graph = Graph("much")
    x = graph.input("x", (1, 16), "int16")
    graph.output("y", graph.gather(graph.state("table", np.zeros((5000, 16), np.int16)), graph.input("i", (1, 1), "int16")) + x)
    with pytest.raises(CompileError, match=r"By alone: .*By rows: .*cannot share them"):
        fastest(graph, SYSTEMS["pair"])
