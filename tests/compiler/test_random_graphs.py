"""Random graphs as programs on the golden model, over several runs, against the evaluator."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.compiler.machines import agree, some_inputs
from tests.compiler.random_graphs import Builder
from tests.compiler.strategies import fixed


@fixed(200)
@given(st.data())
def test_random_graphs(data):
    graph = Builder(data.draw).graph
    rng = np.random.default_rng(len(graph.tensors))
    agree(graph, [some_inputs(graph, rng) for _ in range(3)])
