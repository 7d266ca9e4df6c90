"""Compiled graphs over chips on the RTL, each chip on its own clock, in lockstep with the golden system."""

from pathlib import Path

import numpy as np
import pytest

from sw.arch.system import System
from sw.compiler.compiled import CompiledSystem, compile_system
from sw.compiler.evaluate import Evaluator
from sw.compiler.graph import Graph
from sw.network.topology import ring
from tb.system import CocotbSystem
from tests.compiler.machines import some_inputs
from tests.systems import CHIP
from tests.tb.alongside import alongside, with_delays

SEED = 88


def round_trip(chips: int, rounds: int) -> Graph:
    """What goes round all chips, each of which adds its number, and a count of runs on the last."""
    graph = Graph("round")
    x = value = graph.input("x", (3, 8), "int16")
    for chip in [*range(1, chips), 0] * rounds:
        value = graph.transfer(value, chip) + chip
    graph.output("round", graph.elementwise("MAX", value, x))
    graph.chip = chips - 1
    count = graph.state("n", np.zeros((1, 8)), "int16")
    graph.store("n", count + 1)
    graph.output("n", graph.transfer(count, 0))
    return graph


@pytest.mark.parametrize(("chips", "clocks"), [(2, (100, -100)), (4, (0, 50, -100, 100))])
def test_compiled_graphs_over_chips(chips, clocks, tmp_path):
    agree(ring(CHIP, chips), clocks, round_trip(chips, 1), tmp_path)


@pytest.mark.slow
def test_clocks_are_put_right_in_the_middle_of_a_graph(tmp_path):
    """What goes round for longer than clocks keep together, and on chips that have room for so many words."""
    chip = CHIP.replace(queue_words=4096)
    compiled = agree(ring(chip, 2), (100, -100), round_trip(2, 270), tmp_path, room=2)
    assert compiled.body > 2 * chip.c2c.stretch


def agree(system: System, clocks: tuple[int, ...], graph: Graph, folder: Path, **more) -> CompiledSystem:
    """Runs a graph twice on the RTL alongside the golden system, which do the same in every cycle, and what the graph
    means."""
    print(f"seed {SEED}")
    system, wires = with_delays(system, 40, SEED)
    compiled, meaning = compile_system(graph, system), Evaluator(graph, system.config.vl)
    inputs = some_inputs(graph, np.random.default_rng(SEED))

    def fill(machines) -> None:
        for machine, part in zip(machines, compiled.parts, strict=True):
            part.write(machine, {name: value for name, value in inputs.items() if name in part.inputs})

    with CocotbSystem(system, wires, clocks, folder, **more) as rtl:
        found = alongside(rtl, wires, [part.image for part in compiled.parts], fill, iterations=2)
        expected = [meaning.run(inputs) for _ in range(2)][-1]
        for machines in found:
            for machine, part in zip(machines, compiled.parts, strict=True):
                for name, value in part.read(machine).items():
                    np.testing.assert_array_equal(value, expected[name], err_msg=name)
    return compiled
