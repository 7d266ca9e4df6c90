"""Random graphs against the evaluator: as programs on the golden model, over several runs, and as tasks in numpy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sw.compiler.chip import Chip
from sw.compiler.evaluate import Evaluator
from sw.compiler.lower.lowering import Lowering
from sw.compiler.meaning import evaluate_tasks
from sw.compiler.normalise import normalise
from tests.compiler.machines import VL16, agree, some_inputs
from tests.compiler.random_graphs import Builder
from tests.compiler.strategies import fixed


@fixed(200)
@given(st.data())
def test_random_graphs(data):
    graph = Builder(data.draw).graph
    rng = np.random.default_rng(len(graph.tensors))
    agree(graph, [some_inputs(graph, rng) for _ in range(3)])


@fixed(200)
@given(st.data())
def test_tasks_mean_what_their_graph_means(data):
    graph = Builder(data.draw).graph
    inputs = some_inputs(graph, np.random.default_rng(len(graph.tensors)))
    normal = normalise(graph, VL16.vl)
    results = evaluate_tasks(Lowering(normal, Chip(VL16)), inputs)
    for name, expected in Evaluator(graph, VL16.vl).run(inputs).items():
        np.testing.assert_array_equal(results[name], expected, err_msg=f"output '{name}'")
