"""Compiled graphs over chips on the RTL, each chip on its own clock, in lockstep with the golden system."""

import numpy as np
import pytest

from sw.asm.timeline import timeline
from sw.compiler.compiled import compile_system
from sw.compiler.graph import Graph
from sw.golden.chip import GoldenSystem
from sw.isa.table import restart_gap
from sw.network.start import Start
from sw.network.topology import ring
from sw.trace import compare
from tb.system import PERIOD_PS, CocotbSystem
from tests.compiler.machines import some_inputs
from tests.systems import CHIP
from tests.tb.test_systems import SETTLED, follow, with_delays

SEED = 88
RUNS = 2


def there_and_back(chips: int) -> Graph:
    """What goes round all chips, each of which adds its number, and a count of runs on the last."""
    graph = Graph("round")
    x = value = graph.input("x", (3, 8), "int16")
    for chip in [*range(1, chips), 0]:
        value = graph.transfer(value, chip) + chip
    graph.output("round", graph.elementwise("MAX", value, x))
    graph.chip = chips - 1
    count = graph.state("n", np.zeros((1, 8)), "int16")
    graph.store("n", count + 1)
    graph.output("n", graph.transfer(count, 0))
    return graph


@pytest.mark.parametrize(("chips", "clocks"), [(2, (100, -100)), (4, (0, 50, -100, 100))])
def test_compiled_graphs_over_chips(chips, clocks, tmp_path):
    system, wires = with_delays(ring(CHIP, chips), SEED)
    compiled, golden = compile_system(there_and_back(chips), system), GoldenSystem(system)
    compiled.load(golden)
    rng = np.random.default_rng(SEED)
    with CocotbSystem(system, wires, clocks, tmp_path) as rtl:
        compiled.load(rtl)
        start = Start(system)
        follow(start, wires, rtl)
        late = SETTLED * len(set(start.releases)) * PERIOD_PS
        for _ in range(RUNS):
            inputs = some_inputs(there_and_back(chips), rng)
            for machine in (golden, rtl):
                compiled.write(machine, inputs)
            expected = golden.run(traced=range(1))
            assert rtl.run(delays=[late, *[0] * (chips - 1)]) == expected
            for name, value in compiled.read(golden).items():
                np.testing.assert_array_equal(compiled.read(rtl)[name], value, err_msg=name)
            for number, (one, trace, part) in enumerate(zip(golden.chips, rtl.traces(), compiled.parts, strict=True)):
                schedule = timeline(part.image)
                difference = compare(one.trace(), trace, schedule.bursts, schedule.cycles + restart_gap(CHIP))
                assert difference is None, f"chip {number}: {difference}"
