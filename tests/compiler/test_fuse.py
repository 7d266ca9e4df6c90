"""Chains of operations whose operands come from the chain itself."""

import numpy as np

from sw.compiler.graph import Graph
from tests.compiler.onnx_suite import OnGolden


def test_a_value_is_used_at_both_ends_of_a_chain():
    graph = Graph()
    x = graph.elementwise("MAX", graph.input("x", (3, 4), "fp32"), -1.0)
    graph.output("y", x * ((x * x) * 2.0 + 1.0))
    values = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)
    clipped = np.maximum(values, np.float32(-1))
    np.testing.assert_array_equal(OnGolden(graph).run({"x": values})["y"], clipped * ((clipped * clipped) * 2 + 1))
